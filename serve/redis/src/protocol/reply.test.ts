/** The reply writer: what it encodes, across chunks, and what is taken back. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '@orbitkv/base'
import { BufferPool } from './buffers.ts'
import { OutputLimitReached, type ProtocolVersion, type ReplyOwner, ReplyWriter } from './reply.ts'

const seed = Number(process.env.ORBIT_SEED ?? 13)

class Owner implements ReplyOwner {
  outputBytes = 0
  protocol: ProtocolVersion
  constructor(protocol: ProtocolVersion = 2) {
    this.protocol = protocol
  }
}

interface Setup {
  readonly pool: BufferPool
  readonly writer: ReplyWriter<Owner>
  readonly stats: { errorReplies: number }
}

function setup(outputBytesMax = 100_000_000): Setup {
  const pool = new BufferPool(1_000_000_000)
  const stats = { errorReplies: 0 }
  return { pool, stats, writer: new ReplyWriter<Owner>(pool, { outputBytesMax }, stats) }
}

/** What an owner's slices hold, which are released thereby. */
function take(writer: ReplyWriter<Owner>, owner: Owner): string {
  const { slices } = writer
  let text = ''
  for (let i = 0; i < slices.count; i++) {
    if (slices.owners[i] !== owner) continue
    const [start, end] = [slices.starts[i] as number, slices.ends[i] as number]
    text += Buffer.from(slices.chunks[i]?.bytes.slice(start, end) ?? []).toString('latin1')
  }
  return text
}

function encoded(protocol: ProtocolVersion, use: (writer: ReplyWriter<Owner>) => void): string {
  const { writer } = setup()
  const owner = new Owner(protocol)
  writer.begin(owner)
  use(writer)
  writer.end()
  const text = take(writer, owner)
  assert.equal(owner.outputBytes, text.length)
  return text
}

test('each kind of reply in both versions of the protocol', () => {
  const cases: [use: (writer: ReplyWriter<Owner>) => void, resp2: string, resp3: string][] = [
    [(writer) => writer.ok(), '+OK\r\n', '+OK\r\n'],
    [(writer) => writer.status('PONG'), '+PONG\r\n', '+PONG\r\n'],
    [(writer) => writer.error('ERR a\r\nb'), '-ERR a  b\r\n', '-ERR a  b\r\n'],
    [(writer) => writer.integer(-12), ':-12\r\n', ':-12\r\n'],
    [(writer) => writer.integer(2n ** 63n - 1n), ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    [(writer) => writer.null(), '$-1\r\n', '_\r\n'],
    [(writer) => writer.bulkText('héllo'), '$6\r\nh\xc3\xa9llo\r\n', '$6\r\nh\xc3\xa9llo\r\n'],
    [(writer) => writer.bulkText(''), '$0\r\n\r\n', '$0\r\n\r\n'],
    [(writer) => writer.bulkInteger(42), '$2\r\n42\r\n', '$2\r\n42\r\n'],
    [(writer) => writer.bulk(Buffer.from('xabcx'), 1, 4), '$3\r\nabc\r\n', '$3\r\nabc\r\n'],
    [(writer) => writer.verbatim('hi'), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
    [(writer) => writer.array(2), '*2\r\n', '*2\r\n'],
    [(writer) => writer.map(2), '*4\r\n', '%2\r\n'],
    [(writer) => writer.set(2), '*2\r\n', '~2\r\n'],
  ]
  for (const [use, resp2, resp3] of cases) {
    assert.equal(encoded(2, use), resp2)
    assert.equal(encoded(3, use), resp3)
  }
})

test(`values of every size come out whole, over as many chunks as they take, ORBIT_SEED=${seed}`, () => {
  const random = new Random(seed)
  const sizes = [0, 1, 127, 128, 129, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000]
  for (let i = 0; i < 30; i++) sizes.push(random.below(200_000))
  const { writer, pool } = setup()
  const owners = [new Owner(), new Owner()]
  const expected = ['', '']
  for (const size of sizes) {
    const place = random.below(2)
    const owner = owners[place] as Owner
    const value = random.bytes(size)
    writer.begin(owner)
    writer.bulk(value, 0, size)
    writer.integer(size)
    writer.end()
    expected[place] += `$${size}\r\n${Buffer.from(value).toString('latin1')}\r\n:${size}\r\n`
  }
  for (const [place, owner] of owners.entries()) {
    assert.ok(take(writer, owner) === expected[place], 'the replies are whole and in order')
    assert.equal(owner.outputBytes, expected[place]?.length)
  }
  assert.ok(pool.takenBytes > 0)
})

test('what is taken back leaves no trace, however large it was', () => {
  for (const size of [10, 70_000, 500_000]) {
    const { writer, pool, stats } = setup()
    const [other, owner] = [new Owner(), new Owner()]
    writer.begin(other)
    writer.status('OTHER')
    writer.end()
    writer.begin(owner)
    writer.status('BEFORE')
    writer.mark()
    writer.array(2)
    writer.bulk(new Uint8Array(size), 0, size)
    writer.rewind()
    writer.error('ERR instead')
    writer.mark()
    writer.status('AFTER')
    writer.rewind()
    writer.end()
    assert.equal(take(writer, other), '+OTHER\r\n')
    assert.equal(take(writer, owner), '+BEFORE\r\n-ERR instead\r\n')
    assert.equal(owner.outputBytes, '+BEFORE\r\n-ERR instead\r\n'.length)
    assert.equal(stats.errorReplies, 1)
    assert.ok(
      pool.takenBytes <= 65_536 * 3,
      `the chunks of ${size} bytes were given back, ${pool.takenBytes} are taken`,
    )
  }
})

test('a chunk is used again once everything in it is out', () => {
  const { writer, pool } = setup()
  const owner = new Owner()
  for (let turn = 0; turn < 1000; turn++) {
    writer.begin(owner)
    for (let i = 0; i < 10; i++) writer.bulk(new Uint8Array(10_000), 0, 10_000)
    writer.end()
    const { slices } = writer
    for (let i = 0; i < slices.count; i++) slices.chunks[i]?.release()
    slices.count = 0
    owner.outputBytes = 0
  }
  assert.ok(pool.takenBytes <= 2 * 65_536, `${pool.takenBytes} bytes are taken`)
})

test('a reply over the limit throws before it takes the memory', () => {
  const { writer, pool } = setup(1_000_000)
  const owner = new Owner()
  writer.begin(owner)
  assert.throws(() => {
    for (let i = 0; i < 100; i++) writer.bulk(new Uint8Array(100_000), 0, 100_000)
  }, OutputLimitReached)
  assert.ok(pool.takenBytes < 1_200_000)
  writer.rewind()
  writer.end()
  assert.equal(owner.outputBytes, 0)
})
