/**
 * What the readers of a keyspace share: which state they see, and how a record becomes a key and a value. Within the store only.
 */

import { type At, type Engine, published, type RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import type { ReadMeter } from '../read-meter.ts'
import type { NamedKeyspace } from './keyspaces.ts'
import { shown } from './schema.ts'
import type { KeyspaceOptions, TypedEntry, TypedRange } from './types.ts'

/** A state of the store that is read. */
export interface State {
  readonly at: At
  /** Milliseconds since 1970 by which expiry is judged. */
  now(): number
  /** Throws where it cannot be read any more. */
  assertReadable(): void
}

type Codecs<Key, Value> = Pick<KeyspaceOptions<Key, Value>, 'key' | 'value'>

export interface Reading<Key, Value> {
  readonly engine: Pick<Engine, 'get' | 'getAsync' | 'range' | 'rangeAsync'>
  readonly state: State
  readonly meter: ReadMeter
  readonly keyspace: NamedKeyspace
  readonly codecs: Codecs<Key, Value>
  /** Resolves once an index is built. */
  readonly build: (index: NamedKeyspace['indexes'][number]) => Promise<void>
}

/** The index of a name. Throws `store.no_such_index` where the program has not declared it. */
export function declaredIndex(
  { keyspace }: Pick<Reading<unknown, unknown>, 'keyspace'>,
  name: string,
): NamedKeyspace['indexes'][number] {
  const index = keyspace.indexes.find(({ record, declared }) => record.name === name && declared !== undefined)
  if (index === undefined) throw storeErrors.no_such_index({ keyspace: keyspace.record.name, index: name })
  return index
}

/** The state of the store now. */
export function stateNow(state: Omit<State, 'at'>): State {
  return { at: published, now: () => state.now(), assertReadable: () => state.assertReadable() }
}

export function isExpired(state: State, { expiresAt }: RecordView): boolean {
  return expiresAt !== 0 && expiresAt <= state.now()
}

export function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (Number.isInteger(limit) && limit >= 0)) return
  throw storeErrors.bad_range({ problem: `limit is ${limit}: it must be a whole number from 0 on` })
}

export function checkBounds({ gt, gte, lt, lte }: Omit<TypedRange<unknown>, 'prefix'>, prefix: unknown): void {
  const isBounded = [gt, gte, lt, lte].some((bound) => bound !== undefined)
  if (prefix !== undefined && isBounded) {
    throw storeErrors.bad_range({ problem: 'prefix and bounds cannot both be given' })
  }
  if (gt !== undefined && gte !== undefined) throw storeErrors.bad_range({ problem: 'gt and gte cannot both be given' })
  if (lt !== undefined && lte !== undefined) throw storeErrors.bad_range({ problem: 'lt and lte cannot both be given' })
}

type Decoding<Key, Value> = Pick<Reading<Key, Value>, 'keyspace' | 'codecs'>

export function typedEntry<Key, Value>(decoding: Decoding<Key, Value>, record: RecordView): TypedEntry<Key, Value> {
  const key = decodedKey(decoding, record.bytes, record.keyStart, record.keyBytes)
  return { key, value: decodedValue(decoding, key, record), revision: record.revision }
}

export function decodedKey<Key, Value>(
  { keyspace, codecs }: Decoding<Key, Value>,
  bytes: Uint8Array,
  start: number,
  length: number,
): Key {
  try {
    return codecs.key.decode(bytes, start, length)
  } catch (cause) {
    throw badRecord(keyspace, shown(bytes.subarray(start, start + length)), cause)
  }
}

export function decodedValue<Key, Value>(
  { keyspace, codecs }: Decoding<Key, Value>,
  key: Key,
  { bytes, valueStart, valueBytes }: Pick<RecordView, 'bytes' | 'valueStart' | 'valueBytes'>,
): Value {
  try {
    return codecs.value.decode(bytes, valueStart, valueBytes)
  } catch (cause) {
    throw badRecord(keyspace, shown(key), cause)
  }
}

function badRecord({ record }: NamedKeyspace, key: string, cause: unknown): Error {
  const problem = cause instanceof Error ? cause.message : String(cause)
  return storeErrors.bad_record({ keyspace: record.name, key, problem }, cause)
}
