/** Keys and values as text and back: nothing is lost, nothing loose is taken. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import fc from 'fast-check'
import { bytesFromJson, bytesFromText, fromBase64, fromHex, jsonFromBytes, textFromBytes } from './encoding.ts'

const seed = Number(process.env.ORBIT_SEED ?? 1)
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'grapheme' }).map((text) => new Uint8Array(Buffer.from(text))),
)

test(`bytes go through JSON, hex and base64 unchanged, seed ${seed}`, () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const back = bytesFromJson(JSON.parse(JSON.stringify(jsonFromBytes(bytes))))
      assert.deepEqual(Buffer.from(back as Uint8Array), Buffer.from(bytes))
      for (const encoding of ['hex', 'base64'] as const) {
        assert.deepEqual(
          Buffer.from(bytesFromText(textFromBytes(bytes, encoding), encoding, 'KEY')),
          Buffer.from(bytes),
        )
      }
    }),
    { seed, numRuns: 500 },
  )
})

test('a byte order mark in a value is part of it', () => {
  assert.equal(jsonFromBytes(Buffer.from('\ufeffx')), '\ufeffx')
})

test('what is not strictly hex or base64 is refused by name', () => {
  for (const text of ['0', 'zz', '0x00', '00 00']) assert.equal(fromHex(text), undefined, text)
  for (const text of ['a', 'aa', 'aaa', 'a===', 'aa=a', 'aa==aa==', 'ab==', 'a\na=', 'a-_='])
    assert.equal(fromBase64(text), undefined, text)
  assert.throws(
    () => bytesFromText('xyz', 'hex', 'KEY'),
    (error) => hasCode(error, 'cli.bad_encoding') && /KEY is not hex: xyz/.test(String(error)),
  )
})
