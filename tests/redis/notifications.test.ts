/** Key events: the same commands to a real Redis and to ours, and what who listens hears of them, in order. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RawClient } from './resp.ts'
import { missing, type OurServer, type RealRedis, startOurs, startRealRedis } from './servers.ts'

const skip = missing('redis-server')

const commands: readonly (readonly (string | number)[])[] = [
  ['SET', 'a', '1'],
  ['SET', 'a', '2', 'EX', 100],
  ['SET', 'a', '3', 'KEEPTTL'],
  ['SETEX', 'a', 100, '4'],
  ['PSETEX', 'a', 100_000, '4'],
  ['SETNX', 'b', '1'],
  ['SETNX', 'b', '1'],
  ['MSET', 'c', '1', 'd', '2'],
  ['MSETNX', 'e', '1', 'f', '2'],
  ['GETSET', 'a', '1'],
  ['GETEX', 'a', 'EX', 100],
  ['GETEX', 'a', 'PERSIST'],
  ['GETDEL', 'f'],
  ['APPEND', 'a', 'x'],
  ['SETRANGE', 'a', 1, 'y'],
  ['INCR', 'c'],
  ['DECR', 'c'],
  ['INCRBY', 'c', 5],
  ['DECRBY', 'c', 5],
  ['INCRBYFLOAT', 'c', '0.5'],
  ['SETBIT', 'bits', 1, 1],
  ['BITFIELD', 'bits', 'SET', 'u8', 0, 3],
  ['BITOP', 'NOT', 'bits2', 'bits'],
  ['BITOP', 'AND', 'bits2', 'none', 'none2'],
  ['PFADD', 'hll', 'x'],
  ['PFMERGE', 'hll2', 'hll'],
  ['EXPIRE', 'a', 100],
  ['PERSIST', 'a'],
  ['PEXPIREAT', 'a', 1],
  ['DEL', 'b', 'c', 'none'],
  ['UNLINK', 'd'],
  ['RENAME', 'e', 'g'],
  ['RENAMENX', 'g', 'h'],
  ['COPY', 'h', 'i'],
  ['RPUSH', 'list', 'a', 'b', 'c'],
  ['LPUSHX', 'list', 'z'],
  ['LINSERT', 'list', 'BEFORE', 'a', 'y'],
  ['LSET', 'list', 0, 'q'],
  ['LREM', 'list', 0, 'y'],
  ['LTRIM', 'list', 0, 2],
  ['LPOP', 'list'],
  ['RPOP', 'list'],
  ['LMOVE', 'list', 'other', 'LEFT', 'RIGHT'],
  ['RPOPLPUSH', 'other', 'list'],
  ['RPUSH', 'list', 'x'],
  ['LMOVE', 'list', 'list', 'LEFT', 'RIGHT'],
  ['LMPOP', 1, 'list', 'LEFT'],
  ['BLPOP', 'list', 1],
  ['SORT', 'list', 'STORE', 'sorted'],
  ['RPUSH', 'list', 3, 1],
  ['SORT', 'list', 'STORE', 'sorted'],
  ['HSET', 'hash', 'a', '1', 'b', '2'],
  ['HSETNX', 'hash', 'c', '1'],
  ['HINCRBY', 'hash', 'a', 1],
  ['HINCRBYFLOAT', 'hash', 'a', '0.5'],
  ['HDEL', 'hash', 'a', 'none'],
  ['HDEL', 'hash', 'b', 'c'],
  ['SADD', 'set', 'a', 'b'],
  ['SADD', 'set', 'a'],
  ['SREM', 'set', 'b'],
  ['SMOVE', 'set', 'set2', 'a'],
  ['SADD', 'set', 'x'],
  ['SPOP', 'set'],
  ['SINTERSTORE', 'result', 'set2', 'set2'],
  ['SDIFFSTORE', 'result', 'set2', 'set2'],
  ['SUNIONSTORE', 'result', 'set2'],
  ['ZADD', 'zset', 1, 'a', 2, 'b', 3, 'c'],
  ['ZADD', 'zset', 'INCR', 1, 'a'],
  ['ZINCRBY', 'zset', 1, 'a'],
  ['ZREM', 'zset', 'c'],
  ['ZRANGESTORE', 'zset2', 'zset', 0, -1],
  ['ZUNIONSTORE', 'zset3', 2, 'zset', 'zset2'],
  ['ZINTERSTORE', 'zset3', 2, 'zset', 'none'],
  ['ZPOPMIN', 'zset'],
  ['ZMPOP', 1, 'zset', 'MAX'],
  ['ZREMRANGEBYRANK', 'zset2', 0, 0],
  ['ZREMRANGEBYSCORE', 'zset2', '-inf', '+inf'],
  ['XADD', 'stream', 1, 'a', 'b'],
  ['XADD', 'stream', 'NOMKSTREAM', 'MAXLEN', 1, 2, 'a', 'b'],
  ['XADD', 'stream', 'MAXLEN', 9, 3, 'a', 'b'],
  ['XGROUP', 'CREATE', 'stream', 'g', 0],
  ['XGROUP', 'CREATE', 'stream2', 'g', 0, 'MKSTREAM'],
  ['XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 'stream', '>'],
  ['XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 'stream', 'stream2', 0, 0],
  ['XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 'stream2', '>'],
  ['XCLAIM', 'stream', 'g', 'bob', 0, 2, 3],
  ['XAUTOCLAIM', 'stream', 'g', 'cid', 0, '-'],
  ['XACK', 'stream', 'g', 2],
  ['XGROUP', 'CREATECONSUMER', 'stream', 'g', 'dan'],
  ['XGROUP', 'DELCONSUMER', 'stream', 'g', 'dan'],
  ['XGROUP', 'SETID', 'stream', 'g', 0],
  ['XTRIM', 'stream', 'MAXLEN', 1],
  ['XTRIM', 'stream', 'MAXLEN', 1],
  ['XDEL', 'stream', 3, 4],
  ['XSETID', 'stream', 9],
  ['XGROUP', 'DESTROY', 'stream', 'g'],
  ['MULTI'],
  ['XADD', 'stream', 'MAXLEN', 0, 10, 'a', 'b'],
  ['XADD', 'stream', 'MAXLEN', 1, 10, 'a', 'b'],
  ['XADD', 'stream', 'MAXLEN', 1, 11, 'a', 'b'],
  ['EXEC'],
  ['DEL', 'stream'],
  ['MOVE', 'i', 1],
  ['GET', 'none'],
  ['MGET', 'h', 'none', 'none2'],
  ['HGET', 'none', 'x'],
  ['MULTI'],
  ['SET', 'in', '1'],
  ['LPUSH', 'in', 'x'],
  ['DEL', 'in'],
  ['EXEC'],
  ['SET', 'short', '1', 'PX', 1],
  ['FLUSHALL'],
]

describe('key events', { skip }, () => {
  let real: RealRedis
  let ours: OurServer

  before(async () => {
    real = await startRealRedis()
    ours = await startOurs()
  })

  after(async () => {
    await ours.close()
    await real.close()
  })

  /** What is heard of all commands; `end` is published last. */
  async function heard(port: number): Promise<string[]> {
    const [speaks, listens] = [await RawClient.connect(port), await RawClient.connect(port)]
    await speaks.call('CONFIG', 'SET', 'notify-keyspace-events', 'AKEm')
    await listens.call('PSUBSCRIBE', '*')
    for (const command of commands) {
      await speaks.call(...command)
      // Redis expires when it looks: both are looked at until it is gone.
      if (command[1] === 'short') while (JSON.stringify(await speaks.call('EXISTS', 'short')).includes('1'));
    }
    await speaks.call('PUBLISH', 'end', '')
    const events: string[] = []
    let hasEnded = false
    // That a key's time is over may be told later than what was published after it.
    while (!hasEnded || !events.includes('__keyevent@0__:expired short')) {
      const message = await listens.next()
      assert.ok('array' in message, JSON.stringify(message))
      const [, , channel = '', what] = message.array.map((part) => ('bulk' in part ? part.bulk : ''))
      if (channel === 'end') hasEnded = true
      else events.push(`${channel} ${what}`)
    }
    speaks.close()
    listens.close()
    return events
  }

  test('every command tells what it tells in Redis', async () => {
    const [theirs, mine] = [await heard(real.port), await heard(ours.port)]
    // When a key expires is another moment here; misses are told of commands that count them.
    const isApart = (event: string): boolean => /expired|short|keymiss/.test(event)
    assert.deepEqual(
      mine.filter((event) => !isApart(event)),
      theirs.filter((event) => !isApart(event)),
    )
    const apart = new Set(mine.filter(isApart))
    for (const [name, key] of [
      ['expired', 'short'],
      ['keymiss', 'none'],
      ['keymiss', 'none2'],
    ]) {
      assert.ok(apart.has(`__keyevent@0__:${name} ${key}`), `${name} ${key}`)
      assert.ok(apart.has(`__keyspace@0__:${key} ${name}`), `${name} ${key}`)
    }
  })

  test('classes are told back as Redis tells them', async () => {
    const [them, us] = [await RawClient.connect(real.port), await RawClient.connect(ours.port)]
    for (const classes of ['KEA', 'Kx', 'Elg$', '', 'AmK', 'KEg$lshzxetdm', 'Ksz', 'KEnx', 'nonsense']) {
      const said = []
      for (const client of [us, them]) {
        said.push([
          await client.call('CONFIG', 'SET', 'notify-keyspace-events', classes),
          await client.call('CONFIG', 'GET', 'notify-keyspace-events'),
        ])
      }
      assert.deepEqual(said[0], said[1], classes)
    }
    them.close()
    us.close()
  })
})
