/** A watch as an async iterator over its watcher. */

import { storeErrors } from '../errors.ts'
import type { Watch, WatchEvent, Watcher } from './types.ts'

type Step = IteratorResult<WatchEvent, undefined>

/** Calls of `next` that may wait at once; a `for await` loop has one. */
const waitersMax = 1000

const done: Step = { done: true, value: undefined }

/** Someone who asked for the next event before there was one. */
interface Waiter {
  readonly resolve: (step: Step) => void
  readonly reject: (error: unknown) => void
}

export class StoreWatch implements Watch {
  readonly #watcher: Watcher
  readonly #waiters: Waiter[] = []

  /** `start` makes the watcher, which calls `ready` when there is something to take. */
  constructor(start: (ready: () => void) => Watcher) {
    this.#watcher = start(() => this.#serve())
  }

  get resumeFrom(): number {
    return this.#watcher.resumeFrom
  }

  next(): Promise<Step> {
    if (this.#waiters.length === 0) {
      try {
        const step = this.#step()
        if (step !== undefined) return Promise.resolve(step)
      } catch (error) {
        return Promise.reject(error)
      }
    }
    if (this.#waiters.length >= waitersMax) return Promise.reject(storeErrors.watch_crowded({ max: waitersMax }))
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  async return(): Promise<Step> {
    this.close()
    return done
  }

  close(): void {
    this.#watcher.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** What can be said now; undefined where nothing can. Throws what the watch failed with. */
  #step(): Step | undefined {
    const event = this.#watcher.take()
    if (event !== undefined) return { done: false, value: event }
    return this.#watcher.isEnded ? done : undefined
  }

  #serve(): void {
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      try {
        const step = this.#step()
        if (step === undefined) return
        waiter.resolve(step)
      } catch (error) {
        waiter.reject(error)
      }
      this.#waiters.shift()
    }
  }
}
