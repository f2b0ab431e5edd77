/** getAsync where nothing is in memory: it never reads on the loop, and gives what `get` gives. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { copyValue, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from './open.ts'

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
