/** A growing list of places of records, each with a number of its finder's, outside the JavaScript heap's object graph. */

const placesMin = 64
const placeWords = 3

export class PlaceList {
  #words = new Uint32Array(placeWords * placesMin)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(segment: number, offset8: number, tag: number): void {
    const at = placeWords * this.#length
    if (at === this.#words.length) {
      const larger = new Uint32Array(2 * at)
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[at] = segment
    this.#words[at + 1] = offset8
    this.#words[at + 2] = tag
    this.#length++
  }

  segment(index: number): number {
    return this.#words[placeWords * index] as number
  }

  offset8(index: number): number {
    return this.#words[placeWords * index + 1] as number
  }

  tag(index: number): number {
    return this.#words[placeWords * index + 2] as number
  }

  clear(): void {
    this.#length = 0
  }
}
