/**
 * Following the log: every published batch after a position, in order; asked again after its end, it goes on with what
 * has been published since. Behind `Engine.changes`, and so under everything that follows a store.
 *
 * It holds a place, not a view: segments may be sealed, cut behind what is published, or compacted between two steps.
 */

import { type CommittedBatch, engineErrors } from '@orbitkv/engine'
import type { BatchDirectory } from './batch-directory.ts'
import { batchHeaderBytes, segmentHeaderBytes } from './format.ts'
import type { Log } from './log.ts'
import { LogRecord } from './record.ts'
import { type BatchHead, findBatch, newBatchHead } from './scan.ts'
import type { Segment } from './segment.ts'
import { loadKnownHead } from './walk.ts'

export interface FollowOptions {
  readonly log: Log
  readonly directory: BatchDirectory
  /** Recovery passed over damage, so only what is sound counts. */
  readonly isDamaged: boolean
  readonly publishedPosition: () => number
}

export class LogFollower implements IterableIterator<CommittedBatch> {
  readonly #options: FollowOptions
  /** That of the batch handed out last. */
  #position: number
  /** Where it reads on; segment 0 while it has no place. */
  #segment = 0
  #offset = 0
  readonly #head = newBatchHead()
  /** Of the batch handed out last; used again for the next one. */
  readonly #records: LogRecord[] = []

  constructor(position: number, options: FollowOptions) {
    this.#options = options
    this.#position = position
    this.#assertKept()
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<CommittedBatch, undefined> {
    const { log } = this.#options
    const published = this.#options.publishedPosition()
    while (this.#position < published) {
      let segment = log.segments[this.#segment]
      if (segment?.kind !== 'log') {
        if (!this.#findPlace()) break
        segment = log.segment(this.#segment)
      }
      if (!this.#readHead(segment)) {
        if (segment === log.newestLog) break
        this.#segment = log.logAfter(segment.number).number
        this.#offset = segmentHeaderBytes
        continue
      }
      const head = this.#head
      if (head.position > published) break
      this.#offset = head.offset + head.batchBytes
      if (head.position <= this.#position) continue
      this.#position = head.position
      return { done: false, value: new FollowedBatch(head, segment, this.#records) }
    }
    return { done: true, value: undefined }
  }

  #readHead(segment: Segment): boolean {
    const { bytes, words, seed, end } = segment
    if (this.#offset >= end) return false
    if (this.#options.isDamaged) return findBatch(bytes, words, seed, this.#offset, end, this.#head)
    loadKnownHead(segment, this.#offset, this.#head)
    return true
  }

  /** Finds the segment of the next batch, at first and after compaction has taken the one it stood in. */
  #findPlace(): boolean {
    this.#assertKept()
    const { directory } = this.#options
    const from = directory.before('position', this.#position + 1) ?? directory.first()
    if (from === undefined) return false
    this.#segment = from.segment
    this.#offset = from.offset
    return true
  }

  #assertKept(): void {
    const { base } = this.#options.log.contents
    if (this.#position < base.position) {
      throw engineErrors.compacted({ what: 'position', asked: this.#position, oldest: base.position })
    }
  }
}

class FollowedBatch implements CommittedBatch {
  readonly position: number
  readonly revision: number
  readonly time: number
  readonly epoch: number
  readonly #segment: Segment
  readonly #offset: number
  readonly #count: number
  readonly #pool: LogRecord[]

  constructor(
    { position, revision, time, epoch, offset, recordCount }: BatchHead,
    segment: Segment,
    pool: LogRecord[],
  ) {
    this.position = position
    this.revision = revision
    this.time = time
    this.epoch = epoch
    this.#segment = segment
    this.#offset = offset
    this.#count = recordCount
    this.#pool = pool
  }

  get records(): readonly LogRecord[] {
    const { bytes, words } = this.#segment
    const pool = this.#pool
    const count = this.#count
    // The pool keeps what most batches need.
    if (pool.length > count) pool.length = count
    let at = this.#offset + batchHeaderBytes
    for (let i = 0; i < count; i++) {
      if (i === pool.length) pool.push(new LogRecord())
      at += (pool[i] as LogRecord).moveTo(bytes, words, at).recordBytes
    }
    return pool
  }
}
