/** Collections as keys of the store: places in long lists and sorted sets, and what becomes of those that go. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { memberBytesMax } from './element-keys.ts'
import { elementKeyspace, graveKeyspace } from './keyspaces.ts'

const seed = Number(process.env.ORBIT_SEED ?? 17)

/** The bulks of a reply, one after the other. */
function bulks(reply: string): string[] {
  return Array.from(reply.matchAll(/\$\d+\r\n([^\r]*)\r\n/g), ([, text = '']) => text)
}

describe(`collections, ORBIT_SEED=${seed}`, () => {
  let setup: TestServer
  let client: TestClient

  beforeEach(async () => {
    setup = await startTestServer({ seed })
    client = await setup.connect()
  })

  afterEach(async () => {
    assert.deepEqual((await setup.store.verify()).faults, [])
    await setup.close()
  })

  const elements = (): number => setup.store.owner.count(elementKeyspace)
  const graves = (): number => setup.store.owner.count(graveKeyspace)
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

  test('a long list with gaps is as an array', async () => {
    const random = new Random(seed)
    const twin = numbered(1000)
    await client.call('RPUSH', 'l', ...twin)
    for (let round = 0; round < 60; round++) {
      const [pivot, value] = [random.pick(twin), `new ${round}`]
      const place = twin.indexOf(pivot)
      if (random.chance(3)) {
        await client.call('LREM', 'l', 1, pivot)
        twin.splice(place, 1)
      } else {
        const isBefore = random.chance(2)
        await client.call('LINSERT', 'l', isBefore ? 'BEFORE' : 'AFTER', pivot, value)
        twin.splice(isBefore ? place : place + 1, 0, value)
      }
      const at = random.below(twin.length)
      assert.deepEqual(bulks(await client.call('LRANGE', 'l', at, at)), [twin[at]], `ORBIT_SEED=${seed}`)
      assert.deepEqual(bulks(await client.call('LRANGE', 'l', at, at + 3)), twin.slice(at, at + 4))
    }
    assert.deepEqual(bulks(await client.call('LRANGE', 'l', 0, -1)), twin)
  })

  for (const side of ['BEFORE', 'AFTER'] as const) {
    test(`items inserted ${side} the same one again and again stay in order`, async () => {
      await client.call('RPUSH', 'l', 'first', 'last')
      const pivot = side === 'BEFORE' ? 'last' : 'first'
      const names = numbered(400)
      await client.say(names.map((name) => encode(['LINSERT', 'l', side, pivot, name])).join(''), 1000)
      const inner = side === 'BEFORE' ? names : names.toReversed()
      assert.deepEqual(bulks(await client.call('LRANGE', 'l', 0, -1)), ['first', ...inner, 'last'])
    })
  }

  test('items inserted between the last two inserted stay in order, however deep', async () => {
    await client.call('RPUSH', 'l', 'a', 'z')
    const twin = ['a', 'z']
    for (let i = 0; i < 200; i++) {
      const pivot = twin[i % 2 === 0 ? Math.floor(i / 2) : Math.floor(i / 2) + 1] as string
      const place = twin.indexOf(pivot)
      await client.call('LINSERT', 'l', i % 2 === 0 ? 'AFTER' : 'BEFORE', pivot, i)
      twin.splice(i % 2 === 0 ? place + 1 : place, 0, String(i))
    }
    assert.deepEqual(bulks(await client.call('LRANGE', 'l', 0, -1)), twin)
  })

  test('ranks in the middle of a long sorted set, with scores of both signs and equal ones', async () => {
    const random = new Random(seed)
    const members = numbered(1500).map((name) => ({ name, score: random.between(-200, 200) / 4 }))
    await client.call('ZADD', 'z', ...members.flatMap(({ name, score }) => [score, name]))
    const sorted = members.toSorted((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1)).map(({ name }) => name)
    for (let round = 0; round < 50; round++) {
      const place = random.below(sorted.length)
      assert.deepEqual(bulks(await client.call('ZRANGE', 'z', place, place)), [sorted[place]], `ORBIT_SEED=${seed}`)
      assert.equal(await client.call('ZRANK', 'z', sorted[place] as string), `:${place}\r\n`)
    }
  })

  test('every element is picked at random some time, and different ones are different', async () => {
    await client.call('SADD', 's', ...numbered(300))
    const seen = new Set<string>()
    for (let round = 0; round < 60; round++) {
      const members = bulks(await client.call('SRANDMEMBER', 's', 100))
      assert.equal(new Set(members).size, 100)
      for (const member of members) seen.add(member)
    }
    assert.equal(seen.size, 300)
    assert.equal(bulks(await client.call('SRANDMEMBER', 's', -500)).length, 500)
  })

  test('a scan returns each element once, whatever is written meanwhile', async () => {
    await client.call('HSET', 'h', ...numbered(500).flatMap((name) => [name, 'v']))
    const found: string[] = []
    let cursor = '0'
    do {
      const [next = '', ...fields] = bulks(await client.call('HSCAN', 'h', cursor, 'COUNT', 7))
      cursor = next
      found.push(...fields.filter((_, i) => i % 2 === 0))
      await client.call('HSET', 'h', `later ${found.length}`, 'v')
      await client.call('HDEL', 'h', found.at(-1) ?? '')
    } while (cursor !== '0')
    const before = new Set(numbered(500))
    assert.equal(found.filter((field) => before.has(field)).length, 500)
    assert.equal(new Set(found).size, found.length)
  })

  test('what is deleted is gone at once, and its elements are taken away by and by', async () => {
    for (const [name, ...command] of [
      ['DEL', 'DEL', 'k'],
      ['SET', 'SET', 'k', 'text'],
      ['MSET', 'MSET', 'k', 'text', 'other', 'x'],
      ['RENAME', 'RENAME', 'other', 'k'],
      ['SUNIONSTORE', 'SUNIONSTORE', 'k', 'small'],
      ['COPY', 'COPY', 'small', 'k', 'REPLACE'],
      ['EXPIRE', 'EXPIRE', 'k', '-1'],
      ['UNLINK', 'UNLINK', 'k', 'none'],
    ]) {
      await client.call('FLUSHALL')
      assert.equal(elements(), 0)
      await client.call('SADD', 'small', 'a', 'b')
      await client.call('SET', 'other', 'x')
      await client.call('SADD', 'k', ...numbered(1300))
      assert.equal(elements(), 1302)
      client.send(encode(command))
      for (let steps = 0; graves() === 0 && steps < 10_000; steps++) await setup.pass(0.01)
      assert.equal(graves(), 1, name)
      assert.ok(elements() >= 1302, 'nothing is taken away before the reply')
      await setup.pass(1000)
      assert.equal(graves(), 0, name)
      assert.ok(elements() <= 4, `${name} leaves ${elements()}`)
    }
  })

  test('a collection that expires is taken away; one whose time was taken back, moved or changed is not', async () => {
    const lives = async (key: string): Promise<string> => client.call('SCARD', key)
    for (const key of ['a', 'b', 'c', 'd']) {
      await client.call('SADD', key, 1, 2, 3)
      await client.call('PEXPIRE', key, 10_000)
    }
    await client.call('PERSIST', 'b')
    await client.call('PEXPIRE', 'c', 50_000)
    await client.call('RENAME', 'd', 'e')
    await client.call('PERSIST', 'e')
    await client.call('COPY', 'c', 'f')
    assert.equal(graves(), 3)
    await setup.pass(12_000)
    assert.equal(await lives('a'), ':0\r\n')
    for (const key of ['b', 'c', 'e', 'f']) assert.equal(await lives(key), ':3\r\n', key)
    assert.equal(elements(), 12)
    await setup.pass(50_000)
    assert.equal(elements(), 6)
    assert.equal(graves(), 0)
  })

  test('an expired collection is replaced as if there were none', async () => {
    await client.call('SADD', 'a', 1, 2, 3)
    await client.call('PEXPIRE', 'a', 500)
    await setup.pass(495)
    await client.say(encode(['PING']), 10)
    assert.equal(await client.call('SADD', 'a', 1), ':1\r\n')
    await setup.pass(3000)
    assert.equal(await client.call('SMEMBERS', 'a'), '*1\r\n$1\r\n1\r\n')
    assert.equal(elements(), 1)
  })

  test('a field or member that is too long is refused by name, and nothing is written', async () => {
    const long = 'x'.repeat(memberBytesMax + 1)
    for (const command of [
      ['HSET', 'k', 'ok', 'v', long, 'v'],
      ['SADD', 'k', 'ok', long],
      ['ZADD', 'k', 1, 'ok', 2, long],
    ]) {
      assert.match(await client.call(...command), /^-ERR a field or member of \d+ bytes is too long: at most \d+\r\n$/)
      assert.equal(await client.call('EXISTS', 'k'), ':0\r\n')
    }
    assert.equal(elements(), 0)
    assert.equal(await client.call('ZADD', 'k', 1, long.slice(1)), ':1\r\n')
  })

  test('what DUMP gives, RESTORE makes again, with its time; and nothing else that looks like it', async () => {
    await client.call('RPUSH', 'list', 'a', 'b', 'a')
    await client.call('SADD', 'set', 1, 2, 3)
    await client.call('ZADD', 'zset', '-1.5', 'a', 'inf', 'b')
    await client.call('HSET', 'hash', 'f', 'v', 'g', '')
    await client.call('SET', 'text', 'abc')
    const shows: Record<string, (string | number)[]> = {
      list: ['LRANGE', 0, -1],
      set: ['SMEMBERS'],
      zset: ['ZRANGE', 0, -1, 'WITHSCORES'],
      hash: ['HGETALL'],
      text: ['GET'],
    }
    for (const [key, [name = '', ...rest]] of Object.entries(shows)) {
      const before = await client.call(name, key, ...rest)
      const dumped = await client.call('DUMP', key)
      const payload = dumped.slice(dumped.indexOf('\r\n') + 2, -2)
      assert.match(await client.call('RESTORE', key, 0, payload), /^-BUSYKEY/)
      await client.call('DEL', key)
      assert.equal(await client.call('RESTORE', key, 60_000, payload), '+OK\r\n', key)
      assert.equal(await client.call(name, key, ...rest), before)
      assert.match(await client.call('PTTL', key), /^:5\d\d\d\d\r\n$/)
      assert.equal(await client.call('RESTORE', key, 0, payload, 'REPLACE'), '+OK\r\n', key)
      assert.equal(await client.call('PTTL', key), ':-1\r\n')
      const random = new Random(seed)
      for (let round = 0; round < 20; round++) {
        const place = random.below(payload.length)
        const damaged = `${payload.slice(0, place)}${String.fromCharCode(payload.charCodeAt(place) ^ 4)}${payload.slice(place + 1)}`
        assert.match(await client.call('RESTORE', 'other', 0, damaged), /^-ERR DUMP payload/, `ORBIT_SEED=${seed}`)
      }
    }
    assert.equal(await client.call('EXISTS', 'other'), ':0\r\n')
    await setup.pass(70_000)
    assert.equal(await client.call('DBSIZE'), ':5\r\n')
    assert.equal(elements(), 3 + 3 + 4 + 2)
  })

  test('the store behind sees one key for a collection', async () => {
    await client.call('HSET', 'h', 'a', 1, 'b', 2)
    assert.equal(await client.call('DBSIZE'), ':1\r\n')
    assert.deepEqual(
      Array.from(setup.store.range(), ({ key }) => Buffer.from(key).toString()),
      ['h'],
    )
  })
})
