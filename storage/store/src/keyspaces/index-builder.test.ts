/** Building that waits for space: it tries again each second, and ends at once when the store closes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineErrors } from '@orbitkv/engine'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { IndexBuilder } from './index-builder.ts'
import type { KeyspaceHost, NamedKeyspace } from './keyspaces.ts'
import { StoreIndex } from './store-index.ts'

test('a full disk is tried again, and closing leaves no timer behind', async () => {
  const clock = new SimulatedClock()
  let attempts = 0
  const host = {
    clock,
    engine: {},
    now: () => {
      attempts++
      throw engineErrors.full({ path: '/store' })
    },
  } as unknown as KeyspaceHost
  const builder = new IndexBuilder(host, () => undefined)
  const record = { name: 'byAge', id: 1025, of: 1024, unique: false, version: 1 }
  const index = new StoreIndex('users', record as StoreIndex['record'])
  builder.start({ indexes: [index], record: { name: 'users' } } as unknown as NamedKeyspace, index)
  for (let wanted = 1; wanted <= 3; wanted++) {
    for (let turns = 0; clock.nextTimerMs() === undefined && turns < 100; turns++) await clock.turn()
    assert.equal(attempts, wanted)
    if (wanted < 3) clock.advance(1000)
  }
  assert.equal(clock.nextTimerMs(), 1000)
  builder.stop()
  await index.building
  assert.equal(clock.nextTimerMs(), undefined)
  assert.equal(attempts, 3)
})
