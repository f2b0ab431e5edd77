/**
 * Every command with its answer, byte by byte, in both versions of the protocol; then what only time and order show.
 * The fine print of options and errors is compared with a real Redis in tests/redis.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { accessAnswers } from '../access/answers-suite.ts'
import { ScanPositions } from '../scan-positions.ts'
import { scriptAnswers } from '../scripts/answers-suite.ts'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { type Answer, typeAnswers } from './answers-suite.ts'
import { allCommands } from './index.ts'

const seed = Number(process.env.ORBIT_SEED ?? 16)

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const array = (...texts: string[]): string => `*${texts.length}\r\n${texts.map(bulk).join('')}`
const none: Answer = ['$-1\r\n', '_\r\n']

/** In this order, on an empty store. */
const table: readonly (readonly [command: string, answer: Answer])[] = [
  ...typeAnswers,
  ...scriptAnswers,
  ...accessAnswers,
  ['OBJECT HELP', /OBJECT <subcommand>/],
  ['PUBSUB HELP', /PUBSUB <subcommand>/],
  ['PING', '+PONG\r\n'],
  ['ECHO hi', bulk('hi')],
  ['SELECT 0', '+OK\r\n'],
  ['AUTH secret', /^-ERR AUTH <password> called without any password/],
  ['GET a', none],
  ['SET a 1', '+OK\r\n'],
  ['GET a', bulk('1')],
  ['SETNX a 2', ':0\r\n'],
  ['SETEX b 100 x', '+OK\r\n'],
  ['TTL b', ':100\r\n'],
  ['PSETEX b 5000 y', '+OK\r\n'],
  ['PTTL b', /^:(4[5-9]\d\d|5000)\r\n$/],
  ['GETSET a 3', bulk('1')],
  ['GETEX a EX 10', bulk('3')],
  ['TTL a', ':10\r\n'],
  ['PERSIST a', ':1\r\n'],
  ['TTL a', ':-1\r\n'],
  ['TTL nokey', ':-2\r\n'],
  ['EXPIRE a 60', ':1\r\n'],
  ['PEXPIRE a 50000 GT', ':0\r\n'],
  ['EXPIREAT a 4102444800', ':1\r\n'],
  ['EXPIRETIME a', ':4102444800\r\n'],
  ['PEXPIREAT a 4102444800123', ':1\r\n'],
  ['PEXPIRETIME a', ':4102444800123\r\n'],
  ['MSET c 1 d 2', '+OK\r\n'],
  ['MSETNX d 3 e 4', ':0\r\n'],
  ['MGET c d nokey', ['*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n', '*3\r\n$1\r\n1\r\n$1\r\n2\r\n_\r\n']],
  ['STRLEN c', ':1\r\n'],
  ['APPEND c 23', ':3\r\n'],
  ['GETRANGE c 1 -1', bulk('23')],
  ['SUBSTR c 0 0', bulk('1')],
  ['SETRANGE c 1 xx', ':3\r\n'],
  ['GET c', bulk('1xx')],
  ['INCR d', ':3\r\n'],
  ['DECR d', ':2\r\n'],
  ['INCRBY d 40', ':42\r\n'],
  ['DECRBY d 2', ':40\r\n'],
  ['INCRBYFLOAT d 0.5', bulk('40.5')],
  ['INCR c', '-ERR value is not an integer or out of range\r\n'],
  ['EXISTS a b c d e', ':4\r\n'],
  ['TOUCH a nokey', ':1\r\n'],
  ['TYPE a', '+string\r\n'],
  ['TYPE nokey', '+none\r\n'],
  ['RENAME d e', '+OK\r\n'],
  ['RENAMENX e a', ':0\r\n'],
  ['RENAME nokey x', '-ERR no such key\r\n'],
  ['KEYS *', array('a', 'b', 'c', 'e')],
  ['KEYS [ab]', array('a', 'b')],
  ['SCAN 0', `*2\r\n${bulk('0')}${array('a', 'b', 'c', 'e')}`],
  ['DBSIZE', ':4\r\n'],
  ['GETDEL e', bulk('40.5')],
  ['DEL a a nokey', ':1\r\n'],
  ['UNLINK b', ':1\r\n'],
  ['RANDOMKEY', bulk('c')],
  ['SELECT 1', '+OK\r\n'],
  ['SELECT 16', '-ERR DB index is out of range\r\n'],
  ['SET m 1', '+OK\r\n'],
  ['MOVE m 0', ':1\r\n'],
  ['SWAPDB 0 1', '+OK\r\n'],
  ['KEYS *', array('c', 'm')],
  ['SWAPDB 1 0', '+OK\r\n'],
  ['SELECT 0', '+OK\r\n'],
  ['DEL m', ':1\r\n'],
  ['FLUSHDB', '+OK\r\n'],
  ['DBSIZE', ':0\r\n'],
  ['RANDOMKEY', none],
  ['FLUSHALL ASYNC', '+OK\r\n'],
  ['TIME', /^\*2\r\n\$10\r\n17040672\d\d\r\n\$\d\r\n0\r\n|^\*2\r\n\$10\r\n17\d{8}\r\n\$\d\r\n\d+\r\n$/],
  ['CLIENT ID', /^:\d+\r\n$/],
  ['CLIENT SETNAME me', '+OK\r\n'],
  ['CLIENT GETNAME', bulk('me')],
  ['CLIENT SETINFO LIB-NAME tests', '+OK\r\n'],
  ['CLIENT SETINFO LIB-VER 1.2', '+OK\r\n'],
  ['CLIENT SETINFO NONSENSE 1', "-ERR Unrecognized option 'NONSENSE'\r\n"],
  ['CLIENT INFO', /id=\d+ addr=client:\d+ .* name=me .* cmd=client\|info .* lib-name=tests lib-ver=1.2\n\r\n$/],
  ['CLIENT LIST', /id=\d+ addr=client:\d+ .* name=me .* cmd=client\|list .* lib-name=tests lib-ver=1.2\n\r\n$/],
  ['CLIENT NO-EVICT ON', '+OK\r\n'],
  ['CLIENT NO-TOUCH ON', '+OK\r\n'],
  ['CLIENT GETREDIR', ':-1\r\n'],
  ['CLIENT CACHING YES', /^-ERR CLIENT CACHING can be called only when/],
  ['CLIENT TRACKING OFF', '+OK\r\n'],
  ['CLIENT TRACKINGINFO', /flags\r\n[*~]1\r\n\$3\r\noff/],
  ['CLIENT PAUSE 0', '+OK\r\n'],
  ['CLIENT UNPAUSE', '+OK\r\n'],
  ['CLIENT REPLY ON', '+OK\r\n'],
  ['CLIENT KILL ID 99999', ':0\r\n'],
  ['CLIENT HELP', /^\*\d+\r\n\+CLIENT <subcommand>/],
  ['CONFIG GET save', ['*2\r\n$4\r\nsave\r\n$0\r\n\r\n', '%1\r\n$4\r\nsave\r\n$0\r\n\r\n']],
  ['CONFIG GET append*', /appendfsync\r\n\$6\r\nalways\r\n\$10\r\nappendonly\r\n\$3\r\nyes/],
  ['CONFIG SET databases 1', /^-ERR CONFIG SET failed .* immutable config\r\n$/],
  ['CONFIG SET hz 100 slowlog-max-len x', /^-ERR CONFIG SET failed .*'slowlog-max-len'.* integer\r\n$/],
  ['CONFIG GET hz', ['*2\r\n$2\r\nhz\r\n$2\r\n10\r\n', '%1\r\n$2\r\nhz\r\n$2\r\n10\r\n']],
  ['CONFIG SET hz 100', '+OK\r\n'],
  ['CONFIG RESETSTAT', '+OK\r\n'],
  ['CONFIG REWRITE', /^-ERR/],
  ['CONFIG HELP', /^\*\d+\r\n\+CONFIG <subcommand>/],
  ['DEBUG SLEEP 1', /^-ERR DEBUG command not allowed/],
  ['SLOWLOG RESET', '+OK\r\n'],
  ['SLOWLOG LEN', ':0\r\n'],
  ['SLOWLOG GET -2', '-ERR count should be greater than or equal to -1\r\n'],
  ['CONFIG SET slowlog-log-slower-than 0', '+OK\r\n'],
  ['PING slow', bulk('slow')],
  ['CONFIG SET slowlog-log-slower-than 10000', '+OK\r\n'],
  [
    'SLOWLOG GET',
    /^\*2\r\n\*6\r\n:\d+\r\n:\d+\r\n:\d+\r\n\*2\r\n\$4\r\nPING\r\n\$4\r\nslow\r\n\$\d+\r\nclient:\d+\r\n\$2\r\nme\r\n/,
  ],
  ['SLOWLOG HELP', /^\*\d+\r\n\+SLOWLOG <subcommand>/],
  ['LATENCY DOCTOR', /Latency monitoring is disabled/],
  ['LATENCY LATEST', '*0\r\n'],
  ['LATENCY HISTORY command', '*0\r\n'],
  ['LATENCY GRAPH command', "-ERR No samples available for event 'command'\r\n"],
  ['LATENCY RESET', ':0\r\n'],
  [
    'LATENCY HISTOGRAM ping nosuch',
    /^[*%][12]\r\n\$4\r\nping\r\n[*%][24]\r\n\$5\r\ncalls\r\n:\d+\r\n\$14\r\nhistogram_usec\r\n/,
  ],
  ['LATENCY HELP', /^\*\d+\r\n\+LATENCY <subcommand>/],
  ['MEMORY USAGE nokey', none],
  ['MEMORY STATS', /peak\.allocated\r\n:\d+\r\n/],
  ['MEMORY DOCTOR', /indexes take \d+% of the memory/],
  ['MEMORY PURGE', '+OK\r\n'],
  ['MEMORY MALLOC-STATS', /Stats not supported/],
  ['MEMORY HELP', /^\*\d+\r\n\+MEMORY <subcommand>/],
  ['ROLE', '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n'],
  ['WAIT 1 100', ':0\r\n'],
  ['WAITAOF 1 0 100', '*2\r\n:1\r\n:0\r\n'],
  ['CLUSTER KEYSLOT {user1000}.following', ':3443\r\n'],
  ['CLUSTER COUNTKEYSINSLOT 3443', ':0\r\n'],
  ['CLUSTER GETKEYSINSLOT 3443 10', '*0\r\n'],
  ['CLUSTER INFO', /cluster_state:ok\r\ncluster_slots_assigned:16384\r\n/],
  ['CLUSTER MYID', bulk('0'.repeat(40))],
  ['CLUSTER NODES', /myself,master - 0 0 1 connected 0-16383\n/],
  ['CLUSTER SHARDS', /^\*1\r\n[*%]/],
  ['CLUSTER SLOTS', /^\*1\r\n\*3\r\n:0\r\n:16383\r\n/],
  ['CLUSTER HELP', /^\*\d+\r\n\+CLUSTER <subcommand>/],
  ['ORBIT.GETREV nokey', ['*-1\r\n', '_\r\n']],
  ['ORBIT.SETIFREV orbit 0 x', /^:\d+\r\n$/],
  ['ORBIT.TXN 0 2 GET orbit', array('x')],
  ['ORBIT.RANGE orbit orbiu', /^\*1\r\n\*3\r\n\$5\r\norbit\r\n\$1\r\nx\r\n:\d+\r\n$/],
  ['ORBIT.AT 0 DBSIZE', /^(:0|-ERR .*)\r\n$/],
  ['ORBIT.WATCH KEY orbit', /^(:1|-ERR ORBIT.WATCH needs RESP3.*)\r\n$/],
  ['ORBIT.UNWATCH 1', /^:[01]\r\n$/],
  ['DEL orbit', ':1\r\n'],
  ['LOLWUT', /OrbitKV ver\. 0\.0\.0\n\r\n$/],
  ['INFO', /# Server\r\nredis_version:7\.0\.15\r\norbitkv_version:0\.0\.0\r\n/],
  ['INFO commandstats', /# Commandstats\r\n(?:.*\r\n)*cmdstat_client\|info:calls=\d+|# Commandstats\r\n/],
  ['COMMAND', /^\*\d+\r\n\*10\r\n\$3\r\nget\r\n:2\r\n/],
  ['COMMAND COUNT', `:${allCommands().size}\r\n`],
  ['COMMAND LIST FILTERBY PATTERN getd*', array('getdel')],
  ['COMMAND INFO nosuch', ['*1\r\n$-1\r\n', '*1\r\n_\r\n']],
  ['COMMAND DOCS getset', /\$16\r\ndeprecated_since\r\n\$5\r\n6\.2\.0/],
  ['COMMAND GETKEYS MSET a 1 b 2', array('a', 'b')],
  [
    'COMMAND GETKEYSANDFLAGS GET a',
    ['*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n', '*1\r\n*2\r\n$1\r\na\r\n~2\r\n+RO\r\n+access\r\n'],
  ],
  ['COMMAND HELP', /^\*\d+\r\n\+COMMAND <subcommand>/],
  ['NOSUCH a b', "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n"],
  ['CLIENT NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n"],
  ['GET', "-ERR wrong number of arguments for 'get' command\r\n"],
  ['CLIENT SETNAME', "-ERR wrong number of arguments for 'client|setname' command\r\n"],
  ['RESET', '+RESET\r\n'],
  ['QUIT', '+OK\r\n'],
]

for (const protocol of [2, 3] as const) {
  test(`every command, RESP${protocol}`, async () => {
    const setup = await startTestServer({ seed })
    const client = await setup.connect()
    const hello = await client.call('HELLO', protocol)
    assert.ok(hello.startsWith(protocol === 2 ? '*14\r\n' : '%7\r\n'), hello)
    for (const [command, answer] of table) {
      const said = await client.call(...command.split(' '))
      const expected = Array.isArray(answer) ? (answer[protocol - 2] as string) : (answer as string | RegExp)
      if (typeof expected === 'string') assert.equal(said, expected, command)
      else assert.match(said, expected, command)
    }
    assert.deepEqual(
      setup.log.filter(({ level }) => level === 'error'),
      [],
    )
    await setup.close()
  })
}

test('the table above leaves no command out', () => {
  const visited = new Set(['hello', ...table.map(([command]) => command.split(' ', 1)[0]?.toLowerCase())])
  for (const [name, command] of allCommands()) {
    assert.ok(visited.has(name), `${name} is not tested`)
    const subcommands = table.filter(([text]) => text.toLowerCase().startsWith(`${name} `))
    for (const sub of command.byName?.keys() ?? []) {
      assert.ok(
        subcommands.some(([text]) => text.toLowerCase().split(' ')[1] === sub),
        `${name} ${sub} is not tested`,
      )
    }
  }
})

describe('time', () => {
  let setup: TestServer
  let client: TestClient
  before(async () => {
    setup = await startTestServer({ seed })
    client = await setup.connect()
  })
  after(() => setup.close())

  test('a key that has expired is gone for every command', async () => {
    await client.call('SET', 'a', '1', 'PX', '500')
    await setup.pass(450)
    await client.call('MSET', 'b', '1')
    await setup.pass(100)
    for (const command of [
      'GET a',
      'GETRANGE a 0 -1',
      'MGET a',
      'RANDOMKEY',
      'KEYS a',
      'TTL a',
      'EXISTS a',
      'PERSIST a',
    ]) {
      const said = await client.call(...command.split(' '))
      assert.ok(!said.includes('a\r\n') && said !== ':1\r\n', `${command}: ${said}`)
    }
    assert.equal(await client.call('SETNX', 'a', '2'), ':1\r\n')
    assert.equal(await client.call('TTL', 'a'), ':-1\r\n')
  })

  test('changing a value keeps its expiry, setting it anew drops it', async () => {
    await client.call('SET', 'n', '1', 'EX', '100')
    for (const command of ['INCR n', 'APPEND n 0', 'SETRANGE n 0 5', 'INCRBYFLOAT n 1']) {
      await client.call(...command.split(' '))
      assert.match(await client.call('TTL', 'n'), /^:(9\d|100)\r\n$/, command)
    }
    await client.call('RENAME', 'n', 'm')
    assert.match(await client.call('TTL', 'm'), /^:(9\d|100)\r\n$/)
    await client.call('RENAME', 'm', 'n')
    await client.call('SET', 'n', '1')
    assert.equal(await client.call('TTL', 'n'), ':-1\r\n')
  })

  test('a time to live is counted from the turn in which its command runs', async () => {
    await client.call('SET', 'a', '1', 'EX', '10')
    assert.equal(await client.call('TTL', 'a'), ':10\r\n')
    await setup.pass(9000)
    assert.equal(await client.call('TTL', 'a'), ':1\r\n')
    await setup.pass(1000)
    assert.equal(await client.call('TTL', 'a'), ':-2\r\n')
  })
})

describe(`scans, ORBIT_SEED=${seed}`, () => {
  let setup: TestServer
  let client: TestClient
  before(async () => {
    setup = await startTestServer({ seed, durability: 'none' })
    client = await setup.connect()
  })
  after(() => setup.close())

  function parseScan(said: string): { cursor: string; keys: string[] } {
    const lines = said.split('\r\n')
    return { cursor: lines[2] as string, keys: lines.slice(4).filter((_, i) => i % 2 === 1) }
  }

  async function scanAll(
    options: string[],
    between: (round: number) => Promise<void> = async () => {},
  ): Promise<string[]> {
    const keys: string[] = []
    let cursor = '0'
    for (let round = 0; round < 10_000; round++) {
      const found = parseScan(await client.call('SCAN', cursor, ...options))
      keys.push(...found.keys)
      cursor = found.cursor
      if (cursor === '0') return keys
      assert.match(cursor, /^\d+$/)
      assert.ok(Number.isSafeInteger(Number(cursor)), 'a cursor is a number that any client can hold')
      await between(round)
    }
    throw new Error('the scan does not end')
  }

  async function fill(names: readonly string[]): Promise<void> {
    await client.call('FLUSHALL')
    for (let i = 0; i < names.length; i += 100) {
      await client.call('MSET', ...names.slice(i, i + 100).flatMap((name) => [name, 'x']))
    }
  }

  const names = Array.from({ length: 437 }, (_, i) => `key:${String(i).padStart(4, '0')}`)

  test('a whole scan returns every key once, whatever COUNT is', async () => {
    await fill(names)
    for (const count of ['1', '10', '436', '437', '438', '100000']) {
      assert.deepEqual(await scanAll(['COUNT', count]), names, `COUNT ${count}`)
    }
    assert.deepEqual(await scanAll([]), names)
  })

  test('MATCH and TYPE leave keys out, and nothing else', async () => {
    await fill([...names, 'other:1', 'other:2', 'zzz'])
    assert.deepEqual(await scanAll(['MATCH', 'other:*']), ['other:1', 'other:2'])
    assert.deepEqual(
      await scanAll(['MATCH', '*:00?1', 'COUNT', '7']),
      names.filter((name) => /:00.1$/.test(name)),
    )
    assert.deepEqual(await scanAll(['TYPE', 'hash']), [])
    assert.deepEqual((await scanAll(['TYPE', 'STRING', 'COUNT', '100'])).length, 440)
  })

  test('keys that stay are returned, whatever is written and deleted meanwhile', async () => {
    const random = new Random(seed)
    await fill(names)
    const staying = new Set(names.filter(() => random.chance(2)))
    const others = names.filter((name) => !staying.has(name))
    const found = await scanAll(['COUNT', '5'], async () => {
      for (let i = 0; i < 5; i++) {
        const name = random.chance(2) ? random.pick(others) : `new:${random.below(1000)}`
        await client.call(...(random.chance(2) ? ['DEL', name] : ['SET', name, 'y']))
      }
    })
    for (const name of staying) assert.ok(found.includes(name), `${name} was missed`)
  })

  test('two scans at once do not disturb each other, and a cursor can be used twice', async () => {
    await fill(names)
    const first = parseScan(await client.call('SCAN', '0', 'COUNT', '100'))
    const other = parseScan(await client.call('SCAN', '0', 'COUNT', '7'))
    const second = parseScan(await client.call('SCAN', first.cursor, 'COUNT', '100'))
    const again = parseScan(await client.call('SCAN', first.cursor, 'COUNT', '100'))
    assert.deepEqual(second.keys, names.slice(100, 200))
    assert.deepEqual(again.keys, second.keys)
    assert.deepEqual(parseScan(await client.call('SCAN', other.cursor, 'COUNT', '7')).keys, names.slice(7, 14))
  })

  test('a cursor that is not known starts from the first key, so that nothing is missed', async () => {
    await fill(names)
    assert.deepEqual(parseScan(await client.call('SCAN', '123456789', 'COUNT', '3')).keys, names.slice(0, 3))
  })

  test('places are remembered within a bound, the oldest go first', () => {
    const positions = new ScanPositions(setup.clock.now())
    const key = new Uint8Array(8000)
    const cursors = Array.from({ length: 5000 }, () => positions.remember(key))
    assert.ok(positions.count < 2100 && positions.count > 1900, `${positions.count} places`)
    assert.equal(positions.find(cursors[0] as number), undefined)
    assert.equal(positions.find(cursors.at(-1) as number), key)
  })

  test('a later start never gives a cursor again', () => {
    const before = new ScanPositions(1000)
    const last = Array.from({ length: 500 }, () => before.remember(new Uint8Array(1))).at(-1) as number
    assert.ok(new ScanPositions(1001).remember(new Uint8Array(1)) > last)
  })
})

describe('INFO', () => {
  test('the numbers of its sections follow what happens', async () => {
    const setup = await startTestServer({ seed })
    const client = await setup.connect()
    await client.say(
      [encode(['SET', 'a', '1']), encode(['GET', 'a']), encode(['GET', 'b']), encode(['NOSUCH'])].join(''),
    )
    await client.call('SET', 'c', '1', 'PX', '1')
    await setup.pass(5000)
    const info = await client.call('INFO', 'everything')
    const value = (name: string): string | undefined => new RegExp(`\\r\\n${name}:(.*)\\r\\n`).exec(info)?.[1]
    assert.equal(value('connected_clients'), '1')
    assert.equal(value('total_connections_received'), '1')
    assert.equal(value('total_commands_processed'), '6')
    assert.equal(value('keyspace_hits'), '1')
    assert.equal(value('keyspace_misses'), '1')
    assert.equal(value('total_error_replies'), '1')
    assert.equal(value('expired_keys'), '1')
    assert.equal(value('db0'), 'keys=1,expires=0,avg_ttl=0')
    assert.equal(value('role'), 'master')
    assert.equal(value('aof_last_write_status'), 'ok')
    assert.equal(value('cmdstat_get'), 'calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0')
    assert.equal(value('tcp_port'), String(setup.server.address.port))
    assert.ok(Number(value('total_net_input_bytes')) > 0)
    assert.ok(Number(value('turns_withheld')) > 0)
    const onlyCpu = await client.call('INFO', 'CPU')
    assert.match(
      onlyCpu,
      /^\$\d+\r\n# CPU\r\nused_cpu_sys:\d+\.\d{6}\r\nused_cpu_user:\d+\.\d{6}\r\n(?:used_cpu_\w+:\d+\.\d{6}\r\n){4}\r\n$/,
    )
    await setup.close()
  })
})
