/** The window: offsets, the hash of what was consumed, byte order marks. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { skipByteOrderMark, Window } from './window.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('the digest is that of the file up to a place, however blocks and records fall', () => {
  const window = new Window()
  window.add(Buffer.from('abcdef'))
  window.consume(window.start + 2)
  assert.equal(window.digest(2), sha256('ab'))
  window.consume(window.start + 2)
  window.add(Buffer.from('ghi'))
  assert.equal(window.offset, 4)
  assert.equal(window.digest(4), sha256('abcd'))
  window.consume(window.start + 1)
  window.consume(window.end)
  assert.equal(window.digest(5), sha256('abcde'), 'a little behind what is consumed')
  assert.equal(window.digest(9), sha256('abcdefghi'))
})

test('a window that goes on where another stood goes on with its hash', () => {
  const window = new Window(3, createHash('sha256').update('abc'))
  window.add(Buffer.from('def'))
  window.consume(window.end)
  assert.equal(window.offset, 6)
  assert.equal(window.digest(6), sha256('abcdef'))
})

test('byte order marks: that of UTF-8 is passed over, those of UTF-16 are told', () => {
  const marked = new Window()
  marked.add(Buffer.from('\ufeffa'))
  assert.equal(skipByteOrderMark(marked), false)
  assert.equal(marked.offset, 3)
  const plain = new Window()
  plain.add(Buffer.from('a'))
  assert.equal(skipByteOrderMark(plain), false)
  assert.equal(plain.offset, 0)
  for (const mark of [
    [0xff, 0xfe],
    [0xfe, 0xff],
  ]) {
    const wide = new Window()
    wide.add(Uint8Array.from([...mark, 0, 0x61]))
    assert.equal(skipByteOrderMark(wide), true)
  }
})
