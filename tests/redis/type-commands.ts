/** Random commands on every type, over so few keys that types meet: to be answered alike by a real Redis and by ours. */

import type { Random } from '@orbitkv/base'
import { GeoCommands } from './geo-commands.ts'
import { StreamCommands, withoutTimes } from './stream-commands.ts'

export type Command = (string | number)[]

const members = ['a', 'b', 'c', '1', '2', '-7', 'aa', '', '\xff\x00', 'x'.repeat(70)]
const scores = ['1', '2', '-1', '2.5', '0.1', 'inf', '-inf', '1e20', '3', 'x', '12345678901234']
const lexBounds = ['-', '+', '[a', '(a', '[b', '(aa', '[', '(', 'x', '[\xff']
const scoreBounds = ['-inf', '+inf', '(1', '2', '(2.5', '0', '(-1', 'nan', '(', '1e2']
const globs = ['*', 'a*', '[0-9]', '?']

export class Commands {
  readonly #random: Random
  readonly #keys: readonly string[]
  readonly #streams: StreamCommands
  readonly #places: GeoCommands

  constructor(random: Random, keys: readonly string[]) {
    this.#random = random
    this.#keys = keys
    this.#streams = new StreamCommands(random, keys)
    this.#places = new GeoCommands(random, keys)
  }

  get #key(): string {
    return this.#random.pick(this.#keys)
  }

  get #member(): string {
    return this.#random.pick(members)
  }

  get #score(): string {
    return this.#random.pick(scores)
  }

  #place(): number {
    return this.#random.between(-7, 9)
  }

  #some(words: readonly string[]): string[] {
    return words.filter(() => this.#random.chance(4))
  }

  #many(make: () => string | number | (string | number)[], most = 4): Command {
    return Array.from({ length: this.#random.between(1, most) }, make).flat()
  }

  #counted(): Command {
    const keys = this.#many(() => this.#key, 3)
    const count = this.#random.chance(20) ? this.#random.pick([0, 'x', 9, -1]) : keys.length
    return [count, ...keys]
  }

  geo(): Command {
    return this.#places.command()
  }

  hash(): Command {
    const key = this.#key
    const field = this.#member
    return this.#random.pick<() => Command>([
      () => ['HSET', key, ...this.#many(() => [this.#member, this.#score])],
      () => ['HSET', key, field],
      () => ['HSETNX', key, field, this.#score],
      () => ['HMSET', key, ...this.#many(() => [this.#member, this.#member])],
      () => ['HGET', key, field],
      () => ['HMGET', key, ...this.#many(() => this.#member)],
      () => ['HDEL', key, ...this.#many(() => this.#member)],
      () => ['HLEN', key],
      () => ['HSTRLEN', key, field],
      () => ['HEXISTS', key, field],
      () => ['HGETALL', key],
      () => ['HKEYS', key],
      () => ['HVALS', key],
      () => ['HINCRBY', key, field, this.#random.pick(['1', '-3', '9223372036854775807', 'x'])],
      () => ['HINCRBYFLOAT', key, field, this.#random.pick(['0.1', '-3', '1e3', 'x', 'inf'])],
      () => ['HRANDFIELD', key, this.#random.pick([100, 0, 'x'])],
      () => ['HRANDFIELD', key, 100, 'WITHVALUES'],
      () => ['HRANDFIELD', key, 1, 'NONSENSE'],
      () => ['HSCAN', key, 0, 'COUNT', 1000, ...this.#random.pick([[], ['MATCH', this.#random.pick(globs)], ['X']])],
    ])()
  }

  set(): Command {
    const key = this.#key
    const keys = (): Command => this.#many(() => this.#key, 3)
    return this.#random.pick<() => Command>([
      () => ['SADD', key, ...this.#many(() => this.#member)],
      () => ['SADD', key, ...this.#many(() => this.#member)],
      () => ['SREM', key, ...this.#many(() => this.#member)],
      () => ['SMOVE', key, this.#key, this.#member],
      () => ['SISMEMBER', key, this.#member],
      () => ['SMISMEMBER', key, ...this.#many(() => this.#member)],
      () => ['SCARD', key],
      () => ['SMEMBERS', key],
      () => ['SPOP', key, this.#random.pick([100, 0, -1, 'x'])],
      () => ['SRANDMEMBER', key, this.#random.pick([100, 0, 'x'])],
      () => [this.#random.pick(['SINTER', 'SUNION', 'SDIFF']), ...keys()],
      () => [this.#random.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']), key, ...keys()],
      () => ['SINTERCARD', ...this.#counted(), ...this.#random.pick([[], ['LIMIT', 1], ['LIMIT', -1], ['LIMIT']])],
      () => ['SSCAN', key, 0, 'COUNT', 1000, ...this.#random.pick([[], ['MATCH', this.#random.pick(globs)]])],
    ])()
  }

  sortedSet(): Command {
    const key = this.#key
    const scoreRange = (): Command => [this.#random.pick(scoreBounds), this.#random.pick(scoreBounds)]
    const lexRange = (): Command => [this.#random.pick(lexBounds), this.#random.pick(lexBounds)]
    const limit = (): Command => (this.#random.chance(3) ? ['LIMIT', this.#place(), this.#place()] : [])
    const combined = (): Command => [
      ...this.#counted(),
      ...this.#random.pick<Command>([
        [],
        ['WEIGHTS', 2],
        ['WEIGHTS', 1, -1.5],
        ['AGGREGATE', 'MIN'],
        ['AGGREGATE', 'MAX'],
      ]),
    ]
    // Of the order of members whose scores differ Redis says nothing: these are all zero.
    const lex = 'lex'
    const range = (from: string): Command =>
      this.#random.pick<() => Command>([
        () => [from, this.#place(), this.#place()],
        () => [from, ...scoreRange(), 'BYSCORE', ...limit()],
        () => [lex, ...lexRange(), 'BYLEX', ...limit()],
      ])()
    return this.#random.pick<() => Command>([
      () => ['ZADD', key, ...this.#many(() => [this.#score, this.#member])],
      () => ['ZADD', key, ...this.#many(() => [this.#score, this.#member])],
      () => ['ZADD', key, ...this.#some(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR']), this.#score, this.#member],
      () => ['ZADD', key, 'NX', this.#score],
      () => ['ZINCRBY', key, this.#score, this.#member],
      () => ['ZREM', key, ...this.#many(() => this.#member)],
      () => ['ZCARD', key],
      () => ['ZSCORE', key, this.#member],
      () => ['ZMSCORE', key, ...this.#many(() => this.#member)],
      () => [this.#random.pick(['ZRANK', 'ZREVRANK']), key, this.#member],
      () => ['ZCOUNT', key, ...scoreRange()],
      () => ['ZLEXCOUNT', lex, ...lexRange()],
      () => ['ZADD', lex, '0', this.#member],
      () => ['ZREMRANGEBYLEX', lex, ...lexRange()],
      () => ['ZRANGE', ...range(key), ...this.#some(['REV', 'WITHSCORES'])],
      () => ['ZRANGESTORE', key, ...range(this.#key), ...this.#some(['REV'])],
      () => ['ZREVRANGE', key, this.#place(), this.#place(), ...this.#some(['WITHSCORES'])],
      () => [
        this.#random.pick(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
        key,
        ...scoreRange(),
        ...this.#some(['WITHSCORES']),
        ...limit(),
      ],
      () => [this.#random.pick(['ZRANGEBYLEX', 'ZREVRANGEBYLEX']), lex, ...lexRange(), ...limit()],
      () => ['ZREMRANGEBYRANK', key, this.#place(), this.#place()],
      () => ['ZREMRANGEBYSCORE', key, ...scoreRange()],
      () => [
        this.#random.pick(['ZPOPMIN', 'ZPOPMAX']),
        key,
        ...this.#random.pick<Command>([[], [2], [0], [-1], ['x']]),
      ],
      () => [
        'ZMPOP',
        ...this.#counted(),
        this.#random.pick(['MIN', 'MAX', 'X']),
        ...this.#random.pick<Command>([[], ['COUNT', 2], ['COUNT', 0]]),
      ],
      () => [this.#random.pick(['ZUNION', 'ZINTER']), ...combined(), ...this.#some(['WITHSCORES'])],
      () => ['ZDIFF', ...this.#counted(), ...this.#some(['WITHSCORES'])],
      () => [this.#random.pick(['ZUNIONSTORE', 'ZINTERSTORE']), key, ...combined()],
      () => ['ZDIFFSTORE', key, ...this.#counted()],
      () => ['ZINTERCARD', ...this.#counted(), ...this.#random.pick<Command>([[], ['LIMIT', 1], ['LIMIT', -1]])],
      () => ['ZRANDMEMBER', key, this.#random.pick([0, 'x'])],
      () => ['ZSCAN', key, 0, 'COUNT', 1000, ...this.#random.pick([[], ['MATCH', this.#random.pick(globs)]])],
    ])()
  }

  list(): Command {
    const key = this.#key
    const side = (): string => this.#random.pick(['LEFT', 'RIGHT'])
    return this.#random.pick<() => Command>([
      () => [this.#random.pick(['LPUSH', 'RPUSH']), key, ...this.#many(() => this.#member, 6)],
      () => [this.#random.pick(['LPUSH', 'RPUSH']), key, ...this.#many(() => this.#member, 6)],
      () => [this.#random.pick(['LPUSHX', 'RPUSHX']), key, this.#member],
      () => [this.#random.pick(['LPOP', 'RPOP']), key, ...this.#random.pick<Command>([[], [], [2], [0], [-1], [100]])],
      () => ['LMPOP', ...this.#counted(), side(), ...this.#random.pick<Command>([[], ['COUNT', 2], ['COUNT', 0]])],
      () => ['LMOVE', key, this.#key, side(), this.#random.pick(['LEFT', 'RIGHT', 'UP'])],
      () => ['RPOPLPUSH', key, this.#key],
      () => ['LLEN', key],
      () => ['LINDEX', key, this.#place()],
      () => ['LRANGE', key, this.#place(), this.#place()],
      () => ['LRANGE', key, 0, -1],
      () => ['LSET', key, this.#place(), this.#member],
      () => ['LTRIM', key, this.#random.between(-12, 3), this.#random.between(-4, 12)],
      () => ['LREM', key, this.#random.between(-2, 2), this.#member],
      () => ['LINSERT', key, this.#random.pick(['BEFORE', 'AFTER', 'x']), this.#member, this.#member],
      () => ['LINSERT', key, this.#random.pick(['BEFORE', 'AFTER']), this.#member, this.#member],
      () => [
        'LPOS',
        key,
        this.#member,
        ...this.#random.pick<Command>([[], ['RANK', this.#random.between(-2, 3)]]),
        ...this.#random.pick<Command>([[], ['COUNT', this.#random.between(-1, 2)]]),
        ...this.#random.pick<Command>([[], ['MAXLEN', this.#random.between(-1, 5)]]),
      ],
    ])()
  }

  bits(): Command {
    const key = this.#key
    const offset = (): string | number => this.#random.pick([0, 1, 7, 8, 15, 100, 4294967296, -1, 'x', 33])
    const type = (): string => this.#random.pick(['u1', 'i8', 'u8', 'i5', 'u63', 'i64', 'u64', 'i65', 'u0', 'x'])
    const unit = (): Command => this.#random.pick<Command>([[], ['BIT'], ['BYTE'], ['X']])
    const step = (): Command =>
      this.#random.pick<() => Command>([
        () => ['GET', type(), this.#random.pick([0, 3, '#1', '#x', 50])],
        () => ['SET', type(), this.#random.pick([0, 3, '#1', 50]), this.#random.pick([1, -1, 255, 1000])],
        () => ['INCRBY', type(), this.#random.pick([0, 3, '#1']), this.#random.pick([1, -1, 200, -300])],
        () => ['OVERFLOW', this.#random.pick(['WRAP', 'SAT', 'FAIL', 'X'])],
      ])()
    return this.#random.pick<() => Command>([
      () => ['SETBIT', key, offset(), this.#random.pick([0, 1, 1, 2])],
      () => ['GETBIT', key, offset()],
      () => ['SET', key, this.#random.pick(['\xff\xff', '\x00\x00\x00', 'foobar', '', '\xff\x00\x0f'])],
      () => ['BITCOUNT', key],
      () => ['BITCOUNT', key, this.#place(), this.#place(), ...unit()],
      () => ['BITCOUNT', key, this.#place()],
      () => ['BITPOS', key, this.#random.pick([0, 1, 2])],
      () => ['BITPOS', key, this.#random.below(2), this.#place()],
      () => ['BITPOS', key, this.#random.below(2), this.#place(), this.#place(), ...unit()],
      () => ['BITOP', this.#random.pick(['AND', 'OR', 'XOR', 'NOT', 'X']), key, ...this.#many(() => this.#key, 3)],
      () => ['BITFIELD', key, ...this.#many(step, 3)],
      () => ['BITFIELD_RO', key, ...this.#many(step, 2)],
      () => ['LCS', key, this.#key, ...this.#some(['LEN', 'IDX', 'WITHMATCHLEN'])],
      () => ['LCS', key, this.#key, 'IDX', 'MINMATCHLEN', this.#random.below(4)],
      () => ['APPEND', key, this.#random.pick(['obar', 'x', '\x01'])],
    ])()
  }

  stream(): Command {
    return this.#streams.any()
  }

  /** SORT and HyperLogLog, over keys that make something to sort by. */
  value(): Command {
    const key = this.#key
    const pattern = (): string => this.#random.pick(['w_*', 'h_*->f', 'nosuch_*', '#', '*', 'w_*->f', 'h_*->'])
    const number = (): number => this.#random.between(-3, 20)
    // Of equal texts of other keys Redis says no order, so there is no BY with ALPHA.
    const options = (): Command => [
      ...this.#random.pick<Command>([['ALPHA'], [], ['BY', pattern()], ['BY', 'nosort']]),
      ...this.#random.pick<Command>([[], [], ['LIMIT', this.#random.between(-1, 4), this.#random.between(-1, 6)]]),
      ...this.#random.pick<Command>([[], [], ['GET', pattern()], ['GET', '#', 'GET', pattern()]]),
      ...this.#some(['DESC', 'ASC']),
    ]
    return this.#random.pick<() => Command>([
      () => ['RPUSH', 'sorted', ...this.#many(number, 6)],
      () => ['LTRIM', 'sorted', 0, 12],
      () => ['ZADD', 'scored', number(), number()],
      () => ['SADD', 'members', number()],
      () => ['SET', `w_${number()}`, number()],
      () => ['HSET', `h_${number()}`, 'f', this.#random.pick([number(), 'text'])],
      () => ['SORT', 'sorted', ...options()],
      () => ['SORT_RO', 'scored', ...options()],
      () => ['SORT', 'sorted', ...options(), 'STORE', key],
      () => ['SORT', 'members', ...this.#some(['DESC', 'ALPHA']), 'STORE', key],
      () => ['SORT', 'members', 'BY', 'nosort', 'STORE', key],
      () => ['SORT', 'none'],
      () => ['SORT_RO', 'sorted', 'STORE', key],
      () => ['LRANGE', key, 0, -1],
      () => ['PFADD', `p_${key}`, ...this.#many(() => this.#random.below(100_000), 20)],
      () => ['PFADD', key],
      () => ['PFCOUNT', `p_${key}`, `p_${this.#key}`],
      () => ['PFMERGE', `p_${key}`, `p_${this.#key}`],
      () => ['PFCOUNT', 'w_1'],
    ])()
  }

  /** Commands on keys of any type, and strings, so that types change. */
  key(): Command {
    const key = this.#key
    return this.#random.pick<() => Command>([
      () => ['DEL', key],
      () => ['UNLINK', key, this.#key],
      () => ['TYPE', key],
      () => ['OBJECT', 'ENCODING', key],
      () => ['EXISTS', key],
      () => ['RENAME', key, this.#key],
      () => ['RENAMENX', key, this.#key],
      () => ['COPY', key, this.#key, ...this.#some(['REPLACE'])],
      () => ['SET', key, this.#member],
      () => ['MSET', key, 'v', this.#key, 'w'],
      () => ['GET', key],
      () => ['STRLEN', key],
      () => ['EXPIRE', key, this.#random.pick([10_000, 20_000, -1])],
      () => ['PERSIST', key],
      () => ['EXPIRETIME', 'nokey'],
      () => ['DBSIZE'],
      () => [
        'SCAN',
        0,
        'COUNT',
        1000,
        'TYPE',
        this.#random.pick(['hash', 'list', 'set', 'zset', 'stream', 'string', 'x']),
      ],
    ])()
  }
}

/** Commands whose elements come in any order. */
const unordered = new Set([
  'HGETALL',
  'HKEYS',
  'HVALS',
  'HRANDFIELD',
  'HSCAN',
  'SMEMBERS',
  'SPOP',
  'SRANDMEMBER',
  'SINTER',
  'SUNION',
  'SDIFF',
  'SSCAN',
  'ZSCAN',
  'SCAN',
  'GEOSEARCH',
  'GEORADIUS',
  'GEORADIUS_RO',
  'GEORADIUSBYMEMBER',
  'GEORADIUSBYMEMBER_RO',
])
/** Of these, those whose elements come in pairs in RESP2. */
const paired = new Set(['HGETALL', 'HSCAN', 'ZSCAN'])

/** A reply with its elements in order, where Redis gives them in any. */
export function comparable([name, ...rest]: Command, reply: unknown): unknown {
  if (String(name).startsWith('X')) return withoutTimes([name as string, ...rest], reply)
  if (/^B?Z/.test(String(name))) reply = withoutZeroSign(reply)
  if (!unordered.has(String(name)) || typeof reply !== 'object' || reply === null) return reply
  if (String(name).startsWith('GEO') && isOrdered(rest)) return reply
  const [kind, value] = Object.entries(reply)[0] as [string, unknown]
  if (!Array.isArray(value)) return reply
  if (String(name).endsWith('SCAN')) {
    return { array: [value[0], { array: inOrder(value[1].array, paired.has(String(name))) }] }
  }
  const isPaired =
    (paired.has(String(name)) && kind !== 'set') || (rest.includes('WITHVALUES') && 'bulk' in (value[0] ?? {}))
  return { [kind]: inOrder(value, isPaired) }
}

/** Of a search for places. */
function isOrdered(words: readonly (string | number)[]): boolean {
  return words.includes('ASC') || words.includes('DESC') || (words.includes('COUNT') && !words.includes('ANY'))
}

/** Redis keeps the sign of a zero in large sorted sets only; ours never does. */
function withoutZeroSign(value: unknown): unknown {
  if (value === '-0') return '0'
  if (Array.isArray(value)) return value.map(withoutZeroSign)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([kind, item]) => [kind, withoutZeroSign(item)]))
}

function inOrder(elements: readonly unknown[], isPaired: boolean): string[] {
  const step = isPaired ? 2 : 1
  const texts: string[] = []
  for (let i = 0; i < elements.length; i += step) texts.push(JSON.stringify(elements.slice(i, i + step)))
  return texts.sort()
}
