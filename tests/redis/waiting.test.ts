/**
 * Clients that wait for elements or messages: the same happens at a real Redis 7.0 and at ours. A step waits until the
 * servers say how many clients are blocked, never for a time.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RawClient, type Reply } from './resp.ts'
import { missing, type OurServer, type RealRedis, startOurs, startRealRedis } from './servers.ts'
import { type Step, say, wait } from './steps.ts'
import { streamScripts } from './stream-scripts.ts'
import type { Command } from './type-commands.ts'

const skip = missing('redis-server')
const clientCount = 4

const scripts: Readonly<Record<string, readonly Step[]>> = {
  'what is there is taken at once': [
    say(0, 'RPUSH', 'a', 1, 2, 3),
    say(0, 'ZADD', 'z', 1, 'x', 2, 'y'),
    say(1, 'BLPOP', 'none', 'a', 0),
    say(1, 'BRPOP', 'a', 'none', 0),
    say(1, 'BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', 0),
    say(1, 'BZPOPMIN', 'none', 'z', 0),
    say(1, 'BZPOPMAX', 'z', 0),
    say(0, 'RPUSH', 'a', 1, 2, 3),
    say(1, 'BLMPOP', 0, 2, 'none', 'a', 'LEFT', 'COUNT', 2),
    say(1, 'BRPOPLPUSH', 'a', 'b', 0),
    say(0, 'ZADD', 'z', 1, 'x', 2, 'y'),
    say(1, 'BZMPOP', 0, 2, 'none', 'z', 'MAX', 'COUNT', 5),
    say(1, 'KEYS', '*'),
  ],
  'times that are over, and bad ones': [
    say(1, 'BLPOP', 'a', 0.01),
    say(1, 'BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', 0.01),
    say(1, 'BRPOPLPUSH', 'a', 'b', 0.01),
    say(1, 'BLMPOP', 0.01, 1, 'a', 'LEFT'),
    say(1, 'BZPOPMIN', 'a', 0.01),
    say(1, 'BZMPOP', 0.01, 1, 'a', 'MIN'),
    say(1, 'BLPOP', 'a', -1),
    say(1, 'BLPOP', 'a', 'x'),
    say(1, 'BLPOP', 'a', 'inf'),
    say(1, 'BLMPOP', 0, 0, 'a', 'LEFT'),
    say(1, 'BLMPOP', 0, 1, 'a', 'UP'),
    say(1, 'BLMPOP', 0, 1, 'a', 'LEFT', 'COUNT', 0),
    say(1, 'BLMOVE', 'a', 'b', 'UP', 'LEFT', 0),
    say(0, 'SET', 's', 'text'),
    say(1, 'BLPOP', 's', 0),
    say(1, 'BZPOPMIN', 's', 0),
  ],
  'first come, first served': [
    wait(1, 'BLPOP', 'a', 0),
    wait(2, 'BRPOP', 'b', 'a', 0),
    wait(3, 'BLPOP', 'a', 0),
    say(0, 'RPUSH', 'a', 1, 2),
    say(0, 'LLEN', 'a'),
    say(0, 'RPUSH', 'a', 3, 4, 5),
    say(0, 'LRANGE', 'a', 0, -1),
  ],
  'one that fills another': [
    wait(1, 'BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0),
    wait(2, 'BLMOVE', 'b', 'c', 'RIGHT', 'LEFT', 0),
    wait(3, 'BLPOP', 'c', 0),
    say(0, 'LPUSH', 'a', 'x'),
    say(0, 'DBSIZE'),
  ],
  'a wrong type does not serve, a wrong target is an error': [
    wait(1, 'BLPOP', 'a', 0),
    say(0, 'ZADD', 'a', 1, 'x'),
    say(0, 'DEL', 'a'),
    say(0, 'SET', 'b', 'text'),
    wait(2, 'BRPOPLPUSH', 'c', 'b', 0),
    say(0, 'RPUSH', 'c', 1),
    say(0, 'LRANGE', 'c', 0, -1),
    say(0, 'RPUSH', 'a', 1),
  ],
  'filled by other ways': [
    wait(1, 'BLPOP', 'a', 0),
    say(0, 'RPUSH', 'x', 1),
    say(0, 'RENAME', 'x', 'a'),
    wait(2, 'BLPOP', 'b', 0),
    say(0, 'RPUSH', 'x', 2),
    say(0, 'COPY', 'x', 'b'),
    wait(3, 'BZPOPMIN', 'd', 0),
    say(0, 'ZADD', 'e', 3, 'm', 4, 'n'),
    say(0, 'ZUNIONSTORE', 'd', 1, 'e'),
    say(0, 'KEYS', '*'),
  ],
  'a transaction is over before anybody is served, and does not wait itself': [
    wait(1, 'BLPOP', 'a', 0),
    say(0, 'MULTI'),
    say(0, 'RPUSH', 'a', 1),
    say(0, 'LPOP', 'a'),
    say(0, 'RPUSH', 'a', 2, 3),
    say(0, 'BLPOP', 'none', 0),
    say(0, 'BZMPOP', 0, 1, 'none', 'MIN'),
    say(0, 'BLMOVE', 'none', 'x', 'LEFT', 'LEFT', 0),
    say(0, 'EXEC'),
    say(0, 'LRANGE', 'a', 0, -1),
  ],
  'CLIENT UNBLOCK of one that does not wait': [say(0, 'CLIENT', 'UNBLOCK', 9999), say(0, 'CLIENT', 'UNBLOCK', 1, 'X')],
  'sorted sets, by several': [
    wait(1, 'BZPOPMAX', 'z', 0),
    wait(2, 'BZMPOP', 0, 2, 'y', 'z', 'MIN', 'COUNT', 10),
    say(0, 'ZADD', 'z', 1, 'a', 2, 'b', 3, 'c'),
    say(0, 'EXISTS', 'z'),
  ],
  'listening in the second version of the protocol': [
    say(1, 'SUBSCRIBE', 'news'),
    say(1, 'GET', 'a'),
    say(1, 'PING'),
    say(1, 'PING', 'x'),
    say(1, 'PSUBSCRIBE', 'n*'),
    say(0, 'PUBSUB', 'CHANNELS'),
    say(0, 'PUBSUB', 'CHANNELS', 'x*'),
    say(0, 'PUBSUB', 'NUMSUB', 'news', 'none'),
    say(0, 'PUBSUB', 'NUMPAT'),
    say(0, 'PUBLISH', 'none', 'x'),
    say(1, 'UNSUBSCRIBE', 'other'),
    say(1, 'UNSUBSCRIBE'),
    say(1, 'PUNSUBSCRIBE'),
    say(1, 'PUNSUBSCRIBE'),
    say(1, 'GET', 'a'),
    say(0, 'PUBLISH', 'news', 'x'),
  ],
}

describe('waiting as at a real Redis', { skip }, () => {
  let real: RealRedis
  let ours: OurServer & { readonly errors: unknown[] }

  before(async () => {
    real = await startRealRedis()
    ours = await startOurs()
  })

  after(async () => {
    assert.deepEqual(ours.errors, [])
    await ours.close()
    await real.close()
  })

  /** Every reply of a script, those that had to wait at the place of their step. */
  async function play(port: number, protocol: number, script: readonly Step[]): Promise<Reply[]> {
    const clients = await Promise.all(Array.from({ length: clientCount }, () => RawClient.connect(port)))
    const watcher = await RawClient.connect(port)
    await watcher.call('FLUSHALL')
    for (const client of clients) await client.call('HELLO', protocol)
    const replies: Promise<Reply>[] = []
    let blocked = 0
    for (const { client, command, blocks } of script) {
      const reply = (clients[client] as RawClient).call(...command)
      replies.push(reply)
      if (!blocks) {
        await reply
        blocked = await blockedAt(watcher)
        continue
      }
      blocked++
      while ((await blockedAt(watcher)) < blocked);
    }
    const all = await Promise.all(replies)
    for (const client of [...clients, watcher]) client.close()
    return all
  }

  for (const protocol of [2, 3]) {
    for (const [name, script] of Object.entries({ ...scripts, ...streamScripts })) {
      test(`${name}, RESP${protocol}`, async () => {
        const [theirs, mine] = await Promise.all([play(real.port, protocol, script), play(ours.port, protocol, script)])
        for (const [place, { command }] of script.entries()) {
          assert.deepEqual(sorted(command, mine[place]), sorted(command, theirs[place]), JSON.stringify(command))
        }
      })
    }
  }
})

/** Steps of one listener and one speaker; a listener also gets what it did not ask for, so many replies. */
const heard: readonly (readonly [who: 'listener' | 'speaker', replies: number, ...command: Command])[] = [
  ['listener', 2, 'SUBSCRIBE', 'a', 'b'],
  ['listener', 2, 'PSUBSCRIBE', 'a*', '[ab]'],
  ['speaker', 1, 'PUBLISH', 'a', 'to three'],
  ['listener', 3],
  ['speaker', 1, 'PUBLISH', 'ax', '\xff\x00'],
  ['listener', 1],
  ['speaker', 1, 'MULTI'],
  ['speaker', 1, 'PUBLISH', 'b', 'from'],
  ['speaker', 1, 'PUBLISH', 'b', 'within'],
  ['speaker', 1, 'EXEC'],
  ['listener', 4],
  ['listener', 1, 'UNSUBSCRIBE', 'a'],
  ['speaker', 1, 'PUBLISH', 'a', 'to two'],
  ['listener', 2],
  ['listener', 2, 'PUNSUBSCRIBE'],
  ['listener', 1, 'RESET'],
  ['speaker', 1, 'PUBLISH', 'b', 'to nobody'],
]

for (const protocol of [2, 3]) {
  test(`messages as from a real Redis, RESP${protocol}`, { skip }, async () => {
    const real = await startRealRedis()
    const ours = await startOurs()
    const [theirs, mine] = await Promise.all([listen(real.port, protocol), listen(ours.port, protocol)])
    assert.deepEqual(mine, theirs)
    await ours.close()
    await real.close()
  })
}

async function listen(port: number, protocol: number): Promise<Reply[][]> {
  const clients = { listener: await RawClient.connect(port), speaker: await RawClient.connect(port) }
  await clients.listener.call('HELLO', protocol)
  const replies: Reply[][] = []
  for (const [who, count, ...command] of heard) {
    const client = clients[who]
    const got = [command.length > 0 ? await client.call(...command) : await client.next()]
    while (got.length < count) got.push(await client.next())
    // Patterns that match come in any order.
    replies.push(command.length > 0 ? got : got.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)))
  }
  for (const client of Object.values(clients)) client.close()
  return replies
}

async function blockedAt(watcher: RawClient): Promise<number> {
  const info = await watcher.call('INFO', 'clients')
  const text = 'verbatim' in info ? info.verbatim : 'bulk' in info ? info.bulk : ''
  return Number(/blocked_clients:(\d+)/.exec(text)?.[1])
}

/** KEYS comes in any order. */
function sorted([name]: Command, reply: Reply | undefined): unknown {
  return name === 'KEYS' && reply !== undefined && 'array' in reply
    ? reply.array.map((key) => JSON.stringify(key)).sort()
    : reply
}
