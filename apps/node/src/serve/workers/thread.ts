/**
 * The thread of a worker: opens the stores of its shards, starts a server on each, and does what the supervisor tells it.
 * Started by supervisor.ts.
 *
 * What must hold: the order of messages.ts, so that no client comes before every worker has its servers, and no store closes
 * before every worker has answered its clients. What goes wrong here ends the thread, and with it the server.
 */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assert } from '@orbitkv/base'
import { mergeFamilies } from '@orbitkv/metrics'
import { Crossing, type Doorbell, type RedisServer, startRedis, type Topology } from '@orbitkv/redis'
import { realClock, realNetwork } from '@orbitkv/runtime'
import { open, type Store } from 'orbitkv'
import { startBackups } from '../../backup/scheduled.ts'
import { configKeys } from '../../config/keys.ts'
import { Configuration, type EffectiveValue } from '../../config/load.ts'
import { storeOptions } from '../../targets/open-target.ts'
import { makeRemoteLogger } from '../log.ts'
import { redisOptions } from '../node.ts'
import { StoreWarnings } from '../store-warnings.ts'
import { openTlsPort } from '../tls.ts'
import type { FromWorker, PlainError, ToWorker, WorkerSetup } from './messages.ts'
import { shardPath } from './shard-folder.ts'

assert(parentPort !== null, 'a worker runs in a thread of its own')
const port: MessagePort = parentPort
const setup = workerData as WorkerSetup
const { worker, dealt, shardCount, rings } = setup
const owned = dealt[worker] as readonly number[]
const config = configurationOf(setup)
const debug = (setup.env.ORBIT_DEBUG ?? '') !== ''
const logger = makeRemoteLogger(
  (level, message, facts) => tell({ kind: 'log', level, message, facts: { ...facts, worker } }),
  debug,
)

const stores: Store[] = []
const servers: RedisServer[] = []
const backups: { stop(): Promise<void> }[] = []
const warnings: StoreWarnings[] = []
const tls = openTlsPort(config, realClock, logger)
let topology: Topology = {
  shardCount,
  workers: dealt.map((shards) => ({ shards, address: { host: '', port: 0 }, id: '' })),
}

port.on('message', (message: ToWorker) => {
  obey(message).catch(fail)
})
start().catch(fail)

function tell(message: FromWorker): void {
  port.postMessage(message)
}

function fail(error: unknown): void {
  tell({ kind: 'failed', error: plainError(error) })
}

async function start(): Promise<void> {
  const crossing = new Crossing({
    worker,
    shards: dealt,
    rings,
    doorbell: (other) => doorbellOf(setup.doorbells[other] as MessagePort),
    later: setImmediate,
  })
  for (const shard of owned) {
    const path = shardPath(config.text('persistence.mmap.data_dir'), shard)
    const store = await open(path, {
      ...shareOf(storeOptions(config)),
      progress: (bytesDone, bytesTotal) => tell({ kind: 'recovering', bytesDone, bytesTotal }),
    })
    stores.push(store)
    const ofStore = new StoreWarnings({ store, logger, clock: realClock })
    warnings.push(ofStore)
    ofStore.start()
    const server = await startRedis({
      ...redisOptions({ config, network: realNetwork, clock: realClock, logger }, store),
      port: setup.port,
      ...(tls === undefined ? {} : { tls: tls.door }),
      worker: {
        shard,
        topology: () => topology,
        connect: (to) => crossing.connect(to),
      },
    })
    servers.push(server)
    crossing.addServer(shard, server)
    const backup = await startBackups({
      config: withTarget(config, shard),
      clock: realClock,
      env: setup.env,
      logger,
      store,
    })
    if (backup !== undefined) backups.push(backup)
  }
  tell({ kind: 'opened' })
}

async function obey(message: ToWorker): Promise<void> {
  const [front, ...others] = servers
  assert(front !== undefined, 'a worker has a server')
  if (message.kind === 'listen') {
    await front.listen(message.sharedPort)
    tell({ kind: 'listening', address: front.address, shared: front.sharedAddress ?? front.address })
  } else if (message.kind === 'topology') {
    topology = message.topology
    tell({ kind: 'joined' })
  } else if (message.kind === 'report') {
    const keysLive = stores.reduce((sum, store) => sum + store.stats().keysLive, 0)
    tell({ kind: 'report', report: { keysLive, connections: front.connections } })
  } else if (message.kind === 'measure') {
    // What is free on the disk is free for all of them: one tells it.
    const elsewhere = { ...message.machine, storageFreeBytes: 0 }
    const pages = servers.map((server, i) => server.families(worker + i === 0 ? message.machine : elsewhere))
    tell({ kind: 'measured', families: mergeFamilies(pages) })
  } else if (message.kind === 'drain') {
    await front.close(message.deadlineMs)
    tell({ kind: 'drained' })
  } else {
    front.closeLanes()
    for (const server of others) await server.close(0)
    tls?.stop()
    for (const one of warnings) one.stop()
    for (const backup of backups) await backup.stop()
    for (const store of stores) await store.close()
    tell({ kind: 'stopped' })
    port.close()
    for (const doorbell of setup.doorbells) doorbell?.close()
  }
}

function doorbellOf(channel: MessagePort): Doorbell {
  const doorbell: Doorbell = { ring: () => channel.postMessage(0), onRing: () => {} }
  channel.on('message', () => doorbell.onRing())
  return doorbell
}

/** What a store may take of the machine, when it is one of several. */
function shareOf(options: ReturnType<typeof storeOptions>): ReturnType<typeof storeOptions> {
  const share = (bytes: number | undefined): number | undefined =>
    bytes === undefined ? undefined : Math.floor(bytes / shardCount)
  const { storedBytesMax, indexBytesMax, residentBytesMax, cacheBytesMax } = options
  const shares = {
    storedBytesMax: share(storedBytesMax),
    indexBytesMax: share(indexBytesMax),
    residentBytesMax: share(residentBytesMax),
    cacheBytesMax: share(cacheBytesMax),
  }
  return { ...options, ...Object.fromEntries(Object.entries(shares).filter(([, bytes]) => bytes !== undefined)) }
}

function configurationOf({ values, configFile }: WorkerSetup): Configuration {
  const keys = new Map(configKeys.map((key) => [key.path, key]))
  const effective = new Map<string, EffectiveValue>()
  for (const [path, value, origin] of values) {
    const key = keys.get(path)
    assert(key !== undefined, 'both threads know the same keys')
    effective.set(path, { key, value, origin })
  }
  return new Configuration(configFile, [], [], effective)
}

/** Each shard has its backups in a folder of its own. */
function withTarget(whole: Configuration, shard: number): Configuration {
  const target = whole.text('backup.target')
  if (target === '') return whole
  const values = new Map(whole.values)
  const now = whole.effective('backup.target')
  values.set('backup.target', { ...now, value: shardPath(target, shard) })
  return new Configuration(whole.file, [], [], values)
}

function plainError(error: unknown): PlainError {
  const { code, retry } = (error ?? {}) as { code?: unknown; retry?: unknown }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: typeof code === 'string' ? code : 'cli.internal',
    retry: typeof retry === 'string' ? retry : 'no',
    message,
  }
}
