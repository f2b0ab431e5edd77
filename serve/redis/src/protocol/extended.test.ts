/** Sums of floats as Redis gives them on x86-64; tests/redis compares thousands more with a real one. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addExtended, formatExtended, parseExtended } from './extended.ts'

function sum(a: string, b: string): string | undefined {
  const left = parseExtended(a)
  const right = parseExtended(b)
  if (left === undefined || right === undefined) return 'no number'
  const result = addExtended(left, right)
  return result === undefined ? undefined : formatExtended(result)
}

test('sums of ordinary decimals are what one writes', () => {
  assert.equal(sum('0.1', '0.2'), '0.3')
  assert.equal(sum('10.5', '0.1'), '10.6')
  assert.equal(sum('5.0e3', '2.0e2'), '5200')
  assert.equal(sum('-1.5', '1.5'), '0')
  assert.equal(sum('3.14', '0'), '3.14')
})

test('large and small numbers show the 64 bits of the format', () => {
  assert.equal(sum('3000', '0.1'), '3000.10000000000000009')
  assert.equal(sum('1e15', '0.3'), '1000000000000000.29998779296875')
  assert.equal(sum('1e-18', '0'), '0')
  assert.equal(sum('-1e-18', '0'), '0')
  assert.equal(sum('123456789012345678901234567890', '1'), '123456789012345678899921813504')
})

test('what is no number, and what has no sum', () => {
  for (const text of ['', ' 1', '1 ', 'x', '.', '1e', 'nan', '0x10', '1e5000', '1e-5000', '1'.repeat(5120)]) {
    assert.equal(sum(text, '1'), 'no number', text.slice(0, 20))
  }
  assert.equal(sum('inf', '1'), undefined)
  assert.equal(sum('1', '-Infinity'), undefined)
  assert.equal(sum('1e4932', '1e4932'), undefined)
})
