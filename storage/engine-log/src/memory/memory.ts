/**
 * What a log engine does about memory beside its index: where large buffers come from, which pages of segments stay in memory,
 * and what the system made of it, for stats.
 */

import { largeBufferPlacement, placeLargeBuffers } from '@orbitkv/bytes'
import { type Clock, type Disk, hugePageBytes, numaNodeCount } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Accesses } from './accesses.ts'
import { Residency } from './residency.ts'

export interface MemoryOptions {
  readonly disk: Pick<Disk, 'kind'>
  readonly clock: Clock
  readonly config: LogConfig
  readonly log: Log
  readonly accesses: Accesses
}

/** What the system says is asked again after this long: the answer takes it a while. */
const factsMs = 60_000

const withoutAddon = 'not without the native addon'

/** Before anything large is made: the wishes of a store for all large buffers of the process. */
export function placeBuffers({ hugePages, numaNode }: LogConfig): void {
  placeLargeBuffers({ hugePages, numaNode: numaNode < 0 ? undefined : numaNode })
}

export class Memory {
  readonly #options: MemoryOptions
  readonly #residency: Residency
  #hugeBytes: number | undefined
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(options: MemoryOptions) {
    this.#options = options
    this.#residency = new Residency(options)
  }

  start(): void {
    this.#residency.start()
    this.#ask()
  }

  stop(): Promise<void> {
    return this.#residency.stop()
  }

  stats(): Record<string, string | number> {
    this.#ask()
    return { hugePages: this.#hugePagesText(), numa: this.#numaText(), ...this.#residency.stats() }
  }

  /** How much stands on huge pages, for the next stats. */
  #ask(): void {
    const { clock, disk, config } = this.#options
    if (disk.kind !== 'native' || !config.hugePages || clock.monotonic() < this.#askedMs + factsMs) return
    this.#askedMs = clock.monotonic()
    void hugePageBytes().then((bytes) => {
      this.#hugeBytes = bytes
    })
  }

  #hugePagesText(): string {
    if (!this.#options.config.hugePages) return 'off'
    const { hugePages: taken, isPossible } = largeBufferPlacement()
    if (!isPossible) return withoutAddon
    if (taken === undefined) return 'asked for with the first large buffer'
    if (!taken) return 'the system has none to give'
    if (this.#hugeBytes === undefined) return 'asked for'
    return `asked for; the process has ${this.#hugeBytes} bytes on huge pages`
  }

  #numaText(): string {
    const { numaNode } = this.#options.config
    if (numaNode < 0) return 'off'
    const { node: taken, isPossible } = largeBufferPlacement()
    if (!isPossible) return withoutAddon
    if (taken === undefined) return `node ${numaNode}, with the first large buffer`
    if (!taken) return `node ${numaNode} is refused by the system`
    return numaNodeCount() === 1 ? `node ${numaNode}, the only one: unverified` : `node ${numaNode}`
  }
}
