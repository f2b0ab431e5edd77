/** NDJSON: one object a line, problems with their places, the line kept as it stands. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NdjsonParser } from './ndjson.ts'
import { isProblem, Window } from './window.ts'

function parse(input: string | Uint8Array, blockBytes = 5): string[] {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const parser = new NdjsonParser()
  const window = new Window()
  const found: string[] = []
  for (let place = 0; ; place += blockBytes) {
    for (let parsed = parser.next(window); parsed !== undefined; parsed = parser.next(window)) {
      found.push(
        isProblem(parsed)
          ? `${parsed.line}:${parsed.column} ${parsed.problem}`
          : `${parsed.line} ${parsed.record.text}`,
      )
    }
    if (window.final) break
    if (place >= bytes.length) window.final = true
    else window.add(bytes.subarray(place, place + blockBytes))
  }
  assert.equal(window.offset, bytes.length)
  return found
}

test('objects, blank lines, CRLF, a last line without an end', () => {
  assert.deepEqual(parse('{"a":1}\r\n\n  \n {"b": 12345678901234567890} \n{"c":2}'), [
    '1 {"a":1}',
    '4 {"b": 12345678901234567890}',
    '5 {"c":2}',
  ])
})

test('what is no JSON, no object or no UTF-8 is named with its place', () => {
  const bytes = Buffer.concat([
    Buffer.from('{"a":}\n[1]\n "x"\nnull\n{"a":1\n'),
    Buffer.from([0xff, 0x0a]),
    Buffer.from('{}'),
  ])
  const found = parse(bytes)
  assert.match(found[0] as string, /^1:6 is not JSON \(Unexpected token '}'/)
  assert.equal(found[1], '2:1 is JSON but not an object')
  assert.equal(found[2], '3:2 is JSON but not an object')
  assert.equal(found[3], '4:1 is JSON but not an object')
  assert.match(found[4] as string, /^5:7 is not JSON/)
  assert.equal(found[5], '6:1 is not UTF-8')
  assert.equal(found[6], '7 {}')
})

test('the column is that of the first character that fits nowhere', () => {
  const columns = {
    '{"a":1,}': 8,
    '{"a" 1}': 6,
    '{"abc": "x", "d": [1, 2,, 3], "long": "tail that goes on and on and on"}': 25,
    "{'a':1}": 2,
    '{"a":1} x': 9,
    '{"a":01}': 7,
  }
  for (const [text, column] of Object.entries(columns))
    assert.match(parse(text)[0] as string, new RegExp(`^1:${column} is not JSON`), text)
})
