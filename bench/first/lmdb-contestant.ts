/**
 * LMDB through lmdb-js in the embedded comparison, tuned after its README: binary keys and values, map size set ahead, `noMemInit`.
 * Batches are transactions on the calling thread: of the ways that commit each batch before the next begins, its asynchronous
 * puts among them, none was faster here.
 *
 * Unsynced it runs with `noSync` and `noMetaSync`. Its README also offers a write map, at the price that a stray write of the process
 * may corrupt the database; inserts are measured in that way, too, beside the one that counts.
 * For durable commits it runs in both ways it has: with `overlappingSync` (its default), where a commit is durable when
 * `flushed` resolves, and without, where the transaction itself waits for the disk.
 */

import { type Database, open } from 'lmdb'
import type { Contestant } from './contestant.ts'
import { batchRecords, durableGroupRecords, fillKey, keyBytes, valueAt, type Workload } from './workload.ts'

export type LmdbWay = 'write-map' | 'no-write-map' | 'overlapping' | 'waiting'

const mapBytes = 4 * 2 ** 30
const common = {
  keyEncoding: 'binary',
  encoding: 'binary',
  compression: false,
  noMemInit: true,
  mapSize: mapBytes,
} as const
const optionsOf = {
  'write-map': { noSync: true, noMetaSync: true, useWritemap: true, overlappingSync: false },
  'no-write-map': { noSync: true, noMetaSync: true, overlappingSync: false },
  overlapping: { overlappingSync: true },
  waiting: { overlappingSync: false },
} as const

export class LmdbContestant implements Contestant {
  readonly settings: string
  readonly #way: LmdbWay
  readonly #key = Buffer.alloc(keyBytes)
  #database!: Database<Buffer, Buffer>

  constructor(way: LmdbWay) {
    this.#way = way
    this.settings = JSON.stringify({ ...common, ...optionsOf[way] }).replaceAll('"', '')
  }

  async open(folder: string): Promise<void> {
    this.#database = open<Buffer, Buffer>({ path: `${folder}/data.mdb`, ...common, ...optionsOf[this.#way] })
  }

  async insert(workload: Workload): Promise<void> {
    for (let place = 0; place < workload.keyCount; place += batchRecords) {
      this.#commit(workload, place, Math.min(place + batchRecords, workload.keyCount))
    }
  }

  countByRange(): number {
    let count = 0
    for (const { value } of this.#database.getRange({})) if (value.length > 0) count++
    return count
  }

  readOwned(key: Buffer): number {
    return (this.#database.getBinary(key) as Buffer)[0] as number
  }

  readLent(key: Buffer): number {
    return (this.#database.getBinaryFast(key) as Buffer)[0] as number
  }

  async commitDurably(workload: Workload, records: number): Promise<void> {
    for (let place = 0; place < records; place += durableGroupRecords) {
      this.#commit(workload, place, Math.min(place + durableGroupRecords, records))
      if (this.#way === 'overlapping') await this.#database.flushed
    }
  }

  /** putSync copies key and value at once, so one key buffer serves for all. */
  #commit(workload: Workload, from: number, to: number): void {
    const key = this.#key
    this.#database.transactionSync(() => {
      for (let place = from; place < to; place++) {
        fillKey(key, workload.inserted, place)
        this.#database.putSync(key, valueAt(workload, place))
      }
    })
  }

  indexBytes(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}
