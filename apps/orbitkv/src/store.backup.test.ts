/** The doors to backup and restore: what they hand through, refuse by name, and do when the store closes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { open, restore, type Store } from './index.ts'
import { read, smallSegments, storeTest } from './store-suite.ts'

const key = '7'.repeat(64)

function openAt(path: string, disk: SimulatedDisk, clock = new SimulatedClock()): Promise<Store> {
  return open(path, { ...smallSegments, disk, clock })
}

storeTest('a backup is full at first, then incremental, and restores to any of its states', async (setup) => {
  const { store, disk, clock } = setup
  await store.put('k', '1')
  clock.advance(1000)
  const first = await store.backup('/backups', { key })
  await store.put('k', '2')
  const seen: number[] = []
  const second = await store.backup('/backups', { key, progress: (done) => seen.push(done) })
  assert.deepEqual([first.kind, first.revision, second.kind, second.revision], ['full', 1, 'incremental', 2])
  assert.ok(second.bytesCopied < first.bytesCopied && second.sequence > first.sequence)
  assert.match(first.because, /none before it/)
  assert.equal(seen.at(-1), second.bytesCopied)
  assert.equal((await store.backup('/backups', { key, kind: 'full' })).kind, 'full')

  const asked = [undefined, 1, new Date(first.time)] as const
  for (const [i, at] of asked.entries()) {
    const bytes = Buffer.from(key, 'hex')
    const report = await restore('/backups', `/restored-${i}`, {
      key: bytes,
      disk,
      clock,
      ...(at === undefined ? {} : { at }),
    })
    const restored = await openAt(`/restored-${i}`, disk, clock)
    assert.equal(read(restored, 'k'), at === undefined ? '2' : '1')
    assert.equal(await restored.put('k', '3'), report.revisionNext + 1)
    await restored.close()
  }
})

storeTest('closing ends a backup, and the next one succeeds', async ({ store, disk, open: openAgain }) => {
  for (let i = 0; i < 200; i++) await store.put(`key-${i}`, 'v'.repeat(200))
  let closing: Promise<void> | undefined
  const running = store.backup('/backups', {
    progress: () => {
      closing ??= store.close()
    },
  })
  await assert.rejects(running, { code: 'backup.stopped', retry: 'later' })
  await closing
  const again = await openAgain()
  assert.equal((await again.backup('/backups')).kind, 'full')
  await restore('/backups', '/restored', { disk, clock: new SimulatedClock() })
  const restored = await openAt('/restored', disk)
  assert.equal(restored.stats().keysLive, 200)
  await restored.close()
})

storeTest('a signal ends one too', async ({ store, disk }) => {
  await store.put('k', 'v')
  const signal = AbortSignal.abort()
  await assert.rejects(store.backup('/backups', { signal }), { code: 'backup.stopped' })
  assert.ok(!disk.exists('/backups/stores'), 'there is no backup')
})

storeTest('what they cannot take is refused by name', async ({ store, disk }) => {
  await store.put('k', 'v')
  const wrong: Parameters<Store['backup']>[] = [
    [7 as never],
    ['/backups', null as never],
    ['/backups', { kind: 'archive' as never }],
    ['/backups', { bytesPerSecond: -1 }],
    ['/backups', { bytesPerSecond: 0.5 }],
    ['/backups', { key: 5 as never }],
    ['/backups', { signal: {} as never }],
    ['/backups', { progress: 'often' as never }],
  ]
  for (const given of wrong) await assert.rejects(store.backup(...given), { code: 'store.bad_argument' })
  await assert.rejects(store.backup('/backups', { key: 'short' }), { code: 'backup.bad_key' })
  await assert.rejects(store.backup('/backups', { key: new Uint8Array(31) }), { code: 'backup.bad_key' })
  await assert.rejects(store.backup('http://elsewhere'), { code: 'objects.bad_target' })
  await store.backup('/backups', { key })
  const clock = new SimulatedClock()
  const to = (options: object) => restore('/backups', '/restored', { disk, clock, key, ...options })
  for (const at of [-1, 1.5, Number.NaN, new Date('no'), null]) {
    await assert.rejects(to({ at }), { code: 'store.bad_argument' })
  }
  await assert.rejects(restore('/backups', '/restored', null as never), { code: 'store.bad_argument' })
  await assert.rejects(to({ key: undefined }), { code: 'backup.needs_key' })
  await assert.rejects(to({ at: 5 }), { code: 'backup.not_covered' })
  await assert.rejects(to({ storeId: '0'.repeat(32) }), { code: 'backup.no_such_store' })
  await assert.rejects(restore('/backups', '/store', { disk, clock, key }), { code: 'backup.not_empty' })
  await store.close()
  await assert.rejects(store.backup('/backups'), { code: 'store.closed' })
})

test('a store in memory is backed up as well', async () => {
  const disk = new SimulatedDisk()
  const clock = new SimulatedClock()
  const store = await open('/memory', { backend: 'memory', disk, clock })
  await store.put('k', 'v')
  await store.backup('/backups')
  await store.close()
  await restore('/backups', '/restored', { disk, clock })
  const restored = await openAt('/restored', disk, clock)
  assert.equal(read(restored, 'k'), 'v')
  await restored.close()
})
