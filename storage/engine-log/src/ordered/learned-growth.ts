/**
 * How the tree of the learned index grows and shrinks: which node is laid out anew, enlarged or split, and where.
 *
 * A node that is full is fitted anew. Where the model then finds entries in few steps, the node grows a little, up to a size
 * that keeps every insert short. Where it does not, or where many heads are equal, the node is only allowed to be small,
 * and splits at the widest distance between two entries, so that its parts suit a line, or share a longer prefix. A
 * split needs room in the parent alone, so branches are grown on the way down, one a call.
 *
 * Nodes go when empty and are not merged, after T. Johnson, D. Shasha, "B-trees with inserts and deletes: why
 * free-at-empty is better than merge-at-half", 1993; one that has become sparse gives its slots back.
 */

import { assert } from '@orbitkv/base'
import { branchSlotsMax, densityLaid, fillBehind, Layout, type Shape, stepsPoor } from './learned-layout.ts'
import {
  headerShift,
  kindPlain,
  modelShift,
  nodeAppended,
  nodeBase,
  nodeBaseHigh,
  nodeBaseLow,
  nodeCount,
  nodeIntercept,
  nodeKind,
  nodeLaid,
  nodeLevel,
  nodeLimit,
  nodeNext,
  nodePrefix,
  nodePrefixBytes,
  nodePrepended,
  nodePrevious,
  nodeSlope,
  nodeSlots,
  nodeSteps,
  nodeWork,
  noNode,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import {
  headBytes,
  headDistance,
  headWord,
  highestWord,
  lowestWord,
  modelInput,
  predictSlot,
} from './learned-search.ts'
import { noString } from './learned-strings.ts'
import { heightMax, type LearnedTree } from './learned-tree.ts'

const leafSlotsMax = 1024
/** Slots of a node whose model is poor: a binary search of it stays within few cache lines. */
const leafSlotsPoor = 96
const branchSlotsPoor = 96
const slotsMin = 16
/** Shifts for each slot since a node was laid out after which its model is due again. */
const workPerSlot = 24
/** A leaf with more steps than this, on average, is fitted anew before it grows. */
const stepsStretched = 1.6
/** A node this full, at the most slots that it may have, splits. */
const densitySplit = 0.8
/** So many keys in order are a run; one that is predicted so far behind it begins another. */
const runSlotsMin = 64
/** A distance this many times the mean one is where a node falls into parts. */
const wideDistance = 16
/** One in so many neighbours with equal heads is worth a longer prefix; one in the other number, a split. */
const tiesTightened = 8
const tiesPoor = 4

export class Growth {
  readonly #tree: LearnedTree
  readonly #layout: Layout

  constructor(tree: LearnedTree) {
    this.#tree = tree
    this.#layout = new Layout(tree)
    this.#layout.lay(tree.root, 0, 0, slotsMin, 'spread')
  }

  isFull(node: number): boolean {
    const { header } = this.#tree.pool
    const at = node << headerShift
    return (
      (header[at + nodeCount] as number) >= (header[at + nodeLimit] as number) ||
      (header[at + nodeWork] as number) > (header[at + nodeSlots] as number) * workPerSlot
    )
  }

  /** Whether a key that comes behind keys which arrived in order is far from where they lead: others will follow it. */
  isNewRun(leaf: number, place: number, near: number): boolean {
    if (near <= place + runSlotsMin) return false
    const tree = this.#tree
    if (tree.word(leaf, nodeAppended) < runSlotsMin) return false
    const at = tree.word(leaf, nodeBase) + place * slotWords
    return place < tree.word(leaf, nodeSlots) && isUntouched(tree.wordsOf(leaf), at)
  }

  /**
   * Brings a key that has no room in its leaf nearer to having some; it must be sought again afterwards. `side` is where it
   * stands beside the leaf's entries: before all, behind all, or 0; `apart` when it is to have a leaf of its own.
   */
  makeRoom(leaf: number, key: Uint8Array, start: number, end: number, side: number, apart: boolean): void {
    const tree = this.#tree
    for (let level = tree.height; level > 0; level--) {
      const branch = tree.pathNode[level] as number
      if (!this.isFull(branch)) continue
      this.#grow(branch, this.#shapeOf(branch))
      return
    }
    if (apart) this.#splitAtEdge(leaf, key, start, end, side)
    else this.#growLeaf(leaf, key, start, end, side)
  }

  /** Where a node's gaps should go, by where entries came in since it was laid out. */
  #shapeOf(node: number): Shape {
    const tree = this.#tree
    const entered = tree.word(node, nodeCount) - tree.word(node, nodeLaid)
    const most = entered - (entered >>> 3)
    if (most > 0 && tree.word(node, nodeAppended) >= most) return 'room-behind'
    if (most > 0 && tree.word(node, nodePrepended) >= most) return 'room-before'
    return 'spread'
  }

  #growLeaf(leaf: number, key: Uint8Array, start: number, end: number, side: number): void {
    const tree = this.#tree
    const shape = this.#shapeOf(leaf)
    const follows = (shape === 'room-behind' && side > 0) || (shape === 'room-before' && side < 0)
    const slots = tree.word(leaf, nodeSlots)
    const largest = tree.word(leaf, nodeKind) === kindPlain ? leafSlotsPoor : leafSlotsMax
    // Keys that arrive in order go on in a leaf of their own, and the one behind them stays full.
    if (follows && slots >= largest) this.#splitAtEdge(leaf, key, start, end, side)
    else if (follows || !this.#stretch(leaf)) this.#grow(leaf, follows ? shape : 'spread')
  }

  /** Enlarges or splits a leaf that is full and keeps its model, or its lack of one; false where more is to be done. */
  #stretch(leaf: number): boolean {
    const tree = this.#tree
    const count = tree.word(leaf, nodeCount)
    if (count < tree.word(leaf, nodeLimit)) return false
    const slots = roundUp((count + 1) / densityLaid)
    if (tree.word(leaf, nodeKind) === kindPlain) {
      if (slots > leafSlotsPoor) return false
      this.#layout.layEvenly(leaf, slots)
      return true
    }
    if (tree.word(leaf, nodeSteps) > stepsStretched * tree.word(leaf, nodeLaid)) return false
    if (slots <= leafSlotsMax) return this.#layout.stretch(leaf, slots) <= stepsStretched
    this.#divide(leaf)
    return true
  }

  /** Splits a leaf whose model is good for both halves. */
  #divide(leaf: number): void {
    const tree = this.#tree
    const count = tree.word(leaf, nodeCount)
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    let last = base - slotWords
    let at = base
    const keep = unevenHalf(leaf, count)
    for (let left = keep; ; at += slotWords) {
      if (words[at + slotA] === 0) continue
      if (left-- === 0) break
      last = at
    }
    const below = this.#layout.keyAt(words[last + slotA] as number, words[last + slotB] as number)
    const above = this.#layout.keyAt(words[at + slotA] as number, words[at + slotB] as number)
    const separator = this.#separate(below, above)
    const right = tree.pool.make(0)
    this.#linkBehind(leaf, right)
    this.#copyPrefix(leaf, right)
    const slots = tree.word(leaf, nodeSlots)
    this.#layout.divide(leaf, right, (at - base) / slotWords, count - keep, slots, slots)
    this.#addChild(1, leaf, right, separator, count - keep)
  }

  /** Lays a node out anew with more room, or splits it. */
  #grow(node: number, shape: Shape): void {
    const tree = this.#tree
    const layout = this.#layout
    const isBranch = tree.word(node, nodeLevel) > 0
    layout.gather(node)
    const { count } = layout
    const first = isBranch ? 1 : 0
    let ties = layout.tiesOf(first, count)
    if (ties * tiesTightened > count && layout.tighten(node, 0, count)) ties = layout.tiesOf(first, count)
    const wanted = shape === 'spread' ? Math.ceil((count + 1) / densityLaid) : 2 * (count + 1)
    const most = isBranch ? branchSlotsMax : leafSlotsMax
    let slots = Math.min(roundUp(wanted), most)
    const isPoor = layout.fit(isBranch, 0, count, slots, shape) > stepsPoor || ties * tiesPoor > count
    const poorMost = isBranch ? branchSlotsPoor : leafSlotsPoor
    if (isPoor && slots > poorMost) {
      slots = poorMost
      if (count <= slots * densitySplit) layout.fit(isBranch, 0, count, slots, shape)
    }
    if (count <= slots * densitySplit) layout.layFitted(node, 0, count, slots, shape)
    else this.#split(node, this.#splitPoint(node, isPoor, shape), isPoor ? slots : tree.word(node, nodeSlots), shape)
  }

  /** How many entries a node that is split keeps. */
  #splitPoint(node: number, isPoor: boolean, shape: Shape): number {
    const layout = this.#layout
    const { count, high, low } = layout
    const { at, distance } = layout.widestSplit()
    const last = count - 1
    const whole = headDistance(high[last] as number, low[last] as number, high[1] as number, low[1] as number)
    if (isPoor || distance * count > whole * wideDistance) return at
    if (shape === 'room-behind') return count - (count >>> 3)
    return unevenHalf(node, count)
  }

  /** Splits a node whose entries are gathered; it keeps the first `keep` of them. */
  #split(node: number, keep: number, slots: number, shape: Shape): void {
    const tree = this.#tree
    const layout = this.#layout
    const { count } = layout
    const level = tree.word(node, nodeLevel)
    const most = tree.word(node, nodeSlots)
    const right = tree.pool.make(level)
    let separator: number
    if (level === 0) {
      separator = this.#separate(this.#leafKey(keep - 1), this.#leafKey(keep))
      this.#linkBehind(node, right)
    } else {
      separator = layout.b[keep] as number
      layout.high[keep] = layout.low[keep] = lowestWord
      layout.b[keep] = noString
    }
    this.#copyPrefix(node, right)
    let entries = 0
    for (let i = keep; i < count; i++) entries += level === 0 ? 1 : (layout.below[i] as number)
    this.#layPart(right, keep, count, slots, most, shape)
    this.#layPart(node, 0, keep, slots, most, shape === 'room-behind' ? 'spread' : shape)
    this.#addChild(level + 1, node, right, separator, entries)
  }

  #layPart(node: number, from: number, to: number, slots: number, most: number, shape: Shape): void {
    const layout = this.#layout
    const first = this.#tree.word(node, nodeLevel) > 0 ? from + 1 : from
    if (layout.tiesOf(first, to) * tiesTightened > to - from) layout.tighten(node, from, to)
    layout.lay(node, from, to, Math.min(most, Math.max(slots, roundUp((to - from + 1) / densityLaid))), shape)
  }

  #linkBehind(leaf: number, right: number): void {
    const tree = this.#tree
    const next = tree.word(leaf, nodeNext)
    tree.setWord(right, nodeNext, next)
    tree.setWord(right, nodePrevious, leaf)
    tree.setWord(leaf, nodeNext, right)
    if (next !== noNode) tree.setWord(next, nodePrevious, right)
  }

  #copyPrefix(from: number, to: number): void {
    const { strings } = this.#tree
    const prefix = this.#tree.word(from, nodePrefix)
    if (prefix === noString) return
    const start = strings.startOf(prefix)
    const bytes = strings.lengthOf(prefix)
    const copy = strings.chunkOf(prefix).slice(start, start + bytes)
    this.#tree.setWord(to, nodePrefix, strings.keep(copy, 0, bytes))
    this.#tree.setWord(to, nodePrefixBytes, bytes)
  }

  /** The key of a gathered entry of a leaf. */
  #leafKey(i: number): Uint8Array {
    const layout = this.#layout
    return layout.keyAt(layout.a[i] as number, layout.b[i] as number)
  }

  /** The shortest string that is above one key and not above the next. */
  #separate(below: Uint8Array, above: Uint8Array): number {
    let shared = 0
    while (shared < below.length && below[shared] === above[shared]) shared++
    return this.#tree.strings.keep(above, 0, shared + 1)
  }

  /** Puts an empty leaf beside a leaf, for a key that stands before or behind all of that one's entries. */
  #splitAtEdge(leaf: number, key: Uint8Array, start: number, end: number, side: number): void {
    const tree = this.#tree
    const layout = this.#layout
    const added = key.slice(start, end)
    const right = tree.pool.make(0)
    const isFollowed = tree.word(leaf, nodeSlots) >= leafSlotsPoor && tree.prefixOrder(leaf, key, start, end) === 0
    const isLast = side > 0 ? tree.word(leaf, nodeNext) === noNode : tree.word(leaf, nodePrevious) === noNode
    const slots = isFollowed && isLast ? tree.word(leaf, nodeSlots) : slotsMin
    layout.gather(leaf)
    const { count } = layout
    const separator =
      side > 0 ? this.#separate(this.#leafKey(count - 1), added) : this.#separate(added, this.#leafKey(0))
    const slope = tree.pool.models[(leaf << modelShift) + nodeSlope] as number
    const kind = tree.word(leaf, nodeKind)
    this.#linkBehind(leaf, right)
    this.#copyPrefix(leaf, right)
    let empty = right
    if (side < 0) {
      layout.lay(right, 0, count, roundUp(count), 'room-before')
      empty = leaf
    }
    if (side > 0 && count * 4 < tree.word(leaf, nodeSlots) * 3) {
      layout.lay(leaf, 0, count, roundUp(count), 'room-behind')
    }
    if (side > 0) this.#closeBehind(leaf)
    layout.lay(empty, 0, 0, slots, side > 0 ? 'room-behind' : 'room-before')
    if (isFollowed) {
      // What follows is likely to go on as it came.
      const at = empty << headerShift
      const prefixBytes = tree.word(empty, nodePrefixBytes)
      tree.setWord(empty, nodeBaseHigh, headWord(key, start + prefixBytes, end))
      tree.setWord(empty, nodeBaseLow, headWord(key, start + prefixBytes + headBytes / 2, end))
      tree.pool.header[at + nodeKind] = kind
      tree.pool.models[(empty << modelShift) + nodeSlope] = slope
      const high = tree.word(empty, nodeBaseHigh)
      const low = tree.word(empty, nodeBaseLow)
      const origin = slope * modelInput(tree.pool, empty, high, low)
      tree.pool.models[(empty << modelShift) + nodeIntercept] = (side > 0 ? 0 : slots - 1) - origin + 1e-6
    } else this.#dropPrefix(empty)
    this.#addChild(1, leaf, right, separator, side > 0 ? 0 : count)
  }

  /** Heads of gaps behind a leaf's last entry may be above the separator that is to come: they are forgotten. */
  #closeBehind(leaf: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    const slots = tree.word(leaf, nodeSlots)
    const behind = tree.slotBefore(words, base, slots) + 1
    fillBehind(words, base + behind * slotWords, base + slots * slotWords)
  }

  #dropPrefix(node: number): void {
    this.#tree.strings.drop(this.#tree.word(node, nodePrefix))
    this.#tree.setWord(node, nodePrefix, noString)
    this.#tree.setWord(node, nodePrefixBytes, 0)
  }

  /** Adds a node behind `left`, of which it has taken so many entries, to the branch above on the way down. */
  #addChild(level: number, left: number, right: number, separator: number, entries: number): void {
    const tree = this.#tree
    const { strings } = tree
    if (level > tree.height) this.#addRoot(level, entries)
    const parent = tree.pathNode[level] as number
    const chunk = strings.chunkOf(separator)
    const start = strings.startOf(separator)
    const end = start + strings.lengthOf(separator)
    tree.known = 0
    if (tree.prefixOrder(parent, chunk, start, end) !== 0) this.#shortenPrefix(parent, chunk, start, end)
    tree.headPrefix = -1
    const slot = tree.childFor(parent, chunk, start, end)
    tree.headPrefix = -1
    const words = tree.wordsOf(parent)
    const base = tree.word(parent, nodeBase)
    const slots = tree.word(parent, nodeSlots)
    assert(words[base + slot * slotWords + slotA] === left, 'a split node is in its parent')
    const count = tree.countAt(parent, slot)
    words[count] = (words[count] as number) - entries
    const prefixBytes = tree.word(parent, nodePrefixBytes)
    const high = headWord(chunk, start + prefixBytes, end)
    const low = headWord(chunk, start + prefixBytes + headBytes / 2, end)
    let place = slot + 1
    for (let at = base + place * slotWords; place < slots && words[at + slotA] === 0; place++, at += slotWords) {
      if ((words[at] as number) > high || (words[at] === high && (words[at + 1] as number) >= low)) break
    }
    this.noteSide(parent, place)
    const near = predictSlot(tree.pool, parent, high, low)
    const entered = tree.enter(parent, place, near, high, low, right, separator)
    tree.wordsOf(parent)[tree.countAt(parent, entered)] = entries
  }

  #addRoot(level: number, entries: number): void {
    const tree = this.#tree
    const layout = this.#layout
    assert(level < heightMax, 'the tree has room for one more level')
    const root = tree.pool.make(level)
    layout.high[0] = layout.low[0] = lowestWord
    layout.a[0] = tree.root
    layout.b[0] = noString
    layout.below[0] = tree.entriesOf(tree.root) + entries
    layout.lay(root, 0, 1, slotsMin, 'spread')
    tree.root = root
    tree.height = level
    tree.pathNode[level] = root
  }

  /** Cuts a branch's prefix down to what a new separator shares with it. */
  #shortenPrefix(branch: number, key: Uint8Array, start: number, end: number): void {
    const tree = this.#tree
    const layout = this.#layout
    const { strings } = tree
    const prefix = tree.word(branch, nodePrefix)
    const from = strings.startOf(prefix)
    const bytes = strings.chunkOf(prefix)
    let shared = 0
    while (start + shared < end && shared < strings.lengthOf(prefix) && bytes[from + shared] === key[start + shared])
      shared++
    layout.gather(branch)
    layout.setPrefix(branch, key.slice(start, start + shared), shared)
    layout.rehead(true, 1, layout.count, shared)
    layout.lay(branch, 0, layout.count, tree.word(branch, nodeSlots), 'spread')
  }

  /** Counts an entry that comes in at one end of a node, as far as the slots beside its place tell. */
  noteSide(node: number, place: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(node)
    const at = tree.word(node, nodeBase) + place * slotWords
    let field: number
    if (place === tree.word(node, nodeSlots) || isUntouched(words, at)) {
      field = nodeAppended
    } else if (place === 0 || (words[at - slotWords + slotA] === 0 && words[at - slotWords] === lowestWord)) {
      field = nodePrepended
    } else return
    tree.setWord(node, field, tree.word(node, field) + 1)
  }

  /** After a leaf on the way of the last descent lost an entry. */
  shrink(leaf: number): void {
    const tree = this.#tree
    const count = tree.word(leaf, nodeCount)
    if (count > 0) this.#giveBack(leaf)
    else if (tree.height > 0) this.#freeLeaf(leaf)
    else {
      this.#dropPrefix(leaf)
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

/**
 * How many entries a node keeps that splits near the middle. Not just half: leaves that fill at one pace would all be full
 * at one time, and half empty soon after.
 */
function unevenHalf(node: number, count: number): number {
  const fraction = (Math.imul(node, 0x9e3779b1) >>> 0) / 2 ** 32
  return Math.floor(count * (0.35 + 0.3 * fraction))
}

/** Whether a slot is one of the gaps behind all entries that a node was laid out with. */
function isUntouched(words: Int32Array, at: number): boolean {
  return words[at + slotA] === 0 && words[at] === highestWord && words[at + 1] === highestWord
}

function roundUp(slots: number): number {
  return Math.max(slotsMin, (Math.ceil(slots) + 15) & ~15)
}
