/**
 * Power cuts between and during commands on streams: after each, every stream is whole, down to who has which entry pending,
 * and nothing lies under no header once the reaper has been.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { copyKey, copyValue } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { redisKeyspace } from '../commands/command.ts'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { streamTag } from './collection.ts'
import { headerOf } from './collections.ts'
import { elementOrder, generationBytes } from './element-keys.ts'
import { elementKeyspace } from './keyspaces.ts'
import { readState } from './stream.ts'
import { consumerOrder, groupOrder, ownedOrder, pendingHeadBytes, pendingOrder, splitName } from './stream-groups.ts'
import { readId } from './stream-ids.ts'

const modes = ['drop-all', 'keep-all', 'random'] as const
const cuts = 6
const commandsPerCut = 40
const streamLengthMax = 12

/** Each command changes several records, so that half of one would show. */
function commandOf(random: Random): (string | number)[] {
  const key = random.pick(['s', 't'])
  const group = random.pick(['g', 'h'])
  const consumer = random.pick(['ann', 'bob'])
  return random.pick<() => (string | number)[]>([
    () => ['XADD', key, 'MAXLEN', streamLengthMax, '*', 'field', random.below(100)],
    () => ['XADD', key, 'MAXLEN', streamLengthMax, '*', 'field', random.below(100)],
    () => ['XTRIM', key, 'MAXLEN', 6],
    () => ['XGROUP', 'CREATE', key, group, '0', 'MKSTREAM'],
    () => ['XGROUP', 'SETID', key, group, '0'],
    () => (random.chance(4) ? ['XGROUP', 'DESTROY', key, group] : ['XGROUP', 'DELCONSUMER', key, group, consumer]),
    () => ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', 3, 'STREAMS', key, '>'],
    () => ['XREADGROUP', 'GROUP', group, consumer, 'STREAMS', key, '0'],
    () => ['XAUTOCLAIM', key, group, consumer, 0, '-', 'COUNT', 2],
    () => (random.chance(4) ? ['DEL', key] : ['COPY', 's', 't', 'REPLACE']),
  ])()
}

for (const seed of seedsFor('redis streams and power cuts', { kept: [3], fresh: 3 })) {
  test(`no command on a stream is half there after a power cut, seed ${seed}`, async () => {
    const random = new Random(seed)
    const disk = new SimulatedDisk({ seed })
    let added = { s: 0, t: 0 }
    for (let cut = 0; cut < cuts; cut++) {
      const setup = await startTestServer({ seed, disk })
      const client = await setup.connect()
      await setup.pass(3000)
      const told = `seed ${seed}, cut ${cut}`
      assertWhole(setup, told)
      assert.deepEqual((await setup.store.verify()).faults, [], told)
      for (const key of ['s', 't'] as const) assert.ok((await addedTo(client, key)) >= added[key], `${told}: ${key}`)
      const commands = Array.from({ length: commandsPerCut }, () => encode(commandOf(random)))
      const split = random.below(commandsPerCut)
      await client.say(commands.slice(0, split).join(''), 200)
      // Deleting, and copying over, starts the count anew: a last entry for each, which is acknowledged.
      await client.say(encode(['XADD', 's', '*', 'a', 'b']) + encode(['XADD', 't', '*', 'a', 'b']), 200)
      added = { s: await addedTo(client, 's'), t: await addedTo(client, 't') }
      const rest = commands.slice(split).filter((command) => !/DEL\r\n|COPY/.test(command))
      client.send(rest.join(''))
      await setup.pass(random.pick([0, 0.02, 0.1, 1]))
      disk.crash({ mode: random.pick(modes), random })
    }
  })
}

/** Entries that a stream was given, as a command tells it. */
async function addedTo(client: TestClient, key: string): Promise<number> {
  return Number(/entries-added\r\n:(\d+)/.exec(await client.call('XINFO', 'STREAM', key))?.[1] ?? 0)
}

/** What is in the store of one stream. */
interface Found {
  length: number
  readonly groups: Set<string>
  readonly consumers: Set<string>
  /** Group, consumer and id of each pending entry, as the two orders tell it. */
  readonly byId: Set<string>
  readonly byConsumer: Set<string>
}

function assertWhole({ store }: TestServer, told: string): void {
  const { owner } = store
  const found = new Map<number, Found>()
  for (const record of owner.range(elementKeyspace, {})) {
    const key = Buffer.from(copyKey(record))
    const generation = Number(key.readBigUint64BE(0))
    const stream = found.get(generation) ?? emptyFound()
    found.set(generation, stream)
    noteElement(stream, key.subarray(generationBytes), copyValue(record), told)
  }
  for (const record of owner.range(redisKeyspace, {})) {
    assert.equal(record.tag, streamTag, told)
    const { generation, length, state } = headerOf(record)
    const stream = found.get(generation) ?? emptyFound()
    found.delete(generation)
    assert.equal(stream.length, length, `${told}: entries`)
    assert.ok(length <= streamLengthMax + 1, `${told}: trimmed`)
    assert.equal(length === 0, readState(state).firstId === 0n, `${told}: the first entry`)
    assert.deepEqual([...stream.byId].sort(), [...stream.byConsumer].sort(), `${told}: pending entries`)
    for (const name of stream.byId) assert.ok(stream.consumers.has(name.split(' ', 2).join(' ')), `${told}: ${name}`)
    for (const name of stream.consumers) assert.ok(stream.groups.has(name.split(' ', 1)[0] ?? ''), `${told}: ${name}`)
  }
  assert.deepEqual([...found.keys()], [], `${told}: elements without a header`)
}

function emptyFound(): Found {
  return { length: 0, groups: new Set(), consumers: new Set(), byId: new Set(), byConsumer: new Set() }
}

function noteElement(stream: Found, member: Uint8Array, value: Uint8Array, told: string): void {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  const [order] = member
  const rest = member.subarray(1)
  if (order === elementOrder) stream.length++
  else if (order === groupOrder) stream.groups.add(text(rest))
  else {
    const [group, more] = splitName(rest) ?? assert.fail(`${told}: a name`)
    if (order === consumerOrder) stream.consumers.add(`${text(group)} ${text(more)}`)
    else if (order === pendingOrder) {
      stream.byId.add(`${text(group)} ${text(value.subarray(pendingHeadBytes))} ${readId(more, 0)}`)
    } else {
      assert.equal(order, ownedOrder, told)
      const [consumer, id] = splitName(more) ?? assert.fail(`${told}: a name`)
      stream.byConsumer.add(`${text(group)} ${text(consumer)} ${readId(id, 0)}`)
    }
  }
}
