/**
 * A whole server with two workers: clients that know the slots and clients that do not, what a kill leaves, which folders
 * are served by how many, and the replies of a real Redis on keys of one slot.
 */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { Cluster, Redis } from 'ioredis'
import { open } from 'orbitkv'
import { table } from './differential-table.ts'
import { keyTable } from './key-table.ts'
import { RawClient, type Reply } from './resp.ts'
import { missing, type RealRedis, startRealRedis } from './servers.ts'
import { WorkerServer } from './worker-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'orbit-workers-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('two workers', () => {
  let server: WorkerServer
  before(async () => {
    server = await WorkerServer.start('unused', '--backend', 'memory', '--workers', '2', '--durability', 'none')
  })
  after(async () => {
    assert.equal(await server.end('SIGTERM'), 0)
  })

  test('a client that knows the slots talks to the worker that has them', async () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }], { scaleReads: 'master' })
    const keys = Array.from({ length: 200 }, (_, i) => `cluster:${i}`)
    await Promise.all(keys.map((key) => cluster.set(key, `of ${key}`)))
    assert.deepEqual(
      await Promise.all(keys.map((key) => cluster.get(key))),
      keys.map((key) => `of ${key}`),
    )
    const ports = cluster.nodes('master').map((node) => node.options.port)
    assert.deepEqual(
      ports.filter((port) => server.ports.includes(port as number)).toSorted(),
      [...server.ports].toSorted(),
    )
    const [result] = (await cluster.multi().set('{tag}a', '1').incr('{tag}a').exec()) ?? []
    assert.deepEqual(result, [null, 'OK'])
    cluster.disconnect()
  })

  test('a client that does not know them reaches every key, by any port', async () => {
    const clients = [server.port, server.port, ...server.ports].map((port) => new Redis(port, '127.0.0.1'))
    const pairs = Array.from({ length: 300 }, (_, i) => [`plain:${i}`, String(i)] as const)
    await Promise.all(pairs.map(([key, value], i) => clients[i % clients.length]?.set(key, value)))
    for (const client of clients) {
      const found = await client.mget(pairs.map(([key]) => key))
      assert.deepEqual(
        found,
        pairs.map(([, value]) => value),
      )
    }
    const [first, , , last] = clients as [Redis, Redis, Redis, Redis]
    const heard = new Promise((resolve) => first.on('message', (channel, message) => resolve([channel, message])))
    await first.subscribe('news')
    assert.equal(await last.publish('news', 'hello'), 1)
    assert.deepEqual(await heard, ['news', 'hello'])
    for (const client of clients) client.disconnect()
  })

  test('the page of metrics adds what all workers count', async () => {
    const clients = server.ports.map((port) => new Redis(port, '127.0.0.1'))
    for (const client of clients) for (let i = 0; i < 40; i++) await client.setex(`measured:${i}`, 1000, 'x')
    const response = await fetch(server.metricsUrl)
    assert.equal(response.status, 200)
    const page = await response.text()
    assert.match(page, /^orbit_operations_total\{command="setex"\} 80$/m)
    assert.match(page, /^orbit_connections 2$/m)
    assert.equal(page.match(/^orbit_memory_usage_bytes /gm)?.length, 1)
    for (const client of clients) client.disconnect()
  })

  test('a script runs where its keys are', async () => {
    const client = new Redis(server.port, '127.0.0.1')
    const script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
    for (let i = 0; i < 8; i++) assert.equal(await client.eval(script, 1, `script:${i}`, `v${i}`), `v${i}`)
    for (let i = 0; i < 8; i++) assert.equal(await client.get(`script:${i}`), `v${i}`)
    client.disconnect()
  })
})

const tables = { ...table, ...keyTable }
/** Parts of the tables. */
const parts = ['get and set', 'kin of set', 'many keys', 'parts of strings', 'counters', 'floats', 'expiry', 'keys']
/** About all keys, or about the server: what several shards answer in their own way. */
const ownWay =
  /^(scan|keys|randomkey|move|copy|swapdb|select|object|config|command|client|memory|debug|wait|acl|cluster|latency|slowlog|info|subscribe|psubscribe|unsubscribe|punsubscribe|publish|pubsub|spublish|ssubscribe|sunsubscribe|reset|role|lolwut|sort|sort_ro|eval|evalsha|script|function|multi|exec|discard|watch)$/i

describe('as a real Redis, on keys of one slot', { skip: missing('redis-server') }, () => {
  let real: RealRedis
  let server: WorkerServer
  before(async () => {
    real = await startRealRedis()
    server = await WorkerServer.start('unused', '--backend', 'memory', '--workers', '2', '--durability', 'none')
  })
  after(async () => {
    await real.close()
    await server.end('SIGKILL')
  })

  test('the differential table, on a key of each worker', async () => {
    // One is the first worker's and one the second's, so one is elsewhere than the connection.
    for (const tag of ['{a}', '{b}']) {
      const theirs = await RawClient.connect(real.port)
      const ours = await RawClient.connect(server.port)
      for (const name of parts) {
        await Promise.all([theirs.call('FLUSHALL'), ours.call('FLUSHALL')])
        for (const command of tables[name] ?? assert.fail(`there is no part ${name}`)) {
          if (ownWay.test(String(command[0]))) continue
          const tagged = tagKeys(command, tag, await theirs.call('COMMAND', 'GETKEYS', ...command))
          const [expected, found] = await Promise.all([theirs.call(...tagged), ours.call(...tagged)])
          assert.deepEqual(found, expected, `${name}: ${JSON.stringify(tagged)}`)
        }
      }
      theirs.close()
      ours.close()
    }
  })
})

/** The command with its keys, as Redis names them, in the slot of the tag. */
function tagKeys(command: readonly (string | number)[], tag: string, keys: Reply): (string | number)[] {
  const names = 'array' in keys ? keys.array.map((key) => ('bulk' in key ? key.bulk : '')) : []
  return command.map((word, place) => (place > 0 && names.includes(String(word)) ? `${tag}${word}` : word))
}

describe('folders', () => {
  test('shards are fixed, workers are not; who opens them as one store is told the way out', async () => {
    const path = join(folder, 'fixed')
    const first = await WorkerServer.start(path, '--workers', '2', '--shards', '3')
    const client = await RawClient.connect(first.port)
    for (let i = 0; i < 60; i++) await client.call('SET', `key:${i}`, String(i))
    client.close()
    assert.equal(await first.end('SIGTERM'), 0)

    for (const workers of ['1', '3']) {
      const again = await WorkerServer.start(path, '--workers', workers)
      const reader = await RawClient.connect(again.port)
      assert.equal(again.ports.length, Number(workers))
      for (let i = 0; i < 60; i++) assert.deepEqual(await reader.call('GET', `key:${i}`), { bulk: String(i) })
      reader.close()
      await again.end('SIGKILL')
    }
    await assert.rejects(WorkerServer.start(path, '--workers', '4'), /cli\.too_few_shards/)
    await assert.rejects(WorkerServer.start(path, '--workers', '2', '--shards', '2'), /cli\.shards_fixed/)
    await assert.rejects(open(path), { code: 'engine.sharded' })
    const plain = join(folder, 'plain')
    await (await open(plain)).close()
    await assert.rejects(WorkerServer.start(plain, '--workers', '2'), /cli\.not_sharded/)
  })
})

for (const seed of seedsFor('workers-kill', { kept: [], fresh: 1 })) {
  test(`kill -9 under load keeps every acknowledged write, ORBIT_SEED=${seed}`, async () => {
    const path = join(folder, `kill-${seed}`)
    const random = new Random(seed)
    const acknowledged = new Map<string, number>()
    const sent = new Map<string, number>()
    for (let kill = 0; kill < 2; kill++) {
      const server = await WorkerServer.start(path, '--workers', '2')
      const clients = await Promise.all(
        [server.port, server.port, ...server.ports].map((port) => RawClient.connect(port)),
      )
      const answersMax = random.between(50, 400)
      let answers = 0
      let isKilled: Promise<unknown> | undefined
      const load = clients.map(async (client, writer) => {
        for (let n = 1; isKilled === undefined; n++) {
          const keys = Array.from({ length: 8 }, (_, i) => `writer:${writer}:${i}`)
          const value = kill * 1_000_000 + n
          for (const key of keys) sent.set(key, value)
          const replies = await client.pipeline(keys.map((key) => ['SET', key, String(value)])).catch((error) => {
            if (isKilled === undefined) throw error
            return []
          })
          replies.forEach((reply: Reply, i) => {
            if ('status' in reply && reply.status === 'OK') acknowledged.set(keys[i] as string, value)
          })
          answers += replies.length
          if (answers >= answersMax) isKilled ??= server.end('SIGKILL')
          if (replies.length === 0) return
        }
      })
      await Promise.all(load)
      await isKilled
    }
    const server = await WorkerServer.start(path, '--workers', '1')
    const client = await RawClient.connect(server.port)
    assert.ok(acknowledged.size > 0)
    for (const [key, value] of acknowledged) {
      const reply = await client.call('GET', key)
      assert.ok('bulk' in reply, `${key} is there`)
      const found = Number(reply.bulk)
      assert.ok(found >= value, `${key}: ${found} is at least ${value}, which was acknowledged`)
      assert.ok(found <= (sent.get(key) as number), `${key}: ${found} was sent`)
    }
    client.close()
    await server.end('SIGTERM')
  })
}
