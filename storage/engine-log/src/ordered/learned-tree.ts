/**
 * The tree of the learned index: its nodes, the way down, and how an entry enters a node that has room.
 *
 * Every node is a gapped array with a linear model. Child i of a branch holds the keys from separator i (included) to the
 * next one; the first child's separator is the empty string with the lowest head. A node with a prefix holds only keys, or
 * separators but for the first, that begin with it. For learned-index.ts and the files that grow and check the tree.
 */

import type { KeySource } from './key-source.ts'
import {
  headerShift,
  kindPlain,
  LearnedPool,
  nodeBase,
  nodeChunk,
  nodeCount,
  nodeKind,
  nodeLevel,
  nodePrefix,
  nodePrefixBytes,
  nodeSlots,
  nodeWork,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import {
  binaryBound,
  headBytes,
  headWord,
  highestWord,
  isHead,
  lowerBound,
  lowestWord,
  predictSlot,
} from './learned-search.ts'
import { KeptStrings, noString } from './learned-strings.ts'

export const heightMax = 24
/** An entry may leave so many gaps between itself and its neighbour, to stand where the model expects it. */
const nearMax = 16
/** Shorter moves than this are faster word by word than by a call. */
const callWordsMin = 64

export class LearnedTree {
  readonly keys: KeySource
  readonly pool = new LearnedPool()
  readonly strings = new KeptStrings()
  root: number
  /** Branch levels above the leaves. */
  height = 0
  size = 0
  /** The way of the last descent: the branch of each level above the leaf, and the slot of the child in it. */
  readonly pathNode = new Int32Array(heightMax)
  readonly pathSlot = new Int32Array(heightMax)

  constructor(keys: KeySource) {
    this.keys = keys
    this.root = this.pool.make(0)
  }

  word(node: number, field: number): number {
    return this.pool.header[(node << headerShift) + field] as number
  }

  setWord(node: number, field: number, value: number): void {
    this.pool.header[(node << headerShift) + field] = value
  }

  wordsOf(node: number): Int32Array {
    return this.pool.chunks[this.word(node, nodeChunk)] as Int32Array
  }

  /** The head that a search looks for, behind a prefix of so many bytes; -1 before a key has been read. */
  high = 0
  low = 0
  headPrefix = -1

  /**
   * Leading bytes of the key that all keys in the range of the node share that the way down has come to: a separator on
   * either side begins with them.
   */
  known = 0

  /** Reads the head of a key; cheap to leave out where the prefix has not changed on the way down. */
  readHead(key: Uint8Array, start: number, end: number, prefixBytes: number): void {
    this.headPrefix = prefixBytes
    this.high = headWord(key, start + prefixBytes, end)
    this.low = headWord(key, start + prefixBytes + headBytes / 2, end)
  }

  /** Finds the leaf whose range has the key, and keeps the way to it. `headPrefix` says what is read of the key. */
  descend(key: Uint8Array, start: number, end: number): number {
    this.known = 0
    let node = this.root
    for (let level = this.height; level > 0; level--) {
      const slot = this.childFor(node, key, start, end)
      this.pathNode[level] = node
      this.pathSlot[level] = slot
      const { header, chunks } = this.pool
      const at = node << headerShift
      const words = chunks[header[at + nodeChunk] as number] as Int32Array
      node = words[(header[at + nodeBase] as number) + slot * slotWords + slotA] as number
    }
    return node
  }

  /** The slot of the child whose range has the key: the last one whose separator is not above it. */
  childFor(node: number, key: Uint8Array, start: number, end: number): number {
    const { header, chunks } = this.pool
    const at = node << headerShift
    const words = chunks[header[at + nodeChunk] as number] as Int32Array
    const base = header[at + nodeBase] as number
    const slots = header[at + nodeSlots] as number
    const prefixBytes = header[at + nodePrefixBytes] as number
    if (prefixBytes > 0) {
      const order = this.prefixOrder(node, key, start, end)
      if (order !== 0) {
        this.known = 0
        return order < 0 ? this.firstSlot(node) : this.slotBefore(words, base, slots)
      }
    }
    if (this.headPrefix !== prefixBytes) this.readHead(key, start, end, prefixBytes)
    const { high, low } = this
    // The first slot with a higher head is the first one that is not below the next higher head.
    let bound = slots
    if (low !== highestWord || high !== highestWord) {
      const aboveHigh = low === highestWord ? high + 1 : high
      const aboveLow = low === highestWord ? lowestWord : low + 1
      bound =
        header[at + nodeKind] === kindPlain
          ? binaryBound(words, base, 0, slots, aboveHigh, aboveLow)
          : lowerBound(words, base, slots, predictSlot(this.pool, node, high, low), aboveHigh, aboveLow)
    }
    const slot = this.slotBefore(words, base, bound)
    if (!isHead(words, base + slot * slotWords, high, low)) {
      const isBetween =
        bound < slots &&
        words[base + bound * slotWords + slotA] !== 0 &&
        words[base + slot * slotWords + slotB] !== noString
      this.known = isBetween ? prefixBytes : 0
      return slot
    }
    this.known = 0
    // Equal heads: what comes before and in them is equal too, as far as the separator goes.
    const known = prefixBytes + headBytes
    if (this.strings.compare(words[base + slot * slotWords + slotB] as number, key, start, end, known) <= 0) return slot
    return this.#childAmongTies(words, base, slot, known, key, start, end)
  }

  /** As `childFor`, before the slot `above` whose separator is above the key though its head is the same. */
  #childAmongTies(
    words: Int32Array,
    base: number,
    above: number,
    known: number,
    key: Uint8Array,
    start: number,
    end: number,
  ): number {
    const { strings } = this
    const first = binaryBound(words, base, 0, above, this.high, this.low)
    let from = first
    let to = above
    let found = -1
    // What the key shares with the separators around it, it shares with all between them.
    let sharedBelow = known
    let sharedAbove = strings.shared
    while (from < to) {
      const middle = (from + to) >>> 1
      let slot = middle
      while (slot >= from && words[base + slot * slotWords + slotA] === 0) slot--
      if (slot < from) {
        from = middle + 1
        continue
      }
      const skip = sharedBelow < sharedAbove ? sharedBelow : sharedAbove
      if (strings.compare(words[base + slot * slotWords + slotB] as number, key, start, end, skip) <= 0) {
        found = slot
        from = middle + 1
        sharedBelow = strings.shared
      } else {
        to = slot
        sharedAbove = strings.shared
      }
    }
    if (found < 0) return this.slotBefore(words, base, first)
    this.known = sharedBelow < sharedAbove ? sharedBelow : sharedAbove
    return found
  }

  /** The last entry before a slot. */
  slotBefore(words: Int32Array, base: number, slot: number): number {
    let before = slot - 1
    while (before >= 0 && words[base + before * slotWords + slotA] === 0) before--
    return before
  }

  /** The first entry of a node; its number of slots where it has none. */
  firstSlot(node: number): number {
    const words = this.wordsOf(node)
    const base = this.word(node, nodeBase)
    const slots = this.word(node, nodeSlots)
    let slot = 0
    while (slot < slots && words[base + slot * slotWords + slotA] === 0) slot++
    return slot
  }

  dropPrefix(node: number): void {
    this.strings.drop(this.word(node, nodePrefix))
    this.setWord(node, nodePrefix, noString)
    this.setWord(node, nodePrefixBytes, 0)
  }

  /** A copy of a node's prefix. */
  prefixOf(node: number): Uint8Array {
    const prefix = this.word(node, nodePrefix)
    if (prefix === noString) return new Uint8Array(0)
    const start = this.strings.startOf(prefix)
    return this.strings.chunkOf(prefix).slice(start, start + this.word(node, nodePrefixBytes))
  }

  /**
   * 0 where a key begins with a node's prefix; otherwise on which side of all of the node's keys it stands. Takes what is
   * `known` of the key for granted.
   */
  prefixOrder(node: number, key: Uint8Array, start: number, end: number): number {
    const prefix = this.word(node, nodePrefix)
    if (prefix === noString) return 0
    const bytes = this.strings.chunkOf(prefix)
    const from = this.strings.startOf(prefix)
    const count = this.word(node, nodePrefixBytes)
    for (let i = this.known; i < count; i++) {
      if (start + i >= end) return -1
      const difference = (key[start + i] as number) - (bytes[from + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  /**
   * Puts an entry in before the first one from slot `place` on, near the slot `near` if gaps allow it. Heads before `place`
   * must not be above its head, heads from there on not below it. The node must have a gap.
   */
  enter(node: number, place: number, near: number, high: number, low: number, a: number, b: number): number {
    const words = this.wordsOf(node)
    const base = this.word(node, nodeBase)
    const slot = this.#openSlot(node, words, base, this.word(node, nodeSlots), place, near, high, low)
    const at = base + slot * slotWords
    words[at] = high
    words[at + 1] = low
    words[at + slotA] = a
    words[at + slotB] = b
    this.setWord(node, nodeCount, this.word(node, nodeCount) + 1)
    return slot
  }

  #openSlot(
    node: number,
    words: Int32Array,
    base: number,
    slots: number,
    place: number,
    near: number,
    high: number,
    low: number,
  ): number {
    let slot = place
    if (place === slots || !isGap(words, base, place)) {
      if (place === 0 || !isGap(words, base, place - 1)) return this.#shift(node, words, base, slots, place)
      slot = place - 1
    }
    // Far from where the model expects it, a key is where the model knows nothing: it stays with its neighbours.
    if (near > place + nearMax || near < slot - nearMax) return slot
    if (near < slot) {
      // The gaps that are left behind now stand behind the new entry.
      while (slot > near && slot > 0 && isGap(words, base, slot - 1)) slot--
      for (let gap = slot + 1; gap < place; gap++) setHead(words, base + gap * slotWords, high, low)
    } else {
      while (slot < near && slot + 1 < slots && isGap(words, base, slot + 1)) slot++
      for (let gap = place; gap < slot; gap++) setHead(words, base + gap * slotWords, high, low)
    }
    return slot
  }

  /** Moves entries by one slot towards the nearest gap. */
  #shift(node: number, words: Int32Array, base: number, slots: number, place: number): number {
    const end = base + slots * slotWords
    let rightAt = base + place * slotWords
    let leftAt = rightAt - slotWords
    while (!(rightAt < end && words[rightAt + slotA] === 0) && !(leftAt >= base && words[leftAt + slotA] === 0)) {
      rightAt += slotWords
      leftAt -= slotWords
    }
    const isRight = rightAt < end && words[rightAt + slotA] === 0
    const right = (rightAt - base) / slotWords
    const left = (leftAt - base) / slotWords
    const counts = this.word(node, nodeLevel) === 0 ? -1 : base + slots * slotWords
    if (isRight) {
      moveUp(words, base + place * slotWords, base + right * slotWords, slotWords)
      if (counts >= 0) moveUp(words, counts + place, counts + right, 1)
      this.setWord(node, nodeWork, this.word(node, nodeWork) + right - place)
      return place
    }
    moveDown(words, base + (left + 1) * slotWords, base + place * slotWords, slotWords)
    if (counts >= 0) moveDown(words, counts + left + 1, counts + place, 1)
    this.setWord(node, nodeWork, this.word(node, nodeWork) + place - left)
    return place - 1
  }

  /** The word with the number of entries below a branch's child. */
  countAt(branch: number, slot: number): number {
    return this.word(branch, nodeBase) + this.word(branch, nodeSlots) * slotWords + slot
  }

  /** A copy of the separator behind the leaf of the last descent: no key of it is at or above that. Undefined for the last leaf. */
  separatorBehind(): Uint8Array | undefined {
    const { strings } = this
    for (let level = 1; level <= this.height; level++) {
      const branch = this.pathNode[level] as number
      const words = this.wordsOf(branch)
      const slots = this.word(branch, nodeSlots)
      let slot = (this.pathSlot[level] as number) + 1
      const at = this.word(branch, nodeBase)
      while (slot < slots && words[at + slot * slotWords + slotA] === 0) slot++
      if (slot === slots) continue
      const separator = words[at + slot * slotWords + slotB] as number
      const start = strings.startOf(separator)
      return strings.chunkOf(separator).slice(start, start + strings.lengthOf(separator))
    }
    return undefined
  }

  /** Adds to the counts along the way of the last descent. */
  addToPath(change: number): void {
    const { header, chunks } = this.pool
    for (let level = this.height; level > 0; level--) {
      const at = (this.pathNode[level] as number) << headerShift
      const words = chunks[header[at + nodeChunk] as number] as Int32Array
      const counts = (header[at + nodeBase] as number) + (header[at + nodeSlots] as number) * slotWords
      const count = counts + (this.pathSlot[level] as number)
      words[count] = (words[count] as number) + change
    }
    this.size += change
  }

  /** Entries at or below a node. */
  entriesOf(node: number): number {
    if (this.word(node, nodeLevel) === 0) return this.word(node, nodeCount)
    return this.entriesBefore(node, this.word(node, nodeSlots))
  }

  /** Entries of a node, and below it, that stand before a slot. */
  entriesBefore(node: number, slot: number): number {
    const words = this.wordsOf(node)
    const base = this.word(node, nodeBase)
    let entries = 0
    if (this.word(node, nodeLevel) === 0) {
      for (let at = base + slotA; at < base + slot * slotWords; at += slotWords) if (words[at] !== 0) entries++
      return entries
    }
    const counts = this.countAt(node, 0)
    for (let i = 0; i < slot; i++) entries += words[counts + i] as number
    return entries
  }
}

function isGap(words: Int32Array, base: number, slot: number): boolean {
  return words[base + slot * slotWords + slotA] === 0
}

function setHead(words: Int32Array, at: number, high: number, low: number): void {
  words[at] = high
  words[at + 1] = low
}

/** Moves words [from, to) up by `by`. */
function moveUp(words: Int32Array, from: number, to: number, by: number): void {
  if (to - from >= callWordsMin) words.copyWithin(from + by, from, to)
  else for (let i = to - 1; i >= from; i--) words[i + by] = words[i] as number
}

/** Moves words [from, to) down by `by`. */
function moveDown(words: Int32Array, from: number, to: number, by: number): void {
  if (to - from >= callWordsMin) words.copyWithin(from - by, from, to)
  else for (let i = from; i < to; i++) words[i - by] = words[i] as number
}
