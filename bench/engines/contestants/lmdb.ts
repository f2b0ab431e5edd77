/**
 * LMDB through lmdb-js, tuned after its README: binary keys and values, map size set ahead, `noMemInit`.
 *
 * Batches are transactions on the calling thread, single records `putSync`: each is visible before the next operation, and none of
 * its asynchronous ways was faster so. Unsynced it runs with `noSync` and `noMetaSync`.
 *
 * Two more ways: `lmdb-write-map`, which its README offers at the price that a stray write of the process may corrupt the
 * database (for inserts), and `lmdb-overlapping`, its default for synced commits, where one is durable when `flushed` resolves.
 */

import { type Database, open } from 'lmdb'
import type { Workload } from '../data/workload.ts'
import { type Contestant, ends, entrySum, type Way } from './contestant.ts'

const mapBytes = 64 * 2 ** 30

export type LmdbVariant = 'plain' | 'write-map' | 'overlapping'

export class LmdbContestant implements Contestant {
  readonly settings: string
  readonly #workload: Workload
  readonly #variant: LmdbVariant
  #database!: Database<Buffer, Buffer>
  #path = ''
  #text: Database<Buffer, string> | undefined
  #awaitsFlush = false

  constructor(workload: Workload, variant: LmdbVariant) {
    this.#workload = workload
    this.#variant = variant
    this.settings = `${JSON.stringify(this.#options('unsynced'))}; where synced: ${JSON.stringify(this.#options('synced'))}; transactionSync for batches, putSync for single records`
  }

  #options(way: Way) {
    const unsynced = { noSync: true, noMetaSync: true, overlappingSync: false }
    return {
      keyEncoding: 'binary' as const,
      encoding: 'binary' as const,
      compression: false,
      noMemInit: true,
      mapSize: mapBytes,
      ...(way === 'unsynced' ? unsynced : { overlappingSync: this.#variant === 'overlapping' }),
      ...(this.#variant === 'write-map' ? { useWritemap: true } : {}),
    }
  }

  async open(folder: string, way: Way): Promise<void> {
    this.#path = `${folder}/data.mdb`
    this.#awaitsFlush = way === 'synced' && this.#variant === 'overlapping'
    this.#database = open<Buffer, Buffer>({ path: this.#path, ...this.#options(way) })
  }

  async close(): Promise<void> {
    await this.#text?.close()
    this.#text = undefined
    await this.#database.close()
  }

  insert(from: number, to: number, version: number): void | Promise<void> {
    const { inserted } = this.#workload
    // putSync copies key and value at once, so one key buffer serves for all.
    this.#database.transactionSync(() => {
      for (let place = from; place < to; place++) {
        this.#database.putSync(inserted.fill(place), this.#workload.value(place, version))
      }
    })
    return this.#flushed()
  }

  put(key: Buffer, value: Buffer): void | Promise<void> {
    this.#database.putSync(key, value)
    return this.#flushed()
  }

  #flushed(): void | Promise<void> {
    if (this.#awaitsFlush) return this.#database.flushed.then(() => undefined)
  }

  count(): number {
    let count = 0
    for (const { key, value } of this.#database.getRange({})) if (key.length > 0 && value.length > 0) count++
    return count
  }

  get(key: Buffer): number {
    return ends(this.#database.getBinary(key))
  }

  view(key: Buffer): number {
    return ends(this.#database.getBinaryFast(key))
  }

  /** Through its own encoding of text, which for plain text makes the same bytes. */
  getText(key: string): number {
    this.#text ??= open<Buffer, string>({
      path: this.#path,
      ...this.#options('unsynced'),
      keyEncoding: 'ordered-binary',
    })
    return ends(this.#text.getBinary(key))
  }

  seek(key: Buffer): number {
    for (const found of this.#database.getKeys({ start: key, limit: 1 })) return found[found.length - 1] as number
    return 0
  }

  scan(key: Buffer, limit: number): number {
    let sum = 0
    for (const entry of this.#database.getRange({ start: key, limit })) sum += entrySum(entry.key, entry.value)
    return sum
  }
}
