/**
 * RocksDB through @nxtedition/rocksdb, the kept-up binding that reads without a trip through a thread: of those that npm has it was
 * the fastest. Reads, iterators and batches take the synchronous methods that it calls its own API.
 */

import type { Workload } from '../data/workload.ts'
import { requirePeer } from '../peers.ts'
import { type Contestant, ends, entrySum, type Way } from './contestant.ts'

/** As much of the binding as is used here. */
interface Rocks {
  open(options: object): Promise<void>
  close(): Promise<void>
  _getManySync(keys: readonly (string | Buffer)[], options: object): (Buffer | undefined)[]
  _chainedBatch(): {
    _put(key: Uint8Array, value: Buffer, options: object): void
    _writeSync(options: object): void
    _closeSync(): void
  }
  _iterator(options: object): {
    _nextvSync(count: number, options: object): { rows: Buffer[]; finished: boolean }
    _closeSync(): void
  }
}

const options = {
  createIfMissing: true,
  parallelism: 2,
  cacheSize: 512 * 2 ** 20,
  optimize: 'point-lookup',
  memtableMemoryBudget: 256 * 2 ** 20,
  compression: false,
}
const none = {}
const asBuffers = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
const scanPiece = 1000

export class RocksContestant implements Contestant {
  readonly settings =
    `${JSON.stringify(options)}; sync: true where synced; batches, getManySync of one key, nextvSync(${scanPiece})`
  readonly #workload: Workload
  #rocks!: Rocks
  #write: object = none

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(folder: string, way: Way): Promise<void> {
    const { RocksLevel } = requirePeer('@nxtedition/rocksdb') as {
      RocksLevel: new (path: string, options: object) => Rocks
    }
    this.#write = { sync: way === 'synced' }
    this.#rocks = new RocksLevel(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
    await this.#rocks.open(options)
  }

  async close(): Promise<void> {
    await this.#rocks.close()
  }

  insert(from: number, to: number, version: number): void {
    const { inserted } = this.#workload
    const batch = this.#rocks._chainedBatch()
    for (let place = from; place < to; place++) {
      batch._put(inserted.fill(place), this.#workload.value(place, version), none)
    }
    batch._writeSync(this.#write)
    batch._closeSync()
  }

  count(): number {
    let count = 0
    const iterator = this.#rocks._iterator(asBuffers)
    for (;;) {
      const { rows, finished } = iterator._nextvSync(scanPiece, none)
      for (let i = 0; i < rows.length; i += 2) if ((rows[i + 1] as Buffer).length > 0) count++
      if (finished) break
    }
    iterator._closeSync()
    return count
  }

  get(key: Buffer): number {
    return ends(this.#rocks._getManySync([key], asBuffers)[0])
  }

  getText(key: string): number {
    return ends(this.#rocks._getManySync([key], asBuffers)[0])
  }

  put(key: Buffer, value: Buffer): void {
    const batch = this.#rocks._chainedBatch()
    batch._put(key, value, none)
    batch._writeSync(this.#write)
    batch._closeSync()
  }

  seek(key: Buffer): number {
    const iterator = this.#rocks._iterator({ ...asBuffers, gte: key, limit: 1, values: false })
    const [found] = iterator._nextvSync(1, none).rows
    iterator._closeSync()
    return found === undefined ? 0 : (found[found.length - 1] as number)
  }

  scan(key: Buffer, limit: number): number {
    const iterator = this.#rocks._iterator({ ...asBuffers, gte: key, limit })
    let sum = 0
    for (let left = limit; left > 0; ) {
      const { rows, finished } = iterator._nextvSync(Math.min(left, scanPiece), none)
      for (let i = 0; i < rows.length; i += 2) sum += entrySum(rows[i] as Buffer, rows[i + 1] as Buffer)
      left -= rows.length / 2
      if (finished || rows.length === 0) break
    }
    iterator._closeSync()
    return sum
  }
}
