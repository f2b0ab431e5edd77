/** How the evictor goes on: bounded for many as for one, after a refusal, and with an engine that cannot take all into one batch. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeText } from '@orbitkv/bytes'
import { type Batch, type Change, deleteChange, type Engine, engineErrors, putChange } from '@orbitkv/engine'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { Cache } from './cache.ts'
import { Evictor } from './evictor.ts'
import { cachedBytes } from './types.ts'

const entries = 1000

/** A cache that is over its bytes by a lot, and an engine that notes what it is told. */
function setUp(extend: (change: Change) => boolean): {
  clock: SimulatedClock
  evictor: Evictor
  batches: Batch[]
  taken: () => number
} {
  const clock = new SimulatedClock()
  const totals = { hits: 0, misses: 0, evictions: 0, refusals: 0 }
  const bytesMax = 10 * cachedBytes(4, 0)
  const cache = new Cache({ bytesMax, policy: 'lru', keys: 'all', randomUint32: () => 1, now: 0, totals })
  const keys = Array.from({ length: entries }, (_, i) => encodeText(`${1000 + i}`))
  cache.noteWritten(keys.map((key) => putChange(0, key, new Uint8Array(0))))
  const batches: Batch[] = []
  const engine = {
    appendedRevision: 7,
    appendedTime: 3,
    extend,
    append: (batch: Batch) => batches.push(batch),
    rangeAsync: async function* () {},
  } as unknown as Engine
  const evictor = new Evictor({
    cache,
    engine,
    clock,
    now: () => 5,
    expire: () => false,
    // As of a key with an expiry, the entry of which goes along.
    complete: ([change]) => [deleteChange(1, (change as Change).key), change as Change],
    appended: (changes) => cache.noteWritten(changes),
    settle: (done) => done(),
  })
  return { clock, evictor, batches, taken: () => totals.evictions }
}

describe('the evictor', () => {
  test('however many wait, a turn has as much to do as for one', async () => {
    const { clock, evictor, taken } = setUp(() => true)
    const waiting = Array.from({ length: 50 }, () => evictor.wait())
    let before = taken()
    while (evictor.mustWait) {
      await clock.turn()
      assert.ok(taken() - before <= 64, `${taken() - before} in one turn`)
      before = taken()
    }
    await Promise.all(waiting)
    assert.equal(taken(), entries - 10)
  })

  test('what does not fit into the batch of the delete is housekeeping: no revision without a change', () => {
    const { evictor, batches, taken } = setUp(({ keyspace }) => keyspace === 0)
    evictor.run()
    assert.equal(batches.length, taken())
    assert.ok(batches.every(({ revision, time }) => revision === 7 && time === 3))
    evictor.stop()
  })

  test('after a refusal for want of space it tries again, and then has no failure', async () => {
    let isFull = true
    const { clock, evictor, taken } = setUp(() => {
      if (isFull) throw engineErrors.full({ path: '/store' })
      return true
    })
    evictor.run()
    assert.match(evictor.stats().failure, /no space left/)
    assert.equal(evictor.mustWait, false, 'a writer that waited for space could not be told that there is none')
    isFull = false
    await clock.advanceAwaiting(1000)
    assert.equal(evictor.stats().failure, '')
    await evictor.wait()
    assert.equal(taken(), entries - 10)
  })

  test('after a refusal for good it tries no more', async () => {
    let tries = 0
    const { clock, evictor } = setUp(() => {
      tries++
      throw engineErrors.read_only({ path: '/store', reason: 'it is damaged' })
    })
    evictor.run()
    evictor.run()
    await clock.advanceAwaiting(10_000)
    assert.equal(tries, 1)
    assert.match(evictor.stats().failure, /reading only/)
  })
})
