/** The clients that people use, against our server over TCP: what they send at their start, and ordinary work. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type OurServer, startOurs } from './servers.ts'

let ours: OurServer & { readonly errors: unknown[] }

before(async () => {
  ours = await startOurs({ durability: 'always' })
})

after(async () => {
  assert.deepEqual(ours.errors, [])
  await ours.close()
})

describe('ioredis', () => {
  let client: Redis
  before(() => {
    client = new Redis({ port: ours.port, host: '127.0.0.1', connectionName: 'from-ioredis' })
  })
  after(() => client.disconnect())

  test('connects, names itself and is ready', async () => {
    assert.equal(await client.ping(), 'PONG')
    assert.equal(await client.client('GETNAME'), 'from-ioredis')
    assert.match((await client.client('INFO')) as string, /lib-name=ioredis/)
    assert.match(await client.info('server'), /redis_version:7\.0\.15/)
  })

  test('values, numbers and expiry', async () => {
    assert.equal(await client.set('io:a', 'ü', 'EX', 100), 'OK')
    assert.equal(await client.get('io:a'), 'ü')
    assert.equal(await client.ttl('io:a'), 100)
    assert.equal(await client.incrby('io:n', 5), 5)
    assert.equal(await client.get('io:none'), null)
    const bytes = Buffer.from([0, 255, 13, 10])
    await client.set('io:bytes', bytes)
    assert.deepEqual(await client.getBuffer('io:bytes'), bytes)
    assert.deepEqual(await client.mget('io:n', 'io:none'), ['5', null])
    await assert.rejects(client.incr('io:a'), /value is not an integer/)
  })

  test('a pipeline, errors within it included', async () => {
    const results = await client.pipeline().set('io:p', 'x').incr('io:p').get('io:p').exec()
    assert.deepEqual(
      results?.map(([error, value]) => error?.message ?? value),
      ['OK', 'ERR value is not an integer or out of range', 'x'],
    )
  })

  test('many commands at once are answered in order', async () => {
    const values = await Promise.all(Array.from({ length: 2000 }, (_, i) => client.echo(String(i))))
    assert.deepEqual(
      values,
      Array.from({ length: 2000 }, (_, i) => String(i)),
    )
  })

  test('a scan as a stream', async () => {
    await client.mset(Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`io:scan:${i}`, 'x'])))
    const found = new Set<string>()
    for await (const keys of client.scanStream({ match: 'io:scan:*', count: 20 })) {
      for (const key of keys as string[]) found.add(key)
    }
    assert.equal(found.size, 250)
  })

  test('a large value', async () => {
    const value = 'x'.repeat(1_000_000)
    await client.set('io:large', value)
    assert.ok((await client.get('io:large')) === value)
    await assert.rejects(client.set('io:large', `${value}${value}`), /the value has 2000000 bytes/)
    assert.equal(await client.strlen('io:large'), 1_000_000)
  })
})

for (const protocol of [2, 3] as const) {
  describe(`node-redis, RESP${protocol}`, () => {
    const client = () =>
      createClient({ url: `redis://127.0.0.1:${ours.port}`, RESP: protocol, name: 'from-node-redis' })
    let connected: ReturnType<typeof client>
    before(async () => {
      connected = client()
      connected.on('error', (error) => assert.fail(String(error)))
      await connected.connect()
    })
    after(() => connected.destroy())

    test('connects, names itself and is ready', async () => {
      assert.equal(await connected.ping(), 'PONG')
      const info = await connected.sendCommand(['CLIENT', 'INFO'])
      assert.match(String(info), new RegExp(`name=from-node-redis .*resp=${protocol} lib-name=node-redis`))
    })

    test('values, options and expiry', async () => {
      const key = `nr${protocol}`
      assert.equal(await connected.set(key, 'x', { expiration: { type: 'PX', value: 100_000 } }), 'OK')
      assert.equal(await connected.set(key, 'y', { condition: 'NX' }), null)
      assert.equal(await connected.getSet(key, 'z'), 'x')
      assert.equal(await connected.ttl(key), -1)
      assert.deepEqual(await connected.mGet([key, 'nokey']), ['z', null])
      assert.equal(await connected.incrByFloat(`${key}:f`, 1.5), '1.5')
      assert.equal(await connected.exists([key, 'nokey']), 1)
      assert.equal(await connected.type(key), 'string')
      await assert.rejects(connected.incr(key), /value is not an integer/)
    })

    test('a scan as an iterator', async () => {
      const names = Array.from({ length: 120 }, (_, i) => `nr${protocol}:scan:${i}`)
      await connected.mSet(names.flatMap((name) => [name, 'x']))
      const found = new Set<string>()
      for await (const keys of connected.scanIterator({ MATCH: `nr${protocol}:scan:*`, COUNT: 25 })) {
        for (const key of keys) found.add(key)
      }
      assert.deepEqual([...found].sort(), names.sort())
    })

    test('many commands at once are answered in order', async () => {
      const values = await Promise.all(Array.from({ length: 2000 }, (_, i) => connected.echo(String(i))))
      assert.deepEqual(
        values,
        Array.from({ length: 2000 }, (_, i) => String(i)),
      )
    })
  })
}
