/** LevelDB through classic-level: reads with its getSync, ranges in pieces with nextv, keys and values as Buffers. */

import type { Workload } from '../data/workload.ts'
import { requirePeer } from '../peers.ts'
import { type Contestant, ends, entrySum, type Way } from './contestant.ts'

/** As much of classic-level as is used here. */
interface Level {
  open(options: object): Promise<void>
  close(): Promise<void>
  getSync(key: string | Buffer, options?: object): Buffer | undefined
  put(key: Buffer, value: Buffer, options: object): Promise<void>
  batch(operations: readonly object[], options: object): Promise<void>
  iterator(options: object): {
    nextv(count: number): Promise<[Buffer, Buffer][]>
    close(): Promise<void>
  }
  compactRange(start: Buffer, end: Buffer): Promise<void>
}

const options = {
  cacheSize: 512 * 2 ** 20,
  writeBufferSize: 64 * 2 ** 20,
  maxFileSize: 32 * 2 ** 20,
  maxOpenFiles: 1000,
  compression: true,
}
const scanPiece = 1000

export class LevelContestant implements Contestant {
  readonly settings =
    `${JSON.stringify(options)}, Buffers for keys and values; sync: true where synced; batch() of an array, getSync, nextv(${scanPiece})`
  readonly #workload: Workload
  #level!: Level
  #write: object = {}

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(folder: string, way: Way): Promise<void> {
    const { ClassicLevel } = requirePeer('classic-level') as {
      ClassicLevel: new (path: string, options: object) => Level
    }
    this.#write = { sync: way === 'synced' }
    this.#level = new ClassicLevel(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
    await this.#level.open(options)
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  async insert(from: number, to: number, version: number): Promise<void> {
    const { inserted } = this.#workload
    const operations: object[] = []
    for (let place = from; place < to; place++) {
      operations.push({ type: 'put', key: inserted.lent(place), value: this.#workload.value(place, version) })
    }
    await this.#level.batch(operations, this.#write)
  }

  async count(): Promise<number> {
    const iterator = this.#level.iterator({})
    let count = 0
    for (;;) {
      const entries = await iterator.nextv(scanPiece)
      if (entries.length === 0) break
      for (const [key, value] of entries) if (key.length > 0 && value.length > 0) count++
    }
    await iterator.close()
    return count
  }

  get(key: Buffer): number {
    return ends(this.#level.getSync(key))
  }

  getText(key: string): number {
    return ends(this.#level.getSync(key, { keyEncoding: 'utf8' }))
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#level.put(key, value, this.#write)
  }

  async seek(key: Buffer): Promise<number> {
    const iterator = this.#level.iterator({ gte: key, limit: 1, values: false })
    const [entry] = await iterator.nextv(1)
    await iterator.close()
    const found = entry?.[0]
    return found === undefined ? 0 : (found[found.length - 1] as number)
  }

  async scan(key: Buffer, limit: number): Promise<number> {
    const iterator = this.#level.iterator({ gte: key, limit })
    let sum = 0
    for (let left = limit; left > 0; ) {
      const entries = await iterator.nextv(Math.min(left, scanPiece))
      if (entries.length === 0) break
      for (const [found, value] of entries) sum += entrySum(found, value)
      left -= entries.length
    }
    await iterator.close()
    return sum
  }

  async compact(): Promise<boolean> {
    await this.#level.compactRange(Buffer.alloc(0), Buffer.alloc(64, 0xff))
    return true
  }
}
