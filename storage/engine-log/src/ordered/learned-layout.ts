/**
 * Laying out a node of the learned index: its entries are gathered, a line is fitted to their heads, and each is put where
 * the line says, or at the next slot that is free. What that costs a search is known at once: the distance of each entry
 * from where the model expects it.
 *
 * Least squares over the distances of heads from the first one, so that heads that differ only in their last bits are told
 * apart. Placing by the model after J. Ding et al., "ALEX: An Updatable Adaptive Learned Index", SIGMOD 2020.
 */

import { assert } from '@orbitkv/base'
import { sharedPrefixBytes } from '@orbitkv/bytes'
import { type LeafCopy, leafEntryWords } from './leaf-copy.ts'
import {
  headerShift,
  kindAlphabet,
  kindNumber,
  kindPlain,
  type LearnedPool,
  modelShift,
  nodeAppended,
  nodeBase,
  nodeBaseHigh,
  nodeBaseLow,
  nodeCount,
  nodeErrorMax,
  nodeIntercept,
  nodeKind,
  nodeLaid,
  nodeLevel,
  nodeLimit,
  nodePrefix,
  nodePrefixBytes,
  nodePrepended,
  nodeSlope,
  nodeSlots,
  nodeSteps,
  nodeWork,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import { headBytes, headDistance, headWord, highestWord, lowestWord } from './learned-search.ts'
import { noString } from './learned-strings.ts'
import type { LearnedTree } from './learned-tree.ts'

export const branchSlotsMax = 4096
export const slotsMin = 16
/** The share of a node's slots that are taken after it was laid out, and when it is full. */
export const densityLaid = 0.6
const densityFull = 0.8
/** With more steps from the prediction to an entry, on average, a binary search of a small node is as good. */
const stepsPoor = 2.6
const stepsPoorInOrder = 4.5

/** Fewer entries do not show which bytes their alphabet has. */
const alphabetEntriesMin = 48

/** Where the gaps of a node go: between the entries, or all behind or before them for keys that arrive in order. */
export type Shape = 'spread' | 'spread-with-end' | 'room-behind' | 'room-before'

/** How much of its slots a node spreads its entries over that has some room behind them too. */
const shareBeforeEnd = 0.75

export function isSpread(shape: Shape): boolean {
  return shape === 'spread' || shape === 'spread-with-end'
}

/** With more steps than these a node is searched without its model. Where keys arrive in order few are searched for. */
export function stepsMost(shape: Shape): number {
  return isSpread(shape) ? stepsPoor : stepsPoorInOrder
}

export class Layout {
  readonly #tree: LearnedTree
  /** The entries that were gathered, in order. */
  count = 0
  readonly high = new Int32Array(branchSlotsMax)
  readonly low = new Int32Array(branchSlotsMax)
  readonly a = new Int32Array(branchSlotsMax)
  readonly b = new Int32Array(branchSlotsMax)
  /** Entries below each, where they are children. */
  readonly below = new Int32Array(branchSlotsMax)
  readonly #slotOf = new Int32Array(branchSlotsMax)
  readonly #distance = new Float64Array(branchSlotsMax)
  // The last fit.
  #slope = 0
  #intercept = 0
  #steps = 0
  #errorMax = 0
  #kind: number = kindNumber

  constructor(tree: LearnedTree) {
    this.#tree = tree
  }

  /** Takes a copy of a node's entries. */
  gather(node: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(node)
    const base = tree.word(node, nodeBase)
    const slots = tree.word(node, nodeSlots)
    const isBranch = tree.word(node, nodeLevel) > 0
    const counts = base + slots * slotWords
    const { high, low, a, b, below } = this
    let count = 0
    for (let slot = 0, at = base; slot < slots; slot++, at += slotWords) {
      if (words[at + slotA] === 0) continue
      high[count] = words[at] as number
      low[count] = words[at + 1] as number
      a[count] = words[at + slotA] as number
      b[count] = words[at + slotB] as number
      if (isBranch) below[count] = words[counts + slot] as number
      count++
    }
    assert(count === tree.word(node, nodeCount), 'a node has as many entries as it says')
    this.count = count
  }

  /** Takes the entries of a leaf that is not in the tree yet. */
  take({ words, count }: LeafCopy): void {
    const { high, low, a, b } = this
    for (let i = 0, at = 0; i < count; i++, at += leafEntryWords) {
      high[i] = words[at] as number
      low[i] = words[at + 1] as number
      a[i] = words[at + 2] as number
      b[i] = words[at + 3] as number
    }
    this.count = count
  }

  /**
   * Fits the entries [from, to) to a node of so many slots; returns the steps that a search would take on average from
   * the prediction to an entry.
   */
  fit(isBranch: boolean, from: number, to: number, slots: number, shape: Shape): number {
    this.#fit(isBranch, from, to, slots, shape)
    return to === from ? 0 : this.#steps / (to - from)
  }

  /** Neighbours in [from, to) whose heads are equal, so that only the keys themselves tell them apart. */
  tiesOf(from: number, to: number): number {
    const { high, low } = this
    let ties = 0
    for (let i = from + 1; i < to; i++) if (high[i] === high[i - 1] && low[i] === low[i - 1]) ties++
    return ties
  }

  /** The most neighbours in [from, to) with one head. */
  mostTies(from: number, to: number): number {
    const { high, low } = this
    let most = 0
    for (let first = from, i = from + 1; i <= to; i++) {
      if (i < to && high[i] === high[first] && low[i] === low[first]) continue
      if (i - first > most) most = i - first
      first = i
    }
    return most
  }

  /** The entry nearest the middle with another head than the one before it. */
  headBoundary(): number {
    const { high, low, count } = this
    const middle = count >>> 1
    let at = 0
    for (let i = 1; i < count; i++) {
      const isBoundary = high[i] !== high[i - 1] || low[i] !== low[i - 1]
      if (isBoundary && (at === 0 || Math.abs(i - middle) < Math.abs(at - middle))) at = i
    }
    assert(at > 0, 'the entries have more than one head')
    return at
  }

  /** Where a split of all entries leaves the widest distance between the halves, neither being smaller than a quarter. */
  widestSplit(): { at: number; distance: number } {
    const { high, low, count } = this
    const from = Math.max(1, count >>> 2)
    const to = Math.max(from + 1, count - (count >>> 2))
    let at = count >>> 1
    let distance = -1
    for (let i = from; i < to; i++) {
      const between = headDistance(high[i] as number, low[i] as number, high[i - 1] as number, low[i - 1] as number)
      if (between > distance) {
        distance = between
        at = i
      }
    }
    return { at, distance }
  }

  /** Fits the entries [from, to), and writes them into a node of so many slots. */
  lay(node: number, from: number, to: number, slots: number, shape: Shape): void {
    this.#fit(this.#tree.word(node, nodeLevel) > 0, from, to, slots, shape)
    this.layFitted(node, from, to, slots, shape)
  }

  /** As `lay`, right after `fit` of the same. */
  layFitted(node: number, from: number, to: number, slots: number, shape: Shape): void {
    const { pool } = this.#tree
    const isBranch = this.#tree.word(node, nodeLevel) > 0
    pool.allocate(node, slots)
    const at = node << headerShift
    const { header, models } = pool
    const first = isBranch && from + 1 < to ? from + 1 : from
    header[at + nodeBaseHigh] = this.high[first] as number
    header[at + nodeBaseLow] = this.low[first] as number
    models[(node << modelShift) + nodeSlope] = this.#slope
    models[(node << modelShift) + nodeIntercept] = this.#intercept
    header[at + nodeKind] = this.#kind
    header[at + nodeSteps] = this.#steps
    header[at + nodeErrorMax] = this.#errorMax
    beginNode(pool, node, to - from, slots, shape)
    this.#write(node, from, to)
  }

  /** Moves the entries of a leaf without a model to a larger number of slots; false where more have equal heads. */
  layEvenly(leaf: number, slots: number, tiesMost: number): boolean {
    this.gather(leaf)
    if (this.tiesOf(0, this.count) > tiesMost) return false
    this.#spreadEvenly(0, this.count, slots, 'spread')
    this.layFitted(leaf, 0, this.count, slots, 'spread')
    return true
  }

  #write(node: number, from: number, to: number): void {
    const tree = this.#tree
    const words = tree.wordsOf(node)
    const slots = tree.word(node, nodeSlots)
    const isBranch = tree.word(node, nodeLevel) > 0
    let at = tree.word(node, nodeBase)
    const counts = at + slots * slotWords
    const { high: highs, low: lows, a, b, below } = this
    const slotOf = this.#slotOf
    let high = lowestWord
    let low = lowestWord
    let slot = 0
    for (let i = from; i < to; i++) {
      for (const until = slotOf[i] as number; slot < until; slot++, at += slotWords) {
        words[at] = high
        words[at + 1] = low
        words[at + slotA] = 0
        if (isBranch) words[counts + slot] = 0
      }
      high = highs[i] as number
      low = lows[i] as number
      words[at] = high
      words[at + 1] = low
      words[at + slotA] = a[i] as number
      words[at + slotB] = b[i] as number
      if (isBranch) words[counts + slot] = below[i] as number
      slot++
      at += slotWords
    }
    fillBehind(words, at, at + (slots - slot) * slotWords)
    if (isBranch) words.fill(0, counts + slot, counts + slots)
  }

  /** Fits a line, over heads as numbers or else as digits, and finds each entry's slot. */
  #fit(isBranch: boolean, from: number, to: number, slots: number, shape: Shape): void {
    assert(to - from <= slots, 'the entries have room')
    // The lowest head of a branch's first child is no key's: the line is fitted to the others.
    const first = isBranch ? from + 1 : from
    const fitted = to - first
    const { high, low } = this
    const { alphabets } = this.#tree.pool
    const distance = this.#distance
    const baseHigh = high[first] as number
    const baseLow = low[first] as number
    this.#kind = kindNumber
    for (let i = first; i < to; i++) distance[i] = headDistance(high[i] as number, low[i] as number, baseHigh, baseLow)
    this.#fitLine(first, from, to, slots, shape)
    if (fitted <= 0 || this.#steps <= stepsMost(shape) * fitted) return
    const alphabet = fitted < alphabetEntriesMin ? -1 : alphabets.alphabetFor(high, low, first, to)
    if (alphabet >= 0) {
      this.#kind = kindAlphabet + alphabet
      for (let i = first; i < to; i++) distance[i] = alphabets.valueOf(alphabet, high[i] as number, low[i] as number)
      this.#fitLine(first, from, to, slots, shape)
      if (this.#steps <= stepsMost(shape) * fitted) return
    }
    this.#spreadEvenly(from, to, slots, shape)
  }

  /** Fits a line to `#distance`. */
  #fitLine(first: number, from: number, to: number, slots: number, shape: Shape): void {
    const distance = this.#distance
    const count = to - from
    const fitted = to - first
    // Sums over distances from the first one keep their precision.
    const origin = distance[first] as number
    let sumX = 0
    let sumXX = 0
    let sumXY = 0
    for (let i = first; i < to; i++) {
      const x = (distance[i] as number) - origin
      sumX += x
      sumXX += x * x
      sumXY += x * (i - from)
    }
    const sumY = ((first - from + count - 1) * fitted) / 2
    const spread = fitted * sumXX - sumX * sumX
    let slope = spread > 0 ? (fitted * sumXY - sumX * sumY) / spread : 0
    let intercept = fitted > 0 ? (sumY - slope * sumX) / fitted : 0
    if (isSpread(shape)) {
      const stretch = count > 0 ? (slots * (shape === 'spread' ? 1 : shareBeforeEnd)) / count : 1
      slope *= stretch
      intercept = intercept * stretch + (stretch - 1) / 2
    } else if (shape === 'room-before') intercept += slots - count
    this.#slope = slope
    // A line through whole numbers must not fall below them by rounding.
    this.#intercept = fitted > 0 ? intercept - slope * origin + 1e-6 : 0
    this.#predict(first, from, to, slots)
  }

  #predict(first: number, from: number, to: number, slots: number): void {
    const slope = this.#slope
    const intercept = this.#intercept
    const distance = this.#distance
    const slotOf = this.#slotOf
    let steps = 0
    let errorMax = 0
    let next = 0
    if (first > from) slotOf[from] = next++
    for (let i = first; i < to; i++) {
      const line = slope * (distance[i] as number) + intercept
      const predicted = line < 1 ? 0 : line < slots ? line | 0 : slots - 1
      const latest = slots - (to - i)
      let slot = predicted > next ? predicted : next
      if (slot > latest) slot = latest
      slotOf[i] = slot
      next = slot + 1
      const error = slot > predicted ? slot - predicted : predicted - slot
      steps += 32 - Math.clz32(error)
      if (error > errorMax) errorMax = error
    }
    this.#steps = steps
    this.#errorMax = errorMax
  }

  /** The line is no help: gaps come at even distances, and searches take no notice of the model. */
  #spreadEvenly(from: number, to: number, slots: number, shape: Shape): void {
    const count = to - from
    const stretch =
      shape === 'spread' ? slots / count : isSpread(shape) ? Math.max(1, (slots * shareBeforeEnd) / count) : 1
    const shift = shape === 'room-before' ? slots - count : 0
    for (let i = from; i < to; i++) this.#slotOf[i] = shift + Math.floor((i - from) * stretch)
    this.#kind = kindPlain
  }

  /**
   * Makes the node's prefix as long as the gathered entries [from, to) allow, and their heads anew; false where it is
   * that long already. Reads every key.
   */
  tighten(node: number, from: number, to: number): boolean {
    const tree = this.#tree
    const isBranch = tree.word(node, nodeLevel) > 0
    const first = isBranch ? from + 1 : from
    if (to - first < 2) return false
    const low = this.#keyOf(isBranch, first)
    const prefixBytes = sharedPrefixBytes(low, this.#keyOf(isBranch, to - 1))
    if (prefixBytes <= tree.word(node, nodePrefixBytes)) return false
    this.setPrefix(node, low, prefixBytes)
    this.rehead(isBranch, first, to, prefixBytes)
    return true
  }

  /** Gives a node the first bytes of a key for its prefix; the heads are for the caller to make anew. */
  setPrefix(node: number, key: Uint8Array, prefixBytes: number): void {
    const tree = this.#tree
    const before = tree.word(node, nodePrefix)
    tree.setWord(node, nodePrefix, tree.strings.keep(key, 0, prefixBytes))
    tree.setWord(node, nodePrefixBytes, prefixBytes)
    tree.strings.drop(before)
  }

  rehead(isBranch: boolean, from: number, to: number, prefixBytes: number): void {
    const { keys, strings } = this.#tree
    for (let i = from; i < to; i++) {
      let bytes: Uint8Array
      let start: number
      let end: number
      if (isBranch) {
        const id = this.b[i] as number
        assert(id !== noString, 'only the first child has no separator')
        bytes = strings.chunkOf(id)
        start = strings.startOf(id)
        end = start + strings.lengthOf(id)
      } else {
        const key = keys.keyAt(this.a[i] as number, this.b[i] as number)
        bytes = key.bytes
        start = key.keyStart
        end = start + key.keyBytes
      }
      this.high[i] = headWord(bytes, start + prefixBytes, end)
      this.low[i] = headWord(bytes, start + prefixBytes + headBytes / 2, end)
    }
  }

  /** A copy of a gathered entry's key or separator. */
  #keyOf(isBranch: boolean, i: number): Uint8Array {
    if (!isBranch) return this.keyAt(this.a[i] as number, this.b[i] as number)
    const { strings } = this.#tree
    const id = this.b[i] as number
    const start = strings.startOf(id)
    return strings.chunkOf(id).slice(start, start + strings.lengthOf(id))
  }

  /** A copy of the key of a record. */
  keyAt(segment: number, offset8: number): Uint8Array {
    const { bytes, keyStart, keyBytes } = this.#tree.keys.keyAt(segment, offset8)
    return bytes.slice(keyStart, keyStart + keyBytes)
  }
}

/** Sets what is counted from a node's laying out on. */
export function beginNode({ header }: LearnedPool, node: number, count: number, slots: number, shape: Shape): void {
  const at = node << headerShift
  const spreadLimit = Math.max(count + 1, Math.floor(slots * densityFull))
  header[at + nodeCount] = count
  header[at + nodeLimit] = isSpread(shape) ? Math.min(slots, spreadLimit) : slots
  header[at + nodeWork] = 0
  header[at + nodeAppended] = 0
  header[at + nodePrepended] = 0
  header[at + nodeLaid] = count
}

/** Makes slots gaps behind all entries: what comes there finds its place at once. */
export function fillBehind(words: Int32Array, from: number, to: number): void {
  for (let at = from; at < to; at += slotWords) {
    words[at] = highestWord
    words[at + 1] = highestWord
    words[at + slotA] = 0
  }
}

/** Slots for so many: blocks come in few sizes. */
export function roundUp(slots: number): number {
  return Math.max(slotsMin, (Math.ceil(slots) + 15) & ~15)
}
