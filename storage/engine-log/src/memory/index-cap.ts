/**
 * The limit on index memory: which batches may still add keys. Asked before a batch is appended, so that one that is refused
 * has changed nothing.
 *
 * Only new keys are refused. Overwrites and deletes always go through, and so does a batch that adds no more keys than it
 * deletes: what these take is given back by retention and compaction, and without them there would be no way out.
 *
 * What must hold: new keys never bring the index above the limit. So each look reckons with the most that they can take,
 * the next step of every table included, and then allows a number of changes without another look. Keys that take the
 * place of deleted ones may bring it an eighth above while the holes of those are closed.
 */

import { type Change, engineErrors } from '@orbitkv/engine'
import type { VersionIndex } from '../versions/version-index.ts'
import { IndexRoom } from './index-room.ts'

/** Changes allowed at a time, the most that fits: few looks far below the limit, exact ones close to it. */
const allowances = [65_536, 4096, 256, 16]

export class IndexCap {
  /** 0: no limit. */
  readonly #bytesMax: number
  readonly #room: IndexRoom
  readonly #beside: { readonly bytes: number }
  /** Changes that may be made before the next look. */
  #allowed: number

  /** `beside` counts towards the limit too. */
  constructor(bytesMax: number, index: VersionIndex, beside: { readonly bytes: number }) {
    this.#bytesMax = bytesMax
    this.#room = new IndexRoom(index.parts)
    this.#beside = beside
    this.#allowed = bytesMax === 0 ? Number.POSITIVE_INFINITY : 0
  }

  /** Lets a batch through, or throws `engine.index_full`. */
  admit(changes: readonly Change[]): void {
    if (changes.length <= this.#allowed) this.#allowed -= changes.length
    else this.#look(changes)
  }

  /** Whether one more key may be added, as things stand. */
  admitsOne(): boolean {
    if (this.#allowed < 1) return false
    this.#allowed--
    return true
  }

  /** `indexFull`: there is no room for a new key now. */
  stats(): { indexBytesMax: number; indexFull: boolean } {
    const indexFull = this.#bytesMax > 0 && !this.#hasRoom(1, this.#room.reusableBytes())
    return { indexBytesMax: this.#bytesMax, indexFull }
  }

  #look(changes: readonly Change[]): void {
    if (!this.#hasRoom(changes.length, 0)) this.#lookAtEach(changes)
    this.#allowed = allowances.find((count) => this.#hasRoom(changes.length + count, 0)) ?? 0
  }

  #lookAtEach(changes: readonly Change[]): void {
    let added = 0
    // What deletes left in one keyspace is of no use to another.
    let reusableBytes = Number.POSITIVE_INFINITY
    for (const { kind, keyspace, key, keyStart, keyEnd } of changes) {
      if (kind === 'delete-range') continue
      const holds = this.#room.holds(keyspace, key, keyStart, keyEnd)
      if (kind === 'delete') {
        if (holds) added--
      } else if (!holds) {
        added++
        reusableBytes = Math.min(reusableBytes, this.#room.reusableBytes(keyspace))
      }
    }
    if (added <= 0 || this.#hasRoom(added, reusableBytes)) return
    throw engineErrors.index_full({ bytes: this.#bytes, max: this.#bytesMax })
  }

  #hasRoom(keys: number, reusableBytes: number): boolean {
    return this.#bytes - reusableBytes + this.#room.growthBytesMax(keys) <= this.#bytesMax
  }

  get #bytes(): number {
    return this.#room.bytes + this.#beside.bytes
  }
}
