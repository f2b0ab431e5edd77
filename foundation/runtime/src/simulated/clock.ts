/**
 * A clock whose time moves only when it is told: for tests and for the simulation of whole clusters.
 *
 * What must hold: timers run in the order of their due time, those of one time in the order they were made, and each
 * sees its own due time as the present. The wall clock may be stepped in either direction without a timer noticing.
 */

import { assert } from '@orbitkv/base'
import type { Clock, Timer } from '../clock.ts'

interface Entry extends Timer {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
}

/** More timers than this in one advance is a timer that arms itself without delay. */
const timersPerAdvanceMax = 10_000_000

export class SimulatedClock implements Clock {
  #monotonicMs = 0
  /** What the wall clock shows beyond the monotonic one. */
  #wallOffsetMs: number
  #order = 0
  /** A binary heap: the earliest first. */
  readonly #heap: Entry[] = []
  readonly #cancelled = new WeakSet<Entry>()

  /** `startMs` is the wall time at the start, in milliseconds since 1970; the year 2024 if absent. */
  constructor(startMs = Date.UTC(2024, 0, 1)) {
    this.#wallOffsetMs = startMs
  }

  now(): number {
    return Math.floor(this.#wallOffsetMs + this.#monotonicMs)
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Timer {
    const cancelled = this.#cancelled
    const entry: Entry = {
      dueMs: this.#monotonicMs + Math.max(0, delayMs),
      order: this.#order++,
      run,
      cancel: () => void cancelled.add(entry),
    }
    this.#push(entry)
    return entry
  }

  turn(): Promise<void> {
    return turn()
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  /** Moves the wall clock alone, as an operator or a time server does; negative steps it back. */
  stepWall(stepMs: number): void {
    this.#wallOffsetMs += stepMs
  }

  /** Milliseconds until the next timer is due; undefined when none is armed. */
  nextTimerMs(): number | undefined {
    const next = this.#peek()
    return next === undefined ? undefined : next.dueMs - this.#monotonicMs
  }

  /** Moves time on and runs what falls due on the way, timers armed meanwhile included. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms
    for (let ran = 0; this.#runNext(untilMs); ran++) {
      assert(ran < timersPerAdvanceMax, 'a timer does not arm itself for ever without delay')
    }
    this.#monotonicMs = untilMs
  }

  /** As `advance`, but lets promises and immediates go on after each timer: for code that awaits between timers. */
  async advanceAwaiting(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await turn()
    while (this.#runNext(untilMs)) await turn()
    this.#monotonicMs = untilMs
    await turn()
  }

  #runNext(untilMs: number): boolean {
    const next = this.#peek()
    if (next === undefined || next.dueMs > untilMs) return false
    this.#pop()
    this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
    next.run()
    return true
  }

  /** The earliest timer that was not cancelled. */
  #peek(): Entry | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || !this.#cancelled.has(first)) return first
      this.#pop()
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(entry)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(entry, heap[parent] as Entry)) break
      heap[place] = heap[parent] as Entry
      place = parent
    }
    heap[place] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (!isBefore(heap[child] as Entry, last)) break
      heap[place] = heap[child] as Entry
      place = child
    }
    heap[place] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

/** One turn of the event loop: pending promises and immediates run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
