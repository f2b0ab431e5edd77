/**
 * Latencies in buckets that grow by a hundredth of their size: a percentile is right to 1 %, memory is fixed.
 * From 0.01 µs to beyond an hour.
 */

const smallestMicroseconds = 0.01
const growth = 1.01
const buckets = 2700
const logGrowth = Math.log(growth)

export class Histogram {
  readonly #counts = new Uint32Array(buckets)
  #total = 0

  get count(): number {
    return this.#total
  }

  record(microseconds: number): void {
    const bucket =
      microseconds <= smallestMicroseconds ? 0 : Math.ceil(Math.log(microseconds / smallestMicroseconds) / logGrowth)
    const index = Math.min(bucket, buckets - 1)
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#total++
  }

  /** The latency that `share` (0 to 1) of all stay at or below; 0 where nothing was recorded. */
  percentile(share: number): number {
    const wanted = Math.ceil(this.#total * share)
    let seen = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      seen += this.#counts[bucket] as number
      if (seen >= wanted && seen > 0) return smallestMicroseconds * growth ** bucket
    }
    return 0
  }
}
