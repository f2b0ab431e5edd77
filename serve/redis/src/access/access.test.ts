/** Users, logging in, rights and limits as clients meet them. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { AccessLimits } from '@orbitkv/access'
import type { RedisLimits } from '../config.ts'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import type { UsersFile } from './access.ts'

let setup: TestServer
let admin: TestClient

interface Options {
  readonly password?: string
  readonly file?: UsersFile
  readonly access?: Partial<AccessLimits>
  readonly limits?: Partial<RedisLimits>
}

async function start({ password = '', file, access = {}, limits = {} }: Options = {}): Promise<void> {
  setup = await startTestServer({
    limits,
    access: { password, limits: access, ...(file === undefined ? {} : { file }) },
  })
  admin = await setup.connect('admin')
  if (password !== '') assert.equal(await admin.call('AUTH', password), '+OK\r\n')
}

afterEach(async () => {
  assert.deepEqual(
    setup.log.filter(({ level }) => level === 'error'),
    [],
  )
  assert.deepEqual((await setup.store.verify()).faults, [])
  await setup.close()
})

/** A client that has logged in as a user with these rules. */
async function user(...rules: string[]): Promise<TestClient> {
  assert.equal(await admin.call('ACL', 'SETUSER', 'ada', 'reset', 'on', '>secret', ...rules), '+OK\r\n')
  const client = await setup.connect('ada')
  assert.equal(await client.call('AUTH', 'ada', 'secret'), '+OK\r\n')
  return client
}

const noAuth = '-NOAUTH Authentication required.\r\n'
const noCommand = (name: string) => `-NOPERM this user has no permissions to run the '${name}' command\r\n`
const noKey = '-NOPERM this user has no permissions to access one of the keys used as arguments\r\n'
const noChannel = '-NOPERM this user has no permissions to access one of the channels used as arguments\r\n'
const wrong = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'

describe('with a password', () => {
  beforeEach(() => start({ password: 'sesame' }))

  test('nothing but logging in is possible before, and everything after', async () => {
    const client = await setup.connect()
    for (const command of [
      ['GET', 'a'],
      ['PING'],
      ['ACL', 'WHOAMI'],
      ['MULTI'],
      ['CONFIG', 'GET', '*'],
      ['SUBSCRIBE', 'c'],
    ]) {
      assert.equal(await client.call(...command), noAuth, command.join(' '))
    }
    assert.match(await client.call('HELLO', 3), /^-NOAUTH HELLO must be called with the client already authenticated/)
    assert.equal(await client.call('AUTH', 'open'), wrong)
    assert.equal(await client.call('AUTH', 'default', 'sesame'), '+OK\r\n')
    assert.equal(await client.call('PING'), '+PONG\r\n')
    assert.equal(await client.call('AUTH', 'open'), wrong)
    assert.equal(await client.call('PING'), '+PONG\r\n', 'a failed attempt changes nothing')
    assert.equal(await client.call('RESET'), '+RESET\r\n')
    assert.equal(await client.call('PING'), noAuth)
  })

  test('HELLO logs in and chooses the protocol, or does neither', async () => {
    const client = await setup.connect()
    assert.equal(await client.call('HELLO', 3, 'AUTH', 'default', 'no', 'SETNAME', 'me'), wrong)
    assert.equal(await client.call('PING'), noAuth)
    assert.match(await client.call('HELLO', 3, 'AUTH', 'default', 'sesame', 'SETNAME', 'me'), /^%7\r\n/)
    assert.equal(await client.call('CLIENT', 'GETNAME'), '$2\r\nme\r\n')
  })

  test('who has not logged in may send little at once, and not stay for ever', async () => {
    const client = await setup.connect()
    assert.match(await client.say('*100\r\n'), /unauthenticated multibulk length/)
    const other = await setup.connect()
    assert.match(await other.say('*1\r\n$100000\r\n'), /unauthenticated bulk length/)
    const silent = await setup.connect()
    await setup.pass(61_000)
    assert.equal(silent.isClosed, true)
    assert.equal(admin.isClosed, false)
    assert.equal(await admin.say(encode(['SET', 'a', 'x'.repeat(100_000)])), '+OK\r\n')
  })

  test('an address that guesses has to wait, and a right password is of no use before', async () => {
    const bot = await setup.connect('bot')
    for (let i = 0; i < 10; i++) assert.equal(await bot.call('AUTH', `guess ${i}`), wrong)
    assert.match(await bot.call('AUTH', 'sesame'), /^-WRONGPASS too many wrong passwords\. Try again in 1 seconds\./)
    const again = await setup.connect('bot')
    assert.match(await again.call('HELLO', 3, 'AUTH', 'default', 'sesame'), /^-WRONGPASS too many/)
    const home = await setup.connect('home')
    assert.equal(await home.call('AUTH', 'sesame'), '+OK\r\n')
    await setup.pass(1000)
    assert.equal(await bot.call('AUTH', 'wrong again'), wrong)
    await setup.pass(1000)
    assert.match(await bot.call('AUTH', 'sesame'), /Try again in 1 seconds/)
    await setup.pass(1000)
    assert.equal(await bot.call('AUTH', 'sesame'), '+OK\r\n')
    assert.ok(setup.log.some(({ message }) => message.startsWith('wrong passwords from bot')))
    assert.ok(!JSON.stringify([setup.log, await admin.call('ACL', 'LOG')]).includes('guess'))
  })

  test('CONFIG changes the password and shows none', async () => {
    assert.equal(await admin.call('CONFIG', 'GET', 'requirepass'), '*2\r\n$11\r\nrequirepass\r\n$3\r\n***\r\n')
    assert.equal(await admin.call('CONFIG', 'SET', 'requirepass', 'other'), '+OK\r\n')
    const client = await setup.connect()
    assert.equal(await client.call('AUTH', 'sesame'), wrong)
    assert.equal(await client.call('AUTH', 'other'), '+OK\r\n')
    assert.equal(await admin.call('CONFIG', 'SET', 'requirepass', ''), '+OK\r\n')
    const anybody = await setup.connect()
    assert.equal(await anybody.call('PING'), '+PONG\r\n')
    assert.match(await anybody.call('AUTH', 'other'), /^-ERR AUTH <password> called without any password/)
  })
})

describe('users', () => {
  beforeEach(() => start())

  test('commands, keys and channels', async () => {
    const client = await user(
      '+@read',
      '+set',
      '+publish',
      '+subscribe',
      '+psubscribe',
      '~app:*',
      '%R~shared',
      '&news.*',
    )
    assert.equal(await client.call('SET', 'app:1', 'x'), '+OK\r\n')
    assert.equal(await client.call('GET', 'shared'), '$-1\r\n')
    assert.equal(await client.call('SET', 'shared', 'x'), noKey)
    assert.equal(await client.call('SET', 'shared', 'x', 'GET'), noKey)
    assert.equal(await client.call('MGET', 'app:1', 'other'), noKey)
    assert.equal(await client.call('DEL', 'app:1'), noCommand('del'))
    assert.equal(await client.call('CONFIG', 'GET', '*'), noCommand('config|get'))
    assert.equal(await client.call('PUBLISH', 'news.a', 'hi'), ':0\r\n')
    assert.equal(await client.call('PUBLISH', 'other', 'hi'), noChannel)
    assert.equal(await client.call('SUBSCRIBE', 'news.a', 'other'), noChannel)
    assert.equal(await client.call('PSUBSCRIBE', 'news.a*'), noChannel)
    assert.match(await client.call('PSUBSCRIBE', 'news.*'), /psubscribe/)
  })

  test('keys that only running tells need a right to all', async () => {
    const client = await user('+@all', '~list', '~dest')
    assert.equal(await client.call('SORT', 'list', 'BY', 'nosort'), '*0\r\n')
    assert.equal(await client.call('SORT', 'list', 'BY', 'weight_*'), noKey)
    assert.equal(await client.call('SORT', 'list', 'GET', '#', 'GET', 'x'), noKey)
    assert.equal(await client.call('SORT', 'list', 'STORE', 'dest'), ':0\r\n')
    assert.equal(await client.call('SORT', 'list', 'LIMIT', 0, 5, 'STORE', 'dest', 'STORE', 'secret'), noKey)
    assert.equal(await client.call('SORT', 'list', 'BY', 'STORE', 'STORE', 'secret'), noKey)
  })

  test('in a transaction: refused when queued, and again when run', async () => {
    const client = await user('+@all', '-del', '~a')
    await client.call('MULTI')
    assert.equal(await client.call('SET', 'b', 1), noKey)
    assert.match(await client.call('EXEC'), /^-EXECABORT/)
    await client.call('MULTI')
    assert.equal(await client.call('SET', 'a', 1), '+QUEUED\r\n')
    assert.equal(await client.call('INCR', 'a'), '+QUEUED\r\n')
    await admin.call('ACL', 'SETUSER', 'ada', '-incr')
    assert.match(
      await client.call('EXEC'),
      /^\*2\r\n\+OK\r\n-NOPERM ACLs rules changed between .*: no permission to execute the command or subcommand\r\n$/,
    )
    assert.equal(await admin.call('GET', 'a'), '$1\r\n1\r\n')
    assert.match(await admin.call('ACL', 'LOG', 1), /context\r\n\$5\r\nmulti\r\n\$6\r\nobject\r\n\$4\r\nincr/)
  })

  test('who is deleted is cut, and who deletes itself gets its reply first', async () => {
    const client = await user('+@all', '~*', '&*')
    assert.equal(await admin.call('ACL', 'DELUSER', 'ada', 'nobody'), ':1\r\n')
    assert.equal(client.isClosed, true)
    const other = await user('+@all', '~*', '&*')
    assert.equal(await other.call('ACL', 'DELUSER', 'ada'), ':1\r\n')
    assert.equal(other.isClosed, true)
    assert.equal(await admin.call('ACL', 'DELUSER', 'default'), "-ERR The 'default' user cannot be removed\r\n")
  })

  test('listeners are cut when their channel is taken away, and only then', async () => {
    const client = await user('+@all', '&a', '&b.*')
    await client.call('SUBSCRIBE', 'a')
    await client.call('PSUBSCRIBE', 'b.*')
    await admin.call('ACL', 'SETUSER', 'ada', '&c')
    assert.equal(client.isClosed, false)
    await admin.call('ACL', 'SETUSER', 'ada', 'resetchannels', '&a')
    await setup.pass(10)
    assert.equal(client.isClosed, true)
  })

  test('ACL: users are described, listed and tried', async () => {
    await user('~x', '+get', '(%R~y +@all)')
    const hash = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'
    const line = `user ada on #${hash} ~x resetchannels -@all +get (%R~y resetchannels +@all)`
    assert.equal(
      await admin.call('ACL', 'LIST'),
      `*2\r\n$${line.length}\r\n${line}\r\n$34\r\nuser default on nopass ~* &* +@all\r\n`,
    )
    assert.equal(await admin.call('ACL', 'USERS'), '*2\r\n$3\r\nada\r\n$7\r\ndefault\r\n')
    assert.equal(await admin.call('ACL', 'WHOAMI'), '$7\r\ndefault\r\n')
    assert.match(await admin.call('ACL', 'GETUSER', 'ada'), /^\*12\r\n\$5\r\nflags\r\n\*1\r\n\$2\r\non\r\n/)
    assert.equal(await admin.call('ACL', 'GETUSER', 'nobody'), '$-1\r\n')
    assert.equal(await admin.call('ACL', 'DRYRUN', 'ada', 'GET', 'y'), '+OK\r\n')
    assert.match(await admin.call('ACL', 'DRYRUN', 'ada', 'SET', 'y', 1), /no permissions to access the 'y' key/)
    assert.match(await admin.call('ACL', 'DRYRUN', 'ada', 'NOTHING'), /^-ERR Command 'NOTHING' not found/)
    assert.match(await admin.call('ACL', 'DRYRUN', 'ada', 'GET'), /^-ERR wrong number of arguments for 'get' command/)
    assert.match(await admin.call('ACL', 'CAT', 'hash'), /hget/)
    assert.match(await admin.call('ACL', 'GENPASS'), /^\$64\r\n[0-9a-f]{64}\r\n$/)
    assert.match(await admin.call('ACL', 'GENPASS', 5), /^\$2\r\n/)
    assert.match(await admin.call('ACL', 'SAVE'), /^-ERR This Redis instance is not configured to use an ACL file/)
    assert.match(
      await admin.call('ACL', 'SETUSER', 'ada', '+nonsense'),
      /^-ERR Error in ACL SETUSER modifier '\+nonsense': Unknown command or category name in ACL\r\n/,
    )
  })

  test('every command is refused to a user without rights, but for those that log in', async () => {
    const client = await user()
    const names = (await admin.call('COMMAND', 'LIST')).matchAll(/\$\d+\r\n([^\r]+)\r\n/g)
    const open = ['auth', 'hello', 'quit', 'reset']
    for (const [, name = ''] of names) {
      if (open.includes(name)) continue
      const reply = await client.call(name, ...(await probe(name)))
      const isContainer = reply.startsWith('-ERR wrong number') || reply.startsWith('-ERR unknown subcommand')
      assert.ok(reply.startsWith('-NOPERM') || isContainer, `${name}: ${reply}`)
      assert.ok(!isContainer || (await subcommandsOf(name)).length > 0, `${name}: ${reply}`)
      for (const subcommand of await subcommandsOf(name)) {
        const arity = await arityOf(`${name}|${subcommand}`)
        const probed = await client.call(name, subcommand, ...filler(arity - 2))
        assert.ok(probed.startsWith('-NOPERM'), `${name} ${subcommand}: ${probed}`)
      }
    }
    assert.equal(client.isClosed, false)
  })

  const filler = (count: number): string[] => Array.from({ length: Math.max(0, count) }, () => '1')
  const probe = async (name: string): Promise<string[]> => filler((await arityOf(name)) - 1)

  async function arityOf(name: string): Promise<number> {
    const reply = await admin.call('COMMAND', 'INFO', name)
    return Math.abs(Number(/^\*1\r\n\*10\r\n\$\d+\r\n[^\r]+\r\n:(-?\d+)/.exec(reply)?.[1]))
  }

  async function subcommandsOf(name: string): Promise<string[]> {
    const reply = await admin.call('COMMAND', 'DOCS', name)
    return [...reply.matchAll(new RegExp(`\\r\\n${name}\\|([a-z-]+)\\r\\n`, 'g'))].map(([, found = '']) => found)
  }
})

describe('a file of users', () => {
  class MemoryFile implements UsersFile {
    readonly path = 'users.acl'
    text: string
    constructor(text: string) {
      this.text = text
    }
    read(): string {
      return this.text
    }
    write(text: string): void {
      this.text = text
    }
  }

  test('is read at the start, written by SAVE, read again by LOAD, whole or not at all', async () => {
    const file = new MemoryFile('user default on >root ~* &* +@all\nuser ada on >secret ~a +get\n')
    await start({ file })
    assert.equal(await admin.call('PING'), noAuth)
    assert.equal(await admin.call('AUTH', 'root'), '+OK\r\n')
    assert.equal(await admin.call('ACL', 'SETUSER', 'eve', 'on', '>e\xff'), '+OK\r\n')
    assert.equal(await admin.call('ACL', 'SAVE'), '+OK\r\n')
    assert.match(file.text, /^user ada .*\nuser default .*\nuser eve on #[0-9a-f]{64} resetchannels -@all\n$/)
    assert.ok(!file.text.includes('secret'))
    file.text += 'user ada on\n'
    assert.match(await admin.call('ACL', 'LOAD'), /^-ERR line 4: Duplicate user 'ada' found\./)
    const eve = await setup.connect()
    assert.equal(await eve.call('AUTH', 'eve', 'e\xff'), '+OK\r\n')
    file.text = 'user default on >root ~* &* +@all\n'
    assert.equal(await admin.call('ACL', 'LOAD'), '+OK\r\n')
    assert.equal(eve.isClosed, true)
    assert.equal(await admin.call('ACL', 'USERS'), '*1\r\n$7\r\ndefault\r\n')
  })
})

describe('limits', () => {
  test('commands a second: refused with when to try again, until then', async () => {
    await start({ access: { addressCommandsPerSecondMax: 100 } })
    const client = await setup.connect('busy')
    const replies = await client.say(encode(['PING']).repeat(105))
    assert.equal(replies.split('+PONG\r\n').length - 1, 100)
    assert.match(replies, /-ERR the limit of 100 commands a second for this address is reached\. Try again in \d+ ms\./)
    assert.equal(await admin.call('CONFIG', 'SET', 'address-commands-per-second-max', 0), '+OK\r\n')
    assert.equal((await client.say(encode(['PING']).repeat(500))).split('+PONG\r\n').length - 1, 500)
  })

  test('bytes a second, of requests and replies together', async () => {
    await start({ access: { userBytesPerSecondMax: 100_000 } })
    await admin.call('SET', 'k', 'x'.repeat(60_000))
    const client = await setup.connect()
    assert.match(await client.call('GET', 'k'), /^\$60000/)
    assert.match(await client.call('GET', 'k'), /^\$60000/)
    assert.match(await client.call('GET', 'k'), /^-ERR the limit of 100000 bytes a second for this user/)
    await setup.pass(1000)
    assert.match(await client.call('GET', 'k'), /^\$60000/)
  })

  test('clients that wait for an element', async () => {
    await start({ limits: { blockedClientsMax: 1 } })
    const first = await setup.connect()
    assert.equal(await first.call('BLPOP', 'l', 0), '')
    const second = await setup.connect()
    assert.match(await second.call('BLPOP', 'l', 0), /^-ERR max number of blocked clients reached/)
    assert.equal(await second.call('PING'), '+PONG\r\n')
    await admin.call('RPUSH', 'l', 'a')
    assert.match(first.received, /^\*2/)
  })

  test('slow readers are cut by the soft limit of their class, once its time is over', async () => {
    await start({
      limits: { messageSoftBytes: 1000, messageSoftMs: 3000, outputSoftBytes: 100_000, outputSoftMs: 5000 },
    })
    const slow = await setup.connect('slow')
    await slow.call('SUBSCRIBE', 'c')
    slow.connection.pause()
    await admin.say(encode(['PUBLISH', 'c', 'x'.repeat(10_000)]).repeat(20))
    await setup.pass(2000)
    assert.equal(setup.server.connections, 2)
    await setup.pass(3000)
    assert.equal(setup.server.connections, 1)
    await admin.call('SET', 'k', 'x'.repeat(300_000))
    const reader = await setup.connect('reader')
    reader.connection.pause()
    reader.send(encode(['GET', 'k']))
    await setup.pass(4000)
    assert.equal(setup.server.connections, 2)
    await setup.pass(3000)
    assert.equal(setup.server.connections, 1)
  })

  test('a transaction of small commands is bounded by what it takes in memory', async () => {
    await start({ limits: { bulkBytesMax: 1024, frameBytesMax: 64 * 1024 } })
    await admin.call('MULTI')
    let replies = ''
    for (let i = 0; i < 20; i++) replies += await admin.say(encode(['PING']).repeat(20))
    assert.match(replies, /-ERR the commands of a transaction take more than 65536 bytes/)
    assert.match(await admin.call('EXEC'), /^-EXECABORT/)
  })

  test('CONFIG tells and changes them, all of a command or none, and never to what contradicts itself', async () => {
    await start()
    const get = async (name: string): Promise<string | undefined> =>
      /\r\n([^\r]*)\r\n$/.exec(await admin.call('CONFIG', 'GET', name))?.[1]
    assert.equal(
      await admin.call('CONFIG', 'SET', 'maxclients', 2, 'timeout', 7, 'proto-max-bulk-len', '2mb'),
      '+OK\r\n',
    )
    assert.deepEqual(
      [await get('maxclients'), await get('timeout'), await get('proto-max-bulk-len')],
      ['2', '7', '2097152'],
    )
    await setup.connect()
    const third = await setup.connect()
    assert.equal(third.received, '-ERR max number of clients reached\r\n')
    assert.match(
      await admin.call('CONFIG', 'SET', 'timeout', 9, 'maxclients', 'many'),
      /^-ERR CONFIG SET failed .*maxclients/,
    )
    assert.equal(await get('timeout'), '7')
    assert.match(await admin.call('CONFIG', 'SET', 'client-query-buffer-limit', '1mb'), /^-ERR CONFIG SET failed/)
    const limits = 'normal 1mb 2mb 60 replica 3mb 4mb 70 pubsub 5mb 6mb 80'
    assert.equal(await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', limits), '+OK\r\n')
    assert.equal(
      await get('client-output-buffer-limit'),
      'normal 1048576 2097152 60 slave 268435456 67108864 60 pubsub 5242880 6291456 80',
    )
    for (const [bad, reason] of [
      ['wrong number', /Wrong number of arguments/],
      ['invalid_class 10mb 10mb 60', /Invalid client class/],
      ['normal 10mbs 10mb 60', /Error in hard, soft or soft_seconds/],
      ['pubsub 10mb 10mb 60s', /Error in hard, soft or soft_seconds/],
    ] as const) {
      assert.match(await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', bad), reason)
    }
    assert.equal(await admin.call('CONFIG', 'SET', 'login-failures-max', 3, 'acllog-max-len', 1), '+OK\r\n')
    assert.equal(await get('login-failures-max'), '3')
    await setup.pass(8000)
    assert.equal(setup.server.connections, 0, 'idle clients go by the new rule')
  })
})
