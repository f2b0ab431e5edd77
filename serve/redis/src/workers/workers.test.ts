/** Commands across workers: where they run, in which order their replies come, what is refused. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, type TestClient } from '../server-suite.ts'
import { startTestWorkers, type TestWorkers, type TestWorkersOptions } from './workers-suite.ts'

async function withWorkers(
  options: TestWorkersOptions,
  run: (workers: TestWorkers, client: TestClient) => Promise<void>,
): Promise<void> {
  const workers = await startTestWorkers(options)
  const client = await workers.connect(0)
  await run(workers, client)
  await workers.close()
}

test('a key is where its slot is, whichever worker was asked', () =>
  withWorkers({}, async (workers, client) => {
    const other = await workers.connect(1)
    for (const shard of [0, 1]) {
      const key = workers.keyOf(shard)
      assert.equal(await client.call('SET', key, `value ${shard}`), '+OK\r\n')
      assert.equal(await client.call('GET', key), `$7\r\nvalue ${shard}\r\n`)
      assert.equal(await other.call('GET', key), `$7\r\nvalue ${shard}\r\n`)
      assert.equal(workers.stores[shard]?.stats().keysLive, 1)
    }
  }))

test('replies of a pipeline come in its order, whoever makes them', () =>
  withWorkers({}, async (workers, client) => {
    const keys = [0, 1, 1, 0, 1, 0, 0, 1].map((shard, i) => workers.keyOf(shard, `k${i}`))
    const commands = keys.flatMap((key, i) => [
      ['SET', key, `v${i}`],
      ['GET', key],
      ['ECHO', `e${i}`],
    ])
    const replies = await client.say(commands.map(encode).join(''))
    assert.equal(replies, keys.map((_, i) => `+OK\r\n$2\r\nv${i}\r\n$2\r\ne${i}\r\n`).join(''))
  }))

test('a reply from another worker waits for the disk of that worker, and those behind it wait with it', () =>
  withWorkers({}, async (workers, client) => {
    const [here, there] = [workers.keyOf(0), workers.keyOf(1)]
    await client.call('SET', here, 'old')
    const disk = workers.disks[1]
    assert.ok(disk)
    const hold = disk.holdSyncs()
    assert.equal(
      await client.say(encode(['GET', here]) + encode(['SET', there, 'x']) + encode(['GET', here])),
      '$3\r\nold\r\n',
    )
    client.received = ''
    hold.release()
    await workers.pass(100)
    assert.equal(client.received, '+OK\r\n$3\r\nold\r\n')
  }))

test('commands on many keys go to each of them, and what could not be one step is refused', () =>
  withWorkers({ workers: 2, shards: 4 }, async (workers, client) => {
    const keys = [0, 1, 2, 3, 0, 2].map((shard, i) => workers.keyOf(shard, `many${i}`))
    for (const key of keys) await client.call('SET', key, key)
    const values = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')
    assert.equal(await client.call('MGET', ...keys, 'absent'), `*7\r\n${values}$-1\r\n`)
    assert.equal(await client.call('EXISTS', ...keys, ...keys), ':12\r\n')
    assert.equal(await client.call('TOUCH', ...keys, 'absent'), ':6\r\n')
    assert.equal(await client.call('DBSIZE'), ':6\r\n')
    assert.match(await client.call('MSET', keys[0] as string, '1', keys[1] as string, '2'), /^-CROSSSLOT /)
    assert.match(await client.call('RENAME', keys[0] as string, keys[1] as string), /^-CROSSSLOT /)
    assert.equal(await client.call('MSET', '{a}1', '1', '{a}2', '2'), '+OK\r\n')
    assert.equal(await client.call('RENAME', '{a}1', '{a}3'), '+OK\r\n')
    assert.equal(await client.call('DEL', ...keys.slice(0, 3)), ':3\r\n')
    assert.equal(await client.call('UNLINK', ...keys), ':3\r\n')
    assert.equal(await client.call('DBSIZE'), ':2\r\n')
    assert.equal(await client.call('FLUSHALL'), '+OK\r\n')
    assert.equal(await client.call('DBSIZE'), ':0\r\n')
    assert.equal(await client.call('RANDOMKEY'), '$-1\r\n')
  }))

test('a scan finds every key once, over all shards and from any worker', () =>
  withWorkers({ workers: 2, shards: 3 }, async (workers, client) => {
    const other = await workers.connect(1)
    const wanted = new Set<string>()
    for (let i = 0; i < 60; i++) {
      wanted.add(`key${i}`)
      await client.call('SET', `key${i}`, 'x')
    }
    const found: string[] = []
    let cursor = '0'
    let turn = 0
    do {
      const reply = await (turn++ % 2 === 0 ? client : other).call('SCAN', cursor, 'COUNT', '7')
      const words = reply.split('\r\n')
      cursor = words[2] as string
      for (let i = 5; i < words.length; i += 2) found.push(words[i] as string)
    } while (cursor !== '0')
    assert.deepEqual(found.toSorted(), [...wanted].toSorted())
    const keys = await other.call('KEYS', '*')
    assert.equal(keys.split('\r\n')[0], '*60')
  }))

test('a transaction on one slot runs where the slot is, with what it watches', () =>
  withWorkers({}, async (workers, client) => {
    const other = await workers.connect(1)
    const key = workers.keyOf(1)
    const say = (...commands: string[][]): Promise<string> => client.say(commands.map(encode).join(''))
    assert.equal(
      await say(['MULTI'], ['INCR', key], ['INCR', key], ['EXEC'], ['GET', key]),
      '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n$1\r\n2\r\n',
    )
    assert.equal(await say(['WATCH', key], ['MULTI'], ['INCR', key], ['EXEC']), '+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:3\r\n')
    assert.equal(await client.call('WATCH', key), '+OK\r\n')
    assert.equal(await other.call('SET', key, '10'), '+OK\r\n')
    assert.equal(await say(['MULTI'], ['INCR', key], ['EXEC']), '+OK\r\n+QUEUED\r\n*-1\r\n')
    // Watches end with EXEC, and with UNWATCH.
    assert.equal(await say(['MULTI'], ['INCR', key], ['EXEC']), '+OK\r\n+QUEUED\r\n*1\r\n:11\r\n')
    await client.call('WATCH', key)
    await other.call('SET', key, '20')
    assert.equal(
      await say(['UNWATCH'], ['WATCH', key], ['MULTI'], ['INCR', key], ['EXEC']),
      '+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:21\r\n',
    )
    const crossed = await say(['MULTI'], ['INCR', key], ['INCR', workers.keyOf(0)], ['EXEC'])
    assert.match(crossed, /^\+OK\r\n\+QUEUED\r\n-CROSSSLOT [^\r]*\r\n-EXECABORT /)
    assert.match(await say(['MULTI'], ['DBSIZE'], ['EXEC']), /-CROSSSLOT [^\r]*\r\n-EXECABORT /)
    assert.equal(await client.call('GET', key), '$2\r\n21\r\n')
  }))

test('who waits for an element of another worker gets it, and only then goes on', () =>
  withWorkers({}, async (workers, client) => {
    const other = await workers.connect(0)
    const key = workers.keyOf(1)
    assert.equal(await client.say(encode(['BLPOP', key, '0']) + encode(['PING'])), '')
    client.received = ''
    assert.equal(await other.call('RPUSH', key, 'a'), ':1\r\n')
    assert.equal(client.received, `*2\r\n$${key.length}\r\n${key}\r\n$1\r\na\r\n+PONG\r\n`)
    assert.equal(await client.say(encode(['BLPOP', key, '0.5']), 400), '')
    await workers.pass(200)
    assert.equal(client.received, '*-1\r\n')
    // Whoever is gone takes nothing.
    await client.say(encode(['BLPOP', key, '0']))
    client.connection.destroy()
    await workers.pass(100)
    await other.call('RPUSH', key, 'b')
    assert.equal(await other.call('LLEN', key), ':1\r\n')
  }))

test('a client that waits at another worker can be unblocked from any', () =>
  withWorkers({}, async (workers, client) => {
    const other = await workers.connect(1)
    const id = (await client.call('CLIENT', 'ID')).slice(1, -2)
    for (const [how, reply] of [
      ['TIMEOUT', '*-1\r\n'],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ] as const) {
      assert.equal(await client.say(encode(['BLPOP', workers.keyOf(1), '0'])), '')
      client.received = ''
      assert.equal(await other.call('CLIENT', 'UNBLOCK', id, how), ':1\r\n')
      await workers.pass(100)
      assert.equal(client.received, reply)
    }
    assert.equal(await other.call('CLIENT', 'UNBLOCK', id), ':0\r\n')
  }))

test('messages reach whoever listens at any worker', () =>
  withWorkers({}, async (workers, client) => {
    const other = await workers.connect(1)
    await client.call('SUBSCRIBE', 'news')
    await other.call('PSUBSCRIBE', 'n*')
    const publisher = await workers.connect(1)
    client.received = ''
    other.received = ''
    assert.equal(await publisher.call('PUBLISH', 'news', 'hello'), ':2\r\n')
    assert.equal(client.received, '*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n')
    assert.equal(other.received, '*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$5\r\nhello\r\n')
    assert.equal(await publisher.call('PUBSUB', 'NUMSUB', 'news'), '*2\r\n$4\r\nnews\r\n:1\r\n')
    assert.equal(await publisher.call('PUBSUB', 'CHANNELS'), '*1\r\n$4\r\nnews\r\n')
  }))

test('RESP3 and other databases reach other workers, too', () =>
  withWorkers({}, async (workers, client) => {
    const key = workers.keyOf(1)
    await client.call('HSET', key, 'f', 'v')
    await client.call('HELLO', '3')
    assert.equal(await client.call('HGETALL', key), '%1\r\n$1\r\nf\r\n$1\r\nv\r\n')
    await client.call('SELECT', '2')
    assert.equal(await client.call('HGETALL', key), '%0\r\n')
    assert.equal(await client.call('SET', key, 'two'), '+OK\r\n')
    await client.call('SELECT', '0')
    assert.equal(await client.call('TYPE', key), '+hash\r\n')
    assert.equal(await client.call('BLPOP', workers.keyOf(1, 'list'), '0.01'), '_\r\n')
  }))

test('what a client does not want to hear is done and not told', () =>
  withWorkers({}, async (workers, client) => {
    const key = workers.keyOf(1)
    assert.equal(
      await client.say(encode(['CLIENT', 'REPLY', 'SKIP']) + encode(['INCR', key]) + encode(['INCR', key])),
      ':2\r\n',
    )
  }))

test('commands on one key run in their order behind one that goes to several shards', () =>
  withWorkers({}, async (workers, client) => {
    const [here, there] = [workers.keyOf(0), workers.keyOf(1)]
    const say = (...commands: string[][]): Promise<string> => client.say(commands.map(encode).join(''))
    for (const key of [here, there]) {
      assert.equal(await say(['DEL', here, there], ['SET', key, '1'], ['GET', key]), ':0\r\n+OK\r\n$1\r\n1\r\n')
      assert.equal(await client.call('GET', key), '$1\r\n1\r\n')
      assert.equal(await say(['FLUSHALL'], ['SET', key, '2'], ['INCR', key]), '+OK\r\n+OK\r\n:3\r\n')
      assert.equal(await client.call('GET', key), '$1\r\n3\r\n')
      assert.equal(
        await say(['DEL', here, there], ['MULTI'], ['INCR', key], ['EXEC'], ['DEL', here, there], ['GET', key]),
        ':1\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n:1\r\n$-1\r\n',
      )
      await say(['RPUSH', key, 'a'])
      assert.equal(await say(['DEL', here, there], ['BLPOP', key, '0.1']), ':1\r\n')
      await workers.pass(300)
      assert.ok(client.received.endsWith('*-1\r\n'))
      client.received = ''
      const watching = [['SET', key, '1'], ['WATCH', key], ['DEL', here, there], ['MULTI'], ['SET', key, '2'], ['EXEC']]
      assert.equal(await say(...watching), '+OK\r\n+OK\r\n:1\r\n+OK\r\n+QUEUED\r\n*-1\r\n')
      assert.equal(await client.call('EXISTS', key), ':0\r\n')
    }
  }))

test('WATCH is refused in a transaction, wherever its key is', () =>
  withWorkers({}, async (workers, client) => {
    for (const shard of [0, 1]) {
      const key = workers.keyOf(shard)
      const commands = [['MULTI'], ['WATCH', key], ['SET', key, '1'], ['EXEC']]
      assert.equal(
        await client.say(commands.map(encode).join('')),
        '+OK\r\n-ERR WATCH inside MULTI is not allowed\r\n+QUEUED\r\n*1\r\n+OK\r\n',
      )
    }
  }))

test('what goes alone does not overtake what waits for room in a ring', () =>
  withWorkers({ ringBytes: 4096 }, async (workers, client) => {
    const key = workers.keyOf(1)
    const value = 'v'.repeat(20_000)
    const commands = [['SET', key, value], ['WATCH', key], ['MULTI'], ['APPEND', key, 'x'], ['EXEC'], ['STRLEN', key]]
    const replies = await client.say(commands.map(encode).join(''), 500)
    assert.equal(replies, '+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:20001\r\n:20001\r\n')
    assert.equal(
      await client.say(encode(['SET', key, value]) + encode(['BLPOP', key, '0']), 500),
      '+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n',
    )
  }))

test('values larger than a ring cross it', () =>
  withWorkers({ ringBytes: 4096 }, async (workers, client) => {
    const key = workers.keyOf(1)
    const value = 'v'.repeat(30_000)
    assert.equal(await client.say(encode(['SET', key, value]), 500), '+OK\r\n')
    const many = Array.from({ length: 5 }, () => encode(['GET', key])).join('')
    assert.equal((await client.say(many, 500)).length, 5 * (30_000 + 10))
  }))

test('what a client leaves behind is dropped, and the lanes go on', () =>
  withWorkers({}, async (workers, client) => {
    const gone = await workers.connect(0)
    gone.send(Array.from({ length: 50 }, () => encode(['GET', workers.keyOf(1)])).join(''))
    gone.connection.destroy()
    await workers.pass(100)
    assert.equal(await client.call('GET', workers.keyOf(1)), '$-1\r\n')
    assert.equal(workers.fronts[0]?.connections, 1)
  }))

test('CLUSTER names the port of each worker', () =>
  withWorkers({ workers: 2, shards: 4 }, async (workers, client) => {
    const [first, second] = workers.fronts.map(({ address }) => address)
    const slots = await client.call('CLUSTER', 'SLOTS')
    assert.match(slots, new RegExp(`^\\*2\\r\\n\\*3\\r\\n:0\\r\\n:8191\\r\\n\\*4\\r\\n[^:]+:${first?.port}\\r\\n`))
    assert.match(slots, new RegExp(`:8192\\r\\n:16383\\r\\n\\*4\\r\\n[^:]+:${second?.port}\\r\\n`))
    assert.match(await client.call('CLUSTER', 'INFO'), /cluster_state:ok/)
  }))

test('a message of a transaction or script reaches every worker, wherever it runs', () =>
  withWorkers({}, async (workers, client) => {
    const listeners = [await workers.connect(0), await workers.connect(1)]
    for (const listener of listeners) {
      await listener.call('SUBSCRIBE', 'news')
      listener.received = ''
    }
    const key = workers.keyOf(1)
    const commands = [['MULTI'], ['INCR', key], ['PUBLISH', 'news', 'hello'], ['EXEC']]
    // It tells how many heard it on the worker that it ran on.
    assert.match(await client.say(commands.map(encode).join('')), /\*2\r\n:1\r\n:1\r\n$/)
    const script = "return redis.call('PUBLISH', 'news', 'again')"
    assert.equal(await client.call('EVAL', script, '1', key), ':1\r\n')
    const heard = ['hello', 'again'].map((text) => `*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\n${text}\r\n`).join('')
    for (const listener of listeners) assert.equal(listener.received, heard)
  }))

test('key events reach whoever listens at any worker', () =>
  withWorkers({}, async (workers, client) => {
    const listener = await workers.connect(0)
    assert.equal(await client.call('CONFIG', 'SET', 'notify-keyspace-events', 'KEA'), '+OK\r\n')
    await listener.call('SUBSCRIBE', '__keyevent@0__:set')
    for (const shard of [0, 1]) {
      listener.received = ''
      const key = workers.keyOf(shard)
      await client.call('SET', key, 'x')
      await workers.pass(100)
      assert.ok(listener.received.endsWith(`\r\n$${key.length}\r\n${key}\r\n`), `shard ${shard}`)
    }
  }))

test('a script touches no key of another shard', () =>
  withWorkers({}, async (workers, client) => {
    const [here, there] = [workers.keyOf(0), workers.keyOf(1)]
    const script = "return redis.call('SET', ARGV[1], 'x')"
    assert.match(
      await client.call('EVAL', script, '1', here, there),
      /^-ERR Script attempted to access a non local key/,
    )
    assert.match(
      await client.call('EVAL', script, '1', there, here),
      /^-ERR Script attempted to access a non local key/,
    )
    assert.equal(await client.call('EVAL', script, '1', there, there), '+OK\r\n')
    assert.match(
      await client.call('EVAL', "return redis.call('DBSIZE')", '1', there),
      /^-(ERR|CROSSSLOT) .*about all shards/,
    )
    assert.equal(await client.call('DBSIZE'), ':1\r\n')
  }))
