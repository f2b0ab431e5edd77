/** The page about compatibility says what the table of commands says. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { documentation } from './documentation.ts'

const page = new URL('../../../docs/redis-compatibility.md', import.meta.url)

test('docs/redis-compatibility.md is made from the table as it is', () => {
  const hint = 'the page is older than the table: make it anew as documentation.ts says'
  assert.equal(readFileSync(page, 'utf8'), documentation(), hint)
})
