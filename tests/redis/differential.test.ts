/**
 * The same commands to a real Redis 7.0 and to ours: every reply must be equal, to the kind and the byte.
 *
 * First a table that visits every option and error by hand, in both versions of the protocol; then random sequences over
 * few keys, from a seed (ORBIT_SEED). What differs on purpose is in docs/redis-compatibility.md and not asked here.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { accessTable } from './access-table.ts'
import { table } from './differential-table.ts'
import { keyTable } from './key-table.ts'
import { RawClient, type Reply } from './resp.ts'
import { missing, type OurServer, type RealRedis, startOurs, startRealRedis } from './servers.ts'
import { streamTable } from './stream-table.ts'

const seed = Number(process.env.ORBIT_SEED ?? 20_240_901)
const skip = missing('redis-server')

describe(`like a real Redis, ORBIT_SEED=${seed}`, { skip }, () => {
  let real: RealRedis
  let ours: OurServer & { readonly errors: unknown[] }
  let theirClient: RawClient
  let ourClient: RawClient

  before(async () => {
    real = await startRealRedis()
    assert.ok(real.version.startsWith('7.0.'), `the replies of Redis 7.0 are the measure, this is ${real.version}`)
    ours = await startOurs()
    theirClient = await RawClient.connect(real.port)
    ourClient = await RawClient.connect(ours.port)
  })

  after(async () => {
    theirClient.close()
    ourClient.close()
    await ours.close()
    await real.close()
  })

  async function both(command: readonly (string | number)[]): Promise<[Reply, Reply]> {
    return Promise.all([theirClient.call(...command), ourClient.call(...command)])
  }

  for (const protocol of [2, 3] as const) {
    for (const [name, commands] of Object.entries({ ...table, ...keyTable, ...streamTable, ...accessTable })) {
      test(`${name}, RESP${protocol}`, async () => {
        await both(['HELLO', protocol])
        await both(['FLUSHALL'])
        for (const command of commands) {
          const [theirs, mine] = await both(command)
          assert.deepEqual(mine, theirs, `${JSON.stringify(command)} must be answered as by Redis`)
        }
        assert.deepEqual(ours.errors, [])
      })
    }
  }

  test('COMMAND INFO tells the same of every command we have', async () => {
    await both(['HELLO', 3])
    const names = await ourClient.call('COMMAND', 'LIST')
    assert.ok('array' in names)
    for (const name of names.array) {
      assert.ok('bulk' in name)
      // What Redis 7.0 has not.
      if (name.bulk.startsWith('orbit.') || name.bulk === 'waitaof') continue
      const [theirs, mine] = await both(['COMMAND', 'INFO', name.bulk])
      assert.deepEqual(comparable(mine), comparable(theirs), name.bulk)
    }
  })

  test('random sums of floats, digit by digit', async () => {
    const random = new Random(seed)
    const commands = Array.from({ length: 3000 }, () => [
      ['SET', 'sum', randomFloat(random)],
      ['INCRBYFLOAT', 'sum', randomFloat(random)],
    ]).flat()
    const [theirs, mine] = await Promise.all([theirClient.pipeline(commands), ourClient.pipeline(commands)])
    for (const [place, command] of commands.entries()) {
      assert.deepEqual(mine[place], theirs[place], `ORBIT_SEED=${seed}, ${commands[place - 1]} then ${command}`)
    }
  })

  test('random patterns', async () => {
    const random = new Random(seed)
    const letters = ['a', 'b', '-', ']', '[', '^', '*', '?', '\\', '\xe9']
    const word = (most: number): string =>
      Array.from({ length: random.between(0, most) }, () => random.pick(letters)).join('')
    const commands: string[][] = [['FLUSHALL']]
    for (let i = 0; i < 200; i++) commands.push(['SET', word(5), 'x'])
    for (let i = 0; i < 3000; i++) commands.push(['KEYS', word(8)])
    const [theirs, mine] = await Promise.all([theirClient.pipeline(commands), ourClient.pipeline(commands)])
    for (const [place, command] of commands.entries()) {
      const told = `ORBIT_SEED=${seed}, ${JSON.stringify(command)}`
      assert.deepEqual(sorted(command, mine[place]), sorted(command, theirs[place]), told)
    }
  })

  test('random sequences of commands', async () => {
    await both(['HELLO', 2])
    await both(['FLUSHALL'])
    const random = new Random(seed)
    const done: string[] = []
    for (let round = 0; round < 400; round++) {
      const commands = Array.from({ length: 25 }, () => randomCommand(random))
      const [theirs, mine] = await Promise.all([theirClient.pipeline(commands), ourClient.pipeline(commands)])
      for (const [place, command] of commands.entries()) {
        done.push(JSON.stringify(command))
        const told = `ORBIT_SEED=${seed}, the last commands:\n${done.slice(-30).join('\n')}`
        assert.deepEqual(sorted(command, mine[place]), sorted(command, theirs[place]), told)
      }
    }
    assert.deepEqual(ours.errors, [])
  })
})

/** Numbers as people write them, and some that try the rounding. */
function randomFloat(random: Random): string {
  const digits = (most: number): string =>
    Array.from({ length: random.between(1, most) }, () => random.below(10)).join('')
  const sign = random.pick(['', '', '-'])
  const whole = random.chance(4) ? '0' : digits(random.pick([2, 6, 18]))
  const fraction = random.chance(3) ? '' : `.${digits(random.pick([2, 6, 20]))}`
  const power = random.chance(6) ? `e${random.between(-25, 25)}` : ''
  return `${sign}${whole}${fraction}${power}`
}

/** KEYS comes in any order. */
function sorted([name]: readonly (string | number)[], reply: Reply | undefined): unknown {
  if (name !== 'KEYS' || reply === undefined || !('array' in reply)) return reply
  return reply.array.map((key) => JSON.stringify(key)).sort()
}

/** What must be equal of COMMAND INFO: all but subcommands, of which Redis has more; sets in any order. */
function comparable(reply: Reply): unknown {
  assert.ok('array' in reply && reply.array.length === 1, JSON.stringify(reply))
  const [info] = reply.array
  assert.ok(info !== undefined && 'array' in info, 'Redis knows the command')
  const [name, arity, flags, first, last, step, categories, tips, keys] = info.array
  return {
    name,
    arity,
    flags: members(flags),
    first,
    last,
    step,
    categories: members(categories),
    tips: members(tips),
    keys: keyParts(keys),
  }
}

function members(reply: Reply | undefined): string[] {
  assert.ok(reply !== undefined && 'set' in reply)
  return reply.set.map((member) => ('status' in member ? member.status : 'bulk' in member ? member.bulk : '')).sort()
}

function keyParts(reply: Reply | undefined): unknown {
  assert.ok(reply !== undefined && 'set' in reply)
  return reply.set.map((spec) => {
    assert.ok('map' in spec)
    const parts = new Map<string, unknown>()
    for (let i = 0; i < spec.map.length; i += 2) {
      const name = spec.map[i]
      assert.ok(name !== undefined && 'bulk' in name)
      const value = spec.map[i + 1]
      if (name.bulk !== 'notes') parts.set(name.bulk, name.bulk === 'flags' ? members(value) : value)
    }
    return Object.fromEntries(parts)
  })
}

const keys = ['a', 'b', 'c', 'd:1', 'd:2']
const values = [
  '',
  '0',
  '1',
  '-1',
  '10',
  '3.5',
  'text',
  '9223372036854775807',
  '-9223372036854775808',
  'a\r\nb',
  '\xff\x00',
  ' 1',
  '1e3',
]
const patterns = ['*', 'd:*', '?', '[a-c]', '[^a]', 'd:[12]', '\\a', 'x*']

/** Random commands whose answers do not depend on the time or on the order of keys. */
function randomCommand(random: Random): (string | number)[] {
  const key = (): string => random.pick(keys)
  const value = (): string => random.pick(values)
  const place = (): number => random.between(-6, 12)
  const makers: (() => (string | number)[])[] = [
    () => ['GET', key()],
    () => ['SET', key(), value()],
    () => ['SET', key(), value(), ...someOf(random, ['NX', 'XX', 'GET', 'KEEPTTL', 'nx', 'get'])],
    () => ['SET', key(), value(), random.pick(['EX', 'PX', 'EXAT']), random.pick([9_999_999_999, 0, -1, 'x'])],
    () => ['SETNX', key(), value()],
    () => ['SETEX', key(), random.pick([1000, 0, -5, 'y']), value()],
    () => ['GETSET', key(), value()],
    () => ['GETDEL', key()],
    () => [
      'GETEX',
      key(),
      ...random.pick([[], ['PERSIST'], ['EX', 5000], ['EX', 0], ['PXAT', 1], ['EX'], ['EX', 5, 'PX', 5]]),
    ],
    () => ['MGET', key(), key(), key()],
    () => ['MSET', key(), value(), key(), value()],
    () => ['MSETNX', key(), value(), key(), value()],
    () => ['STRLEN', key()],
    () => ['APPEND', key(), value()],
    () => ['GETRANGE', key(), place(), place()],
    () => ['SETRANGE', key(), random.between(-1, 20), value()],
    () => ['INCR', key()],
    () => ['DECR', key()],
    () => ['INCRBY', key(), value()],
    () => ['DECRBY', key(), value()],
    () => ['INCRBYFLOAT', key(), random.pick(['0.1', '-3', '1e2', '1.5e-5', value()])],
    () => ['DEL', key(), key()],
    () => ['UNLINK', key()],
    () => ['EXISTS', key(), key()],
    () => ['TYPE', key()],
    () => ['TOUCH', key()],
    () => ['KEYS', random.pick(patterns)],
    () => ['RENAME', key(), key()],
    () => ['RENAMENX', key(), key()],
    () => ['DBSIZE'],
    () => [
      'EXPIRE',
      key(),
      // Never the same twice: which of two is later must not depend on the moment at which each server had them.
      random.pick([random.between(1001, 1_000_000), 0, -1, 'z', '9223372036854775807']),
      ...someOf(random, ['NX', 'XX', 'GT', 'LT']),
    ],
    () => ['PEXPIREAT', key(), random.pick([1, 99_999_999_999_999]), ...someOf(random, ['NX', 'XX', 'GT', 'LT'])],
    () => ['PEXPIRETIME', key()].slice(0, 1).concat(random.pick(['nokey'])),
    () => ['PERSIST', key()],
    () => [random.pick(['GET', 'SET', 'APPEND', 'DEL', 'NOSUCH', 'EXPIRE', 'RENAME'])],
    () => ['ECHO', value()],
  ]
  if (random.chance(300)) return ['FLUSHALL']
  return random.pick(makers)()
}

function someOf(random: Random, words: readonly string[]): string[] {
  return words.filter(() => random.chance(3))
}
