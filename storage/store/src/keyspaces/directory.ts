/**
 * The directory: which number of the engine a named keyspace has, and which indexes it has, as records in a keyspace of the
 * store's own. keyspaces.ts alone reads it, when a store is opened, and writes it.
 *
 * A record's key is a tuple, `['keyspace', number]` or `['index', number]`; its value is JSON. Numbers are given out once: the
 * record of a dropped index stays, so that an older state never shows a newer index under the same number.
 */

import { decodeTuple, encodeTuple, jsonOf } from '@orbitkv/codecs'
import { type Change, type Engine, type Keyspace, latest, putChange } from '@orbitkv/engine'
import { directoryKeyspace, namedKeyspaceMin } from '../keyspaces.ts'
import { toBytes } from '../reader.ts'

export interface KeyspaceRecord {
  readonly id: Keyspace
  readonly name: string
  /** The codec of its keys. */
  readonly keyCodec: string
}

export interface IndexRecord {
  /** The keyspace of its entries. */
  readonly id: Keyspace
  /** The keyspace whose values it finds. */
  readonly of: Keyspace
  readonly name: string
  readonly unique: boolean
  readonly version: number
  /** From which revision on its entries are complete; absent while it is being built. */
  readonly builtAt?: number
  /** While it is being built: the last key that was looked at, in hex. */
  readonly cursor?: string
  readonly isDropped?: boolean
}

export interface Directory {
  readonly keyspaces: readonly KeyspaceRecord[]
  /** Without the dropped ones. */
  readonly indexes: readonly IndexRecord[]
  /** The first number that was never given out. */
  readonly nextId: Keyspace
}

type Stored<Record> = Omit<Record, 'id'>
const codec = jsonOf<Stored<KeyspaceRecord> | Stored<IndexRecord>>()

export function readDirectory(engine: Engine): Directory {
  const keyspaces: KeyspaceRecord[] = []
  const indexes: IndexRecord[] = []
  // Of a store that was damaged a record may be lost, and what stood under its number is still there.
  let nextId = Math.max(namedKeyspaceMin, (engine.keyspaces().at(-1) ?? 0) + 1)
  for (const { bytes, keyStart, keyBytes, valueStart, valueBytes } of engine.range(directoryKeyspace, { at: latest })) {
    const [kind, id] = decodeTuple(bytes, keyStart, keyBytes) as [string, Keyspace]
    const stored = codec.decode(bytes, valueStart, valueBytes)
    nextId = Math.max(nextId, id + 1)
    if (kind === 'keyspace') keyspaces.push({ ...(stored as KeyspaceRecord), id })
    else if ((stored as IndexRecord).isDropped !== true) indexes.push({ ...(stored as IndexRecord), id })
  }
  return { keyspaces, indexes, nextId }
}

export function keyspaceChange({ id, ...stored }: KeyspaceRecord): Change {
  return directoryChange('keyspace', id, stored)
}

export function indexChange({ id, ...stored }: IndexRecord): Change {
  return directoryChange('index', id, stored)
}

function directoryChange(kind: string, id: Keyspace, stored: Stored<KeyspaceRecord> | Stored<IndexRecord>): Change {
  return putChange(directoryKeyspace, encodeTuple([kind, id]), toBytes(codec.encode(stored), 'a record'))
}
