/**
 * The yardstick of the ordered index: a B+tree in typed arrays, as engine-log had it before its learned index, with the
 * same memory (huge pages), the same heads of 8 bytes and the same log behind them. It only grows.
 *
 * A node knows 8 bytes of each key after a prefix that all keys in its range share, and asks the log when those do not
 * decide. Separators between leaves are copies of keys. Child i of a branch holds the keys from separator i (included)
 * to separator i+1; separator 0 is never looked at. `insert` may follow only a `find` of the key that failed.
 *
 * Prefix truncation after R. Bayer, K. Unterauer, "Prefix B-Trees", 1977.
 */

import { assert } from '@orbitkv/base'
import { compareBytes, sharedPrefixBytes } from '@orbitkv/bytes'
import {
  moveTail,
  NodePool,
  nodeA,
  nodeB,
  nodeCapacity,
  nodeCount,
  nodeHigh,
  nodeLow,
  nodeNext,
  nodePrefix,
  nodePrevious,
  noNode,
  openSlot,
} from './btree-nodes.ts'
import { noKey, Separators } from './btree-separators.ts'
import type { KeySource } from './keys.ts'

const heightMax = 16
const flipTop = 0x80000000 | 0

export class BPlusTree {
  readonly #keys: KeySource
  readonly #pool = new NodePool()
  readonly #separators = new Separators()
  #root: number
  /** Branch levels above the leaves. */
  #height = 0
  #size = 0

  // The place of the last find: the leaf and slot, and the branch and child slot of each level above it.
  #leaf = noNode
  #slot = 0
  readonly #pathNode = new Int32Array(heightMax)
  readonly #pathSlot = new Int32Array(heightMax)
  /** The location that the last find, or a cursor's step, came to. */
  segment = 0
  offset8 = 0

  // The head of the key that is being sought, for a prefix of #headPrefix bytes.
  #high = 0
  #low = 0
  #headPrefix = 0

  constructor(keys: KeySource) {
    this.#keys = keys
    this.#root = this.#pool.allocate()
    this.#leaf = this.#root
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#pool.bytes + this.#separators.bytes
  }

  get height(): number {
    return this.#height + 1
  }

  /** Looks `key[start, end)` up: true with its location in `segment` and `offset8`, or false. */
  find(key: Uint8Array, start: number, end: number): boolean {
    const leaf = this.#descend(key, start, end)
    const words = this.#pool.chunk(leaf)
    const base = this.#pool.base(leaf)
    this.#sharpen(key, start, end, words[base + nodePrefix] as number)
    const wantedHigh = this.#high
    const wantedLow = this.#low
    let from = 0
    let to = words[base + nodeCount] as number
    while (from < to) {
      const middle = (from + to) >>> 1
      const high = words[base + nodeHigh + middle] as number
      const low = words[base + nodeLow + middle] as number
      if (high === wantedHigh && low === wantedLow) {
        const segment = words[base + nodeA + middle] as number
        const offset8 = words[base + nodeB + middle] as number
        const order = this.#keys.compareKeyAt(segment, offset8, key, start, end)
        if (order === 0) {
          this.#leaf = leaf
          this.#slot = middle
          this.segment = segment
          this.offset8 = offset8
          return true
        }
        if (order < 0) from = middle + 1
        else to = middle
      } else if (high < wantedHigh || (high === wantedHigh && low < wantedLow)) from = middle + 1
      else to = middle
    }
    this.#leaf = leaf
    this.#slot = from
    return false
  }

  /** After a find of this key that failed: adds it. The record must already be readable at its location. */
  insert(key: Uint8Array, start: number, end: number, segment: number, offset8: number): void {
    if ((this.#pool.chunk(this.#leaf)[this.#pool.base(this.#leaf) + nodeCount] as number) === nodeCapacity) {
      this.#splitLeaf(key, start, end)
    }
    const words = this.#pool.chunk(this.#leaf)
    const base = this.#pool.base(this.#leaf)
    this.#sharpen(key, start, end, words[base + nodePrefix] as number)
    openSlot(words, base, this.#slot)
    this.#fillSlot(words, base, this.#slot, segment, offset8)
    this.#size++
  }

  /** From the place of the last find on: the sum of `offset8` over the next entries, at most `count`. */
  sumFrom(count: number): number {
    let leaf = this.#leaf
    let slot = this.#slot
    let sum = 0
    for (let left = count; left > 0 && leaf !== noNode; ) {
      const words = this.#pool.chunk(leaf)
      const base = this.#pool.base(leaf)
      if (slot >= (words[base + nodeCount] as number)) {
        leaf = words[base + nodeNext] as number
        slot = 0
        continue
      }
      sum += words[base + nodeB + slot] as number
      slot++
      left--
    }
    return sum
  }

  // ---- descent

  #descend(key: Uint8Array, start: number, end: number): number {
    const pool = this.#pool
    this.#headPrefix = -1
    let node = this.#root
    for (let level = this.#height; level > 0; level--) {
      const words = pool.chunk(node)
      const base = pool.base(node)
      const slot = this.#childFor(words, base, key, start, end)
      this.#pathNode[level] = node
      this.#pathSlot[level] = slot
      node = words[base + nodeA + slot] as number
    }
    return node
  }

  /** The slot of the child whose range holds the key: the last separator that is not above it. */
  #childFor(words: Int32Array, base: number, key: Uint8Array, start: number, end: number): number {
    this.#sharpen(key, start, end, words[base + nodePrefix] as number)
    const wantedHigh = this.#high
    const wantedLow = this.#low
    let from = 1
    let to = words[base + nodeCount] as number
    while (from < to) {
      const middle = (from + to) >>> 1
      const high = words[base + nodeHigh + middle] as number
      const low = words[base + nodeLow + middle] as number
      let above: boolean
      if (high !== wantedHigh) above = high > wantedHigh
      else if (low !== wantedLow) above = low > wantedLow
      else {
        const separator = this.#separators.get(words[base + nodeB + middle] as number)
        above = compareBytes(separator, 0, separator.length, key, start, end) > 0
      }
      if (above) to = middle
      else from = middle + 1
    }
    return from - 1
  }

  /** Makes #high and #low the head of the key for a prefix; cheap when the prefix has not changed on the way down. */
  #sharpen(key: Uint8Array, start: number, end: number, prefixBytes: number): void {
    if (this.#headPrefix === prefixBytes) return
    this.#headPrefix = prefixBytes
    const at = start + prefixBytes
    if (at + 8 <= end) {
      this.#high =
        (((key[at] as number) << 24) |
          ((key[at + 1] as number) << 16) |
          ((key[at + 2] as number) << 8) |
          (key[at + 3] as number)) ^
        flipTop
      this.#low =
        (((key[at + 4] as number) << 24) |
          ((key[at + 5] as number) << 16) |
          ((key[at + 6] as number) << 8) |
          (key[at + 7] as number)) ^
        flipTop
      return
    }
    let high = 0
    let low = 0
    for (let i = 0; i < 4; i++) high = (high << 8) | (at + i < end ? (key[at + i] as number) : 0)
    for (let i = 4; i < 8; i++) low = (low << 8) | (at + i < end ? (key[at + i] as number) : 0)
    this.#high = high ^ flipTop
    this.#low = low ^ flipTop
  }

  #fillSlot(words: Int32Array, base: number, slot: number, a: number, b: number): void {
    words[base + nodeHigh + slot] = this.#high
    words[base + nodeLow + slot] = this.#low
    words[base + nodeA + slot] = a
    words[base + nodeB + slot] = b
  }

  // ---- growth

  /** Splits the full leaf of the place, and moves the place to where the key belongs now. */
  #splitLeaf(key: Uint8Array, start: number, end: number): void {
    const pool = this.#pool
    const left = this.#leaf
    const right = pool.allocate()
    const leftWords = pool.chunk(left)
    const leftBase = pool.base(left)
    const rightWords = pool.chunk(right)
    const rightBase = pool.base(right)
    const next = leftWords[leftBase + nodeNext] as number
    // Keys that arrive in order go on in a leaf of their own, and the one behind them stays full.
    const appending = next === noNode && this.#slot === nodeCapacity
    const keep = appending ? nodeCapacity : nodeCapacity >>> 1

    moveTail(leftWords, leftBase, keep, rightWords, rightBase)
    rightWords[rightBase + nodePrefix] = leftWords[leftBase + nodePrefix] as number
    rightWords[rightBase + nodeNext] = next
    rightWords[rightBase + nodePrevious] = left
    leftWords[leftBase + nodeNext] = right
    if (next !== noNode) pool.chunk(next)[pool.base(next) + nodePrevious] = right

    const separator = appending ? key.slice(start, end) : this.#keyOf(right, 0)
    const goesRight =
      this.#slot > keep || (this.#slot === keep && compareBytes(key, start, end, separator, 0, separator.length) >= 0)
    this.#addChild(1, separator, right, goesRight)
    this.#tightenLeaf(left)
    this.#tightenLeaf(right)
    this.#leaf = goesRight ? right : left
    if (goesRight) this.#slot -= keep
    this.#headPrefix = -1
  }

  /** Adds a child with its separator after the place's path at a level; splits branches and grows the root as needed. */
  #addChild(level: number, separator: Uint8Array, child: number, pathGoesRight: boolean): void {
    const pool = this.#pool
    if (level > this.#height) {
      assert(this.#height + 1 < heightMax, 'the tree has room for one more level')
      const root = pool.allocate()
      const words = pool.chunk(root)
      const base = pool.base(root)
      words[base + nodeCount] = 1
      words[base + nodeA] = this.#root
      words[base + nodeB] = this.#separators.keep(noKey)
      this.#root = root
      this.#height++
      this.#pathNode[this.#height] = root
      this.#pathSlot[this.#height] = 0
    }
    if (
      (pool.chunk(this.#pathNode[level] as number)[
        pool.base(this.#pathNode[level] as number) + nodeCount
      ] as number) === nodeCapacity
    ) {
      this.#splitBranch(level)
    }
    const node = this.#pathNode[level] as number
    const words = pool.chunk(node)
    const base = pool.base(node)
    const slot = (this.#pathSlot[level] as number) + 1
    openSlot(words, base, slot)
    this.#headPrefix = -1
    this.#sharpen(separator, 0, separator.length, words[base + nodePrefix] as number)
    this.#fillSlot(words, base, slot, child, this.#separators.keep(separator))
    if (pathGoesRight) this.#pathSlot[level] = slot
  }

  #splitBranch(level: number): void {
    const pool = this.#pool
    const left = this.#pathNode[level] as number
    const right = pool.allocate()
    const leftWords = pool.chunk(left)
    const leftBase = pool.base(left)
    const rightWords = pool.chunk(right)
    const rightBase = pool.base(right)
    const slot = this.#pathSlot[level] as number
    const keep = slot === nodeCapacity - 1 ? nodeCapacity - 1 : nodeCapacity >>> 1
    moveTail(leftWords, leftBase, keep, rightWords, rightBase)
    rightWords[rightBase + nodePrefix] = leftWords[leftBase + nodePrefix] as number
    const separator = this.#separators.get(rightWords[rightBase + nodeB] as number)
    const goesRight = slot >= keep
    this.#addChild(level + 1, separator, right, goesRight)
    if (goesRight) {
      this.#pathNode[level] = right
      this.#pathSlot[level] = slot - keep
    }
    this.#tightenBranch(left)
    this.#tightenBranch(right)
  }

  // ---- prefixes

  /** Lengthens a leaf's prefix where its heads have stopped telling keys apart. */
  #tightenLeaf(leaf: number): void {
    const words = this.#pool.chunk(leaf)
    const base = this.#pool.base(leaf)
    const count = words[base + nodeCount] as number
    if (count < 2 || words[base + nodeHigh] !== words[base + nodeHigh + count - 1]) return
    const fences = this.#fences(leaf, 0)
    if (fences === undefined) return
    this.#rehead(leaf, sharedPrefixBytes(fences.from, fences.to), 0)
  }

  #tightenBranch(branch: number): void {
    const words = this.#pool.chunk(branch)
    const base = this.#pool.base(branch)
    const count = words[base + nodeCount] as number
    if (count < 3 || words[base + nodeHigh + 1] !== words[base + nodeHigh + count - 1]) return
    const fences = this.#fences(branch, 1)
    if (fences === undefined) return
    this.#rehead(branch, sharedPrefixBytes(fences.from, fences.to), 1)
  }

  /**
   * The separators that bound a node's range, found from the root by the node's own first key; undefined where it is
   * open on a side. Rare: only where a prefix might grow.
   */
  #fences(node: number, kind: 0 | 1): { from: Uint8Array; to: Uint8Array } | undefined {
    const key = kind === 0 ? this.#keyOf(node, 0) : this.#separators.get(this.#separatorId(node, 1))
    let from: Uint8Array | undefined
    let to: Uint8Array | undefined
    let at = this.#root
    this.#headPrefix = -1
    for (let level = this.#height; at !== node; level--) {
      if (level === 0) return undefined
      const words = this.#pool.chunk(at)
      const base = this.#pool.base(at)
      const slot = this.#childFor(words, base, key, 0, key.length)
      if (slot > 0) from = this.#separators.get(this.#separatorId(at, slot))
      if (slot + 1 < (words[base + nodeCount] as number)) to = this.#separators.get(this.#separatorId(at, slot + 1))
      at = words[base + nodeA + slot] as number
    }
    this.#headPrefix = -1
    return from === undefined || to === undefined ? undefined : { from, to }
  }

  /** Gives a node another prefix length and makes its heads anew. */
  #rehead(node: number, prefixBytes: number, firstSlot: 0 | 1): void {
    const words = this.#pool.chunk(node)
    const base = this.#pool.base(node)
    if (words[base + nodePrefix] === prefixBytes) return
    words[base + nodePrefix] = prefixBytes
    const count = words[base + nodeCount] as number
    for (let slot = firstSlot; slot < count; slot++) {
      this.#headPrefix = -1
      if (firstSlot === 0) {
        const { bytes, keyStart, keyBytes } = this.#keys.keyAt(
          words[base + nodeA + slot] as number,
          words[base + nodeB + slot] as number,
        )
        this.#sharpen(bytes, keyStart, keyStart + keyBytes, prefixBytes)
      } else {
        const separator = this.#separators.get(words[base + nodeB + slot] as number)
        this.#sharpen(separator, 0, separator.length, prefixBytes)
      }
      words[base + nodeHigh + slot] = this.#high
      words[base + nodeLow + slot] = this.#low
    }
    this.#headPrefix = -1
  }

  #keyOf(leaf: number, slot: number): Uint8Array {
    const words = this.#pool.chunk(leaf)
    const at = this.#pool.base(leaf) + slot
    const { bytes, keyStart, keyBytes } = this.#keys.keyAt(words[at + nodeA] as number, words[at + nodeB] as number)
    return bytes.slice(keyStart, keyStart + keyBytes)
  }

  #separatorId(branch: number, slot: number): number {
    return this.#pool.chunk(branch)[this.#pool.base(branch) + nodeB + slot] as number
  }
}
