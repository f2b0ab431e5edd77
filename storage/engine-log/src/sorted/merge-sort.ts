/**
 * Sorting in steps: a bottom-up merge sort of pairs of words that stops whenever its caller's time is up and goes on later,
 * so that sorting a million places never holds the event loop.
 */

/** Compares two pairs of words (a, b): negative where the first comes first. */
export type ComparePairs = (a1: number, b1: number, a2: number, b2: number) => number

/** Pairs between two looks at the time. */
const pairsPerLook = 64

export class MergeSort {
  readonly #compare: ComparePairs
  readonly #count: number
  #from: Uint32Array
  #to: Uint32Array
  #width = 1
  #start = 0
  #left = 0
  #right = 0
  #out = 0

  /** Sorts the first `count` pairs of `pairs`, which it takes as its own. */
  constructor(pairs: Uint32Array, count: number, compare: ComparePairs) {
    this.#compare = compare
    this.#count = count
    this.#from = pairs
    this.#to = new Uint32Array(pairs.length)
    this.#begin()
  }

  /** The pairs; in order once `step` has returned true. */
  get pairs(): Uint32Array {
    return this.#from
  }

  /** Goes on while `mayGoOn` says so; true when all is sorted. */
  step(mayGoOn: () => boolean): boolean {
    let sinceLook = 0
    while (this.#width < this.#count) {
      this.#moveOne()
      if (++sinceLook < pairsPerLook) continue
      if (!mayGoOn()) return false
      sinceLook = 0
    }
    return true
  }

  /** Moves the next pair of the stretch that is being merged; then begins the next stretch, or the next width. */
  #moveOne(): void {
    const from = this.#from
    const to = this.#to
    const middle = Math.min(this.#start + this.#width, this.#count)
    const end = Math.min(this.#start + 2 * this.#width, this.#count)
    const taken = this.#takesLeft(middle, end) ? this.#left++ : this.#right++
    to[2 * this.#out] = from[2 * taken] as number
    to[2 * this.#out + 1] = from[2 * taken + 1] as number
    if (++this.#out < end) return
    this.#start = end
    if (end === this.#count) {
      this.#from = to
      this.#to = from
      this.#width *= 2
      this.#start = 0
    }
    this.#begin()
  }

  #takesLeft(middle: number, end: number): boolean {
    if (this.#left >= middle) return false
    if (this.#right >= end) return true
    const from = this.#from
    const left = 2 * this.#left
    const right = 2 * this.#right
    const order = this.#compare(
      from[left] as number,
      from[left + 1] as number,
      from[right] as number,
      from[right + 1] as number,
    )
    return order <= 0
  }

  #begin(): void {
    this.#left = this.#start
    this.#right = Math.min(this.#start + this.#width, this.#count)
    this.#out = this.#start
  }
}
