/**
 * Power cuts between and during commands on collections: after each, every collection is whole, as its header says, and
 * what was acknowledged is there.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { elementKeyspace } from './keyspaces.ts'

const modes = ['drop-all', 'keep-all', 'random'] as const
const keys = ['l', 's', 'z', 'h'] as const
const cuts = 6
const commandsPerCut = 40

/** Each command adds or removes several elements, so that half of one would show. */
function commandOf(random: Random): (string | number)[] {
  const name = (): number => random.below(30)
  return random.pick<() => (string | number)[]>([
    () => ['RPUSH', 'l', name(), name(), name()],
    () => ['LPOP', 'l', 2],
    () => ['LTRIM', 'l', 0, 9],
    () => ['SADD', 's', name(), name(), name()],
    () => ['SREM', 's', name(), name()],
    () => ['ZADD', 'z', name(), name(), name(), name()],
    () => ['ZPOPMIN', 'z', 2],
    () => ['HSET', 'h', name(), name(), name(), name()],
    () => ['HDEL', 'h', name(), name()],
    () => ['DEL', random.pick(keys)],
    () => ['SUNIONSTORE', 's', 's', 'copy'],
    () => ['COPY', 's', 'copy', 'REPLACE'],
  ])()
}

for (const seed of seedsFor('redis collections and power cuts', { kept: [3], fresh: 3 })) {
  test(`no command is half there after a power cut, seed ${seed}`, async () => {
    const random = new Random(seed)
    const disk = new SimulatedDisk({ seed })
    for (let cut = 0; cut < cuts; cut++) {
      const setup = await startTestServer({ seed, disk })
      const client = await setup.connect()
      await assertWhole(setup, client, `seed ${seed}, cut ${cut}`)
      const commands = Array.from({ length: commandsPerCut }, () => encode(commandOf(random)))
      const split = random.below(commandsPerCut)
      await client.say(commands.slice(0, split).join(''), 200)
      client.send(commands.slice(split).join(''))
      await setup.pass(random.pick([0, 0.02, 0.1, 1]))
      disk.crash({ mode: random.pick(modes), random })
    }
  })
}

/** Each length is that of what is there, and nothing lies under no header once the reaper has been. */
async function assertWhole(setup: TestServer, client: TestClient, told: string): Promise<void> {
  await setup.pass(3000)
  const count = async (...command: string[]): Promise<number> => {
    const reply = await client.call(...command)
    return Number(/^[:*](\d+)/.exec(reply)?.[1])
  }
  const lengths = {
    l: [await count('LLEN', 'l'), await count('LRANGE', 'l', '0', '-1')],
    s: [await count('SCARD', 's'), await count('SINTER', 's')],
    copy: [await count('SCARD', 'copy'), await count('SINTER', 'copy')],
    z: [await count('ZCARD', 'z'), await count('ZRANGE', 'z', '0', '-1')],
    byMember: [await count('ZCARD', 'z'), await count('ZCOUNT', 'z', '-inf', '+inf')],
    h: [await count('HLEN', 'h'), await count('HKEYS', 'h')],
  }
  let elements = 0
  for (const [key, [header = 0, found = 0]] of Object.entries(lengths)) {
    assert.equal(found, header, `${told}: ${key}`)
    elements += header
  }
  assert.equal(setup.store.owner.count(elementKeyspace), elements, `${told}: elements without a header`)
  assert.deepEqual((await setup.store.verify()).faults, [])
}
