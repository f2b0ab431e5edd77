/** getAsync and rangeAsync where nothing is in memory: they never read on the loop, and give what `get` and `range` give. */

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { copyKey, copyValue, type Engine, latest, putChange, type RecordView } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from './open.ts'
import { VersionIndex } from './versions/version-index.ts'

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

test('getAsync finds long keys, large values and old versions that are not in memory', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  const longKey = new Uint8Array(5000).fill(107)
  const largeValue = new Uint8Array(9000).fill(118)
  engine.append({ changes: [putChange(0, longKey, largeValue)], revision: 1, time: 1 })
  engine.append({ changes: [putChange(0, longKey, encodeText('new'))], revision: 2, time: 2 })
  for (let i = 3; i < 60; i++) {
    engine.append({ changes: [putChange(0, encodeText(`k${i}`), new Uint8Array(1000))], revision: i, time: i })
  }
  await engine.sync()
  engine.publish(59)
  disk.readsAreResident = false
  disk.counts.reads = 0

  const old = await engine.getAsync(0, longKey, 1)
  assert.deepEqual(old && copyValue(old), largeValue)
  const newest = await engine.getAsync(0, longKey)
  assert.deepEqual(newest && copyValue(newest), encodeText('new'))
  assert.equal(await engine.getAsync(0, encodeText('nothing')), undefined)
  assert.ok(disk.counts.reads > 0, 'it went to the disk')

  disk.readsAreResident = true
  disk.counts.reads = 0
  assert.equal((await engine.getAsync(0, longKey, 1))?.valueBytes, largeValue.length)
  await engine.close()
})

test('rangeAsync walks what is not in memory, at old states too, and never reads on the loop', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  const keys = Array.from({ length: 120 }, (_, i) => encodeText(`key-${String(i).padStart(4, '0')}`))
  for (const [i, key] of keys.entries()) {
    engine.append({ changes: [putChange(0, key, new Uint8Array(700).fill(i))], revision: i + 1, time: i })
  }
  for (const [i, key] of keys.entries()) {
    engine.append({ changes: [putChange(0, key, encodeText(`new ${i}`))], revision: 121 + i, time: 200 + i })
  }
  await engine.sync()
  engine.publish(240)
  for (const at of [120, 240]) {
    for (const reverse of [false, true]) {
      const range = { at, reverse, gt: keys[3] as Uint8Array, lte: keys[100] as Uint8Array }
      const expected = Array.from(engine.range(0, range), (record) => [copyKey(record), copyValue(record)])
      disk.readsAreResident = false
      disk.counts.reads = 0
      const found: Uint8Array[][] = []
      for await (const record of engine.rangeAsync(0, range)) found.push([copyKey(record), copyValue(record)])
      assert.ok(disk.counts.reads > 0, 'it went to the disk')
      disk.readsAreResident = true
      assert.deepEqual(found, expected)
      assert.equal(found.length, 97)
    }
  }
  await engine.close()
})

function nthKey(i: number): Uint8Array {
  return encodeText(`key-${String(i).padStart(4, '0')}`)
}

/** Appends records `from` to `to`, each with a key, a revision and 1000 bytes of its own number. */
function appendNumbered(engine: Engine, from: number, to: number): void {
  for (let i = from; i <= to; i++) {
    engine.append({ changes: [putChange(0, nthKey(i), new Uint8Array(1000).fill(i))], revision: i, time: i })
  }
}

test('rangeAsync brings in no records ahead: touching them would wait for the disk', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  appendNumbered(engine, 1, 99)
  await engine.sync()
  engine.publish(99)
  disk.readsAreResident = false
  const touch = mock.method(VersionIndex.prototype, 'touch')
  try {
    let records = 0
    for await (const { valueBytes } of engine.rangeAsync(0, {})) records += Number(valueBytes === 1000)
    assert.equal(records, 99)
    assert.equal(touch.mock.callCount(), 0)
    assert.equal([...engine.range(0, {})].length, 99)
    assert.ok(touch.mock.callCount() > 0, 'a range on the loop does')
  } finally {
    touch.mock.restore()
  }
  await engine.close()
})

async function firstOf(records: AsyncIterable<RecordView>): Promise<RecordView | undefined> {
  for await (const record of records) return record
  return undefined
}

test('a record that is taken back while it is fetched is not answered with what stands there then', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  appendNumbered(engine, 1, 59)
  await engine.sync()
  engine.publish(5)
  disk.readsAreResident = false
  // A read has several steps; the log is cut at each of them.
  for (let steps = 0; steps < 12; steps++) {
    const reading = engine.getAsync(0, nthKey(10), latest)
    const walking = firstOf(engine.rangeAsync(0, { at: latest, gte: nthKey(10), limit: 1 }))
    for (let left = steps; left > 0; left--) await undefined
    await engine.truncateAfter(5)
    for (const record of [await reading, await walking]) {
      if (record !== undefined) assert.deepEqual(copyValue(record), new Uint8Array(1000).fill(10))
    }
    appendNumbered(engine, 6, 59)
    await engine.sync()
  }
  await engine.close()
})

test('a checked read goes on while compaction takes the segment of its record', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config: { ...config, checksums: 'always' } })
  appendNumbered(engine, 1, 59)
  await engine.sync()
  engine.publish(59)
  while (!engine.retain(59));
  disk.readsAreResident = false
  let isCompacting = true
  const compacting = engine
    .compact('all', async () => {})
    .finally(() => {
      isCompacting = false
    })
  // One begins at every step of the compaction, so that some are under way when it drops what it took in.
  const reads: Promise<unknown>[] = []
  while (isCompacting) {
    const number = (reads.length % 59) + 1
    const read = engine.getAsync(0, nthKey(number))
    reads.push(read.then((record) => assert.deepEqual(record && copyValue(record), new Uint8Array(1000).fill(number))))
    await undefined
  }
  await compacting
  await Promise.all(reads)
  await engine.close()
})
