/** Comparing, copying and prefixes of bytes: worked examples, and properties against slices and Node's Buffer. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compareBytes, copyBytes, equalBytes, prefixEnd, sharedPrefixBytes } from './compare.ts'

const someBytes = fc.uint8Array({ maxLength: 40 })
/** Few values, so that prefixes are shared and 0xff comes often. */
const likeBytes = fc.array(fc.constantFrom(0, 1, 254, 255), { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes))

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

describe('comparing', () => {
  test('is by unsigned bytes, and a prefix sorts first', () => {
    const sorted = [[], [0], [0, 0], [0, 1], [1], [1, 0], [127], [128], [255], [255, 0], [255, 255]].map((b) =>
      Uint8Array.from(b),
    )
    for (const [i, a] of sorted.entries()) {
      for (const [j, b] of sorted.entries()) assert.equal(Math.sign(compare(a, b)), Math.sign(i - j), `${a} and ${b}`)
    }
  })

  test('agrees with Buffer.compare, also on windows of larger arrays', () => {
    fc.assert(
      fc.property(likeBytes, likeBytes, someBytes, someBytes, (a, b, before, behind) => {
        const wideA = Uint8Array.of(...before, ...a, ...behind)
        const wideB = Uint8Array.of(...behind, ...b, ...before)
        const ordered = compareBytes(
          wideA,
          before.length,
          before.length + a.length,
          wideB,
          behind.length,
          behind.length + b.length,
        )
        assert.equal(Math.sign(ordered), Buffer.compare(a, b))
        assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
      }),
    )
  })

  test('the shared prefix is as long as it can be', () => {
    fc.assert(
      fc.property(likeBytes, likeBytes, (a, b) => {
        const shared = sharedPrefixBytes(a, b)
        assert.deepEqual(a.slice(0, shared), b.slice(0, shared))
        assert.ok(shared === a.length || shared === b.length || a[shared] !== b[shared])
      }),
    )
  })
})

describe('copying', () => {
  test('copies the window and nothing beside it, short and long', () => {
    for (const bytes of [0, 1, 7, 127, 128, 129, 5000]) {
      const source = Uint8Array.from({ length: bytes + 20 }, (_, i) => (i * 7 + 1) & 0xff)
      const target = new Uint8Array(bytes + 30).fill(0xee)
      copyBytes(target, 11, source, 5, 5 + bytes)
      const expected = new Uint8Array(bytes + 30).fill(0xee)
      expected.set(source.subarray(5, 5 + bytes), 11)
      assert.deepEqual(target, expected)
    }
  })
})

describe('the end of a prefix', () => {
  test('is the prefix with its last byte below 0xff raised', () => {
    const cases: [number[], number[] | undefined][] = [
      [[], undefined],
      [[0], [1]],
      [
        [1, 2],
        [1, 3],
      ],
      [[1, 255], [2]],
      [[1, 255, 255], [2]],
      [
        [1, 255, 7],
        [1, 255, 8],
      ],
      [[254], [255]],
      [[255], undefined],
      [[255, 255, 255], undefined],
    ]
    for (const [prefix, end] of cases) {
      assert.deepEqual(prefixEnd(Uint8Array.from(prefix)), end && Uint8Array.from(end), `${prefix}`)
    }
  })

  test('leaves the prefix as it was', () => {
    const prefix = Uint8Array.of(1, 255)
    prefixEnd(prefix)
    assert.deepEqual(prefix, Uint8Array.of(1, 255))
  })

  test('every key with the prefix is below it, and every other key is not between', () => {
    fc.assert(
      fc.property(likeBytes, fc.oneof(likeBytes, someBytes), (prefix, key) => {
        const end = prefixEnd(prefix)
        const hasPrefix = compare(key.slice(0, prefix.length), prefix) === 0
        const isBetween = compare(prefix, key) <= 0 && (end === undefined || compare(key, end) < 0)
        assert.equal(isBetween, hasPrefix)
      }),
      { numRuns: 2000 },
    )
  })

  test('every extension of the prefix is below it, and nothing smaller would do', () => {
    fc.assert(
      fc.property(likeBytes, someBytes, (prefix, tail) => {
        const end = prefixEnd(prefix)
        if (end === undefined) return assert.ok(prefix.every((byte) => byte === 255))
        assert.ok(compare(Uint8Array.of(...prefix, ...tail), end) < 0)
        // The largest keys below the end begin with the prefix.
        const below = Uint8Array.of(...end.slice(0, -1), (end.at(-1) as number) - 1, ...new Array<number>(10).fill(255))
        assert.deepEqual(below.slice(0, prefix.length), prefix)
      }),
    )
  })
})
