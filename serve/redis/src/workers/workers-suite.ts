/**
 * Several workers with their shards in one thread, on a simulated clock, network and disk: for the tests of this package.
 * Rings and links are the real ones; a doorbell takes a turn of simulated time.
 */

import assert from 'node:assert/strict'
import { openLogEngine } from '@orbitkv/engine-log'
import { SimulatedClock, SimulatedDisk, SimulatedNetwork } from '@orbitkv/runtime/simulated'
import { type Durability, EngineStore, storeConfig } from '@orbitkv/store'
import type { RedisLimits } from '../config.ts'
import type { RedisServer } from '../options.ts'
import { startRedis } from '../server.ts'
import { TestClient } from '../server-suite.ts'
import { Crossing, newRings } from './crossing.ts'
import type { Doorbell } from './link.ts'
import { shardOfSlot, slotOf } from './slots.ts'
import { dealShards, type Topology } from './topology.ts'

export interface TestWorkersOptions {
  readonly seed?: number
  readonly workers?: number
  readonly shards?: number
  readonly limits?: Partial<RedisLimits>
  readonly durability?: Durability
  readonly ringBytes?: number
  /** One for each shard. */
  readonly disks?: readonly SimulatedDisk[]
}

export interface TestWorkers {
  readonly clock: SimulatedClock
  readonly disks: readonly SimulatedDisk[]
  readonly stores: readonly EngineStore[]
  /** Those that accept clients, by worker. */
  readonly fronts: readonly RedisServer[]
  readonly log: string[]
  connect(worker?: number): Promise<TestClient>
  pass(ms: number): Promise<void>
  /** A key of this shard that begins so. */
  keyOf(shard: number, prefix?: string): string
  close(): Promise<void>
}

const turnMs = 0.01

export async function startTestWorkers(options: TestWorkersOptions = {}): Promise<TestWorkers> {
  const { seed = 1, workers = 2, shards = workers, limits = {}, durability = 'always' } = options
  const clock = new SimulatedClock()
  const disks = options.disks ?? Array.from({ length: shards }, (_, i) => new SimulatedDisk({ seed: seed + i }))
  const network = new SimulatedNetwork({ clock, seed })
  const dealt = dealShards(shards, workers)
  const rings = newRings(workers, options.ringBytes)
  const log: string[] = []
  const topology: { current: Topology } = { current: { shardCount: shards, workers: [] } }
  const describe = (): void => {
    topology.current = {
      shardCount: shards,
      workers: dealt.map((owned, i) => ({
        shards: owned,
        address: fronts[i]?.address ?? { host: '', port: 0 },
        id: String(i).padStart(40, '0'),
      })),
    }
  }
  const bells = dealt.map(() => dealt.map((): Doorbell => ({ ring: () => {}, onRing: () => {} })))
  bells.forEach((row, from) => {
    row.forEach((bell, to) => {
      bell.ring = () => void clock.after(turnMs, () => bells[to]?.[from]?.onRing())
    })
  })
  const fronts: RedisServer[] = []
  const stores: EngineStore[] = []
  const servers: RedisServer[] = []
  describe()
  const later = (run: () => void): void => void clock.after(turnMs, run)
  for (const [worker, owned] of dealt.entries()) {
    const doorbell = (other: number): Doorbell => bells[worker]?.[other] as Doorbell
    const crossing = new Crossing({ worker, shards: dealt, rings, doorbell, later })
    for (const shard of owned) {
      const engine = await openLogEngine('/data', {
        disk: disks[shard] as SimulatedDisk,
        clock,
        config: { segmentBytes: 4 * 1024 * 1024, zeroAheadBytes: 64 * 1024, reserveBytes: 0 },
      })
      const store = new EngineStore(engine, { path: '/data', clock, config: storeConfig.parse({ durability }) })
      stores.push(store)
      const isFront = shard === owned[0]
      const server = await startRedis({
        owner: store.owner,
        cache: store,
        network: network.host(`worker-${worker}`),
        clock,
        host: '127.0.0.1',
        port: 0,
        limits,
        info: () => ({ version: '0.0.0', store: store.stats() }),
        log: (level, message, error) => {
          if (level !== 'debug') log.push(`${level} ${message} ${error}`)
        },
        endOfTurn: later,
        runId: '0'.repeat(40),
        worker: {
          shard,
          topology: () => topology.current,
          connect: (to) => crossing.connect(to),
        },
      })
      crossing.addServer(shard, server)
      if (isFront) await server.listen()
      servers.push(server)
      if (isFront) fronts.push(server)
    }
  }
  describe()
  const pass = (ms: number): Promise<void> => clock.advanceAwaiting(ms)
  return {
    clock,
    disks,
    stores,
    fronts,
    log,
    pass,
    async connect(worker = 0) {
      const connecting = network.host('client').connect((fronts[worker] as RedisServer).address)
      const client = connecting.then((connection) => new TestClient(connection, pass))
      await pass(100)
      return client
    },
    keyOf(shard, prefix = 'key') {
      for (let i = 0; ; i++) {
        const key = `${prefix}:${i}`
        const bytes = Buffer.from(key)
        if (shardOfSlot(slotOf(bytes, 0, bytes.length), shards) === shard) return key
      }
    },
    async close() {
      const closing = Promise.all(fronts.map((server) => server.close(1000)))
      await pass(2000)
      await closing
      for (const server of fronts) server.closeLanes()
      await pass(100)
      for (const server of servers) {
        const done = server.close(1000)
        await pass(10)
        await done
      }
      for (const store of stores) await store.close()
      assert.deepEqual(
        log.filter((line) => line.startsWith('error')),
        [],
      )
    },
  }
}
