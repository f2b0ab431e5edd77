/** The sixteen databases: keys of one are never seen in another, whatever command, and survive a restart where they are. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, startTestServer } from './server-suite.ts'

test('each database has keys, collections and counts of its own', async () => {
  const setup = await startTestServer()
  const [zero, three] = [await setup.connect(), await setup.connect()]
  await three.call('SELECT', 3)
  await zero.say(encode(['SET', 'a', 'zero']) + encode(['RPUSH', 'l', 'z']))
  await three.say(encode(['SET', 'a', 'three']) + encode(['RPUSH', 'l', 'x', 'y']) + encode(['SET', 'b', '1']))
  assert.equal(await zero.call('GET', 'a'), '$4\r\nzero\r\n')
  assert.equal(await three.call('GET', 'a'), '$5\r\nthree\r\n')
  assert.equal(await zero.call('LRANGE', 'l', 0, -1), '*1\r\n$1\r\nz\r\n')
  assert.equal(await three.call('LRANGE', 'l', 0, -1), '*2\r\n$1\r\nx\r\n$1\r\ny\r\n')
  assert.equal(await zero.call('DBSIZE'), ':2\r\n')
  assert.equal(await three.call('DBSIZE'), ':3\r\n')
  assert.match(await zero.call('SCAN', 0, 'TYPE', 'string'), /\*1\r\n\$1\r\na\r\n$/)
  assert.match(await zero.call('INFO', 'keyspace'), /db0:keys=2,.*\r\ndb3:keys=3,/)
  assert.match(await three.call('CLIENT', 'INFO'), / db=3 /)
  // What the embedded API sees is database 0.
  assert.equal(Buffer.from(setup.store.get('a') as Uint8Array).toString(), 'zero')
  assert.equal(await three.call('FLUSHDB'), '+OK\r\n')
  assert.equal(await three.call('DBSIZE'), ':0\r\n')
  assert.equal(await zero.call('LLEN', 'l'), ':1\r\n')
  await three.call('SADD', 's', 'm')
  assert.equal(await zero.call('FLUSHALL'), '+OK\r\n')
  assert.equal(await three.call('EXISTS', 's'), ':0\r\n')
  assert.equal(await three.call('RESET'), '+RESET\r\n')
  assert.match(await three.call('CLIENT', 'INFO'), / db=0 /)
  await setup.close()
})

test('MOVE and COPY carry every kind of value, with its time to live', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  const make = [
    ['SET', 'string', 'v', 'EX', 100],
    ['HSET', 'hash', 'f', 'v'],
    ['RPUSH', 'list', 'a', 'b'],
    ['SADD', 'set', 'm'],
    ['ZADD', 'zset', 1, 'm'],
  ]
  for (const command of make) await client.call(...command)
  await client.call('EXPIRE', 'hash', 100)
  for (const key of ['string', 'hash', 'list', 'set', 'zset']) {
    assert.equal(await client.call('COPY', key, key, 'DB', 2), ':1\r\n')
    assert.equal(await client.call('MOVE', key, 2), ':0\r\n', 'what is there stays')
    assert.equal(await client.call('MOVE', key, 1), ':1\r\n')
  }
  assert.equal(await client.call('MOVE', 'none', 1), ':0\r\n')
  assert.equal(await client.call('DBSIZE'), ':0\r\n')
  for (const database of [1, 2]) {
    await client.call('SELECT', database)
    assert.match(await client.call('TTL', 'string'), /^:9\d\r\n/)
    assert.match(await client.call('TTL', 'hash'), /^:9\d\r\n/)
    assert.equal(await client.call('HGET', 'hash', 'f'), '$1\r\nv\r\n')
    assert.equal(await client.call('LINDEX', 'list', 1), '$1\r\nb\r\n')
    assert.equal(await client.call('SISMEMBER', 'set', 'm'), ':1\r\n')
    assert.equal(await client.call('ZSCORE', 'zset', 'm'), '$1\r\n1\r\n')
  }
  assert.match(await client.call('MOVE', 'set', 2), /^-ERR source and destination objects are the same/)
  assert.match(await client.call('MOVE', 'set', 16), /^-ERR DB index is out of range/)
  await setup.pass(101_000)
  assert.equal(await client.call('EXISTS', 'string', 'hash'), ':0\r\n')
  await setup.close()
})

test('SWAPDB exchanges what all clients see, outlives a restart, and serves who waits', async () => {
  const setup = await startTestServer()
  const [one, waits] = [await setup.connect(), await setup.connect()]
  await one.call('SELECT', 1)
  await one.call('RPUSH', 'l', 'x')
  await waits.call('BLPOP', 'l', 0)
  await one.call('SET', 'a', 'one')
  await one.call('WATCH', 'a')
  assert.equal(await waits.say(''), '')
  assert.equal(await one.call('SWAPDB', 0, 1), '+OK\r\n')
  assert.equal(waits.received, '*2\r\n$1\r\nl\r\n$1\r\nx\r\n')
  assert.equal(await waits.call('GET', 'a'), '$3\r\none\r\n')
  assert.equal(await one.call('GET', 'a'), '$-1\r\n')
  await one.call('MULTI')
  await one.call('PING')
  assert.equal(await one.call('EXEC'), '*-1\r\n', 'a watched key changed by the swap')
  await one.call('SET', 'b', 'one')
  assert.equal(await one.call('SWAPDB', 'x', 1), '-ERR invalid first DB index\r\n')
  assert.equal(await one.call('SWAPDB', 1, 'x'), '-ERR invalid second DB index\r\n')
  assert.equal(await one.call('SWAPDB', 1, 99), '-ERR DB index is out of range\r\n')
  await setup.close()

  const again = await startTestServer({ disk: setup.disk })
  const client = await again.connect()
  assert.equal(await client.call('GET', 'a'), '$3\r\none\r\n')
  await client.call('SELECT', 1)
  assert.equal(await client.call('GET', 'b'), '$3\r\none\r\n')
  await again.close()
})

test('a transaction may go through several databases, and is one batch', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  // So that generations are reserved in all of them.
  for (const database of [0, 4, 5]) await client.say(encode(['SELECT', database]) + encode(['SADD', 'first', 'x']))
  await client.call('SELECT', 0)
  const before = setup.store.stats().appendedPosition
  const commands = [
    ['MULTI'],
    ['SET', 'a', '0'],
    ['SELECT', 4],
    ['SADD', 'a', '4'],
    ['SELECT', 5],
    ['HSET', 'a', 'f', '5'],
    ['SWAPDB', 4, 5],
    ['TYPE', 'a'],
    ['EXEC'],
  ]
  const said = await client.say(commands.map((command) => encode(command)).join(''))
  assert.ok(said.endsWith('*7\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n+OK\r\n+set\r\n'), said)
  assert.equal(setup.store.stats().appendedPosition - before, 1)
  assert.equal(await client.call('SMEMBERS', 'a'), '*1\r\n$1\r\n4\r\n')
  await client.call('SELECT', 4)
  assert.equal(await client.call('HGET', 'a', 'f'), '$1\r\n5\r\n')
  await setup.close()
})

test('a client that waits in one database is not served from another', async () => {
  const setup = await startTestServer()
  const [waits, other] = [await setup.connect(), await setup.connect()]
  await waits.call('SELECT', 7)
  await waits.call('BLPOP', 'l', 0)
  await other.call('RPUSH', 'l', 'wrong')
  assert.equal(waits.received, '')
  await other.call('SELECT', 7)
  await other.call('RPUSH', 'l', 'right')
  assert.equal(waits.received, '*2\r\n$1\r\nl\r\n$5\r\nright\r\n')
  assert.equal(await other.call('LLEN', 'l'), ':0\r\n')
  await other.call('SELECT', 0)
  assert.equal(await other.call('LLEN', 'l'), ':1\r\n')
  await setup.close()
})
