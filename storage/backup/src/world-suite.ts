/** A store and a place for its backups, each on a simulated disk, and the history of what was written: for tests. */

import assert from 'node:assert/strict'
import { KiB, type Random } from '@orbitkv/base'
import { type LogConfig, openLogEngine } from '@orbitkv/engine-log'
import { FolderObjects } from '@orbitkv/objects'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { EngineStore, type Store, storeConfig } from '@orbitkv/store'
import { type BackupReport, backUp } from './backup.ts'
import type { BackupKind } from './manifest.ts'
import { Vault } from './vault.ts'

/** Segments of a few dozen writes, so that backups meet their borders. */
const settings: Partial<LogConfig> = {
  segmentBytes: 16 * KiB,
  zeroAheadBytes: 4 * KiB,
  reserveBytes: 0,
  checkpointBytes: 16 * KiB,
  scrubBytesPerSecond: 0,
}

export type State = ReadonlyMap<string, string>

export interface Entry {
  readonly revision: number
  readonly time: number
  readonly state: State
}

export interface WorldOptions {
  readonly random: Random
  readonly key?: Uint8Array
  /** How long old states stay readable; default an hour, which is for ever here. */
  readonly historyMs?: number
  readonly disk?: SimulatedDisk
  readonly targetDisk?: SimulatedDisk
}

/** Pauses end at once; timers and the time are told. */
class ImpatientClock extends SimulatedClock {
  override sleep(_ms: number): Promise<void> {
    return this.turn()
  }
}

export class World {
  readonly random: Random
  readonly clock = new ImpatientClock()
  readonly disk: SimulatedDisk
  readonly targetDisk: SimulatedDisk
  readonly vault: Vault
  readonly #options: WorldOptions
  /** The state after each revision. */
  readonly history: Entry[] = [{ revision: 0, time: 0, state: new Map() }]
  #store: Store | undefined

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = options.random
    this.disk = options.disk ?? new SimulatedDisk({ seed: this.random.uint32() })
    this.targetDisk = options.targetDisk ?? new SimulatedDisk({ seed: this.random.uint32() })
    this.vault = this.vaultOn('/target')
  }

  vaultOn(path: string, key: Uint8Array | undefined = this.#options.key): Vault {
    const parts = { clock: this.clock, randomUint32: () => this.random.uint32() }
    const objects = new FolderObjects(path, { disk: this.targetDisk, ...parts })
    return new Vault({ objects, ...parts, ...(key === undefined ? {} : { key }) })
  }

  get store(): Store {
    assert.ok(this.#store !== undefined)
    return this.#store
  }

  async open(): Promise<void> {
    this.#store = await this.openAt('/store')
  }

  async openAt(path: string, disk = this.disk): Promise<Store> {
    const { clock, random } = this
    const randomUint32 = (): number => random.uint32()
    const engine = await openLogEngine(path, { disk, clock, config: settings, randomUint32 })
    const config = storeConfig.parse({ historyMs: this.#options.historyMs ?? 3_600_000 })
    return new EngineStore(engine, { path, clock, config })
  }

  get newest(): Entry {
    return this.history.at(-1) as Entry
  }

  /** A batch of one to a few changes, some of them large. */
  async write(): Promise<void> {
    const { random } = this
    // Some writes share a millisecond.
    if (!random.chance(3)) this.clock.advance(random.between(1, 50))
    const state = new Map(this.newest.state)
    const batch = this.store.batch()
    for (const key of new Set(Array.from({ length: random.between(1, 3) }, () => `key-${random.below(40)}`))) {
      if (random.chance(4)) {
        batch.delete(key)
        state.delete(key)
      } else {
        const value = `${random.uint32()}`.repeat(random.between(1, 60))
        batch.put(key, value)
        state.set(key, value)
      }
    }
    const revision = await batch.commit()
    this.history.push({ revision, time: this.clock.now(), state })
  }

  async writes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.write()
  }

  backUp(kind: BackupKind, more: { signal?: AbortSignal } = {}): Promise<BackupReport> {
    const { vault, disk, clock } = this
    return backUp(this.store, { vault, disk, clock, kind, ...more })
  }

  stateAt(revision: number): State {
    const entry = this.history.findLast((one) => one.revision <= revision)
    assert.ok(entry !== undefined)
    return entry.state
  }

  stateAtTime(time: number): State {
    const entry = this.history.findLast((one) => one.time <= time)
    assert.ok(entry !== undefined)
    return entry.state
  }
}

/** Lets so many operations of disks end, and then none any more: what a power cut looks like from inside. */
export class PowerCut {
  #left = Number.POSITIVE_INFINITY
  #isOut: () => void = () => undefined

  /** For a disk's options. */
  readonly schedule = (end: () => void): void => {
    if (this.#left-- > 0) queueMicrotask(end)
    else this.#isOut()
  }

  /** Runs work until it has ended, or the power is out; true for the former. */
  async after(operations: number, work: () => Promise<unknown>): Promise<boolean> {
    const out = new Promise<false>((resolve) => {
      this.#isOut = () => resolve(false)
    })
    this.#left = operations
    const running = work().then(() => true)
    const hasEnded = await Promise.race([running, out])
    this.#left = Number.POSITIVE_INFINITY
    return hasEnded
  }
}

export function stateOf(store: Store): State {
  const entries = Array.from(store.range(), ({ key, value }) => [text(key), text(value)] as const)
  return new Map(entries)
}

export function assertSameState(found: State, wanted: State, message: string): void {
  assert.deepEqual(Object.fromEntries([...found].sort()), Object.fromEntries([...wanted].sort()), message)
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
