/**
 * The connection to the Redis that is copied, made again when it is lost: work that fails with it is done once more on
 * the next one. Work given to `use` must therefore be such that doing it twice does no harm.
 */

import { formatDuration, second } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import type { SourceAddress } from './address.ts'
import { connectSource, type RedisSource } from './source.ts'

const pauseMsFirst = second / 2
const pauseMsMax = 30 * second
/** About two minutes with the pauses above. */
const triesMax = 9

export interface SourceLinkOptions {
  readonly address: SourceAddress
  readonly clock: Clock
  /** Ends the wait for a lost source. */
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  /** Called with each new connection, before any work is done on it. */
  readonly connected: (source: RedisSource) => Promise<void>
}

export class SourceLink {
  readonly #options: SourceLinkOptions
  #source: RedisSource | undefined

  constructor(options: SourceLinkOptions) {
    this.#options = options
  }

  /** Errors: those of the work, and of a source that stays away. */
  async use<Result>(work: (source: RedisSource) => Promise<Result>): Promise<Result> {
    const { address, clock, signal, note } = this.#options
    for (let tries = 1, pauseMs = pauseMsFirst; ; tries++, pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      try {
        const source = await this.#connected()
        return await work(source)
      } catch (error) {
        const isFirst = this.#source === undefined && tries === 1
        const lost = this.#source === undefined ? error : this.#source.door.lost
        if (lost === undefined) throw error
        await this.close()
        // Who was never there is not waited for, and who refuses us will refuse us again.
        if (isFirst || !canComeBack(lost) || tries === triesMax || signal.aborted) throw lost
        note(`${address.url} is lost (${(lost as Error).message}); trying again in ${formatDuration(pauseMs)}`)
        await pause(clock, signal, pauseMs)
      }
    }
  }

  async close(): Promise<void> {
    const source = this.#source
    this.#source = undefined
    await source?.door.close()
  }

  async #connected(): Promise<RedisSource> {
    if (this.#source !== undefined) return this.#source
    const { address, clock, connected } = this.#options
    const source = await connectSource(address, clock)
    try {
      await connected(source)
    } catch (error) {
      await source.door.close()
      throw error
    }
    this.#source = source
    return source
  }
}

/** The codes say so of themselves: to try later can help. */
function canComeBack(error: unknown): boolean {
  return (error as { retry?: unknown }).retry === 'later'
}

/** Ends early when told to stop. */
export function pause(clock: Clock, signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(ms, end)
    signal.addEventListener('abort', end, { once: true })
  })
}
