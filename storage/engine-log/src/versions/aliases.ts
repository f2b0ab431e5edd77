/**
 * Aliases: numbers that stand for "this key, deleted by that delete-range record". A delete-range is one record for many
 * keys, while the point index and the notes of versions want one location a key.
 *
 * An alias is four words: the delete-range record's segment and offset8, and those of the record of the key that it
 * deleted, which holds the key. A free alias has segment 0 and, in the second word, the next free one.
 */

import { assert } from '@orbitkv/base'

const aliasWords = 4
const aliasesMin = 64

export class Aliases {
  #words = new Uint32Array(aliasesMin * aliasWords)
  #used = 1
  #free = 0

  get bytes(): number {
    return this.#words.byteLength
  }

  /** A new alias: the delete-range record at a location deleted the record at another. */
  add(segment: number, offset8: number, olderSegment: number, olderOffset8: number): number {
    let alias = this.#free
    if (alias !== 0) this.#free = this.#words[alias * aliasWords + 1] as number
    else alias = this.#used++
    if (alias * aliasWords >= this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2)
      larger.set(this.#words)
      this.#words = larger
    }
    const at = alias * aliasWords
    this.#words[at] = segment
    this.#words[at + 1] = offset8
    this.#words[at + 2] = olderSegment
    this.#words[at + 3] = olderOffset8
    return alias
  }

  /** Location of the delete-range record. */
  segment(alias: number): number {
    return this.#words[alias * aliasWords] as number
  }

  offset8(alias: number): number {
    return this.#words[alias * aliasWords + 1] as number
  }

  /** Location of the record that was deleted. */
  olderSegment(alias: number): number {
    return this.#words[alias * aliasWords + 2] as number
  }

  olderOffset8(alias: number): number {
    return this.#words[alias * aliasWords + 3] as number
  }

  /** The record that was deleted has moved. */
  relocateOlder(alias: number, segment: number, offset8: number): void {
    const at = alias * aliasWords
    this.#words[at + 2] = segment
    this.#words[at + 3] = offset8
  }

  remove(alias: number): void {
    const at = alias * aliasWords
    assert(this.#words[at] !== 0, 'an alias is removed once')
    this.#words[at] = 0
    this.#words[at + 1] = this.#free
    this.#free = alias
  }
}
