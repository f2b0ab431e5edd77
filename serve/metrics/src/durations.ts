/**
 * How long things took: counts in buckets whose width grows with the duration, eight to each doubling, so that any
 * quantile is right to within an eighth, from a quarter of a microsecond to an hour. For whoever measures; one event loop.
 *
 * What must hold: counts only grow, until `reset`; to add allocates nothing.
 */

import { assert } from '@orbitkv/base'

/** Buckets to a doubling, as a power of two. */
const stepBits = 3
const steps = 1 << stepBits
/** The unit of buckets: durations are whole numbers of it. */
const unitsPerMicrosecond = 4
/** An hour fits below 2^34 units. */
const bucketCount = (34 - stepBits + 1) * steps

export class Durations {
  /** Of everything added. */
  count = 0
  sumMicroseconds = 0
  maxMicroseconds = 0
  readonly #counts = new Float64Array(bucketCount)

  /** Something took so long, `times` times. */
  add(microseconds: number, times = 1): void {
    assert(microseconds >= 0, 'a duration is no less than nothing')
    this.count += times
    this.sumMicroseconds += microseconds * times
    if (microseconds > this.maxMicroseconds) this.maxMicroseconds = microseconds
    this.#counts[bucketOf(microseconds)] = (this.#counts[bucketOf(microseconds)] as number) + times
  }

  /** At most so many microseconds took a share of all, 0 to 1; 0 where nothing was added. */
  quantile(share: number): number {
    const wanted = this.count * share
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const counted = this.#counts[bucket] as number
      seen += counted
      if (counted > 0 && seen >= wanted) return Math.min(endOf(bucket), this.maxMicroseconds)
    }
    return this.maxMicroseconds
  }

  /** How many took less than each of these microseconds, which are in rising order. */
  below(bounds: readonly number[]): number[] {
    const found: number[] = []
    let bucket = 0
    let seen = 0
    for (const bound of bounds) {
      for (; bucket < bucketCount && endOf(bucket) <= bound; bucket++) seen += this.#counts[bucket] as number
      found.push(seen)
    }
    return found
  }

  reset(): void {
    this.count = 0
    this.sumMicroseconds = 0
    this.maxMicroseconds = 0
    this.#counts.fill(0)
  }
}

function bucketOf(microseconds: number): number {
  const units = Math.floor(microseconds * unitsPerMicrosecond)
  if (units < steps) return units
  if (units >= 2 ** 32) return Math.min(bucketCount - 1, bucketOf(microseconds / 2 ** 8) + 8 * steps)
  const doubling = 31 - Math.clz32(units) - stepBits
  return (doubling << stepBits) + (units >>> doubling)
}

/** The first duration that is too long for a bucket, in microseconds. */
function endOf(bucket: number): number {
  const next = bucket + 1
  if (next < 2 * steps) return next / unitsPerMicrosecond
  const doubling = (next >> stepBits) - 1
  return ((next - doubling * steps) * 2 ** doubling) / unitsPerMicrosecond
}
