/** The log engine alone, through its contract: what the store above it costs is the difference to `orbit`. */

import { type Change, type Engine, putChange } from '@orbitkv/engine'
import { openLogEngine } from '@orbitkv/engine-log'
import { realDisk } from '@orbitkv/runtime'
import type { Workload } from '../data/workload.ts'
import type { Contestant, Way } from './contestant.ts'

const keyspace = 0

export class EngineLogContestant implements Contestant {
  readonly settings =
    'the engine under orbit through its contract: append, write, sync where synced, publish; reads and ranges lend, never copy'
  readonly #workload: Workload
  #engine!: Engine
  #isSynced = false

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(folder: string, way: Way): Promise<void> {
    this.#isSynced = way === 'synced'
    this.#engine = await openLogEngine(folder, { disk: realDisk(), config: { zeroAhead: this.#isSynced } })
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  async insert(from: number, to: number, version: number): Promise<void> {
    const { inserted } = this.#workload
    const changes: Change[] = []
    for (let place = from; place < to; place++) {
      changes.push(putChange(keyspace, inserted.lent(place), this.#workload.value(place, version)))
    }
    this.#append(changes)
    if (this.#isSynced) await this.#engine.sync()
    this.#engine.publish(this.#engine.appendedPosition)
  }

  count(): number {
    let count = 0
    for (const { valueBytes } of this.#engine.range(keyspace, {})) if (valueBytes > 0) count++
    return count
  }

  get(key: Buffer): number {
    return this.view(key)
  }

  view(key: Buffer): number {
    const record = this.#engine.get(keyspace, key, 0, key.length)
    if (record === undefined) throw new Error('a key was not found')
    const { bytes, valueStart, valueBytes } = record
    return (bytes[valueStart] as number) + (bytes[valueStart + valueBytes - 1] as number)
  }

  async put(key: Buffer, value: Buffer): Promise<void> {
    this.#append([putChange(keyspace, key, value)])
    if (this.#isSynced) await this.#engine.sync()
    this.#engine.publish(this.#engine.appendedPosition)
  }

  seek(key: Buffer): number {
    for (const record of this.#engine.range(keyspace, { gte: key, limit: 1 })) {
      return record.bytes[record.keyStart + record.keyBytes - 1] as number
    }
    return 0
  }

  scan(key: Buffer, limit: number): number {
    let sum = 0
    for (const record of this.#engine.range(keyspace, { gte: key, limit })) {
      const { bytes, keyStart, keyBytes, valueStart, valueBytes } = record
      sum += bytes[keyStart + keyBytes - 1] as number
      sum += (bytes[valueStart] as number) + (bytes[valueStart + valueBytes - 1] as number)
    }
    return sum
  }

  indexBytes(): number {
    return this.#engine.stats().indexBytes
  }

  #append(changes: readonly Change[]): void {
    const engine = this.#engine
    engine.append({ changes, revision: engine.appendedRevision + 1, time: 0 })
    engine.write()
  }
}
