/**
 * Trying again: what may pass by itself is tried a stated number of times, with pauses that grow and are random, so that many
 * clients of a service that was down do not all come back at once ("full jitter", M. Brooker, "Exponential Backoff And
 * Jitter", AWS, 2015).
 */

import { second } from '@orbitkv/base'
import type { Clock, RandomUint32 } from '@orbitkv/runtime'

const pauseMsFirst = 100
const pauseMsMax = 10 * second

export interface RetryOptions {
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** Attempts after the first. */
  readonly retryCount: number
  readonly signal?: AbortSignal | undefined
}

/** Whether another attempt may help, and the error to give if there is none. */
export interface Failure {
  readonly mayPass: boolean
  readonly error: (attempts: number) => Error
}

/** Runs `attempt` until it succeeds, has failed for good, or was tried often enough. `classify` judges each failure. */
export async function retrying<Result>(
  options: RetryOptions,
  attempt: (number: number) => Promise<Result>,
  classify: (error: unknown) => Failure,
): Promise<Result> {
  for (let number = 1; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      const { mayPass, error: toError } = classify(error)
      const isStopped = options.signal?.aborted === true
      if (!mayPass || number > options.retryCount || isStopped) throw toError(number)
    }
    const mostMs = Math.min(pauseMsMax, pauseMsFirst * 2 ** (number - 1))
    await pause(options.clock, (options.randomUint32() / 2 ** 32) * mostMs, options.signal)
  }
}

/** Resolves after so long, or when it is stopped. What can be stopped does not by itself keep the process alive. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return clock.sleep(delayMs)
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(delayMs, end)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}
