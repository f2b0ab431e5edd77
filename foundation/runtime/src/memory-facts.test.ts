/** What the system says about memory, where it says anything. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countOfList, hugePageBytes, numaNodeCount } from './memory-facts.ts'

test('a list of nodes is counted, and what is no list is not', () => {
  assert.equal(countOfList('0'), 1)
  assert.equal(countOfList('0-3,8'), 5)
  assert.equal(countOfList(''), undefined)
  assert.equal(countOfList('all'), undefined)
})

test('Linux tells of huge pages and nodes', { skip: process.platform !== 'linux' && 'only there' }, async () => {
  const bytes = await hugePageBytes()
  assert.ok(bytes === undefined || bytes >= 0)
  const nodes = numaNodeCount()
  assert.ok(nodes === undefined || nodes >= 1)
})
