/**
 * Random histories of many concurrent transactions on a real store, judged by the serializability checker: strictly, so that what
 * was acknowledged comes before what began later, and across power cuts with durability `always`. Builds that leave keys or
 * ranges unchecked must be caught.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode, Random, seedsFor } from '@orbitkv/base'
import {
  checkLists,
  checkRegisters,
  type HistoryTransaction,
  type ListOperation,
  type RegisterOperation,
  type Value,
  type Verdict,
} from '@orbitkv/checker'
import { logConfig, openLogEngine } from '@orbitkv/engine-log'
import { type CrashMode, SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { type Durability, EngineStore, type EngineStoreOptions, type Store, storeConfig } from '@orbitkv/store'
import type { Transaction } from './index.ts'
import { smallSegments } from './store-suite.ts'

const runs = 60
const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']
const groups = ['a', 'b']
const keysPerGroup = 4
const keysOfGroup = (group: string): string[] => Array.from({ length: keysPerGroup }, (_, i) => `${group}/${i}`)
const allKeys = groups.flatMap(keysOfGroup)
const abort = new Error('meant to fail')

type Unsound = NonNullable<EngineStoreOptions['unsoundTransactions']>

async function openStore(
  disk: SimulatedDisk,
  random: Random,
  durability: Durability,
  unsound?: Unsound,
): Promise<Store> {
  const clock = new SimulatedClock()
  const engine = await openLogEngine('/store', { disk, clock, config: logConfig.parse({ ...smallSegments }) })
  const config = storeConfig.parse({ durability })
  const randomUint32 = (): number => random.uint32()
  const options = { path: '/store', clock, config, randomUint32 }
  return new EngineStore(engine, unsound === undefined ? options : { ...options, unsoundTransactions: unsound })
}

/** How the operations of one kind of history are made on a store, and judged. */
interface Workload<Operation> {
  /** Makes a random step of a transaction, and notes what it did; `next` gives values that were never used. */
  step(tx: Transaction, random: Random, next: () => number, done: Operation[]): void
  readAll(tx: Transaction): Operation[]
  check(history: readonly HistoryTransaction<Operation>[]): Verdict
}

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString()
}

function readList(key: string, text: string | undefined): ListOperation {
  return { kind: 'read-list', key, values: text === undefined ? [] : text.split(',').map(Number) }
}

function valueOf(text: string | undefined): Value | undefined {
  return text === undefined ? undefined : Number(text)
}

/** What a range over a group shows of its keys, those that are not there included, up to where it was left. */
function readGroup(tx: Transaction, random: Random): [string, string | undefined][] {
  const keys = keysOfGroup(random.pick(groups))
  const [first = '', last = ''] = [keys[0], keys.at(-1)]
  const reverse = random.chance(2)
  const limit = random.chance(3) ? random.between(1, keysPerGroup) : Number.POSITIVE_INFINITY
  const seen: [string, string | undefined][] = []
  for (const { key, value } of tx.range({ gte: first, lte: last, reverse })) {
    seen.push([textOf(key) as string, textOf(value)])
    if (seen.length >= limit) break
  }
  const found = new Map(seen)
  const end = seen.at(-1)?.[0]
  const isLeft = seen.length >= limit && end !== undefined
  const walked = keys.filter((key) => !isLeft || (reverse ? key >= end : key <= end))
  return walked.map((key) => [key, found.get(key)])
}

const lists: Workload<ListOperation> = {
  step(tx, random, next, done) {
    const key = random.pick(allKeys)
    if (random.chance(3)) {
      for (const [seen, text] of readGroup(tx, random)) done.push(readList(seen, text))
      return
    }
    const text = textOf(tx.get(key))
    done.push(readList(key, text))
    if (random.chance(3)) return
    const value = next()
    tx.put(key, text === undefined ? `${value}` : `${text},${value}`)
    done.push({ kind: 'append', key, value })
  },
  readAll: (tx) => allKeys.map((key) => readList(key, textOf(tx.get(key)))),
  check: (history) => checkLists(history, { realTime: true }),
}

const registers: Workload<RegisterOperation> = {
  step(tx, random, next, done) {
    const key = random.pick(allKeys)
    if (random.chance(3)) {
      for (const [seen, text] of readGroup(tx, random)) done.push({ kind: 'read', key: seen, value: valueOf(text) })
      return
    }
    if (!random.chance(3)) done.push({ kind: 'read', key, value: valueOf(textOf(tx.get(key))) })
    if (random.chance(3)) return
    const value = next()
    tx.put(key, `${value}`)
    done.push({ kind: 'write', key, value })
  },
  readAll: (tx) => allKeys.map((key) => ({ kind: 'read', key, value: valueOf(textOf(tx.get(key))) })),
  check: (history) => checkRegisters(history, { realTime: true }),
}

/** Lets promises go on, for a random while. */
async function pause(random: Random): Promise<void> {
  if (random.chance(3)) await new Promise<void>((resolve) => setImmediate(resolve))
  for (let turns = random.below(12); turns > 0; turns--) await undefined
}

class Recorder<Operation> {
  readonly history: HistoryTransaction<Operation>[] = []
  readonly #workload: Workload<Operation>
  #moment = 0
  #value = 0

  constructor(workload: Workload<Operation>) {
    this.#workload = workload
  }

  /** Runs a transaction of some random steps and notes how it went. */
  async transact(store: Store, random: Random): Promise<void> {
    const startedAt = this.#moment++
    const isSynchronous = random.chance(3)
    const fails = random.chance(12)
    const steps = random.between(1, 4)
    const next = (): number => ++this.#value
    // Only the last attempt counts: those before it had no effect.
    let operations: Operation[] = []
    const synchronous = (tx: Transaction): void => {
      operations = []
      for (let i = 0; i < steps; i++) this.#workload.step(tx, random, next, operations)
      if (fails) throw abort
    }
    const asynchronous = async (tx: Transaction): Promise<void> => {
      const own: Operation[] = []
      operations = own
      for (let i = 0; i < steps; i++) {
        this.#workload.step(tx, random, next, own)
        await pause(random)
      }
      if (fails) throw abort
    }
    // Not told beforehand that it is asynchronous.
    const late = (tx: Transaction): Promise<void> => asynchronous(tx)
    let outcome: HistoryTransaction<Operation>['outcome'] = 'committed'
    try {
      await store.transact(isSynchronous ? synchronous : random.chance(2) ? asynchronous : late)
    } catch (error) {
      outcome = error === abort || hasCode(error, 'store.transaction_conflict') ? 'aborted' : 'unknown'
    }
    const endedAt = outcome === 'unknown' ? Number.POSITIVE_INFINITY : this.#moment++
    this.history.push({ operations, outcome, startedAt, endedAt })
  }

  async readAll(store: Store): Promise<void> {
    const startedAt = this.#moment++
    const operations = await store.transact((tx) => this.#workload.readAll(tx))
    this.history.push({ operations, outcome: 'committed', startedAt, endedAt: this.#moment++ })
  }

  get verdict(): Verdict {
    return this.#workload.check(this.history)
  }
}

interface RunOptions<Operation> {
  readonly workload: Workload<Operation>
  readonly seed: number
  readonly durability: Durability
  readonly cuts: number
  readonly unsound?: Unsound
}

/** One history: clients that each run one transaction after the other, with power cuts in between. */
async function run<Operation>({ workload, seed, durability, cuts, unsound }: RunOptions<Operation>) {
  const random = new Random(seed)
  const disk = new SimulatedDisk({ seed })
  disk.syncsInline = random.chance(2)
  const recorder = new Recorder(workload)
  for (let left = cuts; left >= 0; left--) {
    const store = await openStore(disk, random, durability, unsound)
    const client = async (): Promise<void> => {
      for (let i = random.between(3, 12); i > 0; i--) {
        await recorder.transact(store, random)
        await pause(random)
      }
    }
    const clients = Promise.all(Array.from({ length: random.between(2, 8) }, client))
    if (left === 0) {
      await clients
      await recorder.readAll(store)
      assert.equal(store.stats().transactionsOpen, 0)
      assert.deepEqual((await store.verify()).faults, [])
      await store.close()
      break
    }
    for (let turns = random.between(5, 300); turns > 0; turns--) await pause(random)
    disk.crash({ mode: random.pick(modes), random })
    // The process that was cut goes on in the test alone: what it still tries must fail.
    await Promise.allSettled([store.close(), clients])
  }
  return recorder
}

async function assertSound<Operation>(options: RunOptions<Operation>): Promise<HistoryTransaction<Operation>[]> {
  const { history, verdict } = await run(options)
  const { seed } = options
  assert.deepEqual(verdict.anomalies, [], `seed ${seed} (ORBIT_SEED=${seed} runs it alone)`)
  return history
}

describe('histories of transactions', () => {
  const workloads = { lists, registers } as const
  for (const name of ['lists', 'registers'] as const) {
    const workload = workloads[name] as Workload<unknown>
    for (const [durability, cuts] of [
      ['none', 0],
      ['always', 0],
      ['always', 2],
    ] as const) {
      test(`${runs} over ${name} with durability ${durability} and ${cuts} power cuts`, async () => {
        let committed = 0
        let others = 0
        for (const seed of seedsFor(`transactions-${name}-${durability}-${cuts}`, { kept: [], fresh: runs })) {
          for (const { outcome } of await assertSound({ workload, seed, durability, cuts })) {
            if (outcome === 'committed') committed++
            else others++
          }
        }
        assert.ok(committed > others, `${committed} transactions were committed, ${others} were not`)
      })
    }

    for (const unsound of ['keys', 'ranges'] as const) {
      test(`a build that leaves ${unsound} unchecked is caught over ${name}`, async () => {
        let caught = 0
        for (let seed = 1; seed <= 30; seed++) {
          const { verdict } = await run({ workload, seed, durability: 'none', cuts: 0, unsound })
          if (!verdict.isSerializable) caught++
        }
        assert.ok(caught >= 10, `${caught} of 30 histories noticed`)
      })
    }
  }
})
