/** OrbitKV in the embedded comparison. */

import { open, type Store } from 'orbitkv'
import type { Contestant } from './contestant.ts'
import { batchRecords, durableGroupRecords, keyBytes, valueAt, type Workload } from './workload.ts'

const firstByte = (bytes: Uint8Array, offset: number): number => bytes[offset] as number

export class OrbitContestant implements Contestant {
  readonly settings =
    'defaults (checksums on write, versions kept for an hour); insert: durability none, store.batch() committed one after another; durable: durability always, each batch awaited'
  #store!: Store

  async open(folder: string, synced: boolean): Promise<void> {
    this.#store = await open(folder, { durability: synced ? 'always' : 'none' })
  }

  async insert(workload: Workload): Promise<void> {
    for (let place = 0; place < workload.keyCount; place += batchRecords) {
      await this.#commit(workload, place, Math.min(place + batchRecords, workload.keyCount))
    }
  }

  countByRange(): number {
    let count = 0
    for (const { value } of this.#store.range()) if (value.length > 0) count++
    return count
  }

  readOwned(key: Buffer): number {
    return (this.#store.get(key) as Uint8Array)[0] as number
  }

  readLent(key: Buffer): number {
    return this.#store.view(key, firstByte) as number
  }

  async commitDurably(workload: Workload, records: number): Promise<void> {
    for (let place = 0; place < records; place += durableGroupRecords) {
      await this.#commit(workload, place, Math.min(place + durableGroupRecords, records))
    }
    const { syncs } = this.#store.stats()
    if (syncs < Math.floor(records / durableGroupRecords))
      throw new Error(`only ${syncs} syncs: it did not wait for them`)
  }

  /** A batch holds on to its keys until it is committed, so each has bytes of its own. */
  async #commit(workload: Workload, from: number, to: number): Promise<void> {
    const batch = this.#store.batch()
    for (let place = from; place < to; place++) {
      batch.put(new Uint8Array(workload.inserted.buffer, place * keyBytes, keyBytes), valueAt(workload, place))
    }
    await batch.commit()
  }

  indexBytes(): number {
    return this.#store.stats().indexBytes
  }

  async close(): Promise<void> {
    await this.#store.close()
  }
}
