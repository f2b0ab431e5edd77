/** Conditional writes: ifRevision and ifAbsent. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { keysOf, read, stateOf, storeTest } from './store-suite.ts'

describe('conditions of single writes', () => {
  storeTest('ifRevision writes where the key is at that revision', async ({ store }) => {
    const first = await store.put('k', '1', { ifRevision: 0 })
    const second = await store.put('k', '2', { ifRevision: first })
    const conflict = { code: 'store.conflict', details: { found: second, expected: first } }
    await assert.rejects(store.put('k', '3', { ifRevision: first }), conflict)
    await assert.rejects(store.delete('k', { ifRevision: first }), conflict)
    await assert.rejects(store.put('k', '3', { ifRevision: 0 }), { code: 'store.conflict' })
    assert.equal(read(store, 'k'), '2')
    assert.equal(await store.delete('k', { ifRevision: second }), true)
    await assert.rejects(store.put('k', '3', { ifRevision: second }), { details: { found: 0, expected: second } })
    await assert.rejects(store.delete('k', { ifRevision: second }), { code: 'store.conflict' })
    assert.equal(await store.delete('k', { ifRevision: 0 }), false)
    assert.equal(store.stats().revision, 3)
  })

  storeTest('ifAbsent writes where the key is not there, or has expired', async ({ store, clock }) => {
    await store.put('k', '1', { ifAbsent: true, ttl: 100 })
    await assert.rejects(store.put('k', '2', { ifAbsent: true }), { code: 'store.conflict' })
    clock.advance(100)
    await store.put('k', '2', { ifAbsent: true })
    assert.equal(read(store, 'k'), '2')
    await store.put('k', '3', { ifAbsent: false })
  })

  storeTest('of writes that come together one wins', async ({ store }) => {
    const results = await Promise.allSettled([1, 2, 3].map((i) => store.put('k', `${i}`, { ifAbsent: true })))
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    )
    assert.equal(read(store, 'k'), '1')
  })

  storeTest('a conflict with what is not published waits until it is', async ({ store, disk }) => {
    const hold = disk.holdSyncs()
    const putting = store.put('k', '1')
    const losing = store.put('k', '2', { ifAbsent: true })
    losing.catch(() => undefined)
    assert.equal(await stateOf(losing), 'pending')
    hold.release()
    await putting
    await assert.rejects(losing, { code: 'store.conflict' })
  })

  storeTest('bad conditions are refused by name', async ({ store }) => {
    const refused = { code: 'store.bad_argument' }
    for (const ifRevision of [-1, 0.5, Number.NaN]) {
      await assert.rejects(store.put('k', '1', { ifRevision }), refused)
      await assert.rejects(store.delete('k', { ifRevision }), refused)
    }
    await assert.rejects(store.put('k', '1', { ifRevision: 1, ifAbsent: true }), refused)
    assert.deepEqual(keysOf(store), [])
  })
})
