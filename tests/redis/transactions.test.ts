/** MULTI, EXEC, DISCARD, WATCH: the same to a real Redis 7.0 and to ours, by hand and at random from a seed (ORBIT_SEED). */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { RawClient, type Reply } from './resp.ts'
import { missing, type OurServer, type RealRedis, startOurs, startRealRedis } from './servers.ts'
import { type Command, Commands, comparable } from './type-commands.ts'

const seed = Number(process.env.ORBIT_SEED ?? 20_261_122)
const skip = missing('redis-server')

/** Each line: which of two clients, and what it says. */
const scripts: Readonly<Record<string, readonly (readonly [client: 0 | 1, ...command: Command])[]>> = {
  'what does not fit': [
    [0, 'EXEC'],
    [0, 'DISCARD'],
    [0, 'MULTI'],
    [0, 'MULTI'],
    [0, 'WATCH', 'a'],
    [0, 'EXEC'],
    [0, 'MULTI'],
    [0, 'DISCARD'],
    [0, 'EXEC'],
  ],
  'an error in a command leaves the others': [
    [0, 'SET', 'text', 'x'],
    [0, 'MULTI'],
    [0, 'INCR', 'text'],
    [0, 'SADD', 'text', 'a'],
    [0, 'SET', 'other', 'y'],
    [0, 'HSET', 'h', 'f', 'v'],
    [0, 'HGETALL', 'h'],
    [0, 'EXEC'],
    [0, 'GET', 'other'],
  ],
  'a command that cannot be queued breaks all': [
    [0, 'MULTI'],
    [0, 'SET', 'a', '1'],
    [0, 'GET'],
    [0, 'NOSUCH'],
    [0, 'OBJECT', 'NOSUCH'],
    [0, 'SET', 'a', '2'],
    [0, 'EXEC'],
    [0, 'GET', 'a'],
    [0, 'MULTI'],
    [0, 'EXEC'],
  ],
  'a watched key that changed': [
    [0, 'WATCH', 'a', 'b'],
    [1, 'SET', 'b', 'x'],
    [0, 'MULTI'],
    [0, 'SET', 'a', '1'],
    [0, 'EXEC'],
    [0, 'GET', 'a'],
    [0, 'MULTI'],
    [0, 'SET', 'a', '2'],
    [0, 'EXEC'],
  ],
  'a watched collection of which one element changed': [
    [0, 'HSET', 'h', 'f', 'v'],
    [0, 'WATCH', 'h'],
    [1, 'HSET', 'h', 'f', 'w'],
    [0, 'MULTI'],
    [0, 'HGET', 'h', 'f'],
    [0, 'EXEC'],
    [0, 'RPUSH', 'l', 'a', 'b'],
    [0, 'WATCH', 'l'],
    [1, 'LSET', 'l', '0', 'x'],
    [0, 'MULTI'],
    [0, 'LRANGE', 'l', '0', '-1'],
    [0, 'EXEC'],
  ],
  'watching ends': [
    [0, 'WATCH', 'a'],
    [1, 'SET', 'a', 'x'],
    [0, 'UNWATCH'],
    [0, 'MULTI'],
    [0, 'GET', 'a'],
    [0, 'EXEC'],
    [0, 'WATCH', 'a'],
    [1, 'SET', 'a', 'y'],
    [0, 'MULTI'],
    [0, 'DISCARD'],
    [0, 'MULTI'],
    [0, 'GET', 'a'],
    [0, 'EXEC'],
    [0, 'WATCH', 'a'],
    [1, 'GET', 'a'],
    [1, 'EXPIRE', 'nokey', '10'],
    [0, 'MULTI'],
    [0, 'PING'],
    [0, 'EXEC'],
    [0, 'WATCH', 'a'],
    [1, 'FLUSHALL'],
    [0, 'MULTI'],
    [0, 'PING'],
    [0, 'EXEC'],
  ],
  'own changes count, too': [
    [0, 'WATCH', 'a'],
    [0, 'SET', 'a', '1'],
    [0, 'MULTI'],
    [0, 'PING'],
    [0, 'EXEC'],
  ],
  'emptied and filled within': [
    [0, 'MSET', 'a', '1', 'b', '2'],
    [0, 'RPUSH', 'l', '1', '2', '3'],
    [0, 'MULTI'],
    [0, 'FLUSHALL'],
    [0, 'DBSIZE'],
    [0, 'RPUSH', 'l', '4'],
    [0, 'SET', 'c', '3'],
    [0, 'EXISTS', 'a', 'c'],
    [0, 'DEL', 'c'],
    [0, 'RANDOMKEY'],
    [0, 'LRANGE', 'l', '0', '-1'],
    [0, 'EXEC'],
    [0, 'LRANGE', 'l', '0', '-1'],
    [0, 'DBSIZE'],
  ],
}

describe(`transactions like those of a real Redis, ORBIT_SEED=${seed}`, { skip }, () => {
  let real: RealRedis
  let ours: OurServer & { readonly errors: unknown[] }
  let theirs: RawClient[]
  let mine: RawClient[]

  before(async () => {
    real = await startRealRedis()
    ours = await startOurs()
    theirs = await Promise.all([RawClient.connect(real.port), RawClient.connect(real.port)])
    mine = await Promise.all([RawClient.connect(ours.port), RawClient.connect(ours.port)])
  })

  after(async () => {
    for (const client of [...theirs, ...mine]) client.close()
    await ours.close()
    await real.close()
  })

  async function both(client: 0 | 1, command: Command): Promise<[Reply, Reply]> {
    return Promise.all([(theirs[client] as RawClient).call(...command), (mine[client] as RawClient).call(...command)])
  }

  for (const [name, script] of Object.entries(scripts)) {
    test(name, async () => {
      await both(0, ['FLUSHALL'])
      for (const [client, ...command] of script) {
        const [theirReply, myReply] = await both(client, command)
        assert.deepEqual(myReply, theirReply, JSON.stringify(command))
      }
    })
  }

  test('random commands of all types in transactions, each of which is one revision', async () => {
    await both(0, ['FLUSHALL'])
    const random = new Random(seed)
    const commands = new Commands(random, ['k1', 'k2', 'k3', 'k4'])
    const kinds = ['hash', 'set', 'sortedSet', 'list', 'stream', 'key'] as const
    const done: string[] = []
    const rounds = 500
    let roundsWithMore = 0
    for (let round = 0; round < rounds; round++) {
      const queued = Array.from({ length: random.between(1, 8) }, () => commands[random.pick(kinds)]())
      if (random.chance(20)) queued.push(['FLUSHALL'])
      const sent: Command[] = [['MULTI'], ...queued, ['EXEC']]
      const revisionBefore = ours.store.stats().revision
      const [theirReplies, myReplies] = await Promise.all([
        (theirs[0] as RawClient).pipeline(sent),
        (mine[0] as RawClient).pipeline(sent),
      ])
      done.push(JSON.stringify(queued))
      const told = `ORBIT_SEED=${seed}, the last transactions:\n${done.slice(-8).join('\n')}`
      const theirResults = resultsOf(queued, theirReplies.at(-1))
      assert.deepEqual(resultsOf(queued, myReplies.at(-1)), theirResults, told)
      if (ours.store.stats().revision > revisionBefore + 1) roundsWithMore++
    }
    // The reaper writes now and then, too; transactions of several batches would show in most rounds.
    assert.ok(roundsWithMore < rounds / 4, `${roundsWithMore} of ${rounds} rounds made more than one revision`)
    assert.deepEqual(ours.errors, [])
    assert.deepEqual((await ours.store.verify()).faults, [])
  })
})

/** The replies that EXEC gave, each comparable; a broken transaction has one error. */
function resultsOf(queued: readonly Command[], reply: Reply | undefined): unknown {
  if (reply === undefined || !('array' in reply)) return reply
  return reply.array.map((result, place) => comparable(queued[place] as Command, result))
}
