/** Closing: what is under way is finished, what comes after is refused by name, and the folder is free. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { open, type Store } from './index.ts'
import { keysOf, read, smallSegments, stateOf, storeTest, turn } from './store-suite.ts'

describe('closing', () => {
  storeTest('everything is refused by name afterwards', async ({ store }) => {
    await store.put('k', 'v')
    const batch = store.batch().put('a', '1')
    const snapshot = store.snapshot()
    const entries = store.range()[Symbol.iterator]()
    await store.close()
    const refused = { code: 'store.closed', message: 'the store in /store is closed' }
    const calls: (() => unknown)[] = [
      () => store.get('k'),
      () => store.has('k'),
      () => store.view('k', () => 1),
      () => store.getMany(['k']),
      () => keysOf(store),
      () => entries.next(),
      () => store.batch(),
      () => store.snapshot(),
      () => store.stats(),
      () => store.owner.beginTurn(),
      () => snapshot.get('k'),
      () => keysOf(snapshot),
    ]
    for (const call of calls) assert.throws(call, refused)
    const promises: (() => Promise<unknown>)[] = [
      () => store.put('k', 'v'),
      () => store.delete('k'),
      () => store.getAsync('k'),
      () => store.flush(),
      () => store.verify(),
      () => batch.commit(),
      () => snapshot.getAsync('k'),
    ]
    for (const call of promises) await assert.rejects(async () => call(), refused)
    snapshot.close()
  })

  storeTest('twice is once: both calls resolve when it is done', async ({ store, disk }) => {
    const hold = disk.holdSyncs()
    const writing = store.put('k', 'v')
    const [first, second] = [store.close(), store.close()]
    assert.deepEqual([await stateOf(first), await stateOf(second)], ['pending', 'pending'])
    hold.release()
    await Promise.all([writing, first, second])
    await store.close()
  })

  storeTest('writes in flight are written and resolve before it does', async ({ store, disk, open: openAgain }) => {
    const order: string[] = []
    const hold = disk.holdSyncs()
    const writes = Array.from({ length: 50 }, (_, i) =>
      store.put(`k${i}`, 'v', i % 2 === 0 ? {} : { durability: 'none' }).then(() => order.push('write')),
    )
    await turn()
    const late = store.put('late', 'v').then(() => order.push('write'))
    const closing = store.close().then(() => order.push('close'))
    await turn()
    assert.deepEqual(order, [])
    hold.release()
    await Promise.all([...writes, late, closing])
    assert.equal(order.length, 52)
    assert.equal(order.at(-1), 'close')
    disk.crash({ mode: 'drop-all' })
    assert.equal(keysOf(await openAgain()).length, 51)
  })

  storeTest(
    'what was acknowledged at a lower level is on the disk once it is closed',
    async ({ store, disk, open: openAgain }) => {
      await store.put('interval', 'v')
      await store.put('none', 'v', { durability: 'none' })
      await store.close()
      disk.crash({ mode: 'drop-all' })
      assert.deepEqual(keysOf(await openAgain()), ['interval', 'none'])
    },
    { settings: { durability: 'interval' } },
  )

  storeTest('no timer is left', async ({ store, clock }) => {
    await store.put('k', 'v', { ttl: 5000, durability: 'interval' })
    assert.notEqual(clock.nextTimerMs(), undefined)
    await store.close()
    assert.equal(clock.nextTimerMs(), undefined)
  })

  test('the end of an `await using` block closes it', async () => {
    const disk = new SimulatedDisk()
    const store = await openOn(disk)
    await store.put('k', 'v', { durability: 'none' })
    await store[Symbol.asyncDispose]()
    assert.throws(() => store.get('k'), { code: 'store.closed' })
    const again = await openOn(disk)
    assert.equal(read(again, 'k'), 'v')
    await again.close()
  })

  test('`await using` itself, also where the block is left by an error', async (t) => {
    const disk = new SimulatedDisk()
    const block = parse(
      "await using store = await open(); await store.put('k', 'v'); throw new RangeError('of the caller')",
    )
    if (block === undefined) return t.skip('this Node does not know `await using`')
    await assert.rejects(async () => block(() => openOn(disk)), RangeError)
    const again = await openOn(disk)
    assert.equal(read(again, 'k'), 'v')
    await again.close()
  })
})

function openOn(disk: SimulatedDisk): Promise<Store> {
  return open('/store', { ...smallSegments, disk, clock: new SimulatedClock() })
}

/** Code that not every Node can read: undefined where it cannot. */
function parse(body: string): ((open: () => Promise<Store>) => Promise<void>) | undefined {
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  try {
    return new AsyncFunction('open', body) as unknown as (open: () => Promise<Store>) => Promise<void>
  } catch (error) {
    assert.ok(error instanceof SyntaxError)
    return undefined
  }
}

storeTest('a check of the files that runs ends with closing, by name', async ({ store, open: openAgain }) => {
  for (let i = 0; i < 400; i++) await store.put(`key-${i}`, 'v'.repeat(200))
  let reads = 0
  let close: Promise<void> | undefined
  const verifying = store.verify(() => {
    reads++
    close ??= store.close()
  })
  await assert.rejects(verifying, { code: 'store.closed' })
  await close
  assert.equal(reads, 1, 'it read no further')
  const again = await openAgain()
  assert.deepEqual((await again.verify()).faults, [])
})
