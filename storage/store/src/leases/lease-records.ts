/**
 * How leases lie in the log, as records of two keyspaces of the store's own:
 *
 *   lease    key: 0 u64 id                          value: 0 u64 time to live, ms | 8 u64 ms left, 0 all of it | 16 u8 1 it is ending
 *   leased   key: 0 u64 id | 8 u32 keyspace | 12.. key      value: empty      (big-endian, so that a lease's keys stand together)
 *
 * What must hold: every live record with a lease has its `leased` entry. The reverse need not: an entry whose record has another
 * lease by now is dropped when its lease ends.
 */

import { copyValue, type Keyspace, type RecordView } from '@orbitkv/engine'

const leaseValueBytes = 17
const leasedHeadBytes = 12

export interface LeaseRecord {
  readonly ttlMs: number
  /** What was left of it when this was written; 0 for all of it. */
  readonly leftMs: number
  readonly isEnding: boolean
}

export function leaseKey(id: number): Uint8Array {
  const bytes = new Uint8Array(8)
  putUint64(new DataView(bytes.buffer), 0, id)
  return bytes
}

export function leaseValue({ ttlMs, leftMs, isEnding }: LeaseRecord): Uint8Array {
  const bytes = new Uint8Array(leaseValueBytes)
  const view = new DataView(bytes.buffer)
  putUint64(view, 0, ttlMs)
  putUint64(view, 8, leftMs)
  bytes[16] = isEnding ? 1 : 0
  return bytes
}

export function parseLease(record: RecordView): LeaseRecord & { readonly id: number } {
  const { bytes, keyStart } = record
  const value = copyValue(record)
  const view = new DataView(value.buffer, value.byteOffset)
  const id = getUint64(new DataView(bytes.buffer, bytes.byteOffset), keyStart)
  return { id, ttlMs: getUint64(view, 0), leftMs: getUint64(view, 8), isEnding: value[16] === 1 }
}

/** The entry of a key, or with an empty one what all entries of the lease and keyspace begin with. */
export function leasedKey(id: number, keyspace: Keyspace, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(leasedHeadBytes + key.length)
  const view = new DataView(bytes.buffer)
  putUint64(view, 0, id)
  view.setUint32(8, keyspace)
  bytes.set(key, leasedHeadBytes)
  return bytes
}

export function parseLeased({ bytes, keyStart, keyBytes }: RecordView): { keyspace: Keyspace; key: Uint8Array } {
  const keyspace = new DataView(bytes.buffer, bytes.byteOffset).getUint32(keyStart + 8)
  return { keyspace, key: bytes.slice(keyStart + leasedHeadBytes, keyStart + keyBytes) }
}

function putUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32))
  view.setUint32(offset + 4, value >>> 0)
}

function getUint64(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}
