/** Compaction by way of the engine: what it takes, what it keeps and drops, and what is refused afterwards. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import {
  type Change,
  copyKey,
  copyValue,
  deleteChange,
  deleteRangeChange,
  type Engine,
  putChange,
} from '@orbitkv/engine'
import { realClock } from '@orbitkv/runtime'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

function open(disk: SimulatedDisk): Promise<LogEngine> {
  return openLogEngine('/store', { disk, config })
}

function commit(engine: Engine, ...changes: Change[]): number {
  const revision = engine.appendedRevision + 1
  engine.append({ changes, revision, time: 1000 + revision })
  engine.write()
  engine.publish(engine.appendedPosition)
  return revision
}

function put(key: string, value: string): Change {
  return putChange(0, encodeText(key), encodeText(value))
}

function read(engine: Engine, key: string, at?: number): string | undefined {
  const bytes = encodeText(key)
  const record = engine.get(0, bytes, 0, bytes.length, at)
  return record === undefined ? undefined : decodeText(copyValue(record))
}

function keysAt(engine: Engine, at?: number): string[] {
  return Array.from(engine.range(0, at === undefined ? {} : { at }), (record) => decodeText(copyKey(record)))
}

/** Gives up all history, and compacts everything. */
async function compactAll(engine: Engine): Promise<number> {
  await engine.sync()
  while (!engine.retain(engine.publishedRevision));
  return engine.compact('all')
}

async function reopened(disk: SimulatedDisk, engine: Engine): Promise<LogEngine> {
  await engine.close()
  const again = await open(disk)
  assert.equal(again.stats().details.readOnly, '')
  again.validate()
  return again
}

describe('compaction', () => {
  test('versions that history keeps stay readable, at once and after opening again', async () => {
    const disk = new SimulatedDisk()
    let engine = await open(disk)
    commit(engine, put('k', 'one'), put('gone', 'x'), put('range', 'x'))
    const kept = commit(engine, put('k', 'two'))
    commit(engine, put('filler', '.'.repeat(20_000)))
    await engine.sync()
    engine.retain(kept)
    // The versions of `kept` are older ones by now, and their segment goes.
    commit(engine, put('k', 'three'))
    commit(engine, deleteChange(0, encodeText('gone')))
    commit(engine, deleteRangeChange(0, encodeText('r'), encodeText('s')))
    await engine.sync()
    await engine.compact('all')
    for (let life = 0; life < 2; life++) {
      assert.equal(read(engine, 'k', kept), 'two')
      assert.deepEqual(keysAt(engine, kept), ['gone', 'k', 'range'])
      assert.equal(read(engine, 'k'), 'three')
      assert.deepEqual(keysAt(engine), ['filler', 'k'])
      assert.throws(() => read(engine, 'k', kept - 1), { code: 'engine.compacted' })
      engine = await reopened(disk, engine)
    }
    await engine.close()
  })

  for (const [what, gone] of [
    ['a delete', deleteChange(0, encodeText('k'))],
    ['a delete of a range', deleteRangeChange(0, encodeText('a'), encodeText('z'))],
  ] as const) {
    test(`${what} is kept as long as an older record may stand in another segment, and then dropped`, async () => {
      const disk = new SimulatedDisk()
      let engine = await open(disk)
      // Nothing of the first sorted segment but `k` is dead, so compaction of garbage leaves it alone.
      const others = Array.from({ length: 20 }, (_, i) => put(`zz${i}`, '.'.repeat(600)))
      commit(engine, put('k', 'old'), ...others)
      await compactAll(engine)
      const [first] = disk.list('/store/shard-000').filter((name) => name.endsWith('.sorted'))
      commit(engine, gone)
      for (let i = 0; i < 60; i++) commit(engine, put('zzz', `${i}`.padEnd(600, '.')))
      await engine.sync()
      engine.retain(engine.publishedRevision)
      assert.ok((await engine.compact('garbage')) > 0)
      assert.ok(disk.exists(`/store/shard-000/${first}`), 'the older record is still there')
      engine = await reopened(disk, engine)
      assert.equal(read(engine, 'k'), undefined, 'and it stays deleted')
      const withDelete = engine.stats().logBytes
      await compactAll(engine)
      assert.ok(engine.stats().logBytes < withDelete)
      engine = await reopened(disk, engine)
      assert.equal(read(engine, 'k'), undefined)
      const report = await engine.verify()
      assert.equal(report.recordsChecked, 21, 'neither the delete nor what it deleted is left')
      await engine.close()
    })
  }

  test('changes and times from before it are refused or told as the base has them', async () => {
    const disk = new SimulatedDisk()
    let engine = await open(disk)
    for (let i = 0; i < 5; i++) commit(engine, put('k', `${i}`))
    const base = engine.appendedPosition
    await compactAll(engine)
    commit(engine, put('k', 'new'))
    await engine.sync()
    for (let life = 0; life < 2; life++) {
      assert.throws(() => [...engine.changes(base - 1)], { code: 'engine.compacted' })
      assert.deepEqual(
        Array.from(engine.changes(base), ({ position }) => position),
        [base + 1],
      )
      assert.equal(engine.timeAt(5), 1005)
      assert.equal(engine.timeAt(6), 1006)
      assert.throws(() => engine.timeAt(4), { code: 'engine.compacted' })
      engine = await reopened(disk, engine)
    }
    await engine.close()
  })

  test('a record goes on with its lineage', async () => {
    const disk = new SimulatedDisk()
    let engine = await open(disk)
    commit(engine, put('k', 'one'))
    commit(engine, put('k', 'two'))
    await compactAll(engine)
    engine = await reopened(disk, engine)
    commit(engine, put('k', 'three'))
    const key = encodeText('k')
    const record = engine.get(0, key, 0, key.length)
    assert.deepEqual([record?.version, record?.createRevision, record?.previousRevision], [3, 1, 2])
    await engine.close()
  })

  test('a range that was begun goes on across it, and then its segments', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk)
    for (let i = 0; i < 100; i++) commit(engine, put(`k${String(i).padStart(3, '0')}`, '.'.repeat(600)))
    await engine.sync()
    engine.retain(engine.publishedRevision)
    const seen: string[] = []
    for (const record of engine.range(0, {})) {
      seen.push(decodeText(copyKey(record)))
      if (seen.length === 30 || seen.length === 31) assert.notEqual(await engine.compact('all'), undefined)
      if (seen.length === 40) commit(engine, put('k000-new', 'x'), put('k099-new', 'x'))
    }
    const all = Array.from({ length: 100 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    assert.deepEqual(seen.slice(0, 100), all)
    await engine.close()
  })

  test('a write that is taken back and made again while records move leads to its key, and back', async () => {
    const disk = new SimulatedDisk()
    let monotonicMs = 0
    // Every look at it finds the slice over.
    const clock = { ...realClock, monotonic: () => (monotonicMs += 1000) }
    const engine = await openLogEngine('/store', { disk, config, clock })
    commit(engine, put('k', 'one'), put('other', 'x'))
    commit(engine, put('filler', '.'.repeat(20_000)))
    await engine.sync()
    while (!engine.retain(engine.publishedRevision));
    const again = { changes: [put('k', 'two')], revision: engine.appendedRevision + 1, time: 2000 }
    engine.append(again)
    let isTakenBack = false
    await engine.compact('all', async () => {
      // Nothing is named before all is copied, and nothing moves before it is named.
      if (isTakenBack || engine.stats().details.sortedSegments === 0) return
      isTakenBack = true
      await engine.truncateAfter(engine.publishedPosition)
      engine.append(again)
    })
    assert.ok(isTakenBack)
    engine.validate()
    assert.deepEqual(keysAt(engine), ['filler', 'k', 'other'])
    assert.equal(read(engine, 'k'), 'one')
    engine.publish(engine.appendedPosition)
    assert.equal(read(engine, 'k'), 'two')
    await reopened(disk, engine).then((opened) => opened.close())
  })

  test('a segment without a batch, last of what it takes, does not take the log back to its beginning', async () => {
    const disk = new SimulatedDisk()
    let engine = await open(disk)
    const kept = commit(engine, put('k', 'one'))
    // Each of these is larger than a segment before it.
    engine.append({ changes: [put('k', '.'.repeat(20_000))], revision: kept + 1, time: 2000 })
    await engine.truncateAfter(engine.publishedPosition)
    commit(engine, put('k', '.'.repeat(40_000)))
    engine = await reopened(disk, engine)
    await engine.sync()
    while (!engine.retain(kept));
    await engine.compact('all')
    assert.equal(engine.stats().details.sortedSegments, 1)
    engine = await reopened(disk, engine)
    assert.equal(read(engine, 'k', kept), 'one')
    assert.equal(read(engine, 'k')?.length, 40_000)
    assert.deepEqual(
      Array.from(engine.changes(1), ({ position }) => position),
      [2],
    )
    await engine.close()
  })

  test('what is not behind the oldest kept state, or not published, is left alone', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk)
    for (let i = 0; i < 100; i++) commit(engine, put('k', `${i}`.padEnd(600, '.')))
    await engine.sync()
    assert.equal(await engine.compact('all'), 0, 'all of it is history')
    assert.equal(engine.stats().details.sortedSegments, 0)
    engine.retain(engine.publishedRevision)
    assert.ok((await engine.compact('all')) > 0)
    await engine.close()
  })

  test('without garbage there is nothing to do', async () => {
    const engine = await open(new SimulatedDisk())
    for (let i = 0; i < 100; i++) commit(engine, put(`k${i}`, '.'.repeat(600)))
    await engine.sync()
    engine.retain(engine.publishedRevision)
    assert.equal(engine.reclaimableBytes, 0)
    assert.equal(await engine.compact('garbage'), 0)
    assert.equal(engine.stats().details.sortedSegments, 0)
    await engine.close()
  })
})
