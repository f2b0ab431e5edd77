/**
 * How the tree of the learned index grows: which node is laid out anew, enlarged or split, and where.
 *
 * A node that is full is fitted anew. Where the model then finds entries in few steps, the node grows a little, up to a size
 * that keeps every insert short. Where it does not, or where many heads are equal, the node is only allowed to be small,
 * and splits at the widest distance between two entries, so that its parts suit a line, or share a longer prefix. A
 * split needs room in the parent alone, so branches are grown on the way down, one a call. Many entries with one head
 * get a leaf of their own, and a leaf in the midst of which keys arrive one behind the other splits where they come in.
 */

import { assert } from '@orbitkv/base'
import type { LeafCopy } from './leaf-copy.ts'
import {
  branchSlotsMax,
  densityLaid,
  fillBehind,
  isSpread,
  type Layout,
  roundUp,
  type Shape,
  slotsMin,
  stepsMost,
} from './learned-layout.ts'
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
import { Stretch } from './learned-stretch.ts'
import { noString } from './learned-strings.ts'
import { heightMax, type LearnedTree } from './learned-tree.ts'

/** A little less than 1024, so that chunks, which are powers of two, hold whole blocks with next to nothing left. */
const leafSlotsMax = 1008
/** Slots of a node whose model is poor: a binary search of it stays within few cache lines. */
const leafSlotsPoor = 96
/** A branch may be larger: one level less is worth more steps within it. */
const branchSlotsPoor = 512
/** Shifts for each slot since a node was laid out after which its model is due again. */
const workPerSlot = 8
/** A leaf with more steps than this, on average, is fitted anew before it grows. */
const stepsStretched = 1.6
/** A node this full, at the most slots that it may have, splits. */
const densitySplit = 0.7
/** As much of a node whose entries arrive in order. */
const densityFollowed = 0.9
/** So many keys in order are a run; one that is predicted so far behind it begins another. */
const runSlotsMin = 64
/** A distance this many times the mean one is where a node falls into parts. */
const wideDistance = 16
/** One in so many neighbours with equal heads is worth a longer prefix; one in the other number, a split. */
const tiesTightened = 8
const tiesPoor = 4
/** So many entries with one head get a leaf of their own: what its header takes is worth their looks at the log. */
const tiesApart = 12

export class Growth {
  readonly #tree: LearnedTree
  readonly #layout: Layout
  readonly #stretching: Stretch

  constructor(tree: LearnedTree, layout: Layout) {
    this.#tree = tree
    this.#layout = layout
    this.#stretching = new Stretch(tree)
    layout.lay(tree.root, 0, 0, slotsMin, 'spread')
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

  /** Adds a leaf behind all others, with entries that are not below `separator`; the first leaf is the root that there is. */
  append(leaf: LeafCopy, separator: Uint8Array): void {
    const tree = this.#tree
    const layout = this.#layout
    const isFirst = tree.size === 0
    const added = isFirst ? tree.root : tree.pool.make(0)
    tree.setWord(added, nodePrefix, tree.strings.keep(leaf.prefix, 0, leaf.prefix.length))
    tree.setWord(added, nodePrefixBytes, leaf.prefix.length)
    layout.take(leaf)
    layout.lay(added, 0, leaf.count, Math.max(leaf.count, Math.min(leafSlotsMax, leaf.slots)), 'spread')
    if (!isFirst) {
      const last = this.#wayToAppend(separator)
      this.#linkBehind(last, added)
      this.#addChild(1, last, added, tree.strings.keep(separator, 0, separator.length), 0)
      tree.headPrefix = -1
      tree.descend(separator, 0, separator.length)
    }
    tree.addToPath(leaf.count)
  }

  /** The last leaf, with room in every branch on the way to it. */
  #wayToAppend(separator: Uint8Array): number {
    const tree = this.#tree
    for (;;) {
      tree.headPrefix = -1
      const last = tree.descend(separator, 0, separator.length)
      let full = noNode
      for (let level = tree.height; level > 0 && full === noNode; level--) {
        const branch = tree.pathNode[level] as number
        if (this.isFull(branch)) full = branch
      }
      if (full === noNode) return last
      this.#grow(full, this.#shapeOf(full))
    }
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
    const isWorn = tree.word(leaf, nodeCount) < tree.word(leaf, nodeLimit)
    if (isWorn && !follows && slots > leafSlotsPoor) this.#splitAtPlace(leaf)
    else if (follows && slots >= largest) this.#splitAtEdge(leaf, key, start, end, side)
    else if (follows || !this.#stretch(leaf)) this.#grow(leaf, follows ? shape : 'spread')
  }

  /** Splits a leaf where keys come in one behind the other, for which it has no gaps: before the key that is sought. */
  #splitAtPlace(leaf: number): void {
    const layout = this.#layout
    const { high, low } = this.#tree
    layout.gather(leaf)
    const { count } = layout
    let place = 0
    for (; place < count; place++) {
      const own = layout.high[place] as number
      if (own > high || (own === high && (layout.low[place] as number) >= low)) break
    }
    this.#split(leaf, Math.min(Math.max(place, 1), count - 1), slotsMin, 'spread-with-end')
  }

  /** Enlarges or splits a leaf that is full and keeps its model, or its lack of one; false where more is to be done. */
  #stretch(leaf: number): boolean {
    const tree = this.#tree
    const count = tree.word(leaf, nodeCount)
    if (count < tree.word(leaf, nodeLimit)) return false
    const slots = roundUp((count + 1) / densityLaid)
    if (tree.word(leaf, nodeKind) === kindPlain) {
      if (slots > leafSlotsPoor) return false
      return this.#layout.layEvenly(leaf, slots, Math.floor(count / tiesPoor))
    }
    if (tree.word(leaf, nodeSteps) > stepsStretched * tree.word(leaf, nodeLaid)) return false
    if (slots <= leafSlotsMax) return this.#stretching.enlarge(leaf, slots) <= stepsStretched
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
    this.#stretching.divide(leaf, right, (at - base) / slotWords, count - keep)
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
    const wanted = isSpread(shape) ? Math.ceil((count + 1) / densityLaid) : 2 * (count + 1)
    const most = isBranch ? branchSlotsMax : leafSlotsMax
    let slots = Math.min(roundUp(wanted), most)
    const fullest = isSpread(shape) ? densitySplit : densityFollowed
    if (!isBranch && this.#isCrowded(0, count, ties)) {
      this.#split(node, layout.headBoundary(), slotsMin, shape)
      return
    }
    const isPoor = layout.fit(isBranch, 0, count, slots, shape) > stepsMost(shape) || ties * tiesPoor > count
    const poorMost = isBranch ? branchSlotsPoor : leafSlotsPoor
    if (isPoor && slots > poorMost) {
      slots = poorMost
      if (count <= slots * fullest) layout.fit(isBranch, 0, count, slots, shape)
    }
    if (count <= slots * fullest) layout.layFitted(node, 0, count, slots, shape)
    else this.#split(node, this.#splitPoint(node, isPoor, shape), isPoor ? slots : tree.word(node, nodeSlots), shape)
  }

  /** Whether many entries of a leaf have one head, beside others: in a leaf of their own a longer prefix tells them apart. */
  #isCrowded(from: number, to: number, ties: number): boolean {
    if (ties < tiesApart) return false
    const most = this.#layout.mostTies(from, to)
    return most >= tiesApart && most < to - from
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
    this.#layPart(right, keep, count, slots, most, shape === 'spread-with-end' ? 'spread' : shape)
    this.#layPart(node, 0, keep, slots, most, shape === 'room-behind' ? 'spread' : shape)
    this.#addChild(level + 1, node, right, separator, entries)
  }

  #layPart(node: number, from: number, to: number, slots: number, most: number, shape: Shape): void {
    const layout = this.#layout
    const isBranch = this.#tree.word(node, nodeLevel) > 0
    const first = isBranch ? from + 1 : from
    const count = to - from
    if (layout.tiesOf(first, to) * tiesTightened > count) layout.tighten(node, from, to)
    // With hardly any room the next entry splits it again.
    const isCrowded = !isBranch && this.#isCrowded(from, to, layout.tiesOf(first, to))
    const wanted = isCrowded ? roundUp(count + 1) : Math.max(slots, roundUp((count + 1) / densityLaid))
    layout.lay(node, from, to, Math.min(most, wanted), shape)
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
    const isFollowed =
      tree.word(leaf, nodeSlots) >= leafSlotsPoor &&
      tree.word(leaf, nodeKind) !== kindPlain &&
      tree.prefixOrder(leaf, key, start, end) === 0
    const isLast = side > 0 ? tree.word(leaf, nodeNext) === noNode : tree.word(leaf, nodePrevious) === noNode
    const slots = isFollowed && isLast ? tree.word(leaf, nodeSlots) : slotsMin
    const count = tree.word(leaf, nodeCount)
    const edge = this.#edgeKey(leaf, side)
    const separator = side > 0 ? this.#separate(edge, added) : this.#separate(added, edge)
    const slope = tree.pool.models[(leaf << modelShift) + nodeSlope] as number
    const kind = tree.word(leaf, nodeKind)
    this.#linkBehind(leaf, right)
    this.#copyPrefix(leaf, right)
    let empty = right
    if (side < 0) {
      layout.gather(leaf)
      layout.lay(right, 0, count, roundUp(count), 'room-before')
      empty = leaf
    }
    if (side > 0 && count * 4 < tree.word(leaf, nodeSlots) * 3) {
      layout.gather(leaf)
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
    } else tree.dropPrefix(empty)
    this.#addChild(1, leaf, right, separator, side > 0 ? 0 : count)
  }

  /** The key of a leaf's last entry, or with `side` below 0 of its first one. */
  #edgeKey(leaf: number, side: number): Uint8Array {
    const tree = this.#tree
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    const slot = side > 0 ? tree.slotBefore(words, base, tree.word(leaf, nodeSlots)) : tree.firstSlot(leaf)
    const at = base + slot * slotWords
    return this.#layout.keyAt(words[at + slotA] as number, words[at + slotB] as number)
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
