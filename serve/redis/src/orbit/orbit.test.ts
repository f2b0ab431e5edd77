/** The commands of our own: revisions, conditions, past states, and changes as they are published. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, startTestServer } from '../server-suite.ts'

/** Of a reply that is an integer. */
const integerOf = (said: string): number => Number(/^:(\d+)\r\n$/.exec(said)?.[1])

test('a key is set only if its revision is the one that was read', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  assert.equal(await client.call('ORBIT.GETREV', 'a'), '*-1\r\n')
  const first = integerOf(await client.call('ORBIT.SETIFREV', 'a', 0, 'one'))
  assert.ok(first > 0)
  assert.equal(await client.call('ORBIT.SETIFREV', 'a', 0, 'two'), '$-1\r\n')
  assert.equal(await client.call('ORBIT.GETREV', 'a'), `*2\r\n:${first}\r\n$3\r\none\r\n`)
  const second = integerOf(await client.call('ORBIT.SETIFREV', 'a', first, 'two', 'PX', 1000))
  assert.ok(second > first)
  assert.equal(await client.call('ORBIT.SETIFREV', 'a', first, 'three'), '$-1\r\n')
  assert.equal(await client.call('TTL', 'a'), ':1\r\n')
  await client.call('RPUSH', 'l', 'x')
  assert.match(await client.call('ORBIT.GETREV', 'l'), /^\*2\r\n:\d+\r\n\$-1\r\n$/)
  assert.match(await client.call('ORBIT.SETIFREV', 'a', -1, 'x'), /^-ERR a revision/)
  assert.match(await client.call('ORBIT.SETIFREV', 'a', 1, 'x', 'NX', 1), /^-ERR syntax error/)
  await setup.close()
})

test('a transaction in one command runs if every revision holds, and is one batch', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  const revision = integerOf(await client.call('ORBIT.SETIFREV', 'a', 0, '1'))
  const before = setup.store.stats().appendedPosition
  const commands = [3, 'SET', 'b', '2', 2, 'INCR', 'a', 2, 'GET', 'b', 2, 'LPOP', 'b']
  assert.equal(
    await client.call('ORBIT.TXN', 2, 'a', revision, 'b', 0, ...commands),
    '*4\r\n+OK\r\n:2\r\n$1\r\n2\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n',
  )
  assert.equal(setup.store.stats().appendedPosition - before, 1)
  assert.equal(await client.call('ORBIT.TXN', 2, 'a', revision, 'b', 0, ...commands), '*-1\r\n')
  for (const [wrong, problem] of [
    [[1, 'a', 0], /syntax error/],
    [[0, 9, 'GET', 'a'], /syntax error/],
    [[0, 1, 'NOSUCH'], /unknown command 'nosuch'/],
    [[0, 1, 'GET'], /wrong number of arguments for 'get'/],
    [[0, 1, 'MULTI'], /cannot be run inside/],
    [[0, 3, 'BLPOP', 'l', 0], /cannot be run inside/],
  ] as const) {
    assert.match(await client.call('ORBIT.TXN', ...wrong), problem)
  }
  assert.equal(await client.call('GET', 'a'), '$1\r\n2\r\n')
  await setup.close()
})

test('a range has keys in order, each with its revision, forwards and backwards', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  await client.call('SELECT', 3)
  await client.call('MSET', 'a', 1, 'b', 2, 'c', 3)
  await client.call('SADD', 'd', 'x')
  const keysOf = (said: string): string =>
    said
      .replaceAll(/\*\d+|\$-?\d+|:\d+/g, '')
      .replaceAll(/[\r\n]+/g, ' ')
      .trim()
  assert.equal(keysOf(await client.call('ORBIT.RANGE', 'a', 'c')), 'a 1 b 2')
  assert.equal(keysOf(await client.call('ORBIT.RANGE', 'b', '')), 'b 2 c 3 d')
  assert.equal(keysOf(await client.call('ORBIT.RANGE', '', '', 'REVERSE', 'LIMIT', 2)), 'd c 3')
  assert.match(await client.call('ORBIT.RANGE', '', '', 'LIMIT', 0), /^-ERR syntax error/)
  assert.equal(await client.call('ORBIT.RANGE', 'x', 'y'), '*0\r\n')
  await setup.close()
})

test('what was is read by any command that only reads, at a revision or a moment, also what has expired since', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  const revision = integerOf(await client.call('ORBIT.SETIFREV', 'a', 0, 'old'))
  await client.call('SET', 'short', 'here', 'PX', 1000)
  await client.call('HSET', 'hash', 'f', 'old')
  const atMs = setup.clock.now()
  await setup.pass(5000)
  await client.say(['SET a new', 'HSET hash f new g 1', 'SET late 1'].map((line) => encode(line.split(' '))).join(''))
  assert.equal(await client.call('ORBIT.AT', revision, 'GET', 'a'), '$3\r\nold\r\n')
  assert.equal(await client.call('ORBIT.AT', revision, 'EXISTS', 'short', 'hash'), ':0\r\n')
  assert.equal(await client.call('ORBIT.AT', `@${atMs}`, 'GET', 'short'), '$4\r\nhere\r\n')
  assert.equal(await client.call('ORBIT.AT', `@${atMs}`, 'TTL', 'short'), ':1\r\n')
  assert.equal(await client.call('ORBIT.AT', `@${atMs}`, 'HGETALL', 'hash'), '*2\r\n$1\r\nf\r\n$3\r\nold\r\n')
  assert.equal(await client.call('ORBIT.AT', `@${atMs}`, 'DBSIZE'), ':3\r\n')
  assert.equal(await client.call('GET', 'a'), '$3\r\nnew\r\n')
  assert.equal(await client.call('DBSIZE'), ':3\r\n')
  for (const [wrong, problem] of [
    [['x', 'GET', 'a'], /a state is a revision/],
    [[revision, 'SET', 'a', 'x'], /only read, and 'set' is none/],
    [[revision, 'ORBIT.AT', revision, 'GET', 'a'], /cannot be run inside/],
    [[revision + 1000, 'GET', 'a'], /^-ERR/],
  ] as const) {
    assert.match(await client.call('ORBIT.AT', ...wrong), problem)
  }
  // A failure leaves nothing behind: the newest state is read again.
  assert.equal(await client.call('GET', 'a'), '$3\r\nnew\r\n')
  await setup.close()
})

test('changes are pushed as they are published, from a revision on, until they are followed no more', async () => {
  const setup = await startTestServer()
  const [follows, writes] = [await setup.connect(), await setup.connect()]
  assert.match(await follows.call('ORBIT.WATCH', 'KEY', 'a'), /^-ERR ORBIT.WATCH needs RESP3/)
  await follows.call('HELLO', 3)
  const revision = integerOf(await writes.call('ORBIT.SETIFREV', 'a:1', 0, 'x'))
  const said = await follows.call('ORBIT.WATCH', 'PREFIX', 'a:', 'FROM', revision)
  assert.equal(said, `:1\r\n>6\r\n$12\r\norbit.change\r\n:1\r\n$3\r\nput\r\n$3\r\na:1\r\n:${revision}\r\n$1\r\nx\r\n`)
  follows.received = ''
  await writes.call('SET', 'b', '1')
  await writes.call('SADD', 'a:2', 'm')
  await writes.call('DEL', 'a:1')
  assert.match(
    follows.received,
    /^>6\r\n\$12\r\norbit\.change\r\n:1\r\n\$3\r\nput\r\n\$3\r\na:2\r\n:\d+\r\n_\r\n>6\r\n\$12\r\norbit\.change\r\n:1\r\n\$6\r\ndelete\r\n\$3\r\na:1\r\n:\d+\r\n_\r\n$/,
  )
  follows.received = ''
  await writes.call('SET', 'a:3', '1', 'PX', 10)
  await setup.pass(5000)
  assert.match(follows.received, /\$6\r\nexpire\r\n\$3\r\na:3\r\n/)
  assert.equal(await follows.call('ORBIT.UNWATCH', 1), ':1\r\n')
  assert.equal(await follows.call('ORBIT.UNWATCH', 1), ':0\r\n')
  await writes.call('SET', 'a:1', '2')
  assert.equal(await follows.say(''), '')
  for (let i = 0; i < 100; i++) await follows.call('ORBIT.WATCH', 'KEY', `k${i}`)
  assert.match(await follows.call('ORBIT.WATCH', 'KEY', 'more'), /^-ERR a client may follow at most 100/)
  assert.equal(setup.store.stats().watchesOpen, 100)
  follows.connection.destroy()
  await setup.pass(100)
  assert.equal(setup.store.stats().watchesOpen, 0)
  await setup.close()
})

test('a state before SWAPDB has the keys where they were then', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  const revision = integerOf(await client.call('ORBIT.SETIFREV', 'a', 0, 'zero'))
  await client.call('SWAPDB', 0, 1)
  assert.equal(await client.call('ORBIT.AT', revision, 'GET', 'a'), '$4\r\nzero\r\n')
  assert.equal(await client.call('GET', 'a'), '$-1\r\n', 'and the newest state is as it was')
  await client.call('SELECT', 1)
  assert.equal(await client.call('ORBIT.AT', revision, 'GET', 'a'), '$-1\r\n')
  assert.equal(await client.call('GET', 'a'), '$4\r\nzero\r\n')
  await setup.close()
})

test('a state that compaction took away is refused by name, and the newest is read on', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  const revision = integerOf(await client.call('ORBIT.SETIFREV', 'a', 0, 'old'))
  const newest = integerOf(await client.call('ORBIT.SETIFREV', 'a', revision, 'new'))
  const compacting = setup.store.compactTo(newest)
  await setup.pass(1000)
  await compacting
  assert.match(await client.call('ORBIT.AT', revision, 'GET', 'a'), /^-ERR .*\r\n$/)
  assert.equal(await client.call('GET', 'a'), '$3\r\nnew\r\n')
  await setup.close()
})

test('pushes of changes end when the connection goes back to RESP2', async () => {
  const setup = await startTestServer()
  const [client, writer] = [await setup.connect(), await setup.connect()]
  for (const leave of [['HELLO', 2], ['RESET']] as const) {
    await client.call('HELLO', 3)
    await client.call('ORBIT.WATCH', 'KEY', 'a')
    await client.call(...leave)
    client.received = ''
    await writer.call('SET', 'a', '1')
    await setup.pass(100)
    assert.equal(client.received, '')
    assert.equal(setup.store.stats().watchesOpen, 0)
  }
  await setup.close()
})
