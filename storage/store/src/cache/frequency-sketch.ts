/**
 * How often keys were used lately, those that are gone included: a count-min sketch of 4-bit counters (TinyLFU, Einziger, Friedman and
 * Manes 2017). Of a key it has four counters, all in one block of 64 bytes, so that a look touches one line of memory; the
 * smallest of them is the estimate.
 *
 * After ten uses for each entry all counters are halved. Neither that nor growing waits for all of them: each use does a few.
 */

const wordsPerBlock = 16
const rows = 4
const wordsPerRow: number = wordsPerBlock / rows
const counterMax = 15
/** One bit for each counter of a word, and what is left of its bits when they are halved. */
const halvedBits = 0x77777777
const usesPerEntry = 10
const wordsHalvedPerUse = 64
/** Of one use: many more than one new entry asks for. */
const blocksMadePerUse = 4
/** A power of two. */
const blocksAtFirst = 32
/** Entries for which a block has counters enough: 128 counters, 16 for each as in Caffeine. */
const entriesPerBlock = 8
/** Blocks come in chunks of 64 KiB. */
const chunkShift = 14
const wordsPerChunk: number = 1 << chunkShift
const chunkMask: number = wordsPerChunk - 1

export class FrequencySketch {
  readonly #chunks: Uint32Array[] = [new Uint32Array(wordsPerChunk)]
  #blocks = blocksAtFirst
  /** Blocks below this were there before the present round of splits; a power of two. */
  #round = blocksAtFirst
  /** Uses since the counters were last halved, as far as they still count. */
  #uses = 0
  /** Up to here the words are halved; where all are, their number. */
  #halved: number = blocksAtFirst * wordsPerBlock

  get memoryBytes(): number {
    return 4 * this.#chunks.length * wordsPerChunk
  }

  get blockCount(): number {
    return this.#blocks
  }

  /** Counts a use of the key with a hash, among so many entries. */
  use(hash: number, entries: number): void {
    if (this.#halved < this.#blocks * wordsPerBlock) this.#halveSome()
    else this.#grow(entries)
    const counters = spread(hash)
    const block = this.#blockOf(hash)
    const words = this.#chunkOf(block)
    let isNews = false
    for (let row = 0; row < rows; row++) {
      const at = (block & chunkMask) + wordAt(counters, row)
      const shift = shiftAt(counters, row)
      const word = words[at] as number
      if (((word >>> shift) & counterMax) === counterMax) continue
      words[at] = word + (1 << shift)
      isNews = true
    }
    if (!isNews || ++this.#uses < usesPerEntry * entriesPerBlock * this.#blocks) return
    this.#uses /= 2
    this.#halved = 0
  }

  /** About how often a key was used, at most 15. */
  estimate(hash: number): number {
    const counters = spread(hash)
    const block = this.#blockOf(hash)
    const words = this.#chunkOf(block)
    let least = counterMax
    for (let row = 0; row < rows; row++) {
      const word = words[(block & chunkMask) + wordAt(counters, row)] as number
      least = Math.min(least, (word >>> shiftAt(counters, row)) & counterMax)
    }
    return least
  }

  /** The first word of a key's block. Those that this round has split, and those it made, go by one more bit of the hash. */
  #blockOf(hash: number): number {
    const block = hash & (2 * this.#round - 1)
    return (block < this.#blocks ? block : block - this.#round) * wordsPerBlock
  }

  #chunkOf(word: number): Uint32Array {
    return this.#chunks[word >>> chunkShift] as Uint32Array
  }

  /** A key's block goes by one more bit of its hash once that is split, so it is copied to both that it may have become. */
  #grow(entries: number): void {
    for (let made = 0; made < blocksMadePerUse && entries > this.#blocks * entriesPerBlock; made++) {
      const to = this.#blocks * wordsPerBlock
      const from = (this.#blocks - this.#round) * wordsPerBlock
      if (to >>> chunkShift === this.#chunks.length) this.#chunks.push(new Uint32Array(wordsPerChunk))
      const source = this.#chunkOf(from)
      const target = this.#chunkOf(to)
      for (let i = 0; i < wordsPerBlock; i++) target[(to & chunkMask) + i] = source[(from & chunkMask) + i] as number
      this.#blocks++
      this.#halved += wordsPerBlock
      if (this.#blocks === 2 * this.#round) this.#round = this.#blocks
    }
  }

  #halveSome(): void {
    const words = this.#chunkOf(this.#halved)
    const stop = Math.min(this.#halved + wordsHalvedPerUse, this.#blocks * wordsPerBlock)
    for (; this.#halved < stop; this.#halved++) {
      const at = this.#halved & chunkMask
      words[at] = ((words[at] as number) >>> 1) & halvedBits
    }
  }
}

/** Other bits than those that choose the block. */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return mixed ^ (mixed >>> 16)
}

/** Each row goes by five bits: which of its four words, and which of the eight counters in it. */
function wordAt(counters: number, row: number): number {
  return row * wordsPerRow + ((counters >>> (5 * row)) & (wordsPerRow - 1))
}

function shiftAt(counters: number, row: number): number {
  return ((counters >>> (5 * row + 2)) & 7) * 4
}
