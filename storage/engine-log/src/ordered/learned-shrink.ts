/**
 * How the tree of the learned index shrinks. Nodes go when empty and are not merged, after T. Johnson, D. Shasha, "B-trees with
 * inserts and deletes: why free-at-empty is better than merge-at-half", 1993; one that has become sparse gives its slots back.
 */

import { assert } from '@orbitkv/base'
import { densityLaid, type Layout, roundUp, slotsMin } from './learned-layout.ts'
import {
  nodeBase,
  nodeCount,
  nodeNext,
  nodePrefix,
  nodePrevious,
  nodeSlots,
  noNode,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import { lowestWord } from './learned-search.ts'
import { noString } from './learned-strings.ts'
import type { LearnedTree } from './learned-tree.ts'

export class Shrink {
  readonly #tree: LearnedTree
  readonly #layout: Layout

  constructor(tree: LearnedTree, layout: Layout) {
    this.#tree = tree
    this.#layout = layout
  }

  /** After a leaf on the way of the last descent lost an entry. */
  lost(leaf: number): void {
    const tree = this.#tree
    const count = tree.word(leaf, nodeCount)
    if (count > 0) this.#giveBack(leaf)
    else if (tree.height > 0) this.#freeLeaf(leaf)
    else {
      tree.dropPrefix(leaf)
      this.#layout.lay(leaf, 0, 0, slotsMin, 'spread')
    }
  }

  #giveBack(node: number): void {
    const tree = this.#tree
    const count = tree.word(node, nodeCount)
    const slots = tree.word(node, nodeSlots)
    if (slots <= slotsMin || count * 4 > slots) return
    this.#layout.gather(node)
    this.#layout.lay(node, 0, count, roundUp((count + 1) / densityLaid), 'spread')
  }

  #freeLeaf(leaf: number): void {
    const tree = this.#tree
    const next = tree.word(leaf, nodeNext)
    const previous = tree.word(leaf, nodePrevious)
    if (previous !== noNode) tree.setWord(previous, nodeNext, next)
    if (next !== noNode) tree.setWord(next, nodePrevious, previous)
    this.#freeNode(leaf)
    for (let level = 1; level <= tree.height; level++) {
      const branch = tree.pathNode[level] as number
      this.#removeChild(branch, tree.pathSlot[level] as number)
      if (tree.word(branch, nodeCount) > 0) {
        this.#giveBack(branch)
        break
      }
      assert(level < tree.height, 'the root is never left without a child')
      this.#freeNode(branch)
    }
    while (tree.height > 0 && tree.word(tree.root, nodeCount) === 1) {
      const root = tree.root
      const at = tree.word(root, nodeBase) + tree.firstSlot(root) * slotWords
      tree.root = tree.wordsOf(root)[at + slotA] as number
      tree.height--
      this.#freeNode(root)
    }
  }

  #freeNode(node: number): void {
    this.#tree.strings.drop(this.#tree.word(node, nodePrefix))
    this.#tree.pool.free(node)
  }

  #removeChild(branch: number, slot: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(branch)
    const base = tree.word(branch, nodeBase)
    const at = base + slot * slotWords
    const wasFirst = tree.firstSlot(branch) === slot
    tree.strings.drop(words[at + slotB] as number)
    words[at + slotA] = 0
    tree.setWord(branch, nodeCount, tree.word(branch, nodeCount) - 1)
    if (!wasFirst || tree.word(branch, nodeCount) === 0) return
    // The next child takes over all that is below its separator.
    const first = tree.firstSlot(branch)
    tree.strings.drop(words[base + first * slotWords + slotB] as number)
    words[base + first * slotWords + slotB] = noString
    for (let i = base; i <= base + first * slotWords; i += slotWords) words[i] = words[i + 1] = lowestWord
  }
}
