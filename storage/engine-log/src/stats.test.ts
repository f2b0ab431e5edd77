/** What the engine tells of its ordered indexes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB, Random } from '@orbitkv/base'
import { putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from './open.ts'

const config = { segmentBytes: 256 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

test('details tell what the ordered indexes look like, all keyspaces together', async () => {
  const engine = await openLogEngine('/store', { disk: new SimulatedDisk(), config })
  const empty = engine.stats().details
  assert.deepEqual([empty.orderedDepth, empty.orderedNodes, empty.orderedGaps, empty.orderedErrorBits], [0, 0, 0, 0])

  const random = new Random(1)
  const value = new Uint8Array(1)
  for (const [keyspace, keys] of [
    [1, 5],
    [2, 5000],
  ] as const) {
    const changes = Array.from({ length: keys }, () => putChange(keyspace, random.bytes(8), value))
    engine.append({ changes, revision: keyspace, time: 0 })
  }
  const { orderedDepth, orderedNodes, orderedPlainNodes, orderedGaps, orderedErrorBits } = engine.stats().details
  assert.equal(orderedDepth, 2)
  // The one leaf of keyspace 1; a root and leaves, of which none has more than about a thousand slots.
  assert.ok((orderedNodes as number) >= 1 + 1 + 5, `${orderedNodes} nodes`)
  assert.ok((orderedPlainNodes as number) <= 1, 'a line suits random keys')
  assert.ok((orderedGaps as number) > 500 && (orderedGaps as number) < 10_000, `${orderedGaps} gaps`)
  assert.ok((orderedErrorBits as number) > 0 && (orderedErrorBits as number) < 2, `${orderedErrorBits} bits`)
  await engine.close()
})
