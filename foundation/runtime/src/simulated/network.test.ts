/** The simulated network passes the suite, does what it is told to, and repeats itself from its seed. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import type { Connection } from '../network.ts'
import { networkSuite } from '../network-suite.ts'
import { SimulatedClock } from './clock.ts'
import { SimulatedNetwork } from './network.ts'

const seed = Number(process.env.ORBIT_SEED ?? 1)

networkSuite(`simulated, ORBIT_SEED=${seed}`, () => {
  const clock = new SimulatedClock()
  return { network: new SimulatedNetwork({ clock, seed }), host: 'server', pass: (promise) => passing(clock, promise) }
})

/** Lets simulated time pass until a promise settles. */
async function passing<Result>(clock: SimulatedClock, promise: Promise<Result>): Promise<Result> {
  let isSettled = false
  const settled = promise.finally(() => {
    isSettled = true
  })
  settled.catch(() => {})
  for (let steps = 0; steps < 1_000_000; steps++) {
    await Promise.resolve()
    if (isSettled) return settled
    clock.advance(clock.nextTimerMs() ?? 1)
    if (steps % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`still waiting at ${clock.monotonic()} ms`)
}

interface Log {
  readonly connection: Connection
  readonly pieces: string[]
  readonly closes: (Error | undefined)[]
}

function logged(connection: Connection): Log {
  const log: Log = { connection, pieces: [], closes: [] }
  connection.onData = (bytes, start, end) => log.pieces.push(Buffer.from(bytes.slice(start, end)).toString('latin1'))
  connection.onClose = (error) => log.closes.push(error)
  return log
}

async function pairOf(clock: SimulatedClock, network: SimulatedNetwork): Promise<{ server: Log; client: Log }> {
  let server: Log | undefined
  await network.host('server').listen({ host: 'server', port: 7 }, (connection) => {
    server = logged(connection)
  })
  const client = logged(await passing(clock, network.host('client').connect({ host: 'server', port: 7 })))
  assert.ok(server !== undefined)
  return { server, client }
}

const textBytes = Buffer.from('the quick brown fox jumps over the lazy dog')
const send = (log: Log): boolean => log.connection.send(textBytes, 0, textBytes.length)

test('the same seed cuts a stream at the same bytes at the same times, another seed elsewhere', async () => {
  const runs: string[] = []
  for (const runSeed of [seed, seed, seed + 1]) {
    const clock = new SimulatedClock()
    const { server, client } = await pairOf(clock, new SimulatedNetwork({ clock, seed: runSeed }))
    for (let i = 0; i < 20; i++) send(client)
    clock.advance(1000)
    assert.equal(server.pieces.join(''), textBytes.toString().repeat(20))
    runs.push(JSON.stringify([server.pieces, clock.monotonic()]))
  }
  assert.equal(runs[0], runs[1])
  assert.notEqual(runs[0], runs[2])
})

test('what was sent during a partition arrives when it heals', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed })
  const { server, client } = await pairOf(clock, network)
  network.part('client', 'server')
  send(client)
  clock.advance(1000)
  assert.equal(server.pieces.length, 0)
  network.heal('client', 'server')
  clock.advance(1000)
  assert.equal(server.pieces.join(''), textBytes.toString())
  assert.deepEqual(server.closes, [])
})

test('a partition that lasts fails the connection at the end that sends, and a connect', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed, timeoutMs: 5000 })
  const { server, client } = await pairOf(clock, network)
  network.part('client', 'server')
  send(client)
  clock.advance(6000)
  assert.equal(client.closes.length, 1)
  assert.ok(hasCode(client.closes[0], 'network.failed'))
  assert.deepEqual(server.closes, [])
  const refused = await passing(
    clock,
    network
      .host('client')
      .connect({ host: 'server', port: 7 })
      .catch((error: unknown) => error),
  )
  assert.ok(hasCode(refused, 'network.failed'))
})

test('a cut fails both ends and loses what was under way', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed })
  const { server, client } = await pairOf(clock, network)
  send(client)
  network.cut('client', 'server')
  clock.advance(1000)
  assert.deepEqual(server.pieces, [])
  for (const log of [server, client]) {
    assert.equal(log.closes.length, 1)
    assert.ok(hasCode(log.closes[0], 'network.failed'))
  }
})

test('a host that vanishes leaves the other end half-open until it sends and times out', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed, timeoutMs: 5000 })
  const { server, client } = await pairOf(clock, network)
  network.vanish('client')
  clock.advance(100_000)
  assert.deepEqual(server.closes, [])
  send(server)
  clock.advance(6000)
  assert.equal(server.closes.length, 1)
  assert.ok(hasCode(server.closes[0], 'network.failed'))
  assert.deepEqual(client.closes, [])
})

test('a full window makes send wait, and its bytes are read only when there is room', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed, windowBytes: 10 })
  const { server, client } = await pairOf(clock, network)
  let drains = 0
  client.connection.onDrain = () => drains++
  const bytes = Buffer.from('0123456789abcdefghij')
  server.connection.pause()
  assert.equal(client.connection.send(bytes, 0, bytes.length), false)
  clock.advance(100)
  assert.equal(client.connection.pendingBytes, 10)
  // A caller that does not keep its bytes is found out.
  bytes.fill(120)
  server.connection.resume()
  clock.advance(100)
  assert.equal(server.pieces.join(''), `0123456789${'x'.repeat(10)}`)
  assert.equal(drains, 1)
})
