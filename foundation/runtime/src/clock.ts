/**
 * The clock door: time and timers.
 *
 * Code below `apps` never calls Date.now, performance.now or setTimeout: it is handed a Clock. Implementations:
 * `realClock` here and `SimulatedClock` (simulated/clock.ts), whose time moves only when told.
 */

export interface Clock {
  /** Milliseconds since 1970, whole. May step backwards: whoever needs order takes the larger of two. */
  now(): number
  /** Milliseconds from an arbitrary start, fractional; never goes back. For measuring. */
  monotonic(): number
  /** Calls `run` once after `delayMs`; a timer alone does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
  /** Resolves in a later turn of the event loop, once what waits there has had its turn; no time need pass. */
  turn(): Promise<void>
  /** Resolves after so long; unlike a timer it keeps the process alive, since somebody waits for what comes after it. */
  sleep(ms: number): Promise<void>
}

export interface Timer {
  cancel(): void
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs)
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
}
