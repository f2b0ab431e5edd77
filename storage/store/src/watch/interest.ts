/** What a watch is about: an interval of the keys of one keyspace. A single key and a prefix are intervals that can be hashed. */

import { compareBytes, prefixEnd } from '@orbitkv/bytes'
import type { Keyspace } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { toBytes } from '../reader.ts'
import type { Bytes } from '../types.ts'
import type { WatchOptions } from './types.ts'

export interface Interest {
  readonly kind: 'key' | 'prefix' | 'range'
  readonly keyspace: Keyspace
  /** The key, the prefix, or the first key of the range. */
  readonly start: Uint8Array
  /** The first key behind it; undefined: to the end of the keyspace. */
  readonly end: Uint8Array | undefined
}

export function toInterest(keyspace: Keyspace, { key, prefix, range }: WatchOptions): Interest {
  const given = [key, prefix, range].filter((option) => option !== undefined).length
  if (given > 1) throw storeErrors.bad_range({ problem: 'a watch takes one of key, prefix and range' })
  if (key !== undefined) {
    const start = toBytes(key, 'key').slice()
    return { kind: 'key', keyspace, start, end: after(start) }
  }
  if (range === undefined) {
    const start = toBytes(prefix ?? '', 'prefix').slice()
    return { kind: 'prefix', keyspace, start, end: prefixEnd(start) }
  }
  checkOptions(range, 'range')
  const { gt, gte, lt, lte } = range
  if (gt !== undefined && gte !== undefined) throw storeErrors.bad_range({ problem: 'gt and gte cannot both be given' })
  if (lt !== undefined && lte !== undefined) throw storeErrors.bad_range({ problem: 'lt and lte cannot both be given' })
  const start = bound('gt', gt) ?? bound('gte', gte) ?? new Uint8Array(0)
  return { kind: 'range', keyspace, start, end: bound('lte', lte) ?? bound('lt', lt) }
}

/** A bound as bytes of our own: the first key that is within, or behind. */
function bound(name: 'gt' | 'gte' | 'lt' | 'lte', key: Bytes | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined
  const bytes = toBytes(key, name)
  return name === 'gt' || name === 'lte' ? after(bytes) : bytes.slice()
}

/** The smallest key that sorts after a key. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** Whether `bytes[from, to)` is one of its keys. */
export function covers({ start, end }: Interest, bytes: Uint8Array, from: number, to: number): boolean {
  if (compareBytes(bytes, from, to, start, 0, start.length) < 0) return false
  return end === undefined || compareBytes(bytes, from, to, end, 0, end.length) < 0
}

/** What it shares with the keys from `first` to before `end`, as bounds of a range; undefined where that is nothing. */
export function shared(
  interest: Interest,
  first: Uint8Array,
  end: Uint8Array | undefined,
): { gte: Uint8Array; lt?: Uint8Array } | undefined {
  const gte = compare(interest.start, first) < 0 ? first : interest.start
  const ends = [interest.end, end].filter((bytes) => bytes !== undefined).sort(compare)
  const lt = ends[0]
  if (lt === undefined) return { gte }
  return compare(gte, lt) < 0 ? { gte, lt } : undefined
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}
