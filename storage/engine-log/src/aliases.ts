/**
 * Aliases: numbers that stand for "this key, deleted by that delete-range record". A delete-range is one record for many
 * keys, while the index and the version links want one location a key.
 */

import { assert } from '@orbitkv/base'

const capacityMin = 64

export class Aliases {
  /** Pairs (segment, offset8) of the delete-range record; segment 0 marks a free alias, whose offset8 is the next free one. */
  #records = new Uint32Array(2 * capacityMin)
  #used = 1
  #free = 0

  get bytes(): number {
    return this.#records.byteLength
  }

  /** A new alias for the delete-range record at a location. */
  add(segment: number, offset8: number): number {
    let alias = this.#free
    if (alias !== 0) this.#free = this.#records[2 * alias + 1] as number
    else {
      alias = this.#used++
      if (2 * alias + 1 >= this.#records.length) {
        const larger = new Uint32Array(this.#records.length * 2)
        larger.set(this.#records)
        this.#records = larger
      }
    }
    this.#records[2 * alias] = segment
    this.#records[2 * alias + 1] = offset8
    return alias
  }

  segment(alias: number): number {
    return this.#records[2 * alias] as number
  }

  offset8(alias: number): number {
    return this.#records[2 * alias + 1] as number
  }

  remove(alias: number): void {
    assert(this.#records[2 * alias] !== 0, 'an alias is removed once')
    this.#records[2 * alias] = 0
    this.#records[2 * alias + 1] = this.#free
    this.#free = alias
  }
}
