/**
 * The front on a simulated clock, network and disk, over the real store: for the tests of this package.
 *
 * Time passes only when a test says so (`pass`), and the disk syncs when a test lets it, so that what is tested is order
 * and not luck.
 */

import assert from 'node:assert/strict'
import { openLogEngine } from '@orbitkv/engine-log'
import type { Connection } from '@orbitkv/runtime'
import { SimulatedClock, SimulatedDisk, SimulatedNetwork } from '@orbitkv/runtime/simulated'
import { type Durability, EngineStore, storeConfig } from '@orbitkv/store'
import type { AccessSettings } from './access/access.ts'
import type { RedisLimits } from './config.ts'
import type { LogLevel } from './log.ts'
import type { RedisServer } from './options.ts'
import { startRedis } from './server.ts'

export interface TestOptions {
  readonly seed?: number
  readonly limits?: Partial<RedisLimits>
  readonly access?: AccessSettings
  readonly host?: string
  readonly durability?: Durability
  /** What one direction of a connection takes before `send` has to wait. */
  readonly windowBytes?: number
  readonly valueBytesMax?: number
  /** Room on the disk. */
  readonly capacityBytes?: number
  /** One that holds a store already, as after a crash. */
  readonly disk?: SimulatedDisk
}

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly error: unknown
}

/** How long a turn of the simulated event loop takes, so that a test can stop between two. */
const turnMs = 0.01

/** A client that sees raw bytes. */
export class TestClient {
  readonly connection: Connection
  received = ''
  isClosed = false
  readonly #pass: (ms: number) => Promise<void>

  constructor(connection: Connection, pass: (ms: number) => Promise<void>) {
    this.connection = connection
    this.#pass = pass
    connection.onData = (bytes, start, end) => {
      this.received += Buffer.from(bytes.slice(start, end)).toString('latin1')
    }
    connection.onClose = () => {
      this.isClosed = true
    }
  }

  /** Sends text as it is, in latin1. */
  send(text: string): void {
    const bytes = new Uint8Array(Buffer.from(text, 'latin1'))
    this.connection.send(bytes, 0, bytes.length)
  }

  /** Sends a command and lets time pass; returns what came back. */
  async call(...command: (string | number)[]): Promise<string> {
    return this.say(encode(command))
  }

  /** As `call`, for bytes that are a stream already. */
  async say(text: string, ms = 100): Promise<string> {
    this.received = ''
    this.send(text)
    await this.#pass(ms)
    return this.received
  }
}

export interface TestServer {
  readonly clock: SimulatedClock
  readonly disk: SimulatedDisk
  readonly network: SimulatedNetwork
  readonly store: EngineStore
  readonly server: RedisServer
  readonly log: LogLine[]
  connect(host?: string): Promise<TestClient>
  /** Lets simulated time pass, with everything that happens in it. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

export async function startTestServer(options: TestOptions = {}): Promise<TestServer> {
  const {
    seed = 1,
    limits = {},
    durability = 'always',
    windowBytes = 64 * 1024,
    valueBytesMax,
    capacityBytes,
  } = options
  const clock = new SimulatedClock()
  const disk = options.disk ?? new SimulatedDisk({ seed, ...(capacityBytes === undefined ? {} : { capacityBytes }) })
  const network = new SimulatedNetwork({ clock, seed, windowBytes })
  const config = {
    segmentBytes: 4 * 1024 * 1024,
    zeroAheadBytes: 64 * 1024,
    reserveBytes: 0,
    ...(valueBytesMax === undefined ? {} : { valueBytesMax }),
  }
  const engine = await openLogEngine('/data', { disk, clock, config })
  const store = new EngineStore(engine, { path: '/data', clock, config: storeConfig.parse({ durability }) })
  const log: LogLine[] = []
  const server = await startRedis({
    owner: store.owner,
    cache: store,
    network: network.host('server'),
    clock,
    host: options.host ?? '127.0.0.1',
    port: 0,
    limits,
    access: options.access ?? {},
    info: () => ({ version: '0.0.0', store: store.stats() }),
    snapshot: (at) => store.snapshot({ at }),
    watch: (keyspace, watched, ready) => store.watcher(keyspace, watched, ready),
    log: (level, message, error) => log.push({ level, message, error }),
    endOfTurn: (run) => void clock.after(turnMs, run),
    runId: '0'.repeat(40),
  })
  const pass = (ms: number): Promise<void> => clock.advanceAwaiting(ms)
  return {
    clock,
    disk,
    network,
    store,
    server,
    log,
    pass,
    async connect(host = 'client') {
      const connecting = network.host(host).connect(server.address)
      const client = connecting.then((connection) => new TestClient(connection, pass))
      await pass(100)
      return client
    },
    async close() {
      const closing = server.close(1000)
      await pass(2000)
      await closing
      await store.close()
      assert.equal(server.connections, 0)
    },
  }
}

/** A command as a RESP array; text is latin1. */
export function encode(command: readonly (string | number)[]): string {
  const parts = command.map((part) => `$${String(part).length}\r\n${part}\r\n`)
  return `*${parts.length}\r\n${parts.join('')}`
}
