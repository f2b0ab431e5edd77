/** A state of the store held fast: reads see one revision, whatever is written meanwhile. */

import type { Engine } from '@orbitkv/engine'
import { storeErrors } from './errors.ts'
import type { Pin } from './history.ts'
import { defaultKeyspace } from './keyspaces.ts'
import type { ReadMeter } from './read-meter.ts'
import { StoreReader } from './reader.ts'
import type { Snapshot } from './types.ts'

export class StoreSnapshot extends StoreReader implements Snapshot {
  readonly revision: number
  readonly time: number
  readonly #pin: Pin
  readonly #assertStoreOpen: () => void
  #closed = false

  /** Of the pinned revision; lets go of it when it is closed. */
  constructor(engine: Engine, pin: Pin, meter: ReadMeter, assertStoreOpen: () => void) {
    super(engine, defaultKeyspace, pin.revision, meter)
    this.revision = pin.revision
    this.time = engine.timeAt(pin.revision)
    this.#pin = pin
    this.#assertStoreOpen = assertStoreOpen
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#pin.release()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  protected now(): number {
    return this.time
  }

  isOf(engine: Engine): boolean {
    return this.engine === engine
  }

  /** For other readers of its state too. */
  assertReadable(): void {
    if (this.#closed) throw storeErrors.snapshot_closed({ revision: this.revision })
    if (this.#pin.failure !== undefined) throw this.#pin.failure
    this.#assertStoreOpen()
  }
}
