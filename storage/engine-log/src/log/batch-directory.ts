/**
 * Where batches stand in the log, sparsely: one note for each stretch of log, so that a position or a revision is found
 * by a binary search and a short walk along batch headers.
 */

import type { BatchHead } from './scan.ts'

// A walk of at most this many bytes of headers follows a search.
const stretchBytes = 64 * 1024

export interface BatchPlace {
  readonly position: number
  readonly revision: number
  readonly segment: number
  readonly offset: number
}

export class BatchDirectory {
  readonly #places: BatchPlace[] = []

  /** Notes a batch that was appended or recovered, in order. */
  add(segment: number, batch: BatchHead): void {
    const last = this.#places.at(-1)
    if (last !== undefined && last.segment === segment && batch.offset - last.offset < stretchBytes) return
    this.#places.push({ position: batch.position, revision: batch.revision, segment, offset: batch.offset })
  }

  get count(): number {
    return this.#places.length
  }

  /** The place that was noted after `index` others. */
  at(index: number): BatchPlace {
    return this.#places[index] as BatchPlace
  }

  /** Takes over what another directory noted, in order. */
  restore(place: BatchPlace): void {
    this.#places.push(place)
  }

  /** Forgets batches above a position. */
  truncateAfter(position: number): void {
    while (this.#places.length > 0 && (this.#places.at(-1) as BatchPlace).position > position) this.#places.pop()
  }

  /** Forgets batches in segments before one. */
  forgetBefore(segment: number): void {
    const kept = this.#places.findIndex((place) => place.segment >= segment)
    this.#places.splice(0, kept === -1 ? this.#places.length : kept)
  }

  /** The last noted batch at or before a position or revision; undefined where none is. */
  before(by: 'position' | 'revision', value: number): BatchPlace | undefined {
    let from = 0
    let to = this.#places.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#places[middle] as BatchPlace)[by] <= value) from = middle + 1
      else to = middle
    }
    return this.#places[from - 1]
  }

  first(): BatchPlace | undefined {
    return this.#places[0]
  }

  get bytes(): number {
    return this.#places.length * 72
  }
}
