/** OrbitKV in the comparison of engines, through the package that its users take. */

import { hasCode } from '@orbitkv/base'
import { type OpenOptions, open, type Store } from 'orbitkv'
import type { Workload } from '../data/workload.ts'
import { type Contestant, ends, entrySum, type Way } from './contestant.ts'

const bytesSum = (bytes: Uint8Array, offset: number, length: number): number =>
  (bytes[offset] as number) + (bytes[offset + length - 1] as number)

export class OrbitContestant implements Contestant {
  readonly settings =
    'defaults (checksums on write, an hour of history); durability none, or always where synced; batches through store.batch(), each awaited before the next'
  readonly #workload: Workload
  #store!: Store

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(folder: string, way: Way, options: OpenOptions = {}): Promise<void> {
    this.#store = await open(folder, { durability: way === 'synced' ? 'always' : 'none', ...options })
  }

  get store(): Store {
    return this.#store
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  /** A batch holds on to its keys until it is committed, so each has bytes of its own. */
  async insert(from: number, to: number, version: number): Promise<void> {
    const { inserted } = this.#workload
    const batch = this.#store.batch()
    for (let place = from; place < to; place++) batch.put(inserted.lent(place), this.#workload.value(place, version))
    await batch.commit()
  }

  count(): number {
    let count = 0
    for (const { key, value } of this.#store.range()) if (key.length > 0 && value.length > 0) count++
    return count
  }

  get(key: Buffer): number {
    return ends(this.#store.get(key))
  }

  view(key: Buffer): number {
    return this.#store.view(key, bytesSum) as number
  }

  getText(key: string): number {
    return ends(this.#store.get(key))
  }

  has(key: Buffer): number {
    return this.#store.has(key) ? 1 : 0
  }

  async put(key: Buffer, value: Buffer): Promise<void> {
    await this.#store.put(key, value)
  }

  seek(key: Buffer): number {
    for (const entry of this.#store.range({ gte: key, limit: 1 })) return entry.key[entry.key.length - 1] as number
    return 0
  }

  scan(key: Buffer, limit: number): number {
    let sum = 0
    for (const entry of this.#store.range({ gte: key, limit })) sum += entrySum(entry.key, entry.value)
    return sum
  }

  async compact(): Promise<boolean> {
    try {
      await compactWhole(this.#store)
      return true
    } catch (error) {
      if (hasCode(error, 'engine.not_supported')) return false
      throw error
    }
  }

  indexBytes(): number {
    return this.#store.stats().indexBytes
  }
}

/** Compacts until nothing more is given back; fails with `engine.not_supported` where the engine cannot. */
export async function compactWhole(store: Store): Promise<void> {
  const { compact } = store as Store & { compact?: () => Promise<unknown> }
  if (compact === undefined)
    throw Object.assign(new Error('the store does not compact'), { code: 'engine.not_supported' })
  await compact.call(store)
}
