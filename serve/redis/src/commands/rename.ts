/** RENAME, RENAMENX and COPY: values of any type under another key. */

import { copyValue, type RecordView } from '@orbitkv/engine'
import { collectionIn, newCollection } from '../collections/collection.ts'
import { type Collections, headerOf } from '../collections/collections.ts'
import { generationBytes } from '../collections/element-keys.ts'
import { elementKeyspace } from '../collections/keyspaces.ts'
import { writing } from './collections.ts'
import {
  type Call,
  CommandError,
  type CommandSpec,
  lookUp,
  noSuchKey,
  redisKeyspace,
  stringTag,
  syntaxError,
} from './command.ts'
import { databaseAt } from './options.ts'

const keyspace = { group: 'generic', categories: ['keyspace'] } as const

export const renameCommands: readonly CommandSpec[] = [
  {
    ...keyspace,
    name: 'rename',
    arity: 3,
    flags: ['write'],
    keys: [
      { first: 1, last: 1, step: 1, flags: ['RW', 'access', 'delete'] },
      { first: 2, last: 2, step: 1, flags: ['OW', 'update'] },
    ],
    since: '1.0.0',
    complexity: 'O(N) for a string of N bytes, O(1) for all else',
    summary: 'Renames a key; what was under the new name is gone.',
    syntax: 'key newkey',
    run: writing((call) => {
      rename(call, false)
      call.reply.ok()
    }),
  },
  {
    ...keyspace,
    name: 'renamenx',
    arity: 3,
    flags: ['write', 'fast'],
    keys: [
      { first: 1, last: 1, step: 1, flags: ['RW', 'access', 'delete'] },
      { first: 2, last: 2, step: 1, flags: ['OW', 'insert'] },
    ],
    since: '1.0.0',
    complexity: 'O(N) for a string of N bytes, O(1) for all else',
    summary: 'Renames a key if nothing has the new name.',
    syntax: 'key newkey',
    run: writing((call) => call.reply.integer(rename(call, true) ? 1 : 0)),
  },
  {
    ...keyspace,
    name: 'copy',
    arity: -3,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 1, last: 1, step: 1, flags: ['RO', 'access'] },
      { first: 2, last: 2, step: 1, flags: ['OW', 'update'] },
    ],
    since: '6.2.0',
    complexity: 'O(N) for a string of N bytes, or N elements',
    summary: 'Copies a value to another key, with the time until when it lives.',
    syntax: 'source destination [DB destination-db] [REPLACE]',
    difference: 'A collection of more than half a million elements is refused.',
    run: writing(copy),
  },
]

/** False where the new name is taken and must not be. */
function rename(call: Call, onlyIfFree: boolean): boolean {
  const { arguments: found, collections } = call
  const record = lookUp(call, 1)
  if (record === undefined) throw new CommandError(noSuchKey)
  const source = found.copy(1)
  const target = found.copy(2)
  if (Buffer.compare(source, target) === 0) return !onlyIfFree
  const value = copyValue(record)
  const { expiresAt, tag } = record
  const generation = tag === stringTag ? 0 : headerOf(record).generation
  if (onlyIfFree && lookUp(call, 2) !== undefined) return false
  collections.buryKey(target, 0, target.length)
  collections.pending.delete(redisKeyspace, source, 0, source.length)
  collections.pending.put(redisKeyspace, target, 0, target.length, value, 0, value.length, tag, expiresAt)
  if (tag === stringTag) return true
  collections.changeExpiry(generation, expiresAt, expiresAt, target, 0, target.length)
  collections.onReady(target)
  collections.onReady(source)
  return true
}

function copy(call: Call): void {
  const { arguments: found, databases, reply, session } = call
  let replaces = false
  let { database } = session
  for (let place = 3; place < found.count; place++) {
    if (found.is(place, 'REPLACE')) replaces = true
    else if (found.is(place, 'DB') && place + 1 < found.count) database = databaseAt(call, ++place)
    else throw new CommandError(syntaxError)
  }
  const target = found.copy(2)
  if (database === session.database && Buffer.compare(found.copy(1), target) === 0) throw new CommandError(sameObject)
  const isTaken = databases.ownerOf(database).get(redisKeyspace, target, 0, target.length) !== undefined
  const record = lookUp(call, 1)
  reply.integer(record === undefined || (isTaken && !replaces) ? 0 : 1)
  if (record !== undefined && (!isTaken || replaces)) copyRecord(call, record, target, database)
}

export const sameObject = 'ERR source and destination objects are the same'

/** Writes what stands under the key at argument 1, which is `record`, under a key of a database, over what stands there. */
export function copyRecord(call: Call, record: RecordView, key: Uint8Array, database: number): void {
  const into = call.databases.collectionsOf(database)
  if (record.tag === stringTag) {
    const value = copyValue(record)
    const { expiresAt } = record
    into.buryKey(key, 0, key.length)
    into.pending.put(redisKeyspace, key, 0, key.length, value, 0, value.length, stringTag, expiresAt)
  } else copyCollection(call, record, key, into)
  into.pending.commit()
}

function copyCollection(call: Call, record: RecordView, key: Uint8Array, collections: Collections): void {
  const source = collectionIn(call, record, call.arguments.copy(1))
  const target = newCollection({ collections }, key, source.tag)
  collections.buryKey(key, 0, key.length)
  const { generation } = target
  const { flags, length, head, tail, state, expiresAt } = source
  Object.assign(target, { flags, length, head, tail, state, expiresAt })
  const prefix = target.elementKey(new Uint8Array(0)).subarray(0, generationBytes)
  for (const element of source.everything()) {
    const { bytes, keyStart, keyBytes, valueStart, valueBytes } = element
    const elementKey = bytes.slice(keyStart, keyStart + keyBytes)
    elementKey.set(prefix)
    collections.pending.put(elementKeyspace, elementKey, 0, keyBytes, bytes, valueStart, valueStart + valueBytes)
  }
  if (expiresAt !== 0) collections.changeExpiry(generation, 0, expiresAt, key, 0, key.length)
  target.save()
}
