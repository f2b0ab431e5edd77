/**
 * The memory of the learned index: a table of node headers, and blocks of slots in large chunks, all typed arrays outside
 * the JavaScript heap's object graph.
 *
 * A header has two cache lines; what a search needs is in the first, so that the headers of a million keys stay in the
 * processor's cache while the slots do not. Its words:
 *
 *   0-1 slope | 2-3 intercept (doubles) | 4 baseHigh | 5 baseLow | 6 chunk | 7 base | 8 slots | 9 prefixBytes | 10 prefix
 *   11 kind | 12 count | 13 limit | 14 work | 15 appended | 16 prepended | 17 laid | 18 next | 19 previous | 20 level
 *   21 steps | 22 errorMax | 23 blockWords
 *
 * A block is 16 words (its node, its size in words, zeros) and then the slots: 4 words each, high and low half of the
 * head, a, b. In a leaf (a, b) is the location of a record, in a branch the child and its separator; a of 0 is a gap.
 * Behind the slots of a branch stands one word for each of them: the entries below that child.
 *
 * Nodes differ in size and grow in small steps, which keeps them well filled; the holes that this leaves are closed by moving
 * blocks: each allocation moves a few out of the emptiest chunk, until that is free as a whole. So a block moves, and its
 * node's header knows where it is: whoever allocates reads `chunk` and `base` again.
 */

import { assert, KiB, MiB } from '@orbitkv/base'
import { largeBuffer } from '@orbitkv/bytes'
import { Alphabets } from './learned-alphabet.ts'

export const nodeSlope = 0
export const nodeIntercept = 1
export const nodeBaseHigh = 4
export const nodeBaseLow = 5
export const nodeChunk = 6
export const nodeBase = 7
export const nodeSlots = 8
export const nodePrefixBytes = 9
export const nodePrefix = 10
/** How the model reads a head: as a number, not at all, or as digits of an alphabet (learned-alphabet.ts). */
export const nodeKind = 11
export const nodeCount = 12
/** The count at which the node is full. */
export const nodeLimit = 13
/** Slots that inserts have shifted since the node was laid out. */
export const nodeWork = 14
/** Inserts behind the last and before the first entry since then. */
export const nodeAppended = 15
export const nodePrepended = 16
/** Entries when it was laid out. */
export const nodeLaid = 17
export const nodeNext = 18
export const nodePrevious = 19
/** 0 for a leaf. */
export const nodeLevel = 20
/** Sum over the entries of the bits of their distance from where the model says, and the largest distance. */
export const nodeSteps = 21
export const nodeErrorMax = 22
/** Of the node's block; 0 for one that has none, or is no more. */
export const nodeBlockWords = 23

/** Word of a node's header: `node << headerShift`; of its doubles: `node << modelShift`. */
export const headerShift = 5
export const modelShift = 4
const headerWords = 1 << headerShift

export const slotWords = 4
export const slotA = 2
export const slotB = 3
const blockHeadWords = 16

/** Kinds of models: a line over heads as numbers; none, so that the search is binary; from here on, alphabets. */
export const kindNumber = 0
export const kindPlain = 1
export const kindAlphabet = 2

/** No node. Nodes count from 1. */
export const noNode = 0

const chunkBytesMin = 16 * KiB
const chunkBytesMax = 4 * MiB
/** Chunks for each index, about: what is being emptied is a small part of it. */
const chunksWanted = 40
const arenaBytesMax = 32 * MiB
/** Holes are closed from one in so many words on, and before they are one in the other. */
const holesSought = 12
const holesKept = 8
/** Of an entry in the emptiest leaf, with its part of the branches above. */
export const entryBytesMax = 64
/** What one insert may take at once: the parts into which a leaf falls, beside that leaf. */
const leafApartBytes = 32 * KiB
const nodesApart = 32
/** Words moved for each word allocated while a chunk is being emptied. */
const moveFactor = 4
const noWords = new Int32Array(0)

export class LearnedPool {
  header = new Int32Array(headerWords * 16)
  models = new Float64Array(this.header.buffer)
  readonly chunks: Int32Array[] = []
  readonly alphabets = new Alphabets()
  /** Of each chunk, the words that have been given out, and those of them that are in use. */
  readonly #used: number[] = []
  readonly #live: number[] = []
  #nodes = 1
  readonly #freeNodes: number[] = []
  /** Places in `chunks` without a chunk. */
  readonly #vacant: number[] = []
  #current = -1
  /** The chunk that is being emptied, and how far. */
  #victim = -1
  #victimAt = 0
  /** Chunks that were emptied. */
  #spare: Int32Array[] = []
  #spareWords = 0
  #chunkWords = 0
  /** Chunks are parts of larger buffers, which can have huge pages; from here on this one is untouched. */
  #arena = new ArrayBuffer(0)
  #arenaUsed = 0
  #liveWords = 0
  /** The block of each size that was left last: a leaf that splits leaves one, and the next takes it. */
  readonly #holes = new Map<number, { readonly chunk: number; readonly block: number }>()

  /** Bytes that it has taken, but for what was never touched. */
  get bytes(): number {
    return this.header.byteLength + (this.#chunkWords - this.#untouchedWords + this.#spareWords) * 4
  }

  /**
   * The most bytes that so many more entries can take beside `entryBytesMax` each: nodes that split, a larger table of headers if
   * it is nearly full, and a chunk that is emptied while its blocks stand elsewhere already.
   */
  stepBytesMax(entries: number): number {
    const isTight = (this.#nodes + nodesApart + entries / 8) << headerShift > this.header.length
    const chunkBytes = chunkBytesMin + (2 * this.#chunkWords * 4) / chunksWanted
    return leafApartBytes + chunkBytes + (isTight ? this.header.byteLength : 0)
  }

  /** Of `bytes`, those that come to use again before more are taken: emptied chunks, and holes beyond what is put up with. */
  get reusableBytes(): number {
    const holes = this.#chunkWords - this.#liveWords - this.#untouchedWords
    return (this.#spareWords + Math.max(0, holes - this.#chunkWords / holesKept)) * 4
  }

  get #untouchedWords(): number {
    return this.#current < 0 ? 0 : this.#chunk(this.#current).length - (this.#used[this.#current] as number)
  }

  #chunk(number: number): Int32Array {
    return this.chunks[number] as Int32Array
  }

  /** Above the number of every node. */
  get nodesEnd(): number {
    return this.#nodes
  }

  /** A node without slots. */
  make(level: number): number {
    const node = this.#freeNodes.pop() ?? this.#nodes++
    if ((node + 1) << headerShift > this.header.length) {
      const larger = new Int32Array(this.header.length * 2)
      larger.set(this.header)
      this.header = larger
      this.models = new Float64Array(larger.buffer)
    }
    const at = node << headerShift
    this.header.fill(0, at, at + headerWords)
    this.header[at + nodeLevel] = level
    return node
  }

  /** Gives a node room for so many slots, in place of what it had; the slots are not cleared. */
  allocate(node: number, slots: number): void {
    const at = node << headerShift
    const { header } = this
    const perSlot = header[at + nodeLevel] === 0 ? slotWords : slotWords + 1
    const words = (blockHeadWords + slots * perSlot + 15) & ~15
    header[at + nodeSlots] = slots
    if (header[at + nodeBlockWords] === words) return
    this.#release(node)
    this.#empty(words * moveFactor)
    this.#place(node, words)
  }

  // Where the slots of the node of the last `renew` were.
  oldChunk = 0
  oldBase = 0
  #oldWords = 0

  /** As `allocate`, but the slots that the node had stay readable at `oldBase` of `oldChunk` until `endRenew`. */
  renew(node: number, slots: number): void {
    const at = node << headerShift
    const perSlot = this.header[at + nodeLevel] === 0 ? slotWords : slotWords + 1
    const words = (blockHeadWords + slots * perSlot + 15) & ~15
    this.#empty(words * moveFactor)
    const { header } = this
    this.oldChunk = header[at + nodeChunk] as number
    this.oldBase = header[at + nodeBase] as number
    this.#oldWords = header[at + nodeBlockWords] as number
    header[at + nodeSlots] = slots
    this.#place(node, words)
  }

  endRenew(): void {
    this.#leave(this.oldChunk, this.oldBase, this.#oldWords)
  }

  free(node: number): void {
    this.#release(node)
    this.#freeNodes.push(node)
  }

  #release(node: number): void {
    const at = node << headerShift
    const words = this.header[at + nodeBlockWords] as number
    if (words === 0) return
    this.#leave(this.header[at + nodeChunk] as number, this.header[at + nodeBase] as number, words)
    this.header[at + nodeBlockWords] = 0
  }

  #leave(chunk: number, base: number, words: number): void {
    const block = base - blockHeadWords
    this.#chunk(chunk)[block] = noNode
    if (chunk !== this.#victim) this.#holes.set(words, { chunk, block })
    this.#live[chunk] = (this.#live[chunk] as number) - words
    this.#liveWords -= words
  }

  /** Takes a block for a node: one that was left lately, or else behind the last one. */
  #place(node: number, words: number): void {
    const hole = this.#holes.get(words)
    if (hole !== undefined) {
      this.#holes.delete(words)
      this.#settle(node, words, hole.chunk, hole.block)
      return
    }
    if (this.#current < 0 || (this.#used[this.#current] as number) + words > this.#chunk(this.#current).length) {
      this.#open(words)
    }
    const chunk = this.#current
    const block = this.#used[chunk] as number
    this.#used[chunk] = block + words
    this.#settle(node, words, chunk, block)
  }

  #settle(node: number, words: number, chunk: number, block: number): void {
    const target = this.#chunk(chunk)
    target[block] = node
    target[block + 1] = words
    this.#live[chunk] = (this.#live[chunk] as number) + words
    this.#liveWords += words
    const at = node << headerShift
    this.header[at + nodeChunk] = chunk
    this.header[at + nodeBase] = block + blockHeadWords
    this.header[at + nodeBlockWords] = words
  }

  /** Begins a chunk with room for a block. */
  #open(words: number): void {
    const spare = this.#spare.findIndex(({ length }) => length >= words)
    const chunk = spare < 0 ? this.#carve(words * 4) : (this.#spare.splice(spare, 1)[0] as Int32Array)
    if (spare >= 0) this.#spareWords -= chunk.length
    const number = this.#vacant.pop() ?? this.chunks.length
    this.chunks[number] = chunk
    this.#used[number] = 0
    this.#live[number] = 0
    this.#chunkWords += chunk.length
    this.#current = number
  }

  /** A new chunk of at least so many bytes. */
  #carve(bytesMin: number): Int32Array {
    const taken = (this.#chunkWords + this.#spareWords) * 4
    let bytes = chunkBytesMin
    while (bytes < bytesMin || (bytes < chunkBytesMax && bytes * chunksWanted < taken)) bytes *= 2
    if (this.#arenaUsed + bytes > this.#arena.byteLength) {
      let arenaBytes = bytes
      while (arenaBytes < arenaBytesMax && arenaBytes < taken) arenaBytes *= 2
      this.#arena = largeBuffer(arenaBytes)
      this.#arenaUsed = 0
    }
    this.#arenaUsed += bytes
    return new Int32Array(this.#arena, this.#arenaUsed - bytes, bytes / 4)
  }

  /** Goes on with emptying a chunk, or begins with one where holes have become many; moves about so many words. */
  #empty(words: number): void {
    if (this.#victim < 0 && !this.#chooseVictim()) return
    const victim = this.#victim
    const source = this.#chunk(victim)
    const end = this.#used[victim] as number
    let left = words
    while (left > 0 && this.#victimAt < end) {
      const block = this.#victimAt
      const node = source[block] as number
      const size = source[block + 1] as number
      assert(size > 0, 'blocks follow each other without a gap')
      this.#victimAt += size
      if (node === noNode) continue
      this.#liveWords -= size
      this.#place(node, size)
      const at = node << headerShift
      const to = (this.header[at + nodeBase] as number) - blockHeadWords
      this.#chunk(this.header[at + nodeChunk] as number).set(source.subarray(block + 2, block + size), to + 2)
      left -= size
    }
    if (this.#victimAt < end) return
    this.chunks[victim] = noWords
    this.#used[victim] = 0
    this.#live[victim] = 0
    this.#vacant.push(victim)
    this.#chunkWords -= source.length
    this.#spare.push(source)
    this.#spareWords += source.length
    this.#victim = -1
  }

  /** The chunk with the largest share of holes, when all holes together are worth the moving. */
  #chooseVictim(): boolean {
    if (this.#current < 0) return false
    const holes = this.#chunkWords - this.#liveWords - this.#untouchedWords
    if (holes * holesSought < this.#chunkWords) return false
    let best = -1
    let bestShare = 0.125
    for (let number = 0; number < this.chunks.length; number++) {
      const { length } = this.#chunk(number)
      if (number === this.#current || length === 0) continue
      const share = 1 - (this.#live[number] as number) / length
      if (share > bestShare) {
        bestShare = share
        best = number
      }
    }
    if (best < 0) return false
    this.#victim = best
    this.#victimAt = 0
    for (const [words, { chunk }] of this.#holes) if (chunk === best) this.#holes.delete(words)
    return true
  }
}
