/**
 * Where replies are encoded to: chunks that many connections share.
 *
 * The replies of one turn lie side by side in one chunk, however many connections they belong to, so that a turn of
 * small replies touches little memory. A slice is the part of a chunk that belongs to one connection.
 *
 * What must hold: a chunk is used again only when every slice in it has been sent or dropped.
 */

import { assert } from '@orbitkv/base'
import { type BufferPool, bufferBytes } from './buffers.ts'

/** What a slice is a part of: a chunk, or a place that is kept for a reply which comes later (workers/hole.ts). */
export interface SliceSource {
  readonly bytes: Uint8Array
  /** Slices of it that are not out yet. */
  slices: number
  /** A slice is out, or nobody wants it any more. */
  release(): void
}

export class Chunk implements SliceSource {
  readonly bytes: Uint8Array
  /** Slices that are not out yet. */
  slices = 0
  /** It takes no more replies, so that its buffer goes back with its last slice. */
  isFull = false
  readonly #pool: BufferPool

  constructor(pool: BufferPool, bytesMin: number) {
    this.#pool = pool
    this.bytes = pool.take(Math.max(bytesMin, bufferBytes))
  }

  /** A slice is out, or nobody wants it any more. */
  release(): void {
    assert(this.slices > 0, 'a slice is released once')
    this.slices--
    this.reclaim()
  }

  /** Gives the buffer back if nothing refers to it. */
  reclaim(): void {
    if (this.isFull && this.slices === 0) this.#pool.give(this.bytes)
  }
}

/** Whose replies a slice holds. */
export interface SliceOwner {
  /** Bytes encoded for it that are not out yet. */
  outputBytes: number
}

/** The slices of one turn in the order of their making, side by side in arrays so that none is an object. */
export class Slices<Owner extends SliceOwner> {
  readonly owners: Owner[] = []
  readonly chunks: SliceSource[] = []
  readonly starts: number[] = []
  readonly ends: number[] = []
  count = 0

  /** Adds a slice, or lengthens the last where it goes on. */
  add(owner: Owner, chunk: SliceSource, start: number, end: number): void {
    const last = this.count - 1
    owner.outputBytes += end - start
    if (last >= 0 && this.owners[last] === owner && this.chunks[last] === chunk && this.ends[last] === start) {
      this.ends[last] = end
      return
    }
    this.owners[this.count] = owner
    this.chunks[this.count] = chunk
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
    chunk.slices++
  }

  /** Takes back everything after the first `count` slices, the last of those ending where it did. */
  cutBack(count: number, lastEnd: number): void {
    for (let i = count; i < this.count; i++) {
      ;(this.owners[i] as Owner).outputBytes -= (this.ends[i] as number) - (this.starts[i] as number)
      ;(this.chunks[i] as SliceSource).release()
    }
    this.count = count
    if (count === 0) return
    const last = count - 1
    ;(this.owners[last] as Owner).outputBytes -= (this.ends[last] as number) - lastEnd
    this.ends[last] = lastEnd
  }

  clear(): void {
    this.owners.length = 0
    this.chunks.length = 0
    this.count = 0
  }
}
