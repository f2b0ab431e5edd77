/** Text for people: nothing that reaches a terminal may command it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counted, escapeBytes, exactText, shortText, table, thousands, wrap } from './text.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

test('control characters, C1 ones, reversals of direction and backslashes are escaped', () => {
  assert.equal(escapeBytes(bytes('a\u001b[31mb\u0007\u007f\\')), 'a\\x1b[31mb\\x07\\x7f\\\\')
  assert.equal(escapeBytes(bytes('\u009b2J\u202e')), '\\u009b2J\\u202e')
  assert.equal(escapeBytes(bytes('a\nb\tc\r')), 'a\\nb\\tc\\r')
  assert.equal(escapeBytes(bytes('a\nb\tc\\d\r'), true), 'a\nb\tc\\d\\r')
  assert.equal(escapeBytes(bytes('grüße 你好 🎉')), 'grüße 你好 🎉')
})

test('bytes that are no text are escaped one by one', () => {
  assert.equal(escapeBytes(Uint8Array.from([0x61, 0xff, 0x00, 0x5c])), 'a\\xff\\x00\\\\')
})

test('exact text is undefined for what would not come back the same', () => {
  assert.equal(exactText(Uint8Array.from([0xc3])), undefined)
  assert.equal(exactText(bytes('\ufeff')), '\ufeff')
})

test('a long key is shortened between characters', () => {
  assert.equal(shortText(bytes('ä'.repeat(50)), 5), 'ää…')
  assert.equal(shortText(bytes('short')), 'short')
})

test('wrapping, tables, counts', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(
    table(
      [
        ['a', '1'],
        ['bcd', '23'],
      ],
      [1],
    ),
    ['a     1', 'bcd  23'],
  )
  assert.equal(thousands(1234567.4), '1,234,567')
  assert.equal(thousands(999), '999')
  assert.equal(counted(1, 'record'), '1 record')
  assert.equal(counted(0, 'record'), '0 records')
})
