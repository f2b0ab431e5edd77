/** Files held for a copy, beyond the life of the engine that held them. What backups need of them: @orbitkv/backup. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { type Change, deleteChange, type Engine, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const key = encodeText('key')

/** Writes a change; afterwards all that is in the store is in sorted segments. */
async function compactedWith(engine: Engine, change: Change): Promise<void> {
  engine.append({ changes: [change], revision: engine.appendedRevision + 1, time: 0 })
  await engine.sync()
  engine.publish(engine.appendedPosition)
  await engine.compact('all')
  while (!engine.retain(engine.publishedRevision));
  await engine.compact('all')
}

test('a hold that outlives its engine lets go of nothing: the next one may have given the name to another file', async () => {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  await compactedWith(engine, putChange(0, key, encodeText('value')))
  const hold = await engine.holdFiles?.()
  assert.ok(hold !== undefined)
  const [held] = hold.files.filter(({ kind }) => kind === 'sorted')
  assert.ok(held !== undefined)
  await compactedWith(engine, deleteChange(0, key))
  assert.ok(disk.exists(held.path), 'it is held')
  await engine.close()

  const next = await openLogEngine('/store', { disk, config })
  assert.ok(!disk.exists(held.path), 'opening removes what was held')
  disk.open(held.path, 'create').close()
  await hold.release()
  assert.ok(disk.exists(held.path))
  disk.remove(held.path)
  await next.close()
})
