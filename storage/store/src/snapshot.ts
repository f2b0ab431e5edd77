/** A state of the store held fast: reads see one revision, whatever is written meanwhile. */

import type { Engine } from '@orbitkv/engine'
import { storeErrors } from './errors.ts'
import { defaultKeyspace } from './keyspaces.ts'
import { StoreReader } from './reader.ts'
import type { Snapshot } from './types.ts'

export class StoreSnapshot extends StoreReader implements Snapshot {
  readonly revision: number
  readonly time: number
  readonly #assertStoreOpen: () => void
  readonly #release: () => void
  #closed = false

  constructor(engine: Engine, revision: number, assertStoreOpen: () => void, release: () => void) {
    super(engine, defaultKeyspace, revision)
    this.revision = revision
    this.time = engine.timeAt(revision)
    this.#assertStoreOpen = assertStoreOpen
    this.#release = release
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#release()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  protected now(): number {
    return this.time
  }

  protected assertReadable(): void {
    if (this.#closed) throw storeErrors.snapshot_closed({ revision: this.revision })
    this.#assertStoreOpen()
  }
}
