/**
 * Putting places into the order of their records' keys, in steps: by keyspace, key and revision.
 *
 * A record's head is 8 bytes behind those that all the records share (keyspace, then key), so that the sort goes to the
 * records themselves only for keys that are alike for longer.
 */

import { compareBytes } from '@orbitkv/bytes'
import type { Log } from '../log/log.ts'
import { LogRecord } from '../log/record.ts'
import { MergeSort } from './merge-sort.ts'
import type { PlaceList } from './place-list.ts'

/** Records between two looks at the time. */
const recordsPerLook = 64
const keyspaceBytes = 4

export class KeyOrder {
  readonly #log: Log
  readonly #places: PlaceList
  readonly #sort: MergeSort
  readonly #first = new LogRecord()
  readonly #record = new LogRecord()
  #shared = Number.MAX_SAFE_INTEGER
  #prefixed = 0
  #headed = 0

  /** The records must stay where they are until `step` has returned true. */
  constructor(log: Log, places: PlaceList) {
    this.#log = log
    this.#places = places
    this.#sort = new MergeSort(places.length, (a, b) =>
      compareRecords(this.#read(this.#first, a), this.#read(this.#record, b)),
    )
  }

  get length(): number {
    return this.#places.length
  }

  /** The index in the list of what stands at a place of the order. */
  at(place: number): number {
    return this.#sort.item(place)
  }

  /** Goes on while `mayGoOn` says so; true when all is in order. */
  step(mayGoOn: () => boolean): boolean {
    while (this.#prefixed < this.length) {
      this.#notePrefix(this.#prefixed++)
      if (this.#prefixed % recordsPerLook === 0 && !mayGoOn()) return false
    }
    while (this.#headed < this.length) {
      this.#noteHead(this.#headed++)
      if (this.#headed % recordsPerLook === 0 && !mayGoOn()) return false
    }
    return this.#sort.step(mayGoOn)
  }

  #notePrefix(item: number): void {
    const first = this.#read(this.#first, 0)
    const record = this.#read(this.#record, item)
    const end = Math.min(this.#shared, keyspaceBytes + Math.min(first.keyBytes, record.keyBytes))
    let shared = 0
    while (shared < end && byteAt(first, shared) === byteAt(record, shared)) shared++
    this.#shared = shared
  }

  #noteHead(item: number): void {
    const record = this.#read(this.#record, item)
    this.#sort.setHead(item, wordAt(record, this.#shared), wordAt(record, this.#shared + 4))
  }

  #read(record: LogRecord, item: number): LogRecord {
    const { bytesOf, wordsOf } = this.#log
    const segment = this.#places.segment(item)
    const start = this.#places.offset8(item) << 3
    return record.moveTo(bytesOf[segment] as Uint8Array, wordsOf[segment] as Uint32Array, start)
  }
}

/** A byte of a keyspace and a key, one behind the other; 0 behind their end. */
function byteAt({ keyspace, bytes, keyStart, keyBytes }: LogRecord, index: number): number {
  if (index < keyspaceBytes) return (keyspace >>> (8 * (keyspaceBytes - 1 - index))) & 0xff
  const at = index - keyspaceBytes
  return at < keyBytes ? (bytes[keyStart + at] as number) : 0
}

function wordAt(record: LogRecord, index: number): number {
  let word = 0
  for (let i = index; i < index + 4; i++) word = (word << 8) | byteAt(record, i)
  return word >>> 0
}

/** By keyspace, key and revision. */
export function compareRecords(a: LogRecord, b: LogRecord): number {
  if (a.keyspace !== b.keyspace) return a.keyspace - b.keyspace
  const { bytes, keyStart, keyBytes } = b
  const order = compareBytes(a.bytes, a.keyStart, a.keyStart + a.keyBytes, bytes, keyStart, keyStart + keyBytes)
  return order !== 0 ? order : a.revision - b.revision
}
