/** Layouts: offsets of a sound one, and that each way of being wrong throws when the layout is declared. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { layout, raw, u8, u16, u32, u64 } from './layout.ts'

describe('layouts', () => {
  test('a sound one gives the offset of each field, in whatever order they are declared', () => {
    const order = layout('order', 32, {
      magic: raw(0, 3),
      state: u8(3),
      count: u16(4),
      kind: u16(6),
      id: u64(8),
      checksum: u32(28),
      price: u32(24),
      name: raw(16, 8),
    })
    assert.deepEqual(order, { magic: 0, state: 3, count: 4, kind: 6, id: 8, name: 16, price: 24, checksum: 28 })
  })

  test('no fields are a layout of no bytes', () => {
    assert.deepEqual(layout('nothing', 0, {}), {})
  })

  const wrong: [string, () => unknown, RegExp][] = [
    ['a gap', () => layout('t', 8, { a: u8(0), b: u32(4) }), /t\.b stands at 4, the field before it ends at 1/],
    ['a gap at the start', () => layout('t', 8, { a: u32(4) }), /t\.a stands at 4, the field before it ends at 0/],
    [
      'an overlap',
      () => layout('t', 6, { a: u32(0), b: u16(2), c: u16(4) }),
      /t\.b stands at 2, the field before it ends at 4/,
    ],
    [
      'two fields at one place',
      () => layout('t', 4, { a: u32(0), b: u32(0) }),
      /t\.b stands at 0, the field before it ends at 4/,
    ],
    ['a misaligned u16', () => layout('t', 3, { a: u8(0), b: u16(1) }), /t\.b is not aligned to 2/],
    ['a misaligned u32', () => layout('t', 6, { a: u16(0), b: u32(2) }), /t\.b is not aligned to 4/],
    ['a misaligned u64', () => layout('t', 12, { a: u32(0), b: u64(4) }), /t\.b is not aligned to 8/],
    ['a total that is too small', () => layout('t', 7, { a: u64(0) }), /t has 8 bytes of fields, not 7/],
    ['a total that is too large', () => layout('t', 16, { a: u64(0) }), /t has 8 bytes of fields, not 16/],
  ]
  for (const [what, declare, message] of wrong) {
    test(`${what} throws`, () => {
      assert.throws(declare, { code: 'base.assertion', message })
    })
  }

  test('raw bytes of other lengths stand anywhere', () => {
    assert.deepEqual(layout('t', 16, { a: u8(0), b: raw(1, 15) }), { a: 0, b: 1 })
  })
})
