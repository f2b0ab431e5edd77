/** Patterns: what they match is compared with a real Redis in tests/redis; here the shape and the time of matching. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileGlob } from './glob.ts'

function matches(pattern: string, text: string): boolean {
  const bytes = Buffer.from(`--${text}--`, 'latin1')
  return compileGlob(Buffer.from(pattern, 'latin1')).matches(bytes, 2, bytes.length - 2)
}

test('stars, question marks, classes and escapes', () => {
  assert.ok(matches('h?llo', 'hello'))
  assert.ok(matches('h*o', 'hello'))
  assert.ok(matches('h[a-e]llo', 'hello'))
  assert.ok(!matches('h[^a-e]llo', 'hello'))
  assert.ok(matches('h\\*', 'h*'))
  assert.ok(!matches('h\\*', 'hello'))
  assert.ok(matches('*a*b*', 'xxaxxbxx'))
  assert.ok(!matches('*a*b*', 'xxbxxaxx'))
  assert.ok(!matches('hello', 'hell'))
  assert.ok(!matches('hell', 'hello'))
})

test('the part before the first special sign tells where keys can be', () => {
  const prefixOf = (pattern: string): string => Buffer.from(compileGlob(Buffer.from(pattern)).prefix).toString()
  assert.equal(prefixOf('user:*'), 'user:')
  assert.equal(prefixOf('us\\*er?'), 'us*er')
  assert.equal(prefixOf('whole'), 'whole')
  assert.equal(prefixOf('*x'), '')
  assert.equal(prefixOf('[u]ser'), '')
})

test('a pattern that takes a recursive matcher exponentially long', () => {
  const pattern = `${'a*'.repeat(2000)}b`
  const key = 'a'.repeat(8000)
  assert.equal(matches(pattern, key), false)
  assert.equal(matches(pattern, `${key}b`), true)
})
