/** Text as UTF-8: our short way and the platform's must give the same bytes. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeText, encodeText, encodeTextInto, utf8BytesPerCharMax } from './text.ts'

/** Encodes at the start of a larger array, and sees that nothing behind is needed. */
function into(text: string): Uint8Array {
  const target = new Uint8Array(text.length * utf8BytesPerCharMax).fill(0xee)
  return target.slice(0, encodeTextInto(text, target))
}

describe('text as UTF-8', () => {
  const texts: [string, string][] = [
    ['nothing', ''],
    ['ASCII', 'user:1'],
    ['the ends of ASCII', '\u0000\u007f'],
    ['64 characters, the longest that our own loop takes', 'k'.repeat(64)],
    ['65 characters', 'k'.repeat(65)],
    ['long text', 'orbit '.repeat(5000)],
    ['two bytes a character', 'äöüß'],
    ['three bytes a character', '鍵と値'],
    ['four bytes for two characters', '🪐🛰'],
    ['ASCII and then more', 'user:鍵'],
    ['more at the last place of a short text', `${'k'.repeat(63)}é`],
    ['long text with more', 'schlüssel '.repeat(500)],
    ['a byte order mark', '\ufeffkey'],
  ]
  for (const [what, text] of texts) {
    test(`${what}: there and back`, () => {
      const bytes = new Uint8Array(Buffer.from(text, 'utf8'))
      assert.deepEqual(encodeText(text), bytes)
      assert.deepEqual(into(text), bytes)
      assert.equal(decodeText(bytes), text)
    })
  }

  test('a surrogate without its partner becomes the replacement character, in both ways', () => {
    for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(100)}\ud83e`]) {
      const expected = new Uint8Array(Buffer.from(text, 'utf8'))
      assert.ok(decodeText(expected).includes('\ufffd'))
      assert.deepEqual(encodeText(text), expected)
      assert.deepEqual(into(text), expected)
    }
  })

  test('bytes that are no UTF-8 decode to the replacement character', () => {
    assert.equal(decodeText(Uint8Array.of(0x61, 0xff, 0x62)), 'a\ufffdb')
  })

  test('any text takes at most three bytes a character, and both ways agree', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        const bytes = encodeText(text)
        assert.deepEqual(into(text), bytes)
        assert.ok(bytes.length <= text.length * utf8BytesPerCharMax)
        assert.equal(decodeText(bytes), text)
      }),
    )
  })

  test('any sequence of UTF-16 units is encoded alike', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }), (units) => {
        const text = String.fromCharCode(...units)
        assert.deepEqual(into(text), encodeText(text))
      }),
    )
  })
})
