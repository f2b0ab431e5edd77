/** Medians and spreads of what rounds measured. */

import { assert } from '@orbitkv/base'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The middle value; of an even number of them the mean of the middle two. */
export function median(values: readonly number[]): number {
  assert(values.length > 0, 'a median is of at least one value')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** How many times better ours is, round by round. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[], lessIsBetter: boolean): number[] {
  assert(ours.length === theirs.length, 'both sides ran the same rounds')
  return ours.map((our, round) => (lessIsBetter ? (theirs[round] as number) / our : our / (theirs[round] as number)))
}
