/**
 * Random durations, and estimates with their confidence intervals. Pure; used by the simulation alone, except for the
 * type `Estimate`, which its callers see.
 */

import { assert, type Random } from '@orbitkv/base'

/** A probability, or a share of time, with its 95% confidence interval. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
  /**
   * `counted`: seen often enough in the simulation of the whole cluster; `importance sampling`: simulation of one
   * partition, biased towards failures and weighted back; `union bound`: from that, by adding up over partitions.
   */
  readonly method: 'counted' | 'importance sampling' | 'union bound'
}

/** The 97.5% point of the normal distribution. */
const z = 1.959963984540054

/** In (0, 1), never an end. */
export const unit = (random: Random): number => (random.uint32() + 0.5) / 2 ** 32

/** A duration with this mean, exponentially distributed; Infinity for a mean of Infinity. */
export const exponential = (random: Random, mean: number): number => -Math.log(unit(random)) * mean

/**
 * The 97.5% point of Student's distribution, by the expansion in 1/degrees (Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 26.7.5); within 1% from 3 degrees on.
 */
export function studentPoint(degrees: number): number {
  assert(degrees >= 1, 'an interval needs at least two samples')
  const first = (z ** 3 + z) / 4
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3
}

/** Mean and half the width of its interval, from sums over independent samples. */
export function meanInterval(sum: number, sumOfSquares: number, count: number): { mean: number; halfWidth: number } {
  const mean = sum / count
  const variance = Math.max(0, (sumOfSquares - sum * mean) / (count - 1))
  return { mean, halfWidth: studentPoint(count - 1) * Math.sqrt(variance / count) }
}

/**
 * The interval of a share that was hit `hits` times in `count` trials (E. B. Wilson, Probable Inference, the Law of
 * Succession, and Statistical Inference, 1927); unlike the plain one it has a width at 0 and at `count` hits.
 */
export function wilsonInterval(hits: number, count: number): Omit<Estimate, 'method'> {
  const share = hits / count
  const scale = 1 + z ** 2 / count
  const centre = (share + z ** 2 / (2 * count)) / scale
  const halfWidth = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))
  return {
    value: share,
    low: hits === 0 ? 0 : Math.max(0, centre - halfWidth),
    high: hits === count ? 1 : Math.min(1, centre + halfWidth),
  }
}

/** From unavailability to availability: the interval turns round. */
export const complement = ({ value, low, high, method }: Estimate): Estimate => ({
  value: 1 - value,
  low: 1 - high,
  high: 1 - low,
  method,
})
