/**
 * The ordered index of one keyspace: an adaptive tree of linear models over gapped arrays, from keys to the location of a
 * record of each.
 *
 * It holds no keys: a node knows 8 bytes of each key after a prefix that its keys share, and asks the log (`KeySource`)
 * when those do not decide. Its parts: learned-tree.ts (the way down), learned-search.ts (within a node), learned-layout.ts
 * (models), learned-stretch.ts, learned-growth.ts and learned-shrink.ts (room, splits and frees), learned-pool.ts (memory),
 * learned-check.ts (what must hold).
 *
 * `find` remembers its place; `insert`, `replace` and `remove` act on that place and may follow only a `find`.
 * After J. Ding et al., "ALEX: An Updatable Adaptive Learned Index", SIGMOD 2020, for keys of any length.
 */

import type { KeySource } from './key-source.ts'
import type { LeafCopy } from './leaf-copy.ts'
import { checkTree, shapeOf, type TreeShape } from './learned-check.ts'
import { Growth } from './learned-growth.ts'
import { Layout } from './learned-layout.ts'
import {
  headerShift,
  kindPlain,
  nodeAppended,
  nodeBase,
  nodeChunk,
  nodeCount,
  nodeKind,
  nodeNext,
  nodePrefixBytes,
  nodePrevious,
  nodeSlots,
  noNode,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import { binaryBound, endOfTies, highestWord, isHead, lowerBound, predictSlot } from './learned-search.ts'
import { Shrink } from './learned-shrink.ts'
import { LearnedTree } from './learned-tree.ts'

export class LearnedIndex {
  readonly #keys: KeySource
  readonly #tree: LearnedTree
  readonly #growth: Growth
  readonly #shrink: Shrink
  #changes = 0

  // The place of the last find, and where the model expected it.
  #leaf = noNode
  #slot = 0
  #near = 0

  // The leaf of the last finds, and heads between which a key is surely its: the way to it is that of the last descent.
  #finger = noNode
  #fingerHigh = 0
  #fingerLow = 0
  #fingerEndHigh = 0
  #fingerEndLow = 0
  /** On which side of the leaf's prefix the key stands. */
  #outside = 0
  /** The location that the last find, or a step, came to. */
  segment = 0
  offset8 = 0

  constructor(keys: KeySource) {
    this.#keys = keys
    this.#tree = new LearnedTree(keys)
    const layout = new Layout(this.#tree)
    this.#growth = new Growth(this.#tree, layout)
    this.#shrink = new Shrink(this.#tree, layout)
    this.#leaf = this.#tree.root
  }

  get size(): number {
    return this.#tree.size
  }

  /** Grows with every insert and remove: a cursor that sees it change seeks its place again. */
  get changeCount(): number {
    return this.#changes
  }

  get bytes(): number {
    return this.#tree.pool.bytes + this.#tree.strings.bytes
  }

  /** Of `bytes`, those that come to use again before more are taken. */
  get reusableBytes(): number {
    return this.#tree.pool.reusableBytes
  }

  /** The most bytes that so many more entries can take beside `entryBytesMax` each. */
  stepBytesMax(entries: number): number {
    return this.#tree.pool.stepBytesMax(entries)
  }

  get height(): number {
    return this.#tree.height + 1
  }

  /** Looks `key[start, end)` up: true with its location in `segment` and `offset8`, or false. */
  find(key: Uint8Array, start: number, end: number): boolean {
    const tree = this.#tree
    tree.headPrefix = -1
    const leaf = this.#isNearFinger(key, start, end) ? this.#finger : this.#descend(key, start, end)
    const { header, chunks } = tree.pool
    const at = leaf << headerShift
    const words = chunks[header[at + nodeChunk] as number] as Int32Array
    const base = header[at + nodeBase] as number
    const slots = header[at + nodeSlots] as number
    const prefixBytes = header[at + nodePrefixBytes] as number
    if (tree.headPrefix !== prefixBytes) tree.readHead(key, start, end, prefixBytes)
    const { high, low } = tree
    this.#leaf = leaf
    this.#outside = 0
    let bound: number
    if (header[at + nodeKind] === kindPlain) {
      bound = binaryBound(words, base, 0, slots, high, low)
      this.#near = bound
    } else {
      const near = predictSlot(tree.pool, leaf, high, low)
      bound = lowerBound(words, base, slots, near, high, low)
      this.#near = near
    }
    this.#slot = bound
    let slot = bound
    while (slot < slots && isHead(words, base + slot * slotWords, high, low)) {
      const entry = base + slot * slotWords
      const segment = words[entry + slotA] as number
      if (segment === 0) {
        slot++
        continue
      }
      const offset8 = words[entry + slotB] as number
      const order = this.#keys.compareKeyAt(segment, offset8, key, start, end)
      if (order === 0) {
        this.#slot = slot
        this.segment = segment
        this.offset8 = offset8
        return true
      }
      if (order > 0) break
      return this.#findAmongTies(slot + 1, key, start, end)
    }
    return prefixBytes === 0 ? false : this.#notFound(key, start, end)
  }

  /** Whether a key lies between entries of the leaf that the last finds came to, so that the way there is known. */
  #isNearFinger(key: Uint8Array, start: number, end: number): boolean {
    if (this.#finger === noNode) return false
    const tree = this.#tree
    tree.readHead(key, start, end, 0)
    const { high, low } = tree
    if (high < this.#fingerHigh || (high === this.#fingerHigh && low <= this.#fingerLow)) return false
    return high < this.#fingerEndHigh || (high === this.#fingerEndHigh && low < this.#fingerEndLow)
  }

  #descend(key: Uint8Array, start: number, end: number): number {
    const leaf = this.#tree.descend(key, start, end)
    this.#finger = noNode
    if (leaf === this.#leaf) this.#pointAt(leaf)
    return leaf
  }

  /** Remembers a leaf to which two finds in a row have come: keys that arrive in order are likely to go on there. */
  #pointAt(leaf: number): void {
    const tree = this.#tree
    if (tree.word(leaf, nodePrefixBytes) !== 0 || tree.word(leaf, nodeCount) === 0) return
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    const first = base + tree.firstSlot(leaf) * slotWords
    this.#finger = leaf
    this.#fingerHigh = words[first] as number
    this.#fingerLow = words[first + 1] as number
    // The last head is that of an entry, or of what was or might be one, unless nothing has ever come there.
    const last = base + (tree.word(leaf, nodeSlots) - 1) * slotWords
    const isOpen = tree.word(leaf, nodeNext) === noNode
    this.#fingerEndHigh = isOpen ? highestWord : (words[last] as number)
    this.#fingerEndLow = isOpen ? highestWord : (words[last + 1] as number)
    if (!isOpen && this.#fingerEndHigh === highestWord) this.#finger = noNode
  }

  /** Says on which side of the leaf's entries a key stands that does not share their prefix. */
  #notFound(key: Uint8Array, start: number, end: number): false {
    const order = this.#tree.prefixOrder(this.#leaf, key, start, end)
    if (order !== 0) {
      this.#outside = order
      this.#slot = order < 0 ? 0 : this.#tree.word(this.#leaf, nodeSlots)
    }
    return false
  }

  /** As `find`, from a slot on, among entries whose head is the key's: the keys themselves decide. */
  #findAmongTies(first: number, key: Uint8Array, start: number, end: number): boolean {
    const tree = this.#tree
    const leaf = this.#leaf
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    let from = first
    let to = endOfTies(words, base, tree.word(leaf, nodeSlots), first - 1, tree.high, tree.low)
    while (from < to) {
      const middle = (from + to) >>> 1
      let slot = middle
      while (slot >= from && words[base + slot * slotWords + slotA] === 0) slot--
      if (slot < from) {
        from = middle + 1
        continue
      }
      const segment = words[base + slot * slotWords + slotA] as number
      const offset8 = words[base + slot * slotWords + slotB] as number
      const order = this.#keys.compareKeyAt(segment, offset8, key, start, end)
      if (order === 0) {
        this.#slot = slot
        this.segment = segment
        this.offset8 = offset8
        return true
      }
      if (order < 0) from = middle + 1
      else to = slot
    }
    this.#slot = from
    return this.#notFound(key, start, end)
  }

  /** After a find that succeeded: the key's newest record is now at another location. */
  replace(segment: number, offset8: number): void {
    this.storeAt(this.#leaf, this.#slot, segment, offset8)
  }

  /** After a find of this key that failed: adds it. The record must already be readable at its location. */
  insert(key: Uint8Array, start: number, end: number, segment: number, offset8: number): void {
    const tree = this.#tree
    const growth = this.#growth
    while (this.#outside !== 0 || growth.isFull(this.#leaf) || growth.isNewRun(this.#leaf, this.#slot, this.#near)) {
      this.#makeRoom(key, start, end)
    }
    const leaf = this.#leaf
    const place = this.#slot
    const { header, chunks } = tree.pool
    const at = leaf << headerShift
    const words = chunks[header[at + nodeChunk] as number] as Int32Array
    const slots = header[at + nodeSlots] as number
    const entry = (header[at + nodeBase] as number) + place * slotWords
    if (place === this.#near && place < slots && words[entry + slotA] === 0) {
      // The gap is where the model expects the key: the most frequent case, and all there is when keys arrive in order.
      if (words[entry] === highestWord) header[at + nodeAppended] = (header[at + nodeAppended] as number) + 1
      words[entry] = tree.high
      words[entry + 1] = tree.low
      words[entry + slotA] = segment
      words[entry + slotB] = offset8
      header[at + nodeCount] = (header[at + nodeCount] as number) + 1
    } else {
      growth.noteSide(leaf, place)
      tree.enter(leaf, place, this.#near, tree.high, tree.low, segment, offset8)
    }
    tree.addToPath(1)
    this.#changes++
  }

  #makeRoom(key: Uint8Array, start: number, end: number): void {
    const leaf = this.#leaf
    let side = this.#outside
    if (side === 0 && this.entryFrom(leaf, this.#slot) === this.leafSlots(leaf)) side = 1
    else if (side === 0 && this.entryBefore(leaf, this.#slot) < 0) side = -1
    this.#finger = noNode
    const apart = this.#outside !== 0 || (side > 0 && this.#growth.isNewRun(leaf, this.#slot, this.#near))
    this.#growth.makeRoom(leaf, key, start, end, side, apart)
    this.find(key, start, end)
  }

  /** After a find that succeeded: the key is gone. */
  remove(): void {
    const tree = this.#tree
    const leaf = this.#leaf
    tree.wordsOf(leaf)[tree.word(leaf, nodeBase) + this.#slot * slotWords + slotA] = 0
    tree.setWord(leaf, nodeCount, tree.word(leaf, nodeCount) - 1)
    tree.addToPath(-1)
    this.#changes++
    this.#finger = noNode
    this.#shrink.lost(leaf)
  }

  // ---- order: how many keys are below a key, and which key is at a rank

  /** Keys below `key[start, end)`, or with `past` up to it. Moves the place, as `find` does. */
  rank(key: Uint8Array, start: number, end: number, past = false): number {
    const tree = this.#tree
    const found = this.find(key, start, end)
    let below = tree.entriesBefore(this.#leaf, this.#slot)
    for (let level = 1; level <= tree.height; level++) {
      below += tree.entriesBefore(tree.pathNode[level] as number, tree.pathSlot[level] as number)
    }
    return found && past ? below + 1 : below
  }

  /** Moves the place to the entry before which there are `rank` others, and loads it; false where there is none. */
  select(rank: number): boolean {
    const tree = this.#tree
    if (rank < 0 || rank >= tree.size) return false
    let node = tree.root
    let left = rank
    for (let level = tree.height; level > 0; level--) {
      const words = tree.wordsOf(node)
      const counts = tree.countAt(node, 0)
      let slot = 0
      while (left >= (words[counts + slot] as number)) left -= words[counts + slot++] as number
      node = words[tree.word(node, nodeBase) + slot * slotWords + slotA] as number
    }
    const words = tree.wordsOf(node)
    const base = tree.word(node, nodeBase)
    let slot = 0
    for (; ; slot++) if (words[base + slot * slotWords + slotA] !== 0 && left-- === 0) break
    this.#leaf = node
    this.#slot = slot
    this.load(node, slot)
    return true
  }

  /** Moves the place to the entry at a fraction (0 to 1) of the way through; false in an empty index. */
  sample(fraction: number): boolean {
    return this.select(Math.min(Math.floor(fraction * this.size), this.size - 1))
  }

  // ---- places: a leaf and a slot, valid until the next insert or remove (range-cursor.ts)

  /** Where the last find came to: the entry it found, or a slot with all lower entries before it. */
  get placeLeaf(): number {
    return this.#leaf
  }

  get placeSlot(): number {
    return this.#slot
  }

  firstLeaf(): number {
    const tree = this.#tree
    let node = tree.root
    for (let level = tree.height; level > 0; level--) {
      node = tree.wordsOf(node)[tree.word(node, nodeBase) + tree.firstSlot(node) * slotWords + slotA] as number
    }
    return node
  }

  lastLeaf(): number {
    const tree = this.#tree
    let node = tree.root
    for (let level = tree.height; level > 0; level--) {
      const words = tree.wordsOf(node)
      const base = tree.word(node, nodeBase)
      node = words[base + tree.slotBefore(words, base, tree.word(node, nodeSlots)) * slotWords + slotA] as number
    }
    return node
  }

  /** Slots of a leaf; some of them are gaps. */
  leafSlots(leaf: number): number {
    return this.#tree.word(leaf, nodeSlots)
  }

  nextLeaf(leaf: number): number {
    return this.#tree.word(leaf, nodeNext)
  }

  previousLeaf(leaf: number): number {
    return this.#tree.word(leaf, nodePrevious)
  }

  /** The first entry of a leaf from a slot on; the number of its slots where there is none. */
  entryFrom(leaf: number, from: number): number {
    const words = this.#tree.wordsOf(leaf)
    const base = this.#tree.word(leaf, nodeBase) + slotA
    const slots = this.#tree.word(leaf, nodeSlots)
    let slot = from
    while (slot < slots && words[base + slot * slotWords] === 0) slot++
    return slot
  }

  /** The last entry of a leaf before a slot; -1 where there is none. */
  entryBefore(leaf: number, before: number): number {
    const words = this.#tree.wordsOf(leaf)
    return this.#tree.slotBefore(words, this.#tree.word(leaf, nodeBase), before)
  }

  /** Moves the place to the first entry from a place on, and loads it; false at the end. */
  toEntry(leaf: number, slot: number): boolean {
    let at = leaf
    let from = slot
    while (at !== noNode) {
      const entry = this.entryFrom(at, from)
      if (entry < this.leafSlots(at)) {
        this.#leaf = at
        this.#slot = entry
        this.load(at, entry)
        return true
      }
      at = this.nextLeaf(at)
      from = 0
    }
    return false
  }

  /** As `toEntry`, from behind the place on. */
  toNext(): boolean {
    return this.toEntry(this.#leaf, this.#slot + 1)
  }

  /** Loads the location of an entry into `segment` and `offset8`. */
  load(leaf: number, slot: number): void {
    const words = this.#tree.wordsOf(leaf)
    const at = this.#tree.word(leaf, nodeBase) + slot * slotWords
    this.segment = words[at + slotA] as number
    this.offset8 = words[at + slotB] as number
  }

  /** Copies the locations of entries of a leaf from a slot on, forward or back, at most `count`; returns how many. */
  locationsFrom(leaf: number, slot: number, step: 1 | -1, count: number, into: Uint32Array): number {
    const words = this.#tree.wordsOf(leaf)
    const base = this.#tree.word(leaf, nodeBase)
    const slots = this.#tree.word(leaf, nodeSlots)
    let copied = 0
    for (let at = slot; at >= 0 && at < slots && copied < count; at += step) {
      const segment = words[base + at * slotWords + slotA] as number
      if (segment === 0) continue
      into[2 * copied] = segment
      into[2 * copied + 1] = words[base + at * slotWords + slotB] as number
      copied++
    }
    return copied
  }

  /** Gives the entry at a place another location. */
  storeAt(leaf: number, slot: number, segment: number, offset8: number): void {
    const words = this.#tree.wordsOf(leaf)
    const at = this.#tree.word(leaf, nodeBase) + slot * slotWords
    words[at + slotA] = segment
    words[at + slotB] = offset8
  }

  // ---- for checkpoints: leaf by leaf in the order of keys

  /**
   * Takes a copy of the entries, from a key on, of the leaf whose range has that key. `locate` makes of an entry's location the
   * one to tell; undefined passes over it. Returns from which key on the next leaf has what follows; undefined at the end.
   */
  copyLeaf(
    from: Uint8Array,
    into: LeafCopy,
    locate: (segment: number, offset8: number) => { readonly segment: number; readonly offset8: number } | undefined,
  ): Uint8Array | undefined {
    const tree = this.#tree
    this.#finger = noNode
    this.find(from, 0, from.length)
    const leaf = this.#leaf
    const words = tree.wordsOf(leaf)
    const base = tree.word(leaf, nodeBase)
    const slots = tree.word(leaf, nodeSlots)
    into.count = 0
    into.slots = slots
    into.prefix = tree.prefixOf(leaf)
    for (let at = base + this.#slot * slotWords; at < base + slots * slotWords; at += slotWords) {
      const segment = words[at + slotA] as number
      if (segment === 0) continue
      const told = locate(segment, words[at + slotB] as number)
      if (told !== undefined) into.add(words[at] as number, words[at + 1] as number, told.segment, told.offset8)
    }
    return tree.separatorBehind()
  }

  /** Adds a leaf that has entries, all of them behind those that there are: `from` is between. */
  appendLeaf(leaf: LeafCopy, from: Uint8Array): void {
    this.#finger = noNode
    this.#growth.append(leaf, from)
    this.#changes++
  }

  /** From the place of the last find on: the sum of `offset8` over the next entries, at most `count`. */
  sumFrom(count: number): number {
    let leaf = this.#leaf
    let slot = this.#slot
    let sum = 0
    for (let left = count; left > 0 && leaf !== noNode; ) {
      const words = this.#tree.wordsOf(leaf)
      const base = this.#tree.word(leaf, nodeBase)
      const end = base + this.#tree.word(leaf, nodeSlots) * slotWords
      for (let at = base + slot * slotWords; at < end && left > 0; at += slotWords) {
        if (words[at + slotA] === 0) continue
        sum += words[at + slotB] as number
        left--
      }
      leaf = this.#tree.word(leaf, nodeNext)
      slot = 0
    }
    return sum
  }

  /** Nodes, gaps and errors of the models, from at most so many nodes. */
  shape(nodesMost: number): TreeShape {
    return shapeOf(this.#tree, nodesMost)
  }

  /** Throws an AssertionError where something does not hold that must. Visits every entry. */
  validate(): void {
    checkTree(this.#tree)
  }
}
