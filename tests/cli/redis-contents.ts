/**
 * What a Redis has, for tests of moving from one: commands that fill it with every type, writers that go on writing, and
 * its contents, read whole by commands of both servers, and not by what the import has.
 */

import assert from 'node:assert/strict'
import { Random } from '@orbitkv/base'
import type { RawClient, Reply } from '../redis/resp.ts'

export const seed = Number(process.env.ORBIT_SEED ?? 1)
const hour = 3_600_000

export type Command = (string | number)[]

export const textOf = (reply: Reply): string =>
  'bulk' in reply
    ? reply.bulk
    : 'status' in reply
      ? reply.status
      : 'integer' in reply
        ? reply.integer
        : JSON.stringify(reply)
export const textsOf = (reply: Reply): string[] =>
  'array' in reply ? reply.array.map(textOf) : [JSON.stringify(reply)]
const pairs = (items: readonly string[]) =>
  Array.from({ length: items.length / 2 }, (_, place) => `${items[2 * place]}\0${items[2 * place + 1]}`)

/** How each type is read whole, in an order that does not depend on the server. */
const readers: Record<string, (client: RawClient, key: string) => Promise<string[]>> = {
  string: async (client, key) => [textOf(await client.call('GET', key))],
  list: async (client, key) => textsOf(await client.call('LRANGE', key, 0, -1)),
  set: async (client, key) => textsOf(await client.call('SMEMBERS', key)).sort(),
  hash: async (client, key) => pairs(textsOf(await client.call('HGETALL', key))).sort(),
  zset: async (client, key) => textsOf(await client.call('ZRANGE', key, 0, -1, 'WITHSCORES')),
  stream: readStream,
}

const toldOfStreams = ['length', 'last-generated-id', 'max-deleted-entry-id', 'entries-added']

/** But for the times since consumers were seen, which are not carried, and since deliveries, which pass. */
async function readStream(client: RawClient, key: string): Promise<string[]> {
  const list = async (...command: Command) => {
    const reply = await client.call(...command)
    assert.ok('array' in reply, JSON.stringify(reply))
    return reply.array
  }
  const facts = pairs(textsOf(await client.call('XINFO', 'STREAM', key)))
  const found = facts.filter((fact) => toldOfStreams.includes(fact.split('\0', 1)[0] as string))
  for (const entry of await list('XRANGE', key, '-', '+')) found.push(JSON.stringify(entry))
  for (const group of await list('XINFO', 'GROUPS', key)) {
    const told = textsOf(group)
    const name = told[1] as string
    found.push(...told)
    for (const consumer of await list('XINFO', 'CONSUMERS', key, name)) found.push(...textsOf(consumer).slice(0, 4))
    for (const pending of await list('XPENDING', key, name, '-', '+', 10_000)) {
      const [id, consumer, , deliveries] = textsOf(pending)
      found.push(`${id} ${consumer} ${deliveries}`)
    }
  }
  return found
}

/** Everything in a server: by key its type, its time of expiry, and its value. */
async function contents(client: RawClient): Promise<Map<string, readonly unknown[]>> {
  const keys = textsOf(await client.call('KEYS', '*')).filter((key) => !key.startsWith('\0orbit\0'))
  const found = new Map<string, readonly unknown[]>()
  for (const key of keys.sort()) {
    const type = textOf(await client.call('TYPE', key))
    if (type === 'none') continue
    const reader = readers[type]
    assert.ok(reader !== undefined, `${key} is a ${type}`)
    found.set(key, [type, textOf(await client.call('PEXPIRETIME', key)), await reader(client, key)])
  }
  return found
}

export async function assertEqual(target: RawClient, source: RawClient): Promise<number> {
  const wanted = await contents(source)
  const found = await contents(target)
  assert.deepEqual([...found.keys()], [...wanted.keys()])
  for (const [key, value] of wanted) assert.deepEqual(found.get(key), value, `the key ${key}`)
  return wanted.size
}

const streams: readonly Command[] = [
  ['XADD', 'stream', '1-1', 'a', '1', '', '\xff'],
  ['XADD', 'stream', '1-2', 'a', '2', 'a', '3'],
  ['XADD', 'stream', '7-0', 'b', '4'],
  ['XADD', 'stream', '9-18446744073709551615', 'c', '5'],
  ['XGROUP', 'CREATE', 'stream', 'readers', '0'],
  ['XGROUP', 'CREATE', 'stream', 'idle \xff', '$'],
  ['XGROUP', 'CREATECONSUMER', 'stream', 'readers', 'nothing to do'],
  ['XREADGROUP', 'GROUP', 'readers', 'one', 'COUNT', 2, 'STREAMS', 'stream', '>'],
  ['XREADGROUP', 'GROUP', 'readers', 'two', 'COUNT', 1, 'STREAMS', 'stream', '>'],
  ['XCLAIM', 'stream', 'readers', 'two', 0, '1-2', 'IDLE', 500_000, 'RETRYCOUNT', 9],
  ['XADD', 'stream', '20-0', 'gone', '6'],
  ['XDEL', 'stream', '20-0'],
  ['XGROUP', 'CREATE', 'empty stream', 'waiting', '0', 'MKSTREAM'],
  ...[1, 2, 3].map((id): Command => ['XADD', 'trimmed', `${id}-0`, 'a', id]),
  ['XADD', 'read empty', '5-5', 'a', 'b'],
  ['XDEL', 'read empty', '5-5'],
  ['PEXPIRE', 'stream', 4 * hour],
]

/** Commands that fill a server with every type, small and large, and with times of expiry. */
function filling(): Command[] {
  const random = new Random(seed)
  const bytes = (most: number) => Buffer.from(random.bytes(random.below(most))).toString('latin1')
  const commands: Command[] = [
    ['SET', 'text', 'grüße'],
    ['SET', '', 'the empty key'],
    ['SET', '\xff\0binary', '\0\xfe'],
    ['SET', 'empty', ''],
    ['SET', 'number', '-17'],
    ['SET', 'large', 'x'.repeat(1_000_000)],
    ['SET', 'later', 'x', 'PX', hour],
    ['SETBIT', 'bits', 1000, 1],
    ['PFADD', 'log', ...Array.from({ length: 500 }, (_, i) => `visitor ${i}`)],
    ['SADD', 'integers', ...Array.from({ length: 100 }, (_, i) => i)],
    [
      'ZADD',
      'scores',
      '-inf',
      'least',
      '+inf',
      'most',
      '0.1',
      'a',
      '1e300',
      'b',
      '-0',
      'zero',
      '12345678901234567',
      'c',
    ],
    ['HSET', 'user:1', 'name', 'Ada', 'born', 1815, '', 'empty field', '\0', '\xff'],
    ['PEXPIRE', 'user:1', 2 * hour],
    ['RPUSH', 'queue', 'a', 'b', 'a', '', '\xff'],
    ['GEOADD', 'places', '13.4', '52.5', 'Berlin', '2.35', '48.85', 'Paris'],
    ['GETEX', 'text', 'PX', 3 * hour],
    ...streams,
  ]
  for (let i = 0; i < 700; i++) commands.push(['SET', `key:${i}`, bytes(100)])
  for (let start = 0; start < 2000; start += 500) {
    const some = Array.from({ length: 500 }, (_, i) => start + i)
    commands.push(['HSET', 'large hash', ...some.flatMap((i) => [`field ${i}`, bytes(50)])])
    commands.push(['RPUSH', 'large list', ...some.map((i) => `${i} ${bytes(50)}`)])
    commands.push(['SADD', 'large set', ...some.map((i) => `${i} ${bytes(50)}`)])
    commands.push(...some.map((i) => ['XADD', 'large stream', `${i + 1}-0`, 'field', bytes(50)]))
    commands.push(['ZADD', 'large sorted set', ...some.flatMap((i) => [random.below(1000) / 8, `member ${i}`])])
  }
  // What is pending of deleted entries is not carried: entries are deleted where there is no group.
  for (let id = 1; id < 400; id++) commands.push(['XADD', 'deleted from', `${id}-0`, 'a', id])
  commands.push(['EXPIRE', 'large list', 7200])
  commands.push(['XGROUP', 'CREATE', 'large stream', 'readers', '0'])
  commands.push(['XREADGROUP', 'GROUP', 'readers', 'one', 'COUNT', 1200, 'STREAMS', 'large stream', '>'])
  return commands
}

export async function fill(client: RawClient): Promise<void> {
  for (const reply of await client.pipeline(filling())) assert.ok(!('error' in reply), JSON.stringify(reply))
}

/** Writes of every kind to keys that are there and new ones, as long as they are asked for. */
function randomWrite(random: Random): Command {
  const key = random.below(400)
  const text = Buffer.from(random.bytes(8)).toString('latin1')
  switch (random.below(22)) {
    case 0:
      return ['DEL', `key:${key}`]
    case 1:
      return ['PEXPIRE', `key:${key}`, hour + key]
    case 2:
      return ['PERSIST', `key:${key}`]
    case 3:
      return ['RENAME', `key:${key}`, `key:${random.below(400)}`]
    case 4:
      return ['HSET', 'large hash', `field ${key}`, text]
    case 5:
      return ['HDEL', 'large hash', `field ${key}`]
    case 6:
      return ['LPUSH', 'large list', text]
    case 7:
      return ['LSET', 'large list', key, text]
    case 8:
      return ['RPOP', 'large list']
    case 9:
      return ['SADD', 'large set', text]
    case 10:
      return ['SPOP', 'large set']
    case 11:
      return ['ZINCRBY', 'large sorted set', 1, `member ${key}`]
    case 12:
      return ['ZREM', 'large sorted set', `member ${key}`]
    case 13:
      return ['LPUSH', `list:${key % 20}`, text]
    case 14:
      return ['DEL', `list:${key % 20}`]
    case 15:
      return [
        'EVAL',
        "redis.call('SET', KEYS[1], ARGV[1]); redis.call('SADD', 'of scripts', ARGV[1])",
        1,
        `key:${key}`,
        text,
      ]
    case 17:
      return ['XADD', 'large stream', '*', 'a', text]
    case 18:
      return ['XDEL', 'deleted from', `${key}-0`]
    case 19:
      return ['XREADGROUP', 'GROUP', 'readers', `consumer ${key % 3}`, 'COUNT', 3, 'STREAMS', 'large stream', '>']
    case 20:
      return ['XACK', 'large stream', 'readers', `${key}-0`]
    case 16:
      return ['SET', `list:${key % 20}`, text]
    default:
      return ['APPEND', `key:${key}`, text]
  }
}

/** Writes until it is told to stop, a few commands at a time. */
export function startWriter(client: RawClient): { stop(): Promise<number> } {
  const random = new Random(seed + 1)
  let isStopped = false
  const work = (async () => {
    let writes = 0
    while (!isStopped) {
      await client.pipeline(Array.from({ length: 5 }, () => randomWrite(random)))
      writes += 5
    }
    return writes
  })()
  return {
    stop() {
      isStopped = true
      return work
    },
  }
}
