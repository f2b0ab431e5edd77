/** Looking ahead finds the keys that the parser will find, and nothing beyond what is there. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encode } from '../server-suite.ts'
import { findKeySpans } from './key-spans.ts'

const seed = Number(process.env.ORBIT_SEED ?? 17)

function keysIn(stream: string, most = 100): string[] {
  const bytes = Buffer.from(`??${stream}??`, 'latin1')
  const spans = new Uint32Array(2 * most)
  const count = findKeySpans(bytes, 2, bytes.length - 2, spans)
  return Array.from({ length: count }, (_, i) => bytes.toString('latin1', spans[2 * i], spans[2 * i + 1]))
}

test('the argument after each name, where there is one', () => {
  const commands = [['GET', 'a'], ['PING'], ['SET', 'b', 'x'.repeat(500)], ['MSET', '', '1', 'd', '2'], ['DEL', 'e']]
  assert.deepEqual(keysIn(commands.map(encode).join('')), ['a', 'b', '', 'e'])
})

test('no more than there is room for', () => {
  assert.deepEqual(keysIn(encode(['GET', 'a']).repeat(10), 3), ['a', 'a', 'a'])
})

test('it stops at a frame that is not whole, an inline command, and what is no frame', () => {
  const get = encode(['GET', 'a'])
  for (const rest of ['*2\r\n$3\r\nGET\r\n$100\r\nabc', 'GET b\r\n', '*x\r\n', '*2\r\n:3\r\n', '*-1\r\n', '*1', '']) {
    assert.deepEqual(keysIn(`${get}${rest}`), ['a'], JSON.stringify(rest))
  }
})

test('on any bytes it stays within them', () => {
  const piece = fc.oneof(fc.constantFrom('*', '$', '2', '\r\n', '999999999', '*2\r\n$3\r\nGET\r\n$1\r\n'), fc.string())
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1')
      const spans = new Uint32Array(64)
      const count = findKeySpans(bytes, 0, bytes.length, spans)
      for (let i = 0; i < count; i++) {
        assert.ok((spans[2 * i] as number) <= (spans[2 * i + 1] as number))
        assert.ok((spans[2 * i + 1] as number) <= bytes.length)
      }
    }),
    { seed, numRuns: 500 },
  )
})
