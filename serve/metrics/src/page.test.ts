/** The page on a simulated network: what it says, and what it makes of those who say something else. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, SimulatedNetwork } from '@orbitkv/runtime/simulated'
import { Durations } from './durations.ts'
import { type Family, histogramOf } from './families.ts'
import { LoopLag } from './loop-lag.ts'
import { startMetrics } from './page.ts'

async function start(collect: () => readonly Family[]) {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock, seed: 1 })
  const errors: unknown[] = []
  const starting = startMetrics({
    network: network.host('server'),
    clock,
    host: '127.0.0.1',
    port: 0,
    collect,
    onError: (error) => errors.push(error),
  })
  await clock.advanceAwaiting(100)
  const page = await starting
  async function connect() {
    const connecting = network.host('client').connect(page.address)
    await clock.advanceAwaiting(100)
    const connection = await connecting
    const client = { connection, received: '', isClosed: false }
    connection.onData = (bytes, from, to) => {
      client.received += Buffer.from(bytes.slice(from, to)).toString()
    }
    connection.onClose = () => {
      client.isClosed = true
    }
    return client
  }
  async function say(text: string) {
    const client = await connect()
    const bytes = Buffer.from(text)
    client.connection.send(bytes, 0, bytes.length)
    await clock.advanceAwaiting(500)
    return client
  }
  return { clock, page, errors, connect, say }
}

test('a scrape gets every family, labels escaped, and the connection is closed', async () => {
  const durations = new Durations()
  durations.add(3)
  durations.add(2_000_000, 2)
  const { page, say } = await start(() => [
    { name: 'orbit_a', type: 'gauge', help: 'one\ntwo', samples: [{ labels: { path: 'a"b\\c\nd' }, value: 1.5 }] },
    { name: 'orbit_b_seconds', type: 'histogram', help: 'three', samples: histogramOf(durations, { command: 'get' }) },
    { name: 'orbit_c', type: 'gauge', help: 'nothing to tell', samples: [] },
  ])
  const { received, isClosed } = await say('GET /metrics?x=1 HTTP/1.1\r\nhost: a\r\n\r\n')
  assert.ok(isClosed)
  const [head = '', body = ''] = received.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain; version=0\.0\.4; charset=utf-8\r\n/)
  assert.equal(/content-length: (\d+)/.exec(head)?.[1], String(Buffer.byteLength(body)))
  assert.ok(body.startsWith('# HELP orbit_a one\\ntwo\n# TYPE orbit_a gauge\norbit_a{path="a\\"b\\\\c\\nd"} 1.5\n'))
  assert.ok(body.includes('orbit_b_seconds_bucket{command="get",le="0.000002"} 0\n'))
  assert.ok(body.includes('orbit_b_seconds_bucket{command="get",le="0.000004"} 1\n'))
  assert.ok(body.includes('orbit_b_seconds_bucket{command="get",le="+Inf"} 3\n'))
  assert.ok(body.includes('orbit_b_seconds_count{command="get"} 3\n'))
  assert.ok(!body.includes('orbit_c'))
  await page.close()
})

test('other requests are refused by name, and a failure is told to the log and not to the reader', async () => {
  const { page, errors, say } = await start(() => {
    throw new Error('secret')
  })
  for (const [request, status] of [
    ['GET / HTTP/1.1\r\n\r\n', 404],
    ['POST /metrics HTTP/1.1\r\n\r\n', 405],
    ['nonsense\r\n\r\n', 400],
    ['GET /metrics HTTP/1.1\r\n\r\n', 503],
    [`GET /metrics HTTP/1.1\r\nx: ${'y'.repeat(20_000)}`, 431],
  ] as const) {
    const { received, isClosed } = await say(request)
    assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.ok(!received.includes('secret'))
    assert.ok(isClosed)
  }
  const { received } = await say('HEAD / HTTP/1.1\r\n\r\n')
  assert.ok(received.endsWith('\r\n\r\n'))
  assert.equal(errors.length, 1)
  await page.close()
})

test('who says nothing is cut in time, and no more are let in than are served', async () => {
  const { clock, page, connect, say } = await start(() => [])
  const clients = []
  for (let i = 0; i < 64; i++) clients.push(await connect())
  const { received } = await say('GET /metrics HTTP/1.1\r\n\r\n')
  assert.equal(received, '')
  assert.ok(!clients.at(-1)?.isClosed)
  await clock.advanceAwaiting(10_100)
  assert.ok(clients.every(({ isClosed }) => isClosed))
  const more = await connect()
  assert.ok(!more.isClosed)
  await page.close()
  await clock.advanceAwaiting(100)
  assert.ok(more.isClosed)
})

test('the lag of a loop is by how much a timer is late', async () => {
  const clock = new SimulatedClock()
  const lag = new LoopLag(clock)
  const measured: number[] = []
  lag.onMeasured = (microseconds) => measured.push(microseconds)
  await clock.advanceAwaiting(1050)
  assert.equal(lag.durations.count, 10)
  assert.deepEqual(new Set(measured), new Set([0]))
  lag.stop()
  await clock.advanceAwaiting(1000)
  assert.equal(lag.durations.count, 10)
})
