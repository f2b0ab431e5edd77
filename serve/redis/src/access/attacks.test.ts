/** What somebody with few rights, or none, may try to get more: each test is one way, and must find it closed. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { redisConfig, strangerLimitsOf } from '../config.ts'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { startTestWorkers } from '../workers/workers-suite.ts'

let setup: TestServer
let admin: TestClient

beforeEach(async () => {
  setup = await startTestServer()
  admin = await setup.connect('admin')
})

afterEach(() => setup.close())

async function loggedIn(...rules: string[]): Promise<TestClient> {
  assert.equal(await admin.call('ACL', 'SETUSER', 'eve', 'reset', 'on', '>pw', ...rules), '+OK\r\n')
  const client = await setup.connect('eve')
  assert.equal(await client.call('AUTH', 'eve', 'pw'), '+OK\r\n')
  return client
}

/** `K` is the key that is not granted, `M` and `N` those that are. Whatever else is missing, it is that key. */
const commandsOnKeys = `
APPEND K v|BITCOUNT K|BITFIELD K GET u8 0|BITFIELD_RO K GET u8 0|BITOP AND K M|BITOP AND M K|BITOP AND M N K|BITPOS K 1
BLMOVE K M LEFT LEFT 1|BLMOVE M K LEFT LEFT 1|BLMPOP 1 2 M K LEFT|BLPOP M K 1|BRPOP K M 1|BRPOPLPUSH M K 1|BZMPOP 1 1 K MIN
BZPOPMAX M K 1|BZPOPMIN K M 1|COPY K M|COPY M K|COPY M K REPLACE|DECR K|DECRBY K 1|DEL M K|DUMP K|EVAL x 1 K|EVAL x 2 M K
EVAL_RO x 1 K|EVALSHA x 1 K|EVALSHA_RO x 1 K|EXISTS M K|EXPIRE K 1|EXPIREAT K 1|EXPIRETIME K|GET K|GETBIT K 1|GETDEL K|GETEX K
GEOADD K 1 1 a|GEODIST K a b|GEOHASH K a|GEOPOS K a|GEORADIUS K 1 1 1 m|GEORADIUS M 1 1 1 m STORE K
GEORADIUS M 1 1 1 m STORE N STOREDIST K|GEORADIUS_RO K 1 1 1 m|GEORADIUSBYMEMBER K a 1 m|GEORADIUSBYMEMBER M a 1 m STOREDIST K
GEORADIUSBYMEMBER_RO K a 1 m|GEOSEARCH K FROMMEMBER a BYRADIUS 1 m|GEOSEARCHSTORE K M FROMMEMBER a BYRADIUS 1 m
GEOSEARCHSTORE M K FROMMEMBER a BYRADIUS 1 m
GETRANGE K 0 1|GETSET K v|HDEL K f|HEXISTS K f|HGET K f|HGETALL K|HINCRBY K f 1|HINCRBYFLOAT K f 1|HKEYS K|HLEN K|HMGET K f
HMSET K f v|HRANDFIELD K|HSCAN K 0|HSET K f v|HSETNX K f v|HSTRLEN K f|HVALS K|INCR K|INCRBY K 1|INCRBYFLOAT K 1|LCS M K|LCS K M
LINDEX K 0|LINSERT K BEFORE a b|LLEN K|LMOVE K M LEFT LEFT|LMOVE M K LEFT LEFT|LMPOP 2 M K LEFT|LPOP K|LPOS K a|LPUSH K a
LPUSHX K a|LRANGE K 0 1|LREM K 0 a|LSET K 0 a|LTRIM K 0 1|MEMORY USAGE K|MGET M K|MOVE K 1|MSET M v K v|MSETNX M v K v
OBJECT ENCODING K|OBJECT FREQ K|OBJECT IDLETIME K|OBJECT REFCOUNT K|ORBIT.GETREV K|ORBIT.RANGE M N|ORBIT.SETIFREV K 0 v
ORBIT.TXN 1 K 0 2 GET M|ORBIT.WATCH KEY K|ORBIT.WATCH KEY M|PERSIST K|PEXPIRE K 1|PEXPIREAT K 1|PEXPIRETIME K|PFADD K a
PFCOUNT M K|PFMERGE M K|PFMERGE K M|PSETEX K 1 v|PTTL K|RENAME M K|RENAME K M|RENAMENX M K|RENAMENX K M|RESTORE K 0 x|RPOP K
RPOPLPUSH K M|RPOPLPUSH M K|RPUSH K a|RPUSHX K a|SADD K a|SCARD K|SDIFF M K|SDIFFSTORE K M|SDIFFSTORE M N K|SET K v|SETBIT K 1 1
SETEX K 1 v|SETNX K v|SETRANGE K 0 v|SINTER M K|SINTERCARD 2 M K|SINTERSTORE K M|SINTERSTORE M K|SISMEMBER K a|SMEMBERS K
SMISMEMBER K a|SMOVE K M a|SMOVE M K a|SORT K|SORT M STORE K|SORT M BY K*|SORT M BY K_*->f|SORT M GET K*|SORT M GET # GET K
SORT M LIMIT 0 1 STORE K|SORT M ASC STORE N STORE K|SORT_RO K|SORT_RO M BY K*|SORT_RO M GET K|SPOP K|SRANDMEMBER K|SREM K a
SSCAN K 0|STRLEN K|SUBSTR K 0 1|SUNION M K|SUNIONSTORE K M|SUNIONSTORE M K|TOUCH M K|TTL K|TYPE K|UNLINK M K|WATCH M K|XACK K g 1
XADD K * f v|XAUTOCLAIM K g c 0 0|XCLAIM K g c 0 1|XDEL K 1|XGROUP CREATE K g 0|XGROUP DESTROY K g|XINFO STREAM K|XINFO GROUPS K
XLEN K|XPENDING K g|XRANGE K - +|XREAD STREAMS M K 0 0|XREAD COUNT 1 STREAMS K 0|XREAD COUNT 1 BLOCK 1 STREAMS M K 0 0
XREADGROUP GROUP g c STREAMS K >|XREADGROUP COUNT 1 GROUP STREAMS M STREAMS K >|XREADGROUP NOACK GROUP STREAMS M STREAMS K >
XREADGROUP GROUP GROUP M STREAMS K >|XREVRANGE K + -|XSETID K 1|XTRIM K MAXLEN 1|ZADD K 1 a|ZCARD K|ZCOUNT K 0 1|ZDIFF 2 M K
ZDIFFSTORE K 1 M|ZDIFFSTORE M 2 N K|ZINCRBY K 1 a|ZINTER 2 M K|ZINTERCARD 2 M K|ZINTERSTORE K 1 M|ZINTERSTORE M 1 K|ZLEXCOUNT K - +
ZMPOP 2 M K MIN|ZMSCORE K a|ZPOPMAX K|ZPOPMIN K|ZRANDMEMBER K|ZRANGE K 0 1|ZRANGEBYLEX K - +|ZRANGEBYSCORE K 0 1|ZRANGESTORE K M 0 1
ZRANGESTORE M K 0 1|ZRANK K a|ZREM K a|ZREMRANGEBYLEX K - +|ZREMRANGEBYRANK K 0 1|ZREMRANGEBYSCORE K 0 1|ZREVRANGE K 0 1
ZREVRANGEBYLEX K + -|ZREVRANGEBYSCORE K 1 0|ZREVRANK K a|ZSCAN K 0|ZSCORE K a|ZUNION 2 M K|ZUNIONSTORE K 1 M|ZUNIONSTORE M 2 N K`
  .trim()
  .split(/[|\n]/)

const noKey = '-NOPERM this user has no permissions to access one of the keys used as arguments\r\n'

test('a key that is not granted is out of reach of every command, at each place, at once, queued, and in ORBIT.TXN', async () => {
  const client = await loggedIn('+@all', '~M', '~N', '~STREAMS')
  for (const line of commandsOnKeys) {
    const command = line.split(' ')
    assert.equal(await client.call(...command), noKey, line)
    await client.call('MULTI')
    assert.equal(await client.call(...command), noKey, `queued: ${line}`)
    assert.match(await client.call('EXEC'), /^-EXECABORT/)
    const inside = await client.call('ORBIT.TXN', 0, command.length, ...command)
    assert.match(inside, /-NOPERM|cannot be run inside/, `inside: ${line}`)
    const past = await client.call('ORBIT.AT', 0, ...command)
    assert.match(past, /^-NOPERM|cannot be run inside|only read|-ERR (a|the) (state|revision)|compacted/, `at: ${line}`)
  }
  assert.equal(await admin.call('DBSIZE'), ':0\r\n')
})

test('every command of the table that has keys is in that list', async () => {
  const listed = new Set(commandsOnKeys.map((line) => line.split(' ')[0]?.toLowerCase()))
  const missing: string[] = []
  for (const [, name = ''] of (await admin.call('COMMAND', 'LIST')).matchAll(/\$\d+\r\n([^\r]+)\r\n/g)) {
    const info = await admin.call('COMMAND', 'INFO', name)
    const first = Number(
      /^\*1\r\n\*10\r\n\$\d+\r\n[^\r]+\r\n:-?\d+\r\n\*\d+\r\n(?:\+[^\r]+\r\n)*:(-?\d+)/.exec(info)?.[1],
    )
    const isOfChannels = ['ssubscribe', 'sunsubscribe', 'spublish'].includes(name)
    if (first > 0 && !isOfChannels && !listed.has(name)) missing.push(name)
  }
  assert.deepEqual(missing, [])
})

test('a right to read does not write, and a right to write does not read', async () => {
  const client = await loggedIn('+@all', '%R~r', '%W~w')
  for (const line of [
    'SET r v',
    'GETDEL r',
    'COPY w r',
    'RENAME r w',
    'RENAME w w',
    'LMOVE r w LEFT LEFT',
    'SORT r STORE r',
  ]) {
    assert.equal(await client.call(...line.split(' ')), noKey, line)
  }
  for (const line of [
    'GET w',
    'SET w v GET',
    'SET w v EX 10 get',
    'GETSET w v',
    'INCR w',
    'SUNIONSTORE w w',
    'BITFIELD w SET u8 0 1',
  ]) {
    assert.equal(await client.call(...line.split(' ')), noKey, line)
  }
  assert.equal(await client.call('SET', 'w', 'v'), '+OK\r\n')
  assert.equal(await client.call('COPY', 'r', 'w'), ':0\r\n')
})

test('a script has the rights of who runs it', async () => {
  const client = await loggedIn('+@all', '-config', '-del', '~mine')
  const run = (text: string) => client.call('EVAL', text, 0)
  for (const [name, ...rest] of [
    ['GET', 'K'],
    ['DEL', 'mine'],
    ['CONFIG', 'GET', '*'],
    ['SORT', 'mine', 'BY', 'K*'],
    ['RENAME', 'mine', 'K'],
    ['ORBIT.RANGE', 'a', 'z'],
  ]) {
    const words = [name, ...rest].map((word) => `'${word}'`).join(',')
    assert.match(
      await run(`return redis.call(${words})`),
      /^-(NOPERM|ERR This Redis command is not allowed from script)/,
    )
    assert.match(
      await run(`return redis.pcall(${words})`),
      /^-(NOPERM|ERR This Redis command is not allowed from script)/,
    )
  }
})

test('who waits for an element of a key that was taken away gets none, and the next one does', async () => {
  const client = await loggedIn('+@all', '~list')
  const next = await setup.connect('next')
  assert.equal(await client.call('BLPOP', 'list', 0), '')
  assert.equal(await next.call('BLPOP', 'list', 0), '')
  await admin.call('ACL', 'SETUSER', 'eve', 'resetkeys')
  await admin.call('RPUSH', 'list', 'secret')
  await setup.pass(100)
  assert.equal(client.received, noKey)
  assert.match(next.received, /secret/)
})

test('listeners of channels of shards are cut when their channel is taken away', async () => {
  const client = await loggedIn('+@all', '&a')
  assert.match(await client.call('SSUBSCRIBE', 'a'), /ssubscribe/)
  await admin.call('ACL', 'SETUSER', 'eve', 'resetchannels')
  await setup.pass(10)
  assert.equal(client.isClosed, true)
})

test('who follows changes of keys is cut when its keys are taken away, and follows none after RESET', async () => {
  const client = await loggedIn('+@all', 'allkeys')
  await client.call('HELLO', 3)
  assert.equal(await client.call('ORBIT.WATCH', 'PREFIX', ''), ':1\r\n')
  assert.equal(await client.call('RESET'), '+RESET\r\n')
  client.received = ''
  await admin.call('SET', 'k', 'for others')
  assert.equal(client.received, '')
  await client.call('HELLO', 3, 'AUTH', 'eve', 'pw')
  assert.equal(await client.call('ORBIT.WATCH', 'PREFIX', ''), ':2\r\n')
  await admin.call('ACL', 'SETUSER', 'eve', '+get')
  await setup.pass(10)
  assert.equal(client.isClosed, false)
  await admin.call('ACL', 'SETUSER', 'eve', 'resetkeys', '~k')
  await setup.pass(10)
  assert.equal(client.isClosed, true)
})

test('a transaction that runs at another worker is refused when its rights were taken away since', async () => {
  const workers = await startTestWorkers({ workers: 2 })
  const root = await workers.connect(0)
  const key = workers.keyOf(1)
  await root.call('ACL', 'SETUSER', 'eve', 'on', '>pw', '+@all', 'allkeys')
  const client = await workers.connect(0)
  await client.call('AUTH', 'eve', 'pw')
  await client.say(encode(['MULTI']) + encode(['SET', key, 'v']))
  await root.call('ACL', 'SETUSER', 'eve', '-set')
  assert.match(await client.call('EXEC'), /^-NOPERM ACLs rules changed/)
  assert.equal(await root.call('GET', key), '$-1\r\n')
  await root.call('ACL', 'SETUSER', 'eve', '+@all')
  await client.say(encode(['MULTI']) + encode(['EVAL', "return redis.call('SET', KEYS[1], 'v')", 1, key]))
  await root.call('ACL', 'SETUSER', 'eve', '-set')
  assert.match(await client.call('EXEC'), /^-(NOPERM|EXECABORT)/)
  assert.equal(await root.call('GET', key), '$-1\r\n')
  assert.equal(await client.call('PING'), '+PONG\r\n')
  await root.call('RPUSH', workers.keyOf(1, 'other'), 'x')
  assert.equal(await client.call('BLPOP', workers.keyOf(1, 'list'), 0), '')
  await root.call('ACL', 'SETUSER', 'eve', 'resetkeys')
  await workers.pass(100)
  assert.match(client.received, /^-UNBLOCKED/)
  await workers.close()
})

test('a request of HTTP ends the connection before a command of its body runs', async () => {
  for (const head of ['POST / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: localhost\r\n']) {
    const page = await setup.connect('page')
    await page.say(`${head}\r\nSET stolen 1\r\n`)
    assert.equal(page.isClosed, true)
    assert.equal(await admin.call('EXISTS', 'stolen'), ':0\r\n')
  }
})

test('no password is shown: not by SLOWLOG, CONFIG, CLIENT LIST, ACL, errors or the log', async () => {
  await admin.call('CONFIG', 'SET', 'slowlog-log-slower-than', 0)
  const client = await loggedIn('+@all', 'allkeys')
  const secret = 'hunter2'
  await admin.call('ACL', 'SETUSER', 'ada', 'on', `>${secret}`)
  await admin.call('ACL', 'SETUSER', 'ada', `>${secret}`, '+nonsense')
  await admin.call('ACL', 'SETUSER', 'ada', `<${secret}x`)
  await client.call('AUTH', 'ada', secret)
  await client.call('AUTH', secret)
  await client.call('HELLO', 3, 'AUTH', 'nobody', secret)
  await client.call('MULTI')
  await client.call('AUTH', 'ada', secret)
  await client.call('EXEC')
  await admin.call('CONFIG', 'SET', 'requirepass', secret)
  const shown = [
    await admin.call('SLOWLOG', 'GET', -1),
    await admin.call('CONFIG', 'GET', '*'),
    await admin.call('CLIENT', 'LIST'),
    await admin.call('ACL', 'LIST'),
    await admin.call('ACL', 'LOG', 100),
    await admin.call('INFO', 'everything'),
    await admin.call('ACL', 'SETUSER', 'ada', `>${secret}`, `<${secret}y`),
    JSON.stringify(setup.log),
  ]
  assert.match(shown[0] as string, /redacted/)
  for (const text of shown) assert.ok(!text.includes(secret), text)
})

test('connections that have not logged in hold so little that all there may be leave room for others', async () => {
  const { clientsMax, buffersBytesMax } = redisConfig.defaults
  assert.ok(strangerLimitsOf(redisConfig.defaults).frameBytesMax * clientsMax < buffersBytesMax)
  await admin.call('CONFIG', 'SET', 'requirepass', 'pw')
  const argument = `$16000\r\n${'x'.repeat(16_000)}\r\n`
  const client = await setup.connect()
  assert.equal(await client.say(`*10\r\n${argument.repeat(3)}`), '')
  assert.match(await client.say(argument.repeat(6)), /^-ERR .*a command of more than 65536 bytes/)
  assert.equal(client.isClosed, true)
})
