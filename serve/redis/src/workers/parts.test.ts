/** The parts that workers are made of: slots, the end of a reply, rings, merged replies. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { type MergeKind, mergeReplies } from './merge.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { newRing, RingReader, RingWriter } from './ring.ts'
import { shardOfSlot, slotCount, slotOf, slotsOfShard } from './slots.ts'
import { dealShards } from './topology.ts'

function slot(key: string): number {
  const bytes = Buffer.from(`..${key}..`)
  return slotOf(bytes, 2, bytes.length - 2)
}

test('slots are those of Redis Cluster, hash tags too', () => {
  // As `redis-cli cluster keyslot` tells them.
  for (const [key, expected] of [
    ['123456789', 12_739],
    ['foo', 12_182],
    ['', 0],
    ['{user1000}.following', 3443],
    ['user:1', 10_778],
  ] as const) {
    assert.equal(slot(key), expected, key)
  }
  assert.equal(slot('{user1000}.following'), slot('user1000'))
  assert.equal(slot('foo{{bar}}zap'), slot('{bar'))
  assert.equal(slot('foo{bar}{zap}'), slot('bar'))
  assert.notEqual(slot('foo{}{bar}'), slot('bar'))
  assert.notEqual(slot('{open'), slot('open'))
})

test('every slot is of one shard, and a worker has a run of them', () => {
  for (const shardCount of [1, 2, 3, 7, 1024]) {
    let next = 0
    for (let shard = 0; shard < shardCount; shard++) {
      const { first, last } = slotsOfShard(shard, shardCount)
      assert.equal(first, next)
      assert.equal(shardOfSlot(first, shardCount), shard)
      assert.equal(shardOfSlot(last, shardCount), shard)
      next = last + 1
    }
    assert.equal(next, slotCount)
  }
  assert.deepEqual(dealShards(5, 2), [
    [0, 1, 2],
    [3, 4],
  ])
})

const replies = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-12\r\n',
  '$-1\r\n',
  '$0\r\n\r\n',
  '$5\r\na\r\nb$\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n$1\r\na\r\n*1\r\n:1\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n_\r\n#t\r\n',
  '~1\r\n,1.5\r\n',
  '=7\r\ntxt:a\r\n\r\n',
  '(123456789012345678901234567890\r\n',
]

for (const seed of seedsFor('reply-scanner', { kept: [], fresh: 3 })) {
  test(`the end of a reply is found wherever the stream is cut, ORBIT_SEED=${seed}`, () => {
    const random = new Random(seed)
    const sent = Array.from({ length: 200 }, () => random.pick(replies))
    const bytes = encodeText(sent.join(''))
    const scanner = new ReplyScanner()
    const found: string[] = []
    let open = ''
    for (let at = 0; at < bytes.length; ) {
      const cut = Math.min(bytes.length, at + random.between(1, 12))
      while (at < cut) {
        const until = scanner.scan(bytes, at, cut)
        open += decodeText(bytes.subarray(at, until))
        at = until
        if (!scanner.isDone) continue
        found.push(open)
        open = ''
      }
    }
    assert.deepEqual(found, sent)
  })

  test(`a ring hands over what was written, and never more than it holds, ORBIT_SEED=${seed}`, () => {
    const random = new Random(seed)
    const memory = newRing(256)
    const writer = new RingWriter(memory)
    const reader = new RingReader(memory)
    let written = 0
    let read = 0
    for (let round = 0; round < 5000; round++) {
      const bytes = random.between(0, Math.min(100, writer.freeBytes))
      writer.write(
        Uint8Array.from({ length: bytes }, (_, i) => (written + i) & 255),
        0,
        bytes,
      )
      written += bytes
      writer.publish()
      const taken = random.between(0, reader.availableBytes)
      const target = new Uint8Array(taken)
      reader.read(target, 0, taken)
      reader.release()
      assert.deepEqual(
        target,
        Uint8Array.from({ length: taken }, (_, i) => (read + i) & 255),
      )
      read += taken
      assert.ok(writer.freeBytes >= 0 && writer.freeBytes <= 256)
    }
  })
}

test('a reader is rung once for all that is written until it looks, and a writer that waits once there is room', () => {
  const memory = newRing(64)
  const writer = new RingWriter(memory)
  const reader = new RingReader(memory)
  assert.equal(writer.publish(), true)
  assert.equal(writer.publish(), false)
  reader.answer()
  assert.equal(writer.publish(), true)
  writer.write(new Uint8Array(60), 0, 60)
  writer.publish()
  assert.equal(reader.release(), false)
  assert.equal(writer.awaitRoom(10), true)
  reader.read(new Uint8Array(60), 0, 60)
  assert.equal(reader.release(), true)
  assert.equal(writer.awaitRoom(10), false)
})

test('replies of several shards become one', () => {
  const merged = (kind: MergeKind, ...all: string[]): string =>
    decodeText(
      mergeReplies(
        kind,
        all.map((reply) => encodeText(reply)),
        () => 0,
      ),
    )
  assert.equal(merged('agg_sum', ':1\r\n', ':20\r\n'), ':21\r\n')
  assert.equal(merged('agg_sum', ':1\r\n', '-ERR x\r\n'), '-ERR x\r\n')
  assert.equal(merged('agg_min', ':3\r\n', ':2\r\n'), ':2\r\n')
  assert.equal(merged('agg_logical_and', '*2\r\n:1\r\n:0\r\n', '*2\r\n:1\r\n:1\r\n'), '*2\r\n:1\r\n:0\r\n')
  assert.equal(merged('concatenate', '*1\r\n+a\r\n', '*0\r\n', '*1\r\n+b\r\n'), '*2\r\n+a\r\n+b\r\n')
  assert.equal(merged('union', '*1\r\n$1\r\na\r\n', '*1\r\n$1\r\na\r\n'), '*1\r\n$1\r\na\r\n')
  assert.equal(merged('sum_of_names', '*2\r\n+a\r\n:1\r\n', '*2\r\n+a\r\n:2\r\n'), '*2\r\n+a\r\n:3\r\n')
  assert.equal(merged('texts', '$1\r\na\r\n', '=5\r\ntxt:b\r\n'), '$2\r\nab\r\n')
  assert.equal(merged('any', '$-1\r\n', '$1\r\na\r\n'), '$1\r\na\r\n')
  assert.equal(merged('all_succeeded', '+OK\r\n', '-ERR x\r\n'), '-ERR x\r\n')
  assert.equal(merged('kills', '-ERR No such client\r\n', '+OK\r\n'), '+OK\r\n')
  assert.equal(merged('kills', ':1\r\n', ':0\r\n'), ':1\r\n')
  const info = (keys: number, hits: number): string => {
    const text = `# Stats\r\nkeyspace_hits:${hits}\r\nversion:1\r\n# Keyspace\r\ndb0:keys=${keys},expires=0\r\n`
    return `$${text.length}\r\n${text}\r\n`
  }
  const told = merged('info', info(1, 5), info(2, 6))
  assert.match(told, /keyspace_hits:11\r\nversion:1\r\n/)
  assert.match(told, /db0:keys=3,expires=0/)
})
