/**
 * CRC-32C: published vectors, and the native way against the tables. Where the addon is not built both are the tables;
 * the vectors hold all the same.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { crc32c, crc32cMany, crc32cManyTables, crc32cTables } from './crc32c.ts'
import { encodeText } from './text.ts'

/** RFC 3720, B.4, and the check value of the Castagnoli polynomial. */
const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['the digits 1 to 9', encodeText('123456789'), 0xe3069283],
  ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 bytes going up', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['32 bytes going down', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [
    'an iSCSI read command',
    Buffer.from(
      '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' + '0200000000000000',
      'hex',
    ),
    0xd9963a56,
  ],
]

const ways = [
  ['crc32c', crc32c, crc32cMany],
  ['tables', crc32cTables, crc32cManyTables],
] as const

for (const [name, checksum, checksumMany] of ways) {
  describe(`CRC-32C: ${name}`, () => {
    for (const [what, bytes, expected] of vectors) {
      test(`of ${what}`, () => {
        assert.equal(checksum(0, bytes, 0, bytes.length), expected)
        const wide = new Uint8Array(bytes.length + 9).fill(0xaa)
        wide.set(bytes, 4)
        assert.equal(checksum(0, wide, 4, 4 + bytes.length), expected, 'a window of a larger array')
      })
    }

    test('many spans in one call: each checksum in the four bytes before what it covers', () => {
      const random = new Random(3)
      const bytes = random.bytes(3000)
      const before = bytes.slice()
      const spans = Uint32Array.of(0, 4, 8, 13, 64, 1064, 2000, 3000, 7, 7)
      checksumMany(77, bytes, spans, 4)
      const expected = before.slice()
      for (let i = 0; i < 4; i++) {
        const start = spans[2 * i] as number
        new DataView(expected.buffer).setUint32(
          start,
          crc32cTables(77, before, start + 4, spans[2 * i + 1] as number),
          true,
        )
      }
      assert.deepEqual(bytes, expected)
    })

    test('many spans: none is nothing', () => {
      const bytes = new Uint8Array(16).fill(1)
      checksumMany(0, bytes, new Uint32Array(0), 0)
      assert.deepEqual(bytes, new Uint8Array(16).fill(1))
    })
  })
}

for (const seed of seedsFor('crc32c', { kept: [1], fresh: 3 })) {
  test(`both ways agree, whole and split at any place, seed ${seed}`, () => {
    const random = new Random(seed)
    // Up to past the lengths at which the native way goes over to three streams at once, and their remainders.
    for (let round = 0; round < 300; round++) {
      const length = random.between(0, random.pick([8, 64, 300, 1000, 14_000]))
      const bytes = random.bytes(length + 16)
      const start = random.between(0, 16)
      const end = start + length
      const seedBefore = random.chance(2) ? 0 : random.uint32()
      const whole = crc32cTables(seedBefore, bytes, start, end)
      assert.ok(whole >= 0 && whole < 2 ** 32)
      assert.equal(crc32c(seedBefore, bytes, start, end), whole)
      const middle = random.between(start, end)
      assert.equal(crc32c(crc32c(seedBefore, bytes, start, middle), bytes, middle, end), whole)
      assert.equal(crc32cTables(crc32c(seedBefore, bytes, start, middle), bytes, middle, end), whole)
    }
  })

  test(`both ways give the same for many spans, seed ${seed}`, () => {
    const random = new Random(seed)
    for (let round = 0; round < 30; round++) {
      const count = random.between(1, 50)
      const spans = new Uint32Array(2 * count)
      let at = 0
      for (let i = 0; i < count; i++) {
        spans[2 * i] = at
        spans[2 * i + 1] = at + 4 + random.between(0, random.pick([4, 100, 2000]))
        at = (spans[2 * i + 1] as number) + random.below(9)
      }
      const bytes = random.bytes(at + 8)
      const other = bytes.slice()
      const spanSeed = random.uint32()
      crc32cMany(spanSeed, bytes, spans, count)
      crc32cManyTables(spanSeed, other, spans, count)
      assert.deepEqual(bytes, other)
    }
  })
}

test('any flipped bit changes the checksum', () => {
  const bytes = encodeText('a record of some length, to be flipped bit by bit')
  const whole = crc32c(5, bytes, 0, bytes.length)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7))
    assert.notEqual(crc32c(5, flipped, 0, flipped.length), whole)
  }
})
