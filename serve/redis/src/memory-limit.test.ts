/** `maxmemory` as clients see it: what is refused, what goes, and what CONFIG and INFO tell of it. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cachedBytes } from '@orbitkv/store'
import { memoryBytes } from './memory-limit.ts'
import { startTestServer } from './server-suite.ts'

const roomForThree = String(3 * cachedBytes(1, 1))

describe('maxmemory', () => {
  test('noeviction: what needs room is refused, reads and deletes go on', async () => {
    const setup = await startTestServer({ seed: 1 })
    const client = await setup.connect()
    for (const key of 'abc') await client.call('SET', key, 'v')
    assert.equal(await client.call('CONFIG', 'SET', 'maxmemory', roomForThree), '+OK\r\n')
    await setup.pass(100)
    for (const command of [
      ['SET', 'd', 'v'],
      ['LPUSH', 'l', 'v'],
      ['EVAL', "return redis.call('set','d','v')", '0'],
    ]) {
      assert.match(await client.call(...command), /^-OOM /, command.join(' '))
    }
    assert.equal(await client.call('GET', 'a'), '$1\r\nv\r\n')
    assert.equal(await client.call('DEL', 'a'), ':1\r\n')
    assert.equal(await client.call('SET', 'd', 'v'), '+OK\r\n')
    assert.match(await client.call('SET', 'e', 'v'), /^-OOM /)
    assert.equal(await client.call('CONFIG', 'SET', 'maxmemory', '0'), '+OK\r\n')
    assert.equal(await client.call('LPUSH', 'l', 'v'), ':1\r\n')
    await setup.close()
  })

  test('a write that is larger than what may be is refused as Redis says it', async () => {
    const setup = await startTestServer({ seed: 1 })
    const client = await setup.connect()
    await client.call('CONFIG', 'SET', 'maxmemory', roomForThree)
    assert.match(await client.call('SET', 'a', 'x'.repeat(1000)), /^-OOM /)
    await setup.close()
  })

  test('allkeys-lru: the least recently used goes, with an event, and INFO tells how many went', async () => {
    const setup = await startTestServer({ seed: 1 })
    const client = await setup.connect()
    const set = ['CONFIG', 'SET', 'maxmemory', roomForThree, 'maxmemory-policy', 'ALLKEYS-LRU']
    assert.equal(await client.call(...set), '+OK\r\n')
    assert.equal(await client.call('CONFIG', 'SET', 'notify-keyspace-events', 'Ee'), '+OK\r\n')
    const listener = await setup.connect()
    await listener.call('SUBSCRIBE', '__keyevent@0__:evicted')
    for (const key of 'abc') await client.call('SET', key, 'v')
    await client.call('GET', 'a')
    await client.call('SET', 'd', 'v')
    assert.equal(await client.call('EXISTS', 'b'), ':0\r\n')
    assert.equal(await client.call('EXISTS', 'a', 'c', 'd'), ':3\r\n')
    const info = await client.call('INFO', 'everything')
    for (const line of [`maxmemory:${roomForThree}`, 'maxmemory_policy:allkeys-lru', 'evicted_keys:1']) {
      assert.ok(info.includes(`\r\n${line}\r\n`), line)
    }
    assert.match(await client.call('CONFIG', 'GET', 'maxmemory-policy'), /allkeys-lru/)
    assert.equal(setup.store.stats().cache?.evictions, 1)
    await setup.close()
  })

  test('every policy that is told is taken, and those by chance are refused by name', async () => {
    const setup = await startTestServer({ seed: 1 })
    const client = await setup.connect()
    await client.call('CONFIG', 'SET', 'maxmemory', '1mb')
    for (const [name, policy, keys] of [
      ['allkeys-lfu', 'lfu', 'all'],
      ['volatile-lru', 'lru', 'expiring'],
      ['volatile-lfu', 'lfu', 'expiring'],
      ['volatile-ttl', 'ttl', 'expiring'],
      ['allkeys-w-tinylfu', 'w-tinylfu', 'all'],
      ['noeviction', 'none', 'all'],
    ] as const) {
      assert.equal(await client.call('CONFIG', 'SET', 'maxmemory-policy', name), '+OK\r\n')
      const { cache } = setup.store.stats()
      assert.deepEqual([cache?.policy, cache?.keys, cache?.bytesMax], [policy, keys, 1024 ** 2])
    }
    for (const name of ['allkeys-random', 'volatile-random']) {
      assert.match(await client.call('CONFIG', 'SET', 'maxmemory-policy', name), new RegExp(`${name} is not supported`))
    }
    assert.match(await client.call('CONFIG', 'SET', 'maxmemory-policy', 'no'), /must be one of the following/)
    assert.match(await client.call('CONFIG', 'SET', 'maxmemory', 'much'), /must be a memory value/)
    await setup.close()
  })

  test('amounts as Redis writes them', () => {
    assert.deepEqual(
      ['0', '100', '1k', '1kb', '2mb', '1G', '1x', '', '-1', '999999gb'].map(memoryBytes),
      [0, 100, 1000, 1024, 2 * 1024 ** 2, 1e9, undefined, undefined, undefined, 999_999 * 1024 ** 3].map((bytes) =>
        bytes !== undefined && bytes > 1024 ** 5 ? undefined : bytes,
      ),
    )
  })
})
