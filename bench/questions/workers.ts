/**
 * What does a second worker bring? `node tools/run.mjs bench/questions/workers.ts`
 *
 * Workers are threads with a store in memory each, as `orbit serve --workers` makes them, but for the sockets: commands are
 * handed to the servers and replies counted in process. Each worker has 50 connections that send 16 commands at a time and
 * wait for the replies: half GET, half SET, 100 bytes, 100,000 keys a worker.
 *
 *   one      a server without workers
 *   apart    two of those, with nothing to do with one another: what the machine has to give
 *   direct   two workers, each asked for keys of its own, as by clients that know the slots
 *   any      two workers, each asked for any key, so that half of the commands go to the other
 *
 * The bar is direct over one. Rounds are interleaved; medians and the spread are told.
 */

import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { assert, Random } from '@orbitkv/base'
import {
  Crossing,
  type Doorbell,
  dealShards,
  newRings,
  type Rings,
  shardOfSlot,
  slotOf,
  startRedis,
  type Topology,
} from '@orbitkv/redis'
import { type Address, type Connection, type Network, realClock } from '@orbitkv/runtime'
import { open } from 'orbitkv'
import { formatTable } from '../harness/table.ts'

type Way = 'one' | 'apart' | 'direct' | 'any'

interface Setup {
  readonly worker: number
  readonly workers: number
  readonly way: Way
  readonly rings: Rings
  readonly doorbell: MessagePort | undefined
}

const rounds = Number(process.env.ROUNDS ?? 5)
const warmUpMs = 800
const measuredMs = 1500
const keysOfWorker = 100_000
const connections = 50
const pipelined = 16
const pipelines = 4000
const valueBytes = 100
const getReplyBytes = `$${valueBytes}\r\n`.length + valueBytes + 2
const setReplyBytes = '+OK\r\n'.length
const value = 'v'.repeat(valueBytes)

function keyOf(i: number): string {
  return `key:${String(i).padStart(9, '0')}`
}

/** A client in process: what it sends lies ready, and of replies it counts the bytes. */
class Generator implements Connection {
  onData: (bytes: Uint8Array, start: number, end: number) => void = () => {}
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly remote: Address = { host: '127.0.0.1', port: 1 }
  readonly local: Address = { host: '127.0.0.1', port: 2 }
  readonly pendingBytes = 0
  owedBytes = 0
  commandsDone = 0

  say(bytes: Uint8Array, owedBytes: number): void {
    this.owedBytes += owedBytes
    this.onData(bytes, 0, bytes.length)
  }

  send(_bytes: Uint8Array, start: number, end: number): boolean {
    this.owedBytes -= end - start
    return true
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

interface Pipeline {
  readonly bytes: Uint8Array
  readonly owedBytes: number
}

function frame(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

function pipelineOf(keys: readonly string[], random: Random): Pipeline {
  let text = ''
  let owedBytes = 0
  for (let i = 0; i < pipelined; i++) {
    const key = random.pick(keys)
    const isGet = random.chance(2)
    text += frame(isGet ? ['GET', key] : ['SET', key, value])
    owedBytes += isGet ? getReplyBytes : setReplyBytes
  }
  return { bytes: new Uint8Array(Buffer.from(text)), owedBytes }
}

async function work(port: MessagePort, { worker, workers, way, rings, doorbell }: Setup): Promise<void> {
  const store = await open('in memory', { backend: 'memory', durability: 'none' })
  let accept: (connection: Connection) => void = () => {}
  const network: Network = {
    listen: async (address, onConnection) => {
      accept = onConnection
      return { address, close: async () => {} }
    },
    connect: () => Promise.reject(new Error('nobody connects')),
  }
  const dealt = dealShards(workers, workers)
  const nowhere: Address = { host: '127.0.0.1', port: 0 }
  const topology: Topology = {
    shardCount: workers,
    workers: dealt.map((shards) => ({ shards, address: nowhere, id: '' })),
  }
  const bell: Doorbell = { ring: () => doorbell?.postMessage(0), onRing: () => {} }
  doorbell?.on('message', () => bell.onRing())
  const crossing = new Crossing({ worker, shards: dealt, rings, doorbell: () => bell, later: setImmediate })
  const server = await startRedis({
    owner: store.owner,
    network,
    clock: realClock,
    port: 0,
    info: () => ({ version: '', store: store.stats() }),
    ...(way === 'one' || way === 'apart'
      ? {}
      : { worker: { shard: worker, topology: () => topology, connect: (to: number) => crossing.connect(to) } }),
  })
  crossing.addServer(worker, server)
  if (way === 'direct' || way === 'any') await server.listen()

  const own: string[] = []
  const all: string[] = []
  for (let i = 0; own.length < keysOfWorker; i++) {
    const key = keyOf(i)
    const bytes = Buffer.from(key)
    all.push(key)
    if (shardOfSlot(slotOf(bytes, 0, bytes.length), workers) === worker) own.push(key)
  }
  const random = new Random(worker + 1)
  const clients = Array.from({ length: connections }, () => {
    const client = new Generator()
    accept(client)
    return client
  })
  const [first] = clients
  assert(first !== undefined, 'there are connections')
  // Every key is there before anybody reads: a reply has the length that is reckoned with.
  for (let at = 0; at < own.length; at += 500) {
    const keys = own.slice(at, at + 500)
    first.say(
      new Uint8Array(Buffer.from(keys.map((key) => frame(['SET', key, value])).join(''))),
      keys.length * setReplyBytes,
    )
    while (first.owedBytes > 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const ready = Array.from({ length: pipelines }, () => pipelineOf(way === 'any' ? all : own, random))
  port.postMessage('ready')
  await new Promise((resolve) => port.once('message', resolve))

  let commands = 0
  let next = 0
  let isMeasured = false
  let isOver = false
  const turn = (): void => {
    for (const client of clients) {
      if (client.owedBytes > 0) continue
      if (isMeasured) commands += pipelined
      const pipeline = ready[next] as Pipeline
      next = (next + 1) % ready.length
      client.say(pipeline.bytes, pipeline.owedBytes)
    }
    if (!isOver) setImmediate(turn)
  }
  turn()
  await new Promise((resolve) => setTimeout(resolve, warmUpMs))
  isMeasured = true
  const startedMs = performance.now()
  await new Promise((resolve) => setTimeout(resolve, measuredMs))
  const perSecond = (commands * 1000) / (performance.now() - startedMs)
  isMeasured = false
  port.postMessage(perSecond)
  await new Promise((resolve) => port.once('message', resolve))
  isOver = true
  process.exit(0)
}

/** Commands a second of all workers together. */
async function measure(way: Way): Promise<number> {
  const workers = way === 'one' ? 1 : 2
  const rings = newRings(workers)
  const { port1, port2 } = new MessageChannel()
  const threads = Array.from({ length: workers }, (_, worker) => {
    const doorbell = workers === 1 ? undefined : worker === 0 ? port1 : port2
    const setup: Setup = { worker, workers, way, rings, doorbell }
    return new Worker(new URL(import.meta.url), {
      workerData: setup,
      transferList: doorbell === undefined ? [] : [doorbell],
    })
  })
  const answers = (): Promise<unknown[]> =>
    Promise.all(
      threads.map((thread) => new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))),
    )
  await answers()
  const figures = answers()
  for (const thread of threads) thread.postMessage('go')
  const perSecond = (await figures) as number[]
  const exits = threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve)))
  for (const thread of threads) thread.postMessage('end')
  await Promise.all(exits)
  return perSecond.reduce((sum, each) => sum + each, 0)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

if (isMainThread) {
  const ways: readonly Way[] = ['one', 'apart', 'direct', 'any']
  const found = new Map<Way, number[]>(ways.map((way) => [way, []]))
  for (let round = 0; round < rounds; round++) for (const way of ways) found.get(way)?.push(await measure(way))
  const one = found.get('one') as number[]
  const rows = ways.map((way) => {
    const figures = found.get(way) as number[]
    const ratios = figures.map((figure, round) => figure / (one[round] as number))
    return [
      way,
      Math.round(median(figures) / 1000).toString(),
      `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
    ]
  })
  console.log(formatTable({ columns: ['', 'thousand commands/s', 'over one'], numeric: [false, true, true], rows }))
} else {
  assert(parentPort !== null, 'a worker runs in a thread of its own')
  await work(parentPort, workerData as Setup)
}
