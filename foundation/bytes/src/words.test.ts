/** Numbers in words: u64 below 2^53, and rounding up to 8. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { align8, readUint64, writeUint64 } from './words.ts'

describe('u64 in two words', () => {
  test('comes back as it was, up to 2^53 - 1', () => {
    const words = new Uint32Array(6).fill(0xdeadbeef)
    for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
      writeUint64(words, 2, value)
      assert.equal(readUint64(words, 2), value)
    }
    assert.deepEqual([words[0], words[1], words[4], words[5]], new Array(4).fill(0xdeadbeef), 'the words beside stay')
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        writeUint64(words, 0, value)
        assert.equal(readUint64(words, 0), value)
      }),
    )
  })

  test('is eight bytes little-endian', () => {
    const words = new Uint32Array(2)
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        writeUint64(words, 0, value)
        assert.equal(new DataView(words.buffer).getBigUint64(0, true), BigInt(value))
      }),
    )
  })
})

describe('align8', () => {
  test('is the next multiple of 8, up to the largest segment', () => {
    for (const [value, aligned] of [
      [0, 0],
      [1, 8],
      [7, 8],
      [8, 8],
      [9, 16],
      [2 ** 30 - 1, 2 ** 30],
      [2 ** 30, 2 ** 30],
    ] as const) {
      assert.equal(align8(value), aligned)
    }
  })
})
