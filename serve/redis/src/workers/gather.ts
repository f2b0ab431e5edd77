/** One reply made of those of several shards: each part is a sink of its lane, and the last one to come makes the whole. */

import type { Sink } from './lane.ts'

export class Gather {
  readonly #replies: Uint8Array[]
  readonly #sink: Sink
  readonly #merge: (replies: readonly Uint8Array[]) => Uint8Array
  #missing: number
  #hasFailed = false

  /** `sink` gets what `merge` makes of so many replies. */
  constructor(parts: number, sink: Sink, merge: (replies: readonly Uint8Array[]) => Uint8Array) {
    this.#replies = Array.from({ length: parts }, () => noBytes)
    this.#missing = parts
    this.#sink = sink
    this.#merge = merge
  }

  part(place: number): Sink {
    const pieces: Uint8Array[] = []
    return {
      feed: (bytes, start, end, isLast) => {
        pieces.push(bytes.slice(start, end))
        if (isLast) this.#came(place, pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces))
      },
      fail: (error) => {
        if (!this.#hasFailed) this.#sink.fail(error)
        this.#hasFailed = true
      },
    }
  }

  #came(place: number, reply: Uint8Array): void {
    this.#replies[place] = reply
    this.#missing--
    if (this.#missing > 0) return
    const merged = this.#merge(this.#replies)
    this.#sink.feed(merged, 0, merged.length, true)
  }
}

const noBytes = new Uint8Array(0)
