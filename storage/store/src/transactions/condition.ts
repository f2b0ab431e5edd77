/** The condition of a single write: that the key is at a revision, or absent. Judged by the latest state, published or not. */

import type { OrbitError } from '@orbitkv/base'
import { type Change, type Engine, latest } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import type { PutOptions } from '../types.ts'

/** The revision that a write asks its key to be at, 0 for absent; undefined where it asks for nothing. */
export function expectedRevision(options: Pick<PutOptions, 'ifRevision' | 'ifAbsent'>): number | undefined {
  const { ifRevision, ifAbsent } = options
  if (ifRevision === undefined) return ifAbsent === true ? 0 : undefined
  const expected = 'a whole number from 0 on, and no other than 0 together with ifAbsent'
  if (!Number.isInteger(ifRevision) || ifRevision < 0 || (ifAbsent === true && ifRevision !== 0)) {
    throw storeErrors.bad_argument({ name: 'ifRevision', expected, found: String(ifRevision) })
  }
  return ifRevision
}

/** `store.conflict` where the key of a change is not at the expected revision. */
export function conflictAt(
  engine: Engine,
  { keyspace, key, keyStart, keyEnd }: Change,
  expected: number,
  now: number,
): OrbitError | undefined {
  const record = engine.get(keyspace, key, keyStart, keyEnd, latest)
  const isLive = record !== undefined && (record.expiresAt === 0 || record.expiresAt > now)
  const found = isLive ? record.revision : 0
  return found === expected ? undefined : storeErrors.conflict({ found, expected })
}
