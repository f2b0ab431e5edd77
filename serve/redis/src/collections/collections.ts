/**
 * All collections of a server: their pending changes, their generations, and what becomes of those that go.
 *
 * To delete a collection takes one record for its key and one for its grave: its elements are then out of reach, since
 * nothing leads to their generation any more, and reaper.ts takes them away a few at a time. A collection with a time of
 * expiry has its grave from the start, for that time.
 *
 * What must hold: no generation is ever given twice, over restarts too; of every generation that has elements, either
 * the record of its key is live, or there is a grave that tells of it.
 */

import { decodeText, encodeText } from '@orbitkv/bytes'
import { copyValue, putChange, type RecordView } from '@orbitkv/engine'
import type { Owner } from '@orbitkv/store'
import { redisKeyspace, stringTag } from '../commands/command.ts'
import { ElementKey } from './element-keys.ts'
import { type Grave, graveKey } from './graves.ts'
import { type Header, readHeader } from './header.ts'
import { elementKeyspace, generationKeyspace, graveKeyspace } from './keyspaces.ts'
import { PendingChanges } from './pending.ts'

/** Generations that one record makes sure of: after a restart what is left of them is not used. */
const generationsReserved = 2 ** 20
const markKey = new Uint8Array(0)

export class Collections {
  readonly pending: PendingChanges
  readonly keys = new ElementKey()
  /** Called with the time from which on there is a grave to look at. */
  onGrave: (at: number) => void = () => {}
  /** Called with the key of a collection that was written or is gone, for blocked clients that now may, or never will, get something. */
  onReady: (key: Uint8Array) => void = () => {}
  /** Whether there is, or may have been since the start, any collection: where there is none, strings pay nothing. */
  any: boolean
  readonly #owner: Owner
  #generation: number
  /** As the store knows it: none above was ever given. */
  #generationMark: number

  constructor(owner: Owner) {
    this.#owner = owner
    this.pending = new PendingChanges(owner)
    this.any = owner.count(elementKeyspace) > 0 || owner.count(graveKeyspace) > 0
    this.#generation = readMark(owner)
    this.#generationMark = this.#generation
  }

  newGeneration(): number {
    this.any = true
    if (this.#generation === this.#generationMark) this.#reserve()
    return ++this.#generation
  }

  /** In a batch of its own, ahead of the one that uses it: a command that fails takes nothing of it back. */
  #reserve(): void {
    const mark = this.#generationMark + generationsReserved
    this.#owner.write([putChange(generationKeyspace, markKey, encodeText(String(mark)))])
    this.#generationMark = mark
  }

  /** What the record of a key at `key[start, end)` leaves behind when it goes, or is put anew: nothing if it is a string. */
  bury(record: RecordView, key: Uint8Array, start: number, end: number): void {
    if (record.tag === stringTag) return
    const { expiresAt } = record
    const { generation } = headerOf(record)
    if (expiresAt !== 0) this.#removeGrave({ at: expiresAt, generation })
    this.#addGrave({ at: 0, generation }, key, start, end)
    // Who waits for entries of a group is told that it is gone.
    this.onReady(key.subarray(start, end))
  }

  /** As `bury` for whatever stands under a key. */
  buryKey(key: Uint8Array, start: number, end: number): void {
    const record = this.pending.get(redisKeyspace, key, start, end)
    if (record !== undefined) this.bury(record, key, start, end)
  }

  /** A collection whose elements are all gone goes itself. */
  forgetExpiry(generation: number, expiresAt: number): void {
    if (expiresAt !== 0) this.#removeGrave({ at: expiresAt, generation })
  }

  /** A collection under `key[start, end)` will be over at another time; 0 for never. */
  changeExpiry(generation: number, from: number, until: number, key: Uint8Array, start: number, end: number): void {
    if (from !== 0) this.#removeGrave({ at: from, generation })
    if (until !== 0) this.#addGrave({ at: until, generation }, key, start, end)
  }

  #addGrave(grave: Grave, key: Uint8Array, start: number, end: number): void {
    const bytes = graveKey(grave)
    this.pending.put(graveKeyspace, bytes, 0, bytes.length, key, start, end)
    this.onGrave(grave.at)
  }

  #removeGrave(grave: Grave): void {
    const bytes = graveKey(grave)
    this.pending.delete(graveKeyspace, bytes, 0, bytes.length)
  }
}

function readMark(owner: Owner): number {
  const record = owner.get(generationKeyspace, markKey, 0, 0)
  return record === undefined ? 0 : Number(decodeText(copyValue(record)))
}

const scratch: Header = { flags: 0, generation: 0, length: 0, head: 0, tail: 0, state: new Uint8Array(0) }

/** The header in a record, valid until the next call. */
export function headerOf(record: RecordView): Readonly<Header> {
  readHeader(record, scratch)
  return scratch
}
