/** What is told of a store's problems: each once, again only after it has changed or passed, and nothing after the end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '@orbitkv/base'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import type { StoreStats } from 'orbitkv'
import { StoreWarnings } from './store-warnings.ts'

test('a problem of a store is told once, and again when it is another or comes back', () => {
  const clock = new SimulatedClock()
  const told: string[] = []
  let asked = 0
  const now = { compactionFailure: '', details: { checkpointProblem: '' } }
  const warnings = new StoreWarnings({
    clock,
    store: {
      stats: () => {
        asked++
        return now as unknown as StoreStats
      },
    },
    logger: { tell: (level, message, facts) => void told.push(`${level}: ${message}: ${facts?.reason}`) },
  })
  warnings.start()
  assert.deepEqual(told, [])
  const none = 'warn: no checkpoint can be made: opening will take longer'
  now.details.checkpointProblem = 'the disk is full'
  for (let i = 0; i < 3; i++) clock.advance(minute)
  assert.deepEqual(told, [`${none}: the disk is full`])
  now.details.checkpointProblem = 'no memory'
  clock.advance(minute)
  now.details.checkpointProblem = ''
  clock.advance(minute)
  now.details.checkpointProblem = 'no memory'
  now.compactionFailure = 'a file is gone'
  clock.advance(minute)
  assert.deepEqual(told.slice(1), [
    `${none}: no memory`,
    `${none}: no memory`,
    'warn: compaction does not get on: a file is gone',
  ])
  warnings.stop()
  const before = asked
  clock.advance(10 * minute)
  assert.equal(asked, before)
})

test('how a store has opened is told at once', () => {
  const told: string[] = []
  const details = { readOnly: 'segment 3 is damaged', indexFull: true, indexBytesMax: 5 }
  const stats = { compactionFailure: '', indexBytes: 6, details } as unknown as StoreStats
  const warnings = new StoreWarnings({
    clock: new SimulatedClock(),
    store: { stats: () => stats },
    logger: { tell: (_, message) => void told.push(message) },
  })
  warnings.start()
  warnings.stop()
  assert.deepEqual(told, [
    'the store is damaged and takes no writes',
    'the index has reached store.index_bytes_max: no key can be added',
  ])
})
