/** CSV: what RFC 4180 says, problems with their places, and that reading gives back what was written, however it is cut. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CsvParser, csvLine } from './csv.ts'
import { isProblem, recordBytesMax, Window } from './window.ts'

/** All records of a text, given in blocks of `blockBytes`; a problem is shown as `line:column problem [raw]`. */
function parse(input: string | Uint8Array, blockBytes = 7, delimiter = ','): (readonly string[] | string)[] {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const parser = new CsvParser(delimiter)
  const window = new Window()
  const found: (readonly string[] | string)[] = []
  for (let place = 0; ; place += blockBytes) {
    for (let parsed = parser.next(window); parsed !== undefined; parsed = parser.next(window)) {
      if (isProblem(parsed))
        found.push(`${parsed.line}:${parsed.column} ${parsed.problem} [${Buffer.from(parsed.raw)}]`)
      else found.push(parsed.record)
    }
    if (window.final) break
    if (place >= bytes.length) window.final = true
    else window.add(bytes.subarray(place, place + blockBytes))
  }
  assert.equal(window.offset, bytes.length, 'everything is consumed')
  return found
}

test('plain records, with LF and CRLF, with and without an end', () => {
  assert.deepEqual(parse('a,b\nc,d\r\n,\r\ne,f'), [
    ['a', 'b'],
    ['c', 'd'],
    ['', ''],
    ['e', 'f'],
  ])
})

test('blank lines are passed over, a quoted empty field is a record', () => {
  assert.deepEqual(parse('a\n\n\r\n""\nb\n'), [['a'], [''], ['b']])
})

test('quotes, doubled quotes, separators and line breaks in fields', () => {
  assert.deepEqual(parse('"a,b","c ""d""","e\r\nf"\r\n"","x"\n'), [
    ['a,b', 'c "d"', 'e\r\nf'],
    ['', 'x'],
  ])
})

test('a quoted field may end the file with a bare carriage return', () => {
  assert.deepEqual(parse('a,"b"\r'), [['a', 'b']])
})

test('another delimiter', () => {
  assert.deepEqual(parse('a,b\t"c\td"\n', 3, '\t'), [['a,b', 'c\td']])
})

test('text after a closing quote is named with line and column, and the next line is read', () => {
  assert.deepEqual(parse('a,b\n"x"y,z\nc,d\n'), [
    ['a', 'b'],
    '2:4 there is text after a closing quote; a quote inside a field is written twice ["x"y,z]',
    ['c', 'd'],
  ])
})

test('a quote inside an unquoted field is named, and its neighbours are read', () => {
  assert.deepEqual(parse('ok\n5" pipe\nok\n'), [
    ['ok'],
    '2:2 there is a quote inside a field that is not quoted; quote the field and write the quote twice [5" pipe]',
    ['ok'],
  ])
})

test('columns count characters, and lines inside a record count', () => {
  assert.deepEqual(
    parse('"ä\nöü"x\nb\n')[0],
    '2:4 there is text after a closing quote; a quote inside a field is written twice ["ä]',
  )
})

test('a quote that is never closed is named where it opens', () => {
  assert.deepEqual(parse('a,b\nc,"d\ne,f\n'), [['a', 'b'], '2:3 a quote is opened and never closed [c,"d]', ['e', 'f']])
})

test('bytes that are no UTF-8 are a problem and never replaced', () => {
  const bytes = Buffer.concat([
    Buffer.from('a,'),
    Buffer.from([0xff]),
    Buffer.from('\n"'),
    Buffer.from([0xc3]),
    Buffer.from('"\nb\n'),
  ])
  const found = parse(bytes)
  assert.match(String(found[0]), /^1:1 is not UTF-8/)
  assert.match(String(found[1]), /^2:1 is not UTF-8/)
  assert.deepEqual(found[2], ['b'])
})

test('a record over the limit is a problem, and memory stays bounded', () => {
  const block = Buffer.alloc(1024 * 1024, 'x')
  const parser = new CsvParser()
  const window = new Window()
  window.add(Buffer.from('"'))
  let blocks = 0
  let parsed = parser.next(window)
  while (parsed === undefined) {
    window.add(block)
    blocks++
    parsed = parser.next(window)
  }
  assert.ok(isProblem(parsed))
  assert.match(parsed.problem, /more than 32\.0 MiB; a quote may be missing/)
  assert.ok(blocks * block.length <= recordBytesMax + block.length)
})

const field = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '"', ',', '\r\n', '\n', '\r', '""', 'a"b', ' '),
)
const records = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 8 })
const seed = Number(process.env.ORBIT_SEED ?? 1)

test(`what is written reads back the same, in blocks of any size, seed ${seed}`, () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 40 }), (wanted, blockBytes) => {
      assert.deepEqual(parse(wanted.map(csvLine).join(''), blockBytes), wanted)
    }),
    { seed, numRuns: 500 },
  )
})

test(`any bytes at all are records and problems, all consumed, the same in one block as in many, seed ${seed}`, () => {
  const bytes = fc.array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x61, 0xc3, 0xa4), { maxLength: 60 })
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 9 }), (given, blockBytes) => {
      assert.deepEqual(parse(Uint8Array.from(given), blockBytes), parse(Uint8Array.from(given), 1000))
    }),
    { seed, numRuns: 2000 },
  )
})
