/**
 * The servers of tests of moving from a Redis, all but the source in the test's own process: one redis-server for a whole
 * file, emptied for each test; a target of ours; and a proxy in between that cuts connections or does something at a command.
 */

import assert from 'node:assert/strict'
import net from 'node:net'
import { after, type TestContext } from 'node:test'
import { startRedis } from '@orbitkv/redis'
import { realClock, realNetwork } from '@orbitkv/runtime'
import { open } from 'orbitkv'
import { RawClient } from '../redis/resp.ts'
import { missing, type RealRedis, startOurs, startRealRedis } from '../redis/servers.ts'

export interface Summary {
  readonly finished: boolean
  readonly records: number
  readonly resumed_at: number
  readonly stored: number
  readonly rejected: number
  readonly rejects_file: string | null
  readonly verified: number
  readonly mended: number
  readonly followed: number
  readonly followed_by: string | null
}

export const skip = missing('redis-server')
const unset = ['CONFIG', 'SET', 'requirepass', '', 'notify-keyspace-events', '', 'maxmemory', '0']

export interface Source {
  readonly url: string
  readonly port: number
  readonly client: RawClient
}

let shared: Promise<RealRedis> | undefined
after(async () => (await shared)?.close())

/** The redis-server of this file, empty and with no settings but the usual ones. */
export async function startSource(context: TestContext): Promise<Source> {
  shared ??= startRealRedis()
  const { port } = await shared
  const client = await RawClient.connect(port)
  for (const reply of await client.pipeline([['FLUSHALL'], unset])) assert.ok('status' in reply, JSON.stringify(reply))
  context.after(async () => {
    // For who comes next, who has no password.
    await client.call(...unset)
    client.close()
  })
  return { url: `redis://127.0.0.1:${port}`, port, client }
}

/** Ours, in memory. */
export async function startTarget(context: TestContext): Promise<{ readonly url: string; readonly client: RawClient }> {
  const ours = await startOurs()
  const client = await RawClient.connect(ours.port)
  context.after(async () => {
    client.close()
    await ours.close()
    assert.deepEqual(ours.errors, [])
  })
  return { url: `redis://127.0.0.1:${ours.port}`, client }
}

/** Gives a client of the store in a folder to `use`. */
export async function withFolder(path: string, use: (client: RawClient) => Promise<void>): Promise<void> {
  const store = await open(path, { createIfMissing: false })
  const info = () => ({ version: '0.0.0', store: store.stats() })
  const server = await startRedis({ owner: store.owner, network: realNetwork, clock: realClock, port: 0, info })
  const client = await RawClient.connect(server.address.port)
  try {
    await use(client)
  } finally {
    client.close()
    await server.close()
    await store.close()
  }
}

export interface Proxy {
  readonly url: string
  /** Where new connections go. */
  port: number
  /** Called with each block of commands before it is passed on. */
  before: (commands: string) => Promise<void>
  /** Called once, after so many more bytes. */
  afterBytes(bytes: number, then: () => void): void
  cut(): void
}

/** Passes bytes on to a server. */
export async function startProxy(context: TestContext, port: number): Promise<Proxy> {
  const sockets = new Set<net.Socket>()
  let bytesLeft = Number.POSITIVE_INFINITY
  let then = () => {}
  const pass = (from: net.Socket, to: net.Socket, before: (block: Buffer) => Promise<void>) => {
    let passed = Promise.resolve()
    sockets.add(from)
    from.on('data', (block: Buffer) => {
      passed = passed.then(async () => {
        await before(block)
        to.write(block)
        bytesLeft -= block.length
        if (bytesLeft > 0) return
        bytesLeft = Number.POSITIVE_INFINITY
        then()
      })
    })
    // What is cut ends with an error on the one side, and with the end on the other.
    from.on('error', () => from.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
  const server = net.createServer((socket) => {
    const upstream = net.connect({ port: proxy.port, host: '127.0.0.1' })
    pass(socket, upstream, (block) => proxy.before(block.toString('latin1')))
    pass(upstream, socket, async () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: Proxy = {
    url: `redis://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    port,
    before: async () => {},
    afterBytes(bytes, call) {
      bytesLeft = bytes
      then = call
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
  }
  context.after(() => {
    proxy.cut()
    server.close()
  })
  return proxy
}
