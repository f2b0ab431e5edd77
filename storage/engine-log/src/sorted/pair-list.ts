/** A growing list of pairs of words, such as places (segment, offset8), outside the JavaScript heap's object graph. */

const pairsMin = 64

export class PairList {
  /** The pairs side by side; what stands behind `2 * length` means nothing. */
  words: Uint32Array
  length: number

  constructor() {
    this.words = new Uint32Array(2 * pairsMin)
    this.length = 0
  }

  /** A list of the first `length` pairs of an array, which it takes as its own. */
  static of(words: Uint32Array, length: number): PairList {
    const list = new PairList()
    list.words = words
    list.length = length
    return list
  }

  push(first: number, second: number): void {
    if (2 * this.length + 2 > this.words.length) {
      const larger = new Uint32Array(2 * this.words.length)
      larger.set(this.words)
      this.words = larger
    }
    this.words[2 * this.length] = first
    this.words[2 * this.length + 1] = second
    this.length++
  }

  first(index: number): number {
    return this.words[2 * index] as number
  }

  second(index: number): number {
    return this.words[2 * index + 1] as number
  }

  clear(): void {
    this.length = 0
  }
}
