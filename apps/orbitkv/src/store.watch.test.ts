/** Watching a store: what a watch gives, in which order, and how it ends. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { deleteRangeChange, putChange } from '@orbitkv/engine'
import type { Store, WatchChange, WatchEvent } from './index.ts'
import { type Setup, stateOf, storeTest, turn } from './store-suite.ts'

/** An event in short: `put a=1 @3`, with `.` where it ends its batch. */
function told(event: WatchEvent): string {
  if (event.kind === 'progress') return `progress @${event.revision}`
  const value = event.value === undefined ? '' : `=${decodeText(event.value)}`
  const was = event.previous === undefined ? '' : ` was ${decodeText(event.previous.value)}`
  return `${event.kind} ${decodeText(event.key)}${value}${was} @${event.revision}${event.last ? '.' : ''}`
}

/** The next events of a watch, in short. */
async function next(watch: AsyncIterator<WatchEvent>, count: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < count; i++) {
    const { done, value } = await watch.next()
    if (done === true) break
    seen.push(told(value))
  }
  return seen
}

async function writeThree(store: Store): Promise<void> {
  await store.put('a', '1')
  await store.batch().put('a', '2').put('b', '2').delete('c').commit()
  await store.delete('a')
}

describe('watch', () => {
  storeTest('gives what is written from now on, in order, each batch marked at its end', async ({ store }) => {
    await store.put('before', '')
    const watch = store.watch()
    await writeThree(store)
    assert.deepEqual(await next(watch, 5), ['put a=1 @2.', 'put a=2 @3', 'put b=2 @3', 'delete c @3.', 'delete a @4.'])
  })

  storeTest('gives one key, a prefix or a range, and what it was before', async ({ store }) => {
    const key = store.watch({ key: 'a', previous: true })
    const prefix = store.watch({ prefix: 'b' })
    const range = store.watch({ range: { gt: 'a', lte: 'b' }, previous: true })
    await writeThree(store)
    await store.put('b', '3')
    await store.put('bb', '4')
    assert.deepEqual(await next(key, 3), ['put a=1 @1.', 'put a=2 was 1 @2.', 'delete a was 2 @3.'])
    assert.deepEqual(await next(prefix, 3), ['put b=2 @2.', 'put b=3 @4.', 'put bb=4 @5.'])
    assert.deepEqual(await next(range, 2), ['put b=2 @2.', 'put b=3 was 2 @4.'])
    assert.equal(await stateOf(range.next()), 'pending')
  })

  storeTest('a put tells its lineage, and what it was before tells its own', async ({ store }) => {
    const watch = store.watch({ previous: true })
    await store.put('k', '1')
    await store.put('k', '2', { ttl: 1000 })
    await watch.next()
    const { value: change } = await watch.next()
    assert.ok(change?.kind === 'put')
    const { createRevision, version, expiresAt, lease, time, previous } = change
    assert.deepEqual({ createRevision, version, lease }, { createRevision: 1, version: 2, lease: 0 })
    assert.equal(expiresAt, time + 1000)
    assert.deepEqual(previous, { value: encodeText('1'), revision: 1, createRevision: 1, version: 1, lease: 0 })
  })

  storeTest('goes on from a revision that is kept, old changes first, without a gap', async ({ store, reopen }) => {
    await writeThree(store)
    const again = await reopen()
    const watch = again.watch({ from: 2 })
    assert.deepEqual(await next(watch, 1), ['put a=2 @2'])
    await again.put('d', '4')
    assert.deepEqual(await next(watch, 4), ['put b=2 @2', 'delete c @2.', 'delete a @3.', 'put d=4 @4.'])
    assert.equal(watch.resumeFrom, 5)
  })

  storeTest('waits for a revision that is still to come', async ({ store }) => {
    const watch = store.watch({ from: 3 })
    await writeThree(store)
    assert.deepEqual(await next(watch, 1), ['delete a @3.'])
  })

  storeTest('refuses a revision that is no longer kept, and names the oldest that is', async ({ store }) => {
    await writeThree(store)
    await store.compact()
    assert.throws(() => store.watch({ from: 3 }), {
      code: 'engine.compacted',
      details: { what: 'the change of revision', asked: 3, oldest: 4 },
    })
    const watch = store.watch({ from: 4 })
    await store.put('d', '1')
    assert.deepEqual(await next(watch, 1), ['put d=1 @4.'])
  })

  storeTest('shows expiry as expiry', async ({ store, clock }) => {
    const watch = store.watch({ previous: true })
    await store.put('k', '1', { ttl: 1000 })
    await store.put('overwritten', '1', { ttl: 1000 })
    clock.stepWall(1000)
    await store.put('overwritten', '2')
    clock.advance(1000)
    await turn()
    assert.deepEqual(await next(watch, 5), [
      'put k=1 @1.',
      'put overwritten=1 @2.',
      'expire overwritten was 1 @3',
      'put overwritten=2 @3.',
      'expire k was 1 @4.',
    ])
  })

  storeTest('a range deleted in one record is a change for each key that was there', async ({ store }) => {
    const all = store.watch({ previous: true })
    const part = store.watch({ prefix: 'b' })
    const other = store.watch({ key: 'z' })
    for (const key of ['a', 'b', 'bb', 'c']) await store.put(key, key)
    store.owner.beginTurn()
    store.owner.write([deleteRangeChange(0, encodeText('b'))])
    store.owner.settle(() => {}, 'none')
    await store.put('z', '')
    assert.deepEqual((await next(all, 8)).slice(4), [
      'delete b was b @5',
      'delete bb was bb @5',
      'delete c was c @5.',
      'put z= @6.',
    ])
    assert.deepEqual((await next(part, 4)).slice(2), ['delete b @5', 'delete bb @5.'])
    assert.deepEqual(await next(other, 1), ['put z= @6.'])
  })

  storeTest('shows nothing before it is published', async ({ store, disk }) => {
    const watch = store.watch()
    const hold = disk.holdSyncs()
    const writing = store.put('k', 'v')
    const step = watch.next()
    assert.equal(await stateOf(step), 'pending')
    hold.release()
    await writing
    assert.equal((await step).value?.revision, 1)
  })

  storeTest('several may ask at once, and get the changes in turn', async ({ store }) => {
    const watch = store.watch()
    const steps = [watch.next(), watch.next(), watch.next()]
    await store.put('a', '')
    await store.put('b', '')
    watch.close()
    const seen = await Promise.all(steps)
    assert.deepEqual(
      seen.map(({ value }) => value?.revision),
      [1, 2, undefined],
    )
  })

  storeTest('marks how far it is, once caught up and when nothing comes', async ({ store, clock }) => {
    await writeThree(store)
    const watch = store.watch({ key: 'b', from: 1, progress: 1000 })
    assert.deepEqual(await next(watch, 2), ['put b=2 @2.', 'progress @3'])
    assert.equal(watch.resumeFrom, 4)
    const step = next(watch, 1)
    await store.put('other', '')
    clock.advance(1000)
    assert.deepEqual(await step, ['progress @4'])
    clock.advance(600)
    await store.put('b', '3')
    clock.advance(600)
    assert.deepEqual(await next(watch, 1), ['put b=3 @5.'])
    const quiet = next(watch, 1)
    clock.advance(400)
    assert.deepEqual(await quiet, ['progress @5'], 'a second after the change')
  })
})

describe('the end of a watch', () => {
  storeTest('leaving the loop closes it, and nothing runs for it any more', async ({ store }) => {
    for (let i = 0; i < 3; i++) await store.put('k', `${i}`)
    for await (const change of store.watch({ from: 1 })) if (change.revision === 2) break
    assert.equal(store.stats().watchesOpen, 0)
    const watch = store.watch()
    assert.equal(store.stats().watchesOpen, 1)
    watch.close()
    assert.deepEqual(await watch.next(), { done: true, value: undefined })
  })

  storeTest('a signal ends it with its reason, also while it waits', async ({ store }) => {
    const controller = new AbortController()
    const watch = store.watch({ signal: controller.signal })
    const step = watch.next()
    controller.abort(new Error('enough'))
    await assert.rejects(step, /enough/)
    assert.deepEqual(await watch.next(), { done: true, value: undefined })
    assert.throws(() => store.watch({ signal: controller.signal }), /enough/)
    assert.equal(store.stats().watchesOpen, 0)
  })

  storeTest('closing the store ends it, after what was published', async ({ store }) => {
    const watch = store.watch()
    const late = store.watch({ from: 1 })
    void store.put('k', 'v')
    await store.close()
    assert.deepEqual(await next(watch, 2), ['put k=v @1.'])
    assert.deepEqual(await next(late, 2), ['put k=v @1.'])
    assert.throws(() => store.watch(), { code: 'store.closed' })
  })

  storeTest('a slow consumer gets what waited, and then is told where to go on', async ({ store }) => {
    const slow = store.watch({ bufferBytes: 3000 })
    const eager = store.watch({ bufferBytes: 3000 })
    const eagerly: Promise<string[]> = next(eager, 20)
    for (let i = 1; i <= 20; i++) {
      await store.put('k', `${i}`.padEnd(500, '.'))
      await turn()
    }
    assert.equal((await eagerly).length, 20)
    const seen: number[] = []
    const takeAll = async (from: AsyncIterable<WatchChange>): Promise<void> => {
      for await (const { revision } of from) {
        seen.push(revision)
        if (revision === 20) break
      }
    }
    let resumeFrom = 0
    await assert.rejects(takeAll(slow), (error: Error & { code?: string; details?: { resumeFrom: number } }) => {
      assert.equal(error.code, 'store.watch_slow')
      resumeFrom = error.details?.resumeFrom ?? 0
      return true
    })
    assert.ok(seen.length >= 3 && seen.length <= 5, `${seen.length} changes of 700 bytes waited`)
    assert.equal(resumeFrom, seen.length + 1)
    assert.equal(slow.resumeFrom, resumeFrom)
    await takeAll(store.watch({ from: resumeFrom, bufferBytes: 3000 }))
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
  })

  storeTest('a writer that never lets the loop turn does not make a quick consumer a slow one', async ({ store }) => {
    const watch = store.watch({ bufferBytes: 20_000 })
    const taking = next(watch, 300)
    for (let i = 0; i < 30; i++) {
      await Promise.all(Array.from({ length: 10 }, (_, j) => store.put(`k${10 * i + j}`, 'v'.repeat(600))))
    }
    assert.equal((await taking).length, 300)
  })

  storeTest('a batch larger than the buffer is given all the same', async ({ store }) => {
    const watch = store.watch({ bufferBytes: 1000 })
    const batch = store.batch()
    for (let i = 0; i < 100; i++) batch.put(`k${i}`, 'v'.repeat(100))
    await batch.commit()
    assert.equal((await next(watch, 100)).at(-1), `put k99=${'v'.repeat(100)} @1.`)
  })

  storeTest('what is called for it may throw: that ends this watch and nothing else', async ({ store }) => {
    const bad = store.watcher(0, {}, () => {
      throw new Error('no good')
    })
    const good = store.watch()
    await store.put('a', '1')
    await store.put('b', '2')
    assert.deepEqual(await next(good, 2), ['put a=1 @1.', 'put b=2 @2.'])
    assert.equal(bad.take()?.kind, 'put')
    assert.throws(() => bad.take(), { code: 'store.watch_threw' })
    assert.equal(bad.isEnded, true)
  })

  storeTest('what is called for it may write, and wait for that at once', async ({ store }) => {
    const seen: string[] = []
    const { owner } = store
    const watcher = store.watcher(0, {}, () => {
      for (let event = watcher.take(); event !== undefined; event = watcher.take()) {
        seen.push(told(event))
        if (event.revision > 3) continue
        owner.beginTurn()
        owner.write([putChange(0, encodeText(`${event.revision}`), encodeText(''))])
        owner.settle((error) => seen.push(error === undefined ? 'settled' : error.message))
      }
    })
    await Promise.all([store.put('a', ''), store.put('b', '')])
    await store.flush()
    await turn()
    watcher.close()
    assert.equal(seen.filter((text) => text === 'settled').length, 3)
    assert.deepEqual(
      seen.filter((text) => text !== 'settled').map((text) => text.split('@')[1]),
      ['1.', '2.', '3.', '4.', '5.'],
    )
  })

  storeTest('when the disk fails it fails too, after what was published', async ({ store, disk }) => {
    const watch = store.watch()
    await store.put('a', '1')
    disk.fail({ operation: 'sync', error: 'failed' })
    await assert.rejects(store.put('b', '2'), { code: 'engine.poisoned' })
    assert.deepEqual(await next(watch, 1), ['put a=1 @1.'])
    await assert.rejects(watch.next(), { code: 'engine.poisoned' })
    assert.throws(() => store.watch(), { code: 'engine.poisoned' })
  })

  storeTest('bad arguments are refused by name', ({ store }) => {
    assert.throws(() => store.watch({ from: -1 }), { code: 'store.bad_argument' })
    assert.throws(() => store.watch({ from: 1.5 }), { code: 'store.bad_argument' })
    assert.throws(() => store.watch({ progress: 0 }), { code: 'store.bad_argument' })
    assert.throws(() => store.watch({ bufferBytes: 0 }), { code: 'store.bad_argument' })
    assert.throws(() => store.watch({ key: 'a', prefix: 'b' }), { code: 'store.bad_range' })
    assert.equal(store.stats().watchesOpen, 0)
  })

  storeTest('an old revision is held for as long as it takes to read on from it', watchHolds, {
    settings: { historyMs: 0 },
  })
})

async function watchHolds({ store, clock }: Setup): Promise<void> {
  await store.put('k', '1')
  const watch = store.watcher(0, { from: 1 }, () => {})
  for (let i = 2; i <= 9; i++) await store.put('k', `${i}`)
  await clock.advanceAwaiting(2000)
  assert.equal(store.stats().oldestRevision, 9, 'a watch that lives in the present holds nothing')
  const late = store.snapshot({ revision: 9 })
  for (let i = 10; i <= 12; i++) await store.put('k', `${i}`)
  const reading = store.watcher(0, { from: 10, bufferBytes: 1 }, () => {})
  late.close()
  assert.equal(told(reading.take() as WatchEvent), 'put k=10 @10.')
  await store.put('k', '13')
  await clock.advanceAwaiting(2000)
  const [pin] = store.stats().pins
  assert.deepEqual([pin?.holder, pin?.revision], ['watch', 10])
  assert.equal(store.stats().oldestRevision, 10)
  for (let i = 11; i <= 13; i++) assert.equal(told(reading.take() as WatchEvent), `put k=${i} @${i}.`)
  assert.equal(reading.take(), undefined)
  assert.deepEqual(store.stats().pins, [])
  watch.close()
  reading.close()
}

storeTest('calls of next that wait are bounded', async ({ store }) => {
  const watch = store.watch()
  const waiting = Array.from({ length: 1000 }, () => watch.next())
  await assert.rejects(watch.next(), { code: 'store.watch_crowded', retry: 'later' })
  await store.put('k', 'v')
  assert.equal((await waiting[0])?.value?.kind, 'put')
  // There is room for one again.
  waiting.push(watch.next())
  watch.close()
  for (const step of await Promise.all(waiting.slice(1))) assert.equal(step.done, true)
})

storeTest('what concerns nobody is passed over, and nothing else is', async ({ store, clock }) => {
  const watch = store.watch({ prefix: 'w' })
  const put = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await store.put(`quiet-${i % 7}`, 'x')
  }
  const seen: string[] = []
  // Few, and so many that the log is looked up again.
  for (const quiet of [1, 63, 64, 65, 300]) {
    await put(quiet)
    const revision = await store.put('w', 'v')
    seen.push(...(await next(watch, 1)))
    assert.equal(seen.at(-1), `put w=v @${revision}.`)
  }
  // In one commit: before, between and behind what concerns nobody; and as part of a batch that began with what does not.
  const writes = ['q', 'w1', 'q', 'q', 'w2', 'q'].map((key) => store.put(key, 'v'))
  const { owner } = store
  owner.beginTurn()
  for (const key of ['q', 'w3', 'q']) owner.write([putChange(0, encodeText(key), encodeText('v'))])
  const settled = new Promise<void>((resolve, reject) => owner.settle((error) => (error ? reject(error) : resolve())))
  // Who comes while something is appended and not published hears of it, too.
  const late = store.watch({ key: 'q' })
  await Promise.all([...writes, settled])
  assert.deepEqual(
    (await next(watch, 3)).map((event) => event.split(' ')[1]),
    ['w1=v', 'w2=v', 'w3=v'],
  )
  assert.equal((await next(late, 1))[0]?.split(' ')[1], 'q=v')
  // What goes by itself, and by ranges.
  await store.put('w4', 'v', { ttl: 10 })
  await put(3)
  clock.advance(20)
  await store.flush()
  await store.put('w5', 'v')
  const { revision } = store.stats()
  owner.beginTurn()
  owner.write([deleteRangeChange(0, encodeText('w'), encodeText('x'))])
  await store.flush()
  const all = await next(watch, 3)
  assert.match(all[1] ?? '', /^expire w4/)
  assert.equal(all[2], `put w5=v @${revision}.`)
  const gone = await next(watch, 5)
  assert.deepEqual(
    gone,
    ['w', 'w1', 'w2', 'w3', 'w5'].map((key, i) => `delete ${key} @${revision + 1}${i === 4 ? '.' : ''}`),
  )
  watch.close()
  late.close()
})

storeTest('a watch outlives the compaction of what it passed over', async ({ store, clock }) => {
  const watch = store.watch({ key: 'w' })
  for (let i = 0; i < 20; i++) await store.put('quiet', 'x'.repeat(1000))
  clock.advance(2 * 3_600_000)
  await store.compactTo(store.stats().revision)
  await store.compact()
  const revision = await store.put('w', 'v')
  assert.deepEqual(await next(watch, 1), [`put w=v @${revision}.`])
  watch.close()
})
