/** What the log says of a store that does not do everything: as it begins, and once of each problem that it meets later. */

import { minute } from '@orbitkv/base'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { Store } from 'orbitkv'
import type { Logger } from './log.ts'

/** The store goes on without what these are about, so nobody else would hear of them. */
const checkMs = 1 * minute

interface Warned {
  readonly store: Pick<Store, 'stats'>
  readonly logger: Pick<Logger, 'tell'>
  readonly clock: Clock
}

export class StoreWarnings {
  readonly #warned: Warned
  /** The problem of each kind that was told last; empty while there is none. */
  readonly #told = new Map<string, string>()
  #timer: Timer | undefined

  constructor(warned: Warned) {
    this.#warned = warned
  }

  /** Says how the store has opened, and looks again from time to time. */
  start(): void {
    const { store, logger } = this.#warned
    const { indexBytes, details } = store.stats()
    const { readOnly, indexFull, indexBytesMax } = details
    if (typeof readOnly === 'string' && readOnly !== '')
      logger.tell('warn', 'the store is damaged and takes no writes', { reason: readOnly })
    if (indexFull === true) {
      logger.tell('warn', 'the index has reached store.index_bytes_max: no key can be added', {
        indexBytes,
        indexBytesMax,
      })
    }
    this.#check()
  }

  /** To be called before the store is closed. */
  stop(): void {
    this.#timer?.cancel()
  }

  #check(): void {
    const { store, clock } = this.#warned
    const { compactionFailure, details } = store.stats()
    this.#tell('no checkpoint can be made: opening will take longer', details.checkpointProblem)
    this.#tell('compaction does not get on', compactionFailure)
    this.#timer = clock.after(checkMs, () => this.#check())
  }

  #tell(message: string, problem: string | number | boolean = ''): void {
    const { logger } = this.#warned
    const reason = String(problem)
    if (reason !== '' && reason !== this.#told.get(message)) logger.tell('warn', message, { reason })
    this.#told.set(message, reason)
  }
}
