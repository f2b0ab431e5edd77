/**
 * Several workers as one server: starts a thread for each, lets them listen once all are ready, and takes them down.
 *
 * What must hold: the main thread has no part in any command. A worker that ends by itself ends the server: its keys could
 * not be reached, and a thread that stops in the middle of its work leaves nothing that could be trusted; what was
 * acknowledged is on the disk, and whoever started the server starts it again. Decision: docs/decisions/workers.md.
 */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { assert } from '@orbitkv/base'
import { type Family, type MetricsPage, mergeFamilies } from '@orbitkv/metrics'
import { dealShards, type MachineFacts, newRings, type Topology } from '@orbitkv/redis'
import { type Address, type Clock, type DiskLock, realDisk, realNetwork } from '@orbitkv/runtime'
import type { Configuration } from '../../config/load.ts'
import type { Env } from '../../context.ts'
import { cliErrors } from '../../errors.ts'
import type { Logger } from '../log.ts'
import { startNodeMetrics } from '../metrics.ts'
import type { FromWorker, PlainError, ToWorker, WorkerReport, WorkerSetup } from './messages.ts'
import { hasShards, openShardFolder, type ShardFolder, shardsInMemory } from './shard-folder.ts'

export interface WorkersOptions {
  readonly config: Configuration
  readonly clock: Clock
  readonly logger: Logger
  readonly env: Env
  readonly recovering: (bytesDone: number, bytesTotal: number) => void
}

export interface Workers {
  /** Of the port that all listen on. */
  readonly address: Address
  /** Of each worker's own port. */
  readonly addresses: readonly Address[]
  readonly shardCount: number
  readonly metrics: MetricsPage | undefined
  /** Fails when a worker ends by itself; never resolves. */
  readonly failed: Promise<never>
  report(): Promise<WorkerReport>
  close(deadlineMs: number): Promise<void>
  /** Ends the threads at once, whatever they do. */
  end(): Promise<void>
}

/** Whether the configuration, or the folder, asks for more than the one store of startNode. */
export function wantsWorkers(config: Configuration): boolean {
  if (config.number('server.workers') > 1 || config.number('server.shards') > 1) return true
  return (
    config.text('persistence.backend') !== 'memory' && hasShards(realDisk(), config.text('persistence.mmap.data_dir'))
  )
}

/** Errors: those of `openShardFolder`, `open` and `startRedis`. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { config, clock } = options
  const wanted = {
    workers: config.number('server.workers'),
    shards: config.number('server.shards'),
    now: clock.now(),
  }
  let lock: DiskLock | undefined
  let folder: ShardFolder
  if (config.text('persistence.backend') === 'memory') folder = shardsInMemory(wanted)
  else ({ lock, ...folder } = await openShardFolder(realDisk(), config.text('persistence.mmap.data_dir'), wanted))
  const supervisor = new Supervisor(options, folder, wanted.workers, lock)
  try {
    await supervisor.start()
    return supervisor
  } catch (error) {
    await supervisor.end()
    throw error
  }
}

class Supervisor implements Workers {
  address: Address = { host: '', port: 0 }
  readonly addresses: Address[] = []
  readonly shardCount: number
  metrics: MetricsPage | undefined
  readonly failed: Promise<never>
  readonly #options: WorkersOptions
  readonly #folder: ShardFolder
  readonly #lock: DiskLock | undefined
  readonly #dealt: number[][]
  readonly #threads: Thread[] = []
  readonly #progress: { bytesDone: number; bytesTotal: number }[] = []
  #fail: (error: Error) => void = () => {}
  #isStopping = false

  constructor(options: WorkersOptions, folder: ShardFolder, workerCount: number, lock: DiskLock | undefined) {
    this.#options = options
    this.#folder = folder
    this.#lock = lock
    this.shardCount = folder.shards
    this.#dealt = dealShards(folder.shards, workerCount)
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Whoever waits for an answer of a thread learns of its end, too; nobody need wait for this.
    this.failed.catch(() => undefined)
  }

  async start(): Promise<void> {
    const { config } = this.#options
    this.#makeThreads()
    await this.#askAll(undefined, 'opened')
    const port = config.number('redis.port')
    const [first, ...others] = this.#threads
    assert(first !== undefined, 'there is a worker')
    // The first takes the shared port, which may be any free one; the others join it.
    const { address, shared } = await this.#ask(first, { kind: 'listen', sharedPort: port }, 'listening')
    this.address = shared
    const listening = await Promise.all(
      others.map((thread) => this.#ask(thread, { kind: 'listen', sharedPort: shared.port }, 'listening')),
    )
    this.addresses.push(address, ...listening.map((other) => other.address))
    await this.#askAll({ kind: 'topology', topology: this.#topology() }, 'joined')
    const folder =
      config.text('persistence.backend') === 'memory' ? undefined : config.text('persistence.mmap.data_dir')
    const collect = (machine: MachineFacts): Promise<Family[]> => this.#measure(machine)
    this.metrics = await startNodeMetrics({ ...this.#options, network: realNetwork, collect, folder })
  }

  async report(): Promise<WorkerReport> {
    const reports = await this.#askAll({ kind: 'report' }, 'report')
    return {
      keysLive: reports.reduce((sum, { report }) => sum + report.keysLive, 0),
      connections: reports.reduce((sum, { report }) => sum + report.connections, 0),
    }
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isStopping = true
    try {
      await this.#askAll({ kind: 'drain', deadlineMs }, 'drained')
      await this.#askAll({ kind: 'stop' }, 'stopped')
    } finally {
      await this.end()
    }
  }

  async end(): Promise<void> {
    this.#isStopping = true
    const { metrics } = this
    this.metrics = undefined
    await metrics?.close()
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
    this.#lock?.release()
  }

  async #measure(machine: MachineFacts): Promise<Family[]> {
    const answers = await this.#askAll({ kind: 'measure', machine }, 'measured')
    return mergeFamilies(answers.map(({ families }) => families))
  }

  #makeThreads(): void {
    const { config, env } = this.#options
    const rings = newRings(this.#dealt.length)
    const doorbells = doorbellsOf(this.#dealt.length)
    const values = [...config.values].map(([path, { value, origin }]) => [path, value, origin] as const)
    const file = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)
    this.#dealt.forEach((_, i) => {
      const own = doorbells[i] as (MessagePort | undefined)[]
      const setup: WorkerSetup = {
        worker: i,
        dealt: this.#dealt,
        shardCount: this.shardCount,
        values,
        configFile: config.file,
        env,
        rings,
        doorbells: own,
        port: this.#portOf(i),
      }
      const transferred = own.filter((channel) => channel !== undefined)
      const worker = new Worker(file, { workerData: setup, transferList: transferred })
      const thread = new Thread(worker)
      thread.onMessage = (message) => this.#heard(i, message)
      worker.on('error', (error) => this.#died(i, error))
      worker.on('exit', (code) => this.#died(i, new Error(`it stopped with code ${code}`)))
      this.#threads.push(thread)
    })
  }

  #portOf(worker: number): number {
    const { config } = this.#options
    const shared = config.number('redis.port')
    const first = config.number('server.worker_port')
    if (first > 0) return first + worker
    return shared === 0 ? 0 : shared + 1 + worker
  }

  #topology(): Topology {
    return {
      shardCount: this.shardCount,
      workers: this.#dealt.map((shards, i) => ({
        shards,
        address: this.addresses[i] as Address,
        id: `${this.#folder.nodeId}${i.toString(16).padStart(8, '0')}`,
      })),
    }
  }

  #heard(worker: number, message: FromWorker): void {
    if (message.kind === 'log') this.#options.logger.tell(message.level, message.message, message.facts)
    else if (message.kind === 'recovering') {
      this.#progress[worker] = message
      const all = this.#progress.filter((one) => one !== undefined)
      this.#options.recovering(
        all.reduce((sum, { bytesDone }) => sum + bytesDone, 0),
        all.reduce((sum, { bytesTotal }) => sum + bytesTotal, 0),
      )
    } else if (message.kind === 'failed') this.#giveUp(errorOf(message.error))
  }

  #died(worker: number, error: Error): void {
    if (!this.#isStopping) this.#giveUp(cliErrors.worker_died({ worker, reason: error.message }, error))
  }

  #giveUp(error: Error): void {
    this.#fail(error)
    for (const thread of this.#threads) thread.fail(error)
  }

  #ask<Kind extends FromWorker['kind']>(
    thread: Thread,
    message: ToWorker | undefined,
    kind: Kind,
  ): Promise<Answer<Kind>> {
    return thread.ask(message, kind)
  }

  #askAll<Kind extends FromWorker['kind']>(message: ToWorker | undefined, kind: Kind): Promise<Answer<Kind>[]> {
    return Promise.all(this.#threads.map((thread) => this.#ask(thread, message, kind)))
  }
}

type Answer<Kind extends FromWorker['kind']> = Extract<FromWorker, { kind: Kind }>

interface Question {
  readonly kind: FromWorker['kind']
  readonly resolve: (answer: FromWorker) => void
  readonly reject: (error: Error) => void
}

/** A thread, and what was asked of it. */
class Thread {
  onMessage: (message: FromWorker) => void = () => {}
  readonly worker: Worker
  /** Oldest first; each thread answers in order. */
  #questions: Question[] = []
  #error: Error | undefined

  constructor(worker: Worker) {
    this.worker = worker
    worker.on('message', (message: FromWorker) => {
      const place = this.#questions.findIndex(({ kind }) => kind === message.kind)
      if (place < 0) this.onMessage(message)
      else this.#questions.splice(place, 1)[0]?.resolve(message)
    })
  }

  /** Resolves to the next answer of this kind. */
  ask<Kind extends FromWorker['kind']>(message: ToWorker | undefined, kind: Kind): Promise<Answer<Kind>> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (message !== undefined) this.worker.postMessage(message)
    return new Promise((resolve, reject) => {
      this.#questions.push({ kind, resolve: (answer) => resolve(answer as Answer<Kind>), reject })
    })
  }

  fail(error: Error): void {
    this.#error = error
    for (const { reject } of this.#questions.splice(0)) reject(error)
  }
}

/** A channel between each two workers: `doorbells[from][to]` is the end that `from` has. */
function doorbellsOf(workerCount: number): (MessagePort | undefined)[][] {
  const ends: (MessagePort | undefined)[][] = Array.from({ length: workerCount }, () => [])
  for (let one = 0; one < workerCount; one++) {
    for (let other = one + 1; other < workerCount; other++) {
      const { port1, port2 } = new MessageChannel()
      ;(ends[one] as (MessagePort | undefined)[])[other] = port1
      ;(ends[other] as (MessagePort | undefined)[])[one] = port2
    }
  }
  return ends
}

/** As it was thrown in the thread, by its code. */
function errorOf({ code, retry, message }: PlainError): Error {
  return Object.assign(new Error(message), { code, retry })
}
