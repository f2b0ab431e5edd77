/**
 * Keyspaces of the Redis front beside the one of its keys: what users see as one key with a collection under it is a
 * header there, and its elements here. Layouts: docs/decisions/redis-types.md
 *
 * Database 0 has the numbers below. Every other has four of its own, so that to empty one is a record for each of them.
 */

import { assert } from '@orbitkv/base'
import type { Keyspace } from '@orbitkv/engine'

/** Elements: fields, members, items, by the generation of their collection. */
export const elementKeyspace = 32
/** Generations to be looked at from a time on, since the key they belong to may be gone by then. */
export const graveKeyspace = 33
/** Under the empty key, as decimal text: up to which number generations may have been given. */
export const generationKeyspace = 34
/** Under the empty key: which keyspaces each database has now, a byte for each (databases.ts). */
export const databasesKeyspace = 35

/** As in Redis, where it is the default. */
export const databaseCount = 16

/** Where the keyspaces of the other databases begin, by what they are for database 0: the n-th has the n-th number from there. */
const firstOfOthers: ReadonlyMap<Keyspace, Keyspace> = new Map([
  [0, 64],
  [elementKeyspace, 80],
  [graveKeyspace, 96],
  [generationKeyspace, 112],
])

/** The keyspace that a place for a database has where database 0 has this one. */
export function keyspaceAt(place: number, keyspace: Keyspace): Keyspace {
  if (place === 0) return keyspace
  const first = firstOfOthers.get(keyspace)
  assert(first !== undefined, 'a database has keys, elements, graves and generations')
  assert(place < databaseCount, 'a place for each database')
  return first + place
}

/** The place whose keys a keyspace has; undefined for what is no user's key. */
export function placeOfKeys(keyspace: Keyspace): number | undefined {
  if (keyspace === 0) return 0
  const place = keyspace - (firstOfOthers.get(0) as Keyspace)
  return place > 0 && place < databaseCount ? place : undefined
}
