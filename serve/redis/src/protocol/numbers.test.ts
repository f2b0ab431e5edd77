/** Integers as Redis reads and writes them: exact over all 64 bits. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addIntegers, int64CharsMax, int64Max, int64Min, parseInteger, writeInteger } from './numbers.ts'

const seed = Number(process.env.ORBIT_SEED ?? 12)
const int64 = fc.bigInt({ min: int64Min, max: int64Max })

function parse(text: string): number | bigint | undefined {
  const bytes = Buffer.from(`xx${text}yy`)
  return parseInteger(bytes, 2, bytes.length - 2)
}

function write(value: number | bigint): string {
  const bytes = new Uint8Array(int64CharsMax + 2)
  return Buffer.from(bytes.subarray(2, writeInteger(bytes, 2, value))).toString()
}

test('every 64-bit integer is read exactly, as a number where that is exact', () => {
  fc.assert(
    fc.property(int64, (value) => {
      const parsed = parse(value.toString())
      assert.equal(BigInt(parsed ?? 'none'), value)
      assert.equal(typeof parsed, Number.isSafeInteger(Number(value)) ? 'number' : 'bigint')
    }),
    { seed },
  )
})

test('what is no integer', () => {
  const texts = ['', '-', '+1', '01', '-01', '-0', ' 1', '1 ', '1.0', '1e3', '0x1', 'abc', '9223372036854775808']
  for (const text of [...texts, '-9223372036854775809', '1'.repeat(21)]) assert.equal(parse(text), undefined, text)
})

test('every integer is written as its digits', () => {
  const edges = [0, 9, 10, 99, 100, 999, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1].flatMap((edge) => [edge, -edge])
  for (const value of edges) assert.equal(write(value), String(value === 0 ? 0 : value))
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), int64), (value) =>
      assert.equal(write(value), value.toString()),
    ),
    { seed },
  )
})

test('sums are exact, and refused beyond 64 bits', () => {
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const sum = addIntegers(parse(a.toString()) ?? 0, parse(b.toString()) ?? 0)
      const exact = a + b
      const fits = exact >= int64Min && exact <= int64Max
      assert.equal(sum === undefined ? undefined : BigInt(sum), fits ? exact : undefined)
    }),
    { seed },
  )
})
