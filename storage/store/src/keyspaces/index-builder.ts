/**
 * Builds indexes over what is stored already, a slice at a time, while reads and writes go on. keyspaces.ts starts it.
 *
 * A slice looks at the next keys in their order and appends the missing entries, together with the key that it came to, as one
 * batch: so a crash loses a slice whole, and building goes on from the last one. Writes keep the entries of their own keys, on
 * both sides of that key. A slice is housekeeping: it changes no user data, and takes no revision.
 *
 * What must hold: an index counts as built from the revision of its last slice on, and not before that is published.
 */

import { OrbitError } from '@orbitkv/base'
import { copyKey, latest } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { type IndexRecord, indexChange } from './directory.ts'
import { IndexWriter } from './index-writer.ts'
import type { KeyspaceHost, NamedKeyspace } from './keyspaces.ts'
import type { StoreIndex } from './store-index.ts'

/** Keys that one slice looks at: about a millisecond of the event loop. */
const keysPerSlice = 256
/** What waits for space on the disk tries again this often. */
const retryMs = 1000

export class IndexBuilder {
  readonly #host: KeyspaceHost
  readonly #announce: (keyspace: NamedKeyspace) => void
  #stopped = false
  /** End the pauses of those that wait for space on the disk. */
  readonly #pauses = new Set<() => void>()

  constructor(host: KeyspaceHost, announce: (keyspace: NamedKeyspace) => void) {
    this.#host = host
    this.#announce = announce
  }

  stop(): void {
    this.#stopped = true
    for (const end of this.#pauses) end()
  }

  start(keyspace: NamedKeyspace, index: StoreIndex): void {
    index.failure = undefined
    index.building ??= this.#build(keyspace, index)
      .catch((error: unknown) => {
        index.failure = error instanceof Error ? error : new Error(String(error))
      })
      .finally(() => {
        index.building = undefined
      })
  }

  /** Resolves once the index is built; goes on with one that failed. */
  async ready(keyspace: NamedKeyspace, index: StoreIndex): Promise<void> {
    if (index.record.builtAt === undefined) this.start(keyspace, index)
    await index.building
    if (index.failure !== undefined) throw index.failure
    this.#host.assertReadable()
    if (index.record.builtAt === undefined) {
      throw storeErrors.no_such_index({ keyspace: keyspace.record.name, index: index.record.name })
    }
  }

  async #build(keyspace: NamedKeyspace, index: StoreIndex): Promise<void> {
    const { clock } = this.#host
    const isWanted = (): boolean => !this.#stopped && keyspace.indexes.includes(index)
    await clock.turn()
    while (isWanted() && index.record.builtAt === undefined) {
      try {
        this.#announce(keyspace)
        const record = this.#slice(index)
        await this.#host.settle({})
        index.record = record
      } catch (error) {
        if (!(error instanceof OrbitError) || error.retry !== 'later') throw error
        await this.#pause()
      }
      await clock.turn()
    }
  }

  /** Until it is time to try again, or to stop. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        this.#pauses.delete(end)
        resolve()
      }
      const timer = this.#host.clock.after(retryMs, end)
      this.#pauses.add(end)
    })
  }

  /** Appends the next slice; returns what the directory says of the index with it. */
  #slice(index: StoreIndex): IndexRecord {
    const { engine } = this.#host
    const { cursor, ...rest } = index.record
    const writer = new IndexWriter(engine, this.#host.now())
    const after = cursor === undefined ? {} : { gt: Uint8Array.from(Buffer.from(cursor, 'hex')) }
    let looked = 0
    let last: Uint8Array | undefined
    for (const found of engine.range(rest.of, { ...after, limit: keysPerSlice, at: latest })) {
      last = copyKey(found)
      writer.addMissing(index, last, found.bytes, found.valueStart, found.valueBytes)
      looked++
    }
    writer.assertUnique()
    const isLast = looked < keysPerSlice
    const record = isLast
      ? { ...rest, builtAt: engine.appendedRevision }
      : { ...rest, cursor: Buffer.from(last as Uint8Array).toString('hex') }
    this.#host.append([...writer.changes, indexChange(record)], 'housekeeping')
    return record
  }
}
