/** Streams as keys of the store: how much a command touches, what becomes of those that go, and payloads of DUMP. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { crc32c } from '@orbitkv/bytes'
import { type Change, copyValue, putChange } from '@orbitkv/engine'
import { encode, startTestServer, type TestClient, type TestServer } from '../server-suite.ts'
import { elementKeyspace, graveKeyspace } from './keyspaces.ts'

const badPayload = '-ERR DUMP payload version or checksum are wrong\r\n'

describe('streams', () => {
  let setup: TestServer
  let client: TestClient

  beforeEach(async () => {
    setup = await startTestServer()
    client = await setup.connect()
  })

  afterEach(async () => {
    assert.deepEqual((await setup.store.verify()).faults, [])
    await setup.close()
  })

  const elements = (): number => setup.store.owner.count(elementKeyspace)
  const add = (count: number, from = 1): Promise<string> =>
    client.say(Array.from({ length: count }, (_, i) => encode(['XADD', 's', `${from + i}-0`, 'f', i])).join(''), 1000)

  test('ids follow the clock, and never go back', async () => {
    const now = setup.store.owner.now()
    const [, id = ''] = (await client.call('XADD', 's', '*', 'a', 'b')).split('\r\n')
    const [ms = '', sequence] = id.split('-')
    assert.equal(sequence, '0')
    assert.ok(Number(ms) >= now && Number(ms) <= setup.store.owner.now())
    const ahead = Number(ms) + 1_000_000
    await client.call('XADD', 's', `${ahead}-7`, 'a', 'b')
    assert.equal(await client.call('XADD', 's', '*', 'a', 'b'), `$${`${ahead}-8`.length}\r\n${ahead}-8\r\n`)
  })

  test('an entry of a long stream is read, given, acknowledged and trimmed alone', async () => {
    await add(3000)
    assert.equal(await client.call('XRANGE', 's', '2000', '2000'), `*1\r\n${entry('2000-0', '1999')}`)
    await client.call('XGROUP', 'CREATE', 's', 'g', '1499')
    assert.equal(elements(), 3001)
    await client.call('XREADGROUP', 'GROUP', 'g', 'ann', 'COUNT', 1, 'STREAMS', 's', '>')
    assert.equal(elements(), 3004, 'a consumer, and one pending entry in two orders')
    await client.call('XACK', 's', 'g', '1500')
    assert.equal(elements(), 3002)
    const changes = changesMade()
    await client.call('XADD', 's', 'MAXLEN', 3000, '9000', 'f', 'v')
    assert.equal(changes.length, 3, 'the new entry, the oldest one, the header')
    assert.equal(await client.call('XRANGE', 's', '-', '2'), `*1\r\n${entry('2-0', '1')}`)
  })

  /** What commands write from now on. */
  function changesMade(): Change[] {
    const { owner } = setup.store
    const made: Change[] = []
    const write = owner.write.bind(owner)
    owner.write = (changes) => {
      made.push(...changes)
      write(changes)
    }
    return made
  }

  test('a long stream that is deleted goes by and by, with all of its groups', async () => {
    await add(2500)
    await client.call('XGROUP', 'CREATE', 's', 'g', '0')
    await client.call('XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 's', '>')
    assert.equal(elements(), 2500 + 1 + 1 + 2 * 2500)
    client.send(encode(['DEL', 's']))
    await setup.pass(0.5)
    assert.ok(elements() > 5000, 'to delete it is not to go through it')
    assert.match(await client.call('XLEN', 's'), /:0\r\n$/)
    await setup.pass(3000)
    assert.equal(elements(), 0)
    assert.equal(setup.store.owner.count(graveKeyspace), 0)
  })

  test('a group takes with it what it had, and a consumer, too', async () => {
    await add(300)
    await client.call('XGROUP', 'CREATE', 's', 'g', '0')
    await client.call('XGROUP', 'CREATE', 's', 'h', '0')
    await client.call('XREADGROUP', 'GROUP', 'g', 'ann', 'COUNT', 200, 'STREAMS', 's', '>')
    await client.call('XREADGROUP', 'GROUP', 'g', 'bob', 'STREAMS', 's', '>')
    await client.call('XREADGROUP', 'GROUP', 'h', 'ann', 'COUNT', 7, 'STREAMS', 's', '>')
    assert.equal(await client.call('XGROUP', 'DELCONSUMER', 's', 'g', 'ann'), ':200\r\n')
    assert.equal(elements(), 300 + 2 + 2 + 2 * 107)
    assert.equal(await client.call('XGROUP', 'DESTROY', 's', 'g'), ':1\r\n')
    assert.equal(elements(), 300 + 1 + 1 + 2 * 7)
  })

  test('who waits for entries of a group is told once the time of its stream is over, and others wait on', async () => {
    const [ofGroup, alone, others] = [await setup.connect(), await setup.connect(), await setup.connect()]
    await client.call('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    await client.call('XGROUP', 'CREATE', 't', 'g', '$', 'MKSTREAM')
    await client.call('PEXPIRE', 's', 5000)
    await ofGroup.call('XREADGROUP', 'GROUP', 'g', 'ann', 'BLOCK', 0, 'STREAMS', 't', 's', '>', '>')
    await alone.call('XREAD', 'BLOCK', 0, 'STREAMS', 's', '$')
    await others.call('XREADGROUP', 'GROUP', 'g', 'bob', 'BLOCK', 0, 'STREAMS', 't', '>')
    await setup.pass(10_000)
    assert.equal(ofGroup.received, '-UNBLOCKED the stream key no longer exists\r\n')
    assert.equal(alone.received + others.received, '')
    assert.equal(await ofGroup.call('EXISTS', 's'), ':0\r\n')
    await client.call('XADD', 's', 1, 'f', 'v')
    assert.match(alone.received, /^\*1\r\n\*2\r\n\$1\r\ns\r\n/)
  })

  test('MEMORY USAGE counts what a group has pending', async () => {
    const usage = async (): Promise<number> =>
      Number((await client.call('MEMORY', 'USAGE', 's', 'SAMPLES', 0)).slice(1))
    await add(100)
    const before = await usage()
    await client.call('XGROUP', 'CREATE', 's', 'g', '0')
    const withGroup = await usage()
    await client.call('XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 's', '>')
    const withPending = await usage()
    assert.ok(before < withGroup && withPending > before * 2, `${before} ${withGroup} ${withPending}`)
    await client.call('XGROUP', 'DESTROY', 's', 'g')
    assert.equal(await usage(), before)
  })

  test('what one consumer has pending goes to another in bounded steps', async () => {
    const count = 10_100
    await add(count)
    await client.say(
      encode(['XGROUP', 'CREATE', 's', 'g', '0']) + encode(['XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 's', '>']),
      1000,
    )
    const first = await client.say(encode(['XAUTOCLAIM', 's', 'g', 'bob', 0, '-', 'COUNT', 1_000_000, 'JUSTID']), 1000)
    assert.match(first, /^\*3\r\n\$7\r\n10001-0\r\n\*10000\r\n/)
    const second = await client.call('XAUTOCLAIM', 's', 'g', 'bob', 0, '10001', 'COUNT', 1_000_000, 'JUSTID')
    assert.match(second, /^\*3\r\n\$3\r\n0-0\r\n\*100\r\n/)
    assert.equal(await client.call('XGROUP', 'DELCONSUMER', 's', 'g', 'bob'), `:${count}\r\n`)
    assert.equal(elements(), count + 2, 'the entries, the group, and who has nothing')
  })

  test('what no batch could hold is refused before the work', async () => {
    await add(1)
    const { owner } = setup.store
    const record = owner.get(0, Buffer.from('s'), 0, 1) ?? assert.fail('the stream is there')
    const header = copyValue(record)
    // As if it had so many entries: the count is all that is looked at.
    new DataView(header.buffer).setUint32(16, 2_000_000, true)
    owner.write([{ ...putChange(0, Buffer.from('s'), header), tag: record.tag }])
    const refusal = '-ERR 2000002 records would be written at once, the most is 1000000\r\n'
    assert.equal(await client.call('XTRIM', 's', 'MAXLEN', 0), refusal)
    assert.match(await client.call('XADD', 's', 'MAXLEN', 0, '*', 'f', 'v'), /^-ERR 200000\d records/)
    assert.equal(elements(), 1)
  })

  test('names of groups and consumers that begin alike are kept apart', async () => {
    await add(3)
    for (const group of ['g', 'gg', '']) {
      await client.call('XGROUP', 'CREATE', 's', group, '0')
      for (const consumer of ['', 'a', 'aa']) {
        await client.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', 's', '>')
      }
    }
    assert.equal(await client.call('XGROUP', 'DELCONSUMER', 's', 'g', 'a'), ':1\r\n')
    assert.equal(await client.call('XGROUP', 'DESTROY', 's', ''), ':1\r\n')
    assert.match(await client.call('XPENDING', 's', 'g'), /^\*4\r\n:2\r\n/)
    assert.match(await client.call('XPENDING', 's', 'gg'), /^\*4\r\n:3\r\n/)
  })

  // ---- DUMP and RESTORE

  async function dumped(): Promise<string> {
    await add(5)
    await client.call('XGROUP', 'CREATE', 's', 'g', '0')
    await client.call('XREADGROUP', 'GROUP', 'g', 'ann', 'COUNT', 3, 'STREAMS', 's', '>')
    await client.call('XDEL', 's', '2')
    const reply = await client.call('DUMP', 's')
    return reply.slice(reply.indexOf('\r\n') + 2, -2)
  }

  test('a stream is carried over with its groups and what they have pending', async () => {
    const payload = await dumped()
    assert.equal(await client.call('RESTORE', 't', 0, payload), '+OK\r\n')
    const full = (key: string): Promise<string> => client.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0)
    assert.equal(await full('t'), await full('s'))
    const again = await client.call('DUMP', 't')
    assert.equal(again.slice(again.indexOf('\r\n') + 2, -2), payload)
  })

  test('a stream whose last id was set back behind what was deleted is carried over', async () => {
    await add(3)
    await client.call('XDEL', 's', 1, 2, 3)
    assert.equal(await client.call('XSETID', 's', 1), '+OK\r\n')
    await client.call('XADD', 's', 2, 'f', 'v')
    const reply = await client.call('DUMP', 's')
    assert.equal(await client.call('RESTORE', 't', 0, reply.slice(reply.indexOf('\r\n') + 2, -2)), '+OK\r\n')
    assert.equal(await client.call('XINFO', 'STREAM', 't'), await client.call('XINFO', 'STREAM', 's'))
  })

  test('a payload that is none of ours makes nothing', async () => {
    const payload = await dumped()
    const before = elements()
    const parts = partsOf(payload)
    const changed: string[][] = [
      parts.slice(0, -1),
      parts.slice(1),
      [],
      // A state that is older than its entries.
      ['\0'.repeat(56), ...parts.slice(1)],
      // Entries the wrong way round, and twice.
      [parts[0] as string, ...parts.slice(3, 5), ...parts.slice(1, 3), ...parts.slice(5)],
      [...parts.slice(0, 3), ...parts.slice(1)],
      // An entry with half of a field, and one with a string that goes on too long.
      parts.with(2, '\x01\0\0\0\x01f'),
      parts.with(2, '\x02\0\0\0\x01f\x09v'),
      // Pending, without the consumer; a group cut short; an order that no stream has.
      parts.filter((_, place) => place === 0 || !isOrder(parts, place, 3)),
      parts.map((part, place) => (place % 2 === 0 && isOrder(parts, place, 2) ? part.slice(1) : part)),
      [...parts, '\x07x', ''],
      // Times after all clocks, of a consumer and of a delivery.
      parts.map((part, place) => (place % 2 === 0 && place > 0 && isOrder(parts, place, 3) ? '\xff'.repeat(8) : part)),
      parts.map((part, place) =>
        place % 2 === 0 && place > 0 && isOrder(parts, place, 4) ? `\xff${part.slice(1)}` : part,
      ),
      [...parts, '', ''],
    ]
    for (const [place, each] of changed.entries()) {
      assert.equal(await client.call('RESTORE', 't', 0, payloadOf(each)), badPayload, `change ${place}`)
    }
    assert.equal(await client.call('EXISTS', 't'), ':0\r\n')
    assert.equal(elements(), before)
    assert.equal(await client.call('RESTORE', 't', 0, payloadOf(parts)), '+OK\r\n')
  })
})

function entry(id: string, value: string): string {
  return `*2\r\n$${id.length}\r\n${id}\r\n*2\r\n$1\r\nf\r\n$${value.length}\r\n${value}\r\n`
}

/** Whether a part, or the one that names it, is of an element of this order. */
function isOrder(parts: readonly string[], place: number, order: number): boolean {
  const name = parts[place % 2 === 1 ? place : place - 1]
  return name?.charCodeAt(0) === order
}

function partsOf(payload: string): string[] {
  const bytes = Buffer.from(payload, 'latin1')
  const parts: string[] = []
  for (let offset = 6; offset < bytes.length - 4; ) {
    const end = offset + 4 + bytes.readUInt32LE(offset)
    parts.push(bytes.toString('latin1', offset + 4, end))
    offset = end
  }
  return parts
}

/** Parts as a stream's payload, with the right checksum. */
function payloadOf(parts: readonly string[]): string {
  const head = Buffer.alloc(6)
  head[0] = 1
  head[1] = 5
  head.writeUInt32LE(parts.length, 2)
  const chunks = parts.flatMap((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(part.length)
    return [length, Buffer.from(part, 'latin1')]
  })
  const body = Buffer.concat([head, ...chunks])
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32c(0, body, 0, body.length))
  return Buffer.concat([body, sum]).toString('latin1')
}
