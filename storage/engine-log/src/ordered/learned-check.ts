/**
 * What must hold in the tree of a learned index, checked from outside it, and figures on its shape.
 *
 * 1. Heads never descend within a node, and an entry's head is that of its key or separator after the node's prefix.
 * 2. Entries ascend strictly by key, within a leaf and along the leaves' links, and lie between the separators around them.
 * 3. All keys of a node begin with its prefix, and all separators of a branch but the first, which is empty.
 * 4. No leaf is empty but the root; every leaf is equally deep; counts are those of the entries below.
 */

import { assert } from '@orbitkv/base'
import { compareBytes } from '@orbitkv/bytes'
import {
  kindPlain,
  nodeBase,
  nodeBlockWords,
  nodeCount,
  nodeErrorMax,
  nodeKind,
  nodeLaid,
  nodeLevel,
  nodeLimit,
  nodeNext,
  nodePrefixBytes,
  nodePrevious,
  nodeSlots,
  nodeSteps,
  noNode,
  slotA,
  slotWords,
} from './learned-pool.ts'
import { headWord, lowestWord } from './learned-search.ts'
import { noString } from './learned-strings.ts'
import type { LearnedTree } from './learned-tree.ts'

export interface TreeShape {
  /** Nodes from the root to a leaf. */
  readonly depth: number
  readonly leaves: number
  readonly branches: number
  /** Nodes that are searched without a model. */
  readonly plainNodes: number
  /** Slots of leaves without an entry. */
  readonly gaps: number
  /** Bits of the distance between where a leaf's model expects an entry and where it was laid: mean over entries. */
  readonly errorBitsMean: number
  /** The largest such distance, in slots, in a leaf that uses its model. */
  readonly errorSlotsMax: number
}

/** Figures from at most so many nodes, spread over all of them; exact where there are no more. Reads no slots. */
export function shapeOf(tree: LearnedTree, nodesMost: number): TreeShape {
  const nodes = tree.pool.nodesEnd - 1
  const step = Math.max(1, Math.ceil(nodes / nodesMost))
  let leaves = 0
  let branches = 0
  let plainNodes = 0
  let slots = 0
  let laid = 0
  let bits = 0
  let errorSlotsMax = 0
  for (let node = 1; node <= nodes; node += step) {
    if (tree.word(node, nodeBlockWords) === 0) continue
    const isPlain = tree.word(node, nodeKind) === kindPlain
    if (isPlain) plainNodes++
    if (tree.word(node, nodeLevel) > 0) {
      branches++
      continue
    }
    leaves++
    slots += tree.word(node, nodeSlots)
    laid += tree.word(node, nodeLaid)
    bits += tree.word(node, nodeSteps)
    if (!isPlain) errorSlotsMax = Math.max(errorSlotsMax, tree.word(node, nodeErrorMax))
  }
  return {
    depth: tree.height + 1,
    leaves: leaves * step,
    branches: branches * step,
    plainNodes: plainNodes * step,
    gaps: Math.max(0, slots * step - tree.size),
    errorBitsMean: laid === 0 ? 0 : bits / laid,
    errorSlotsMax,
  }
}

interface Entry {
  readonly slot: number
  readonly high: number
  readonly low: number
  readonly a: number
  readonly b: number
}

function* entriesOf(tree: LearnedTree, node: number): Iterable<Entry> {
  const words = tree.wordsOf(node)
  const base = tree.word(node, nodeBase)
  for (let slot = 0; slot < tree.word(node, nodeSlots); slot++) {
    const at = base + slot * slotWords
    const [high, low, a, b] = words.subarray(at, at + slotWords) as unknown as [number, number, number, number]
    if (a !== 0) yield { slot, high, low, a, b }
  }
}

export function checkTree(tree: LearnedTree): void {
  tree.known = 0
  const checker = new Checker(tree)
  const entries = checker.visit(tree.root, tree.height, undefined, undefined)
  assert(entries === tree.size, 'the size is the number of entries')
  assert(tree.word(checker.lastLeaf, nodeNext) === noNode, 'the last leaf has none behind it')
}

type Bound = Uint8Array | undefined

class Checker {
  readonly #tree: LearnedTree
  lastLeaf = noNode
  #lastKey: Bound

  constructor(tree: LearnedTree) {
    this.#tree = tree
  }

  /** Checks a node with keys in [from, to) and all below it; returns how many entries those are. */
  visit(node: number, level: number, from: Bound, to: Bound): number {
    const tree = this.#tree
    assert(tree.word(node, nodeLevel) === level, 'a node knows its level')
    this.#checkSlots(node)
    return level === 0 ? this.#visitLeaf(node, from, to) : this.#visitBranch(node, level, from, to)
  }

  #checkSlots(node: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(node)
    const base = tree.word(node, nodeBase)
    const slots = tree.word(node, nodeSlots)
    let count = 0
    for (let slot = 0, at = base; slot < slots; slot++, at += slotWords) {
      if (words[at + slotA] !== 0) count++
      if (slot === 0) continue
      const [high, before] = [words[at] as number, words[at - slotWords] as number]
      const isInOrder =
        high > before || (high === before && (words[at + 1] as number) >= (words[at + 1 - slotWords] as number))
      assert(isInOrder, 'heads never descend')
    }
    assert(count === tree.word(node, nodeCount), 'a node has as many entries as it says')
    assert(tree.word(node, nodeLimit) <= slots, 'a node is full before its slots are')
  }

  #visitBranch(node: number, level: number, from: Bound, to: Bound): number {
    const tree = this.#tree
    const entries = [...entriesOf(tree, node)]
    assert(entries.length > 0, 'a branch has a child')
    const first = entries[0] as Entry
    assert(first.high === lowestWord && first.low === lowestWord, 'the first child has the lowest head')
    assert(first.b === noString, 'the first child has no separator')
    let below = 0
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry
      const lower = i === 0 ? from : this.#separator(entry.b)
      const upper = i + 1 < entries.length ? this.#separator((entries[i + 1] as Entry).b) : to
      if (i > 0) this.#checkHead(node, entry, lower as Uint8Array)
      const within = this.visit(entry.a, level - 1, lower, upper)
      assert(within === tree.wordsOf(node)[tree.countAt(node, entry.slot)], 'a child has the entries that are counted')
      below += within
    }
    return below
  }

  #visitLeaf(node: number, from: Bound, to: Bound): number {
    const tree = this.#tree
    let entries = 0
    assert(tree.word(node, nodePrevious) === this.lastLeaf, 'a leaf is linked to the one before it')
    if (this.lastLeaf !== noNode) assert(tree.word(this.lastLeaf, nodeNext) === node, 'and that one to it')
    for (const entry of entriesOf(tree, node)) {
      const { bytes, keyStart, keyBytes } = tree.keys.keyAt(entry.a, entry.b)
      const key = bytes.slice(keyStart, keyStart + keyBytes)
      assert(from === undefined || compare(from, key) <= 0, 'a key is not below its range')
      assert(to === undefined || compare(key, to) < 0, 'a key is below the end of its range')
      assert(this.#lastKey === undefined || compare(this.#lastKey, key) < 0, 'keys ascend strictly')
      this.#checkHead(node, entry, key)
      this.#lastKey = key
      entries++
    }
    assert(entries > 0 || node === tree.root, 'only the root may be an empty leaf')
    this.lastLeaf = node
    return entries
  }

  #checkHead(node: number, { high, low }: Entry, key: Uint8Array): void {
    const prefixBytes = this.#tree.word(node, nodePrefixBytes)
    assert(this.#tree.prefixOrder(node, key, 0, key.length) === 0, "a key begins with its node's prefix")
    assert(high === headWord(key, prefixBytes, key.length), 'the high half of a head is that of its key')
    assert(low === headWord(key, prefixBytes + 4, key.length), 'the low half of a head is that of its key')
  }

  #separator(id: number): Uint8Array {
    const { strings } = this.#tree
    const start = strings.startOf(id)
    return strings.chunkOf(id).slice(start, start + strings.lengthOf(id))
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}
