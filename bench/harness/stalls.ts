/**
 * The longest time that the event loop did not turn, apart from what the runtime's collections took of it. For loops that yield by
 * `turn()`: between two turns lies what the thing measured did at a stretch.
 */

import { PerformanceObserver } from 'node:perf_hooks'

export class StallWatch {
  #turnedMs = performance.now()
  #longestMs = 0
  #longestApartMs = 0
  #longestCollectionMs = 0
  #collections: { readonly startMs: number; readonly durationMs: number }[] = []
  readonly #gaps: { readonly startMs: number; readonly endMs: number }[] = []
  readonly #observer: PerformanceObserver

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        this.#collections.push({ startMs: startTime, durationMs: duration })
      }
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  /** Lets the loop turn, and notes how long it had not. */
  async turn(): Promise<void> {
    this.#note()
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.#turnedMs = performance.now()
  }

  #note(): void {
    const endMs = performance.now()
    const tookMs = endMs - this.#turnedMs
    if (tookMs > this.#longestMs) this.#longestMs = tookMs
    // Only gaps that could be the longest are looked at once the collections in them are known.
    if (tookMs > 1) this.#gaps.push({ startMs: this.#turnedMs, endMs })
    if (this.#gaps.length >= 10_000) this.#settle()
  }

  #settle(): void {
    for (const { startMs, endMs } of this.#gaps) {
      let collectedMs = 0
      for (const collection of this.#collections) {
        if (collection.startMs < endMs && collection.startMs + collection.durationMs > startMs) {
          collectedMs += collection.durationMs
        }
      }
      this.#longestCollectionMs = Math.max(this.#longestCollectionMs, collectedMs)
      this.#longestApartMs = Math.max(this.#longestApartMs, endMs - startMs - collectedMs)
    }
    this.#gaps.length = 0
    this.#collections = []
  }

  /** Ends the watch. */
  async end(): Promise<{ readonly longestMs: number; readonly apartMs: number; readonly collectionMs: number }> {
    // The observer hears of collections a turn later.
    for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve))
    for (const { startTime, duration } of this.#observer.takeRecords()) {
      this.#collections.push({ startMs: startTime, durationMs: duration })
    }
    this.#settle()
    this.#observer.disconnect()
    return { longestMs: this.#longestMs, apartMs: this.#longestApartMs, collectionMs: this.#longestCollectionMs }
  }
}
