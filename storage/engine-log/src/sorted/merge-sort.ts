/**
 * Sorting in steps: a bottom-up merge sort of items by their heads that stops whenever its caller's time is up and goes on
 * later, so that sorting a million places never holds the event loop.
 *
 * Heads are two words, compared first; only where they are equal are the items themselves. So most comparisons stay
 * within the arrays that are merged, whatever the items are and wherever they stand.
 */

/** Compares two items with equal heads: negative where the first comes first. */
export type CompareItems = (first: number, second: number) => number

/** High half of the head, low half, item. */
const entryWords = 3
/** Items between two looks at the time. */
const itemsPerLook = 64

export class MergeSort {
  readonly #compare: CompareItems
  readonly #count: number
  #from: Uint32Array
  #to: Uint32Array
  #width = 1
  #start = 0
  #left = 0
  #right = 0
  #out = 0

  /** Sorts the items 0 to `count` - 1, whose heads `setHead` gives before the first step. */
  constructor(count: number, compare: CompareItems) {
    this.#compare = compare
    this.#count = count
    this.#from = new Uint32Array(entryWords * count)
    this.#to = new Uint32Array(entryWords * count)
    this.#begin()
  }

  setHead(item: number, high: number, low: number): void {
    this.#from[entryWords * item] = high
    this.#from[entryWords * item + 1] = low
    this.#from[entryWords * item + 2] = item
  }

  /** The item at a place of the order, once `step` has returned true. */
  item(place: number): number {
    return this.#from[entryWords * place + 2] as number
  }

  /** Goes on while `mayGoOn` says so; true when all is sorted. */
  step(mayGoOn: () => boolean): boolean {
    let sinceLook = 0
    while (this.#width < this.#count) {
      this.#moveOne()
      if (++sinceLook < itemsPerLook) continue
      if (!mayGoOn()) return false
      sinceLook = 0
    }
    return true
  }

  /** Moves the next item of the stretch that is being merged; then begins the next stretch, or the next width. */
  #moveOne(): void {
    const from = this.#from
    const to = this.#to
    const middle = Math.min(this.#start + this.#width, this.#count)
    const end = Math.min(this.#start + 2 * this.#width, this.#count)
    const taken = entryWords * (this.#takesLeft(middle, end) ? this.#left++ : this.#right++)
    const out = entryWords * this.#out
    to[out] = from[taken] as number
    to[out + 1] = from[taken + 1] as number
    to[out + 2] = from[taken + 2] as number
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
    const left = entryWords * this.#left
    const right = entryWords * this.#right
    const high = (from[left] as number) - (from[right] as number)
    if (high !== 0) return high < 0
    const low = (from[left + 1] as number) - (from[right + 1] as number)
    if (low !== 0) return low < 0
    return this.#compare(from[left + 2] as number, from[right + 2] as number) <= 0
  }

  #begin(): void {
    this.#left = this.#start
    this.#right = Math.min(this.#start + this.#width, this.#count)
    this.#out = this.#start
  }
}
