/**
 * What compaction takes next.
 *
 * Of the log only its oldest segments can go, and only once every retained state has them behind it. They come first,
 * so that the log stays short; with them go the sorted segments that have the largest share of dead bytes. Cleaning
 * by the share of dead bytes is the greedy policy of M. Rosenblum, J. Ousterhout, "The design and implementation of a
 * log-structured file system", 1992; taking the log in its order is their circular log.
 */

import { MiB } from '@orbitkv/base'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import type { Relocation } from './relocation.ts'

/** One compaction reads at most so much, and at most this part of the store. */
const inputBytesMin = 128 * MiB
const inputPartMax = 1 / 8
/** A sorted segment with a smaller share of dead bytes is left alone. Less than where a store begins to compact, or it would never end. */
const deadShareMin = 0.15
/** Inputs that give back less than this share of themselves are not worth the work. */
const gainShareMin = 0.1
/** … unless garbage is this part of the store. */
const coldShareMin = 0.2

/** What every retained state and every reader has behind it. */
export interface Behind {
  readonly revision: number
  readonly position: number
}

/** The segments that may be rewritten, the log's oldest first. */
function candidates(log: Log, behind: Behind): Segment[] {
  const found: Segment[] = []
  const newest = log.newestLog
  let logGoesOn = true
  for (const segment of log.inOrder()) {
    if (segment.kind === 'sorted') found.push(segment)
    else if (logGoesOn && segment !== newest && isBehind(segment, behind)) found.push(segment)
    else logGoesOn = false
  }
  return found
}

/** Whether every record of a log segment is behind the oldest kept state, and seen by all. */
export function isBehind({ lastBatch }: Segment, { revision, position }: Behind): boolean {
  return lastBatch.revision <= revision && lastBatch.position <= position
}

/** Bytes of records that are not the newest of their keys, in segments that may be rewritten. */
export function reclaimableBytes(log: Log, relocation: Relocation, behind: Behind): number {
  let bytes = 0
  for (const segment of candidates(log, behind)) bytes += relocation.deadBytes(segment.number)
  return bytes
}

export function pickInputs(log: Log, relocation: Relocation, behind: Behind, scope: 'garbage' | 'all'): Segment[] {
  const found = candidates(log, behind)
  if (scope === 'all') return found
  const storeBytes = Array.from(log.inOrder(), ({ end }) => end).reduce((sum, end) => sum + end, 0)
  const inputBytesMax = Math.max(inputBytesMin, storeBytes * inputPartMax)
  const deadShare = (segment: Segment): number => relocation.deadBytes(segment.number) / segment.end
  const sorted = found
    .filter((segment) => segment.kind === 'sorted' && deadShare(segment) >= deadShareMin)
    .toSorted((a, b) => deadShare(b) - deadShare(a))
  const inputs: Segment[] = []
  let bytes = 0
  let deadBytes = 0
  const take = (segments: readonly Segment[], most: number): void => {
    for (const segment of segments) {
      if (inputs.length > 0 && bytes + segment.end > most) return
      inputs.push(segment)
      bytes += segment.end
      deadBytes += relocation.deadBytes(segment.number)
    }
  }
  const logs = found.filter(({ kind }) => kind === 'log')
  take(logs, sorted.length === 0 ? inputBytesMax : inputBytesMax / 2)
  take(sorted, inputBytesMax)
  if (deadBytes >= bytes * gainShareMin) return inputs
  if (sorted.length > 0) return sorted.slice(0, 1)
  // The oldest of the log is cold, with the garbage behind it: it is moved once, to get there.
  return reclaimableBytes(log, relocation, behind) >= storeBytes * coldShareMin ? inputs : []
}
