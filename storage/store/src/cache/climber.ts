/**
 * Which part of the cache the window of W-TinyLFU has: it grows or shrinks by steps, on in the same direction while more reads hit than in
 * the period before, and back once fewer do. Steps get smaller, until the hit rate changes so much that others must be asking.
 */

const shareAtFirst = 0.01
const shareMax = 0.8
const stepAtFirst = 0.0625
const stepDecay = 0.98
/** A change of the hit rate from which on steps are large again. */
const restartChange = 0.05
/** Uses that a period has for each entry, and at least. */
const usesPerEntry = 10
const usesMin = 1000

export class WindowClimber {
  /** Of the bytes that the cache may have. */
  share = shareAtFirst
  #step = stepAtFirst
  #uses = 0
  #hits = 0
  #hitRateBefore = 0

  /** Notes a use: of an entry that was there, or of one that was missing and is there now. */
  use(isHit: boolean, entries: number): void {
    if (isHit) this.#hits++
    if (++this.#uses < Math.max(usesPerEntry * entries, usesMin)) return
    const hitRate = this.#hits / this.#uses
    const change = hitRate - this.#hitRateBefore
    this.#hitRateBefore = hitRate
    this.#uses = 0
    this.#hits = 0
    const direction = change >= 0 ? Math.sign(this.#step) : -Math.sign(this.#step)
    const size = Math.abs(change) >= restartChange ? stepAtFirst : Math.abs(this.#step) * stepDecay
    this.#step = direction * size
    this.share = Math.min(Math.max(this.share + this.#step, shareAtFirst), shareMax)
  }
}
