/**
 * Random histories with backups of every kind in between, and restores of random revisions and moments: each must give the state
 * that the twin remembers, sound and writable, with revisions above all that were seen.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, Random, seedsFor } from '@orbitkv/base'
import { isComplete, type Manifest } from './manifest.ts'
import type { Moment } from './plan.ts'
import { type RestoreReport, restore } from './restore.ts'
import { verifyBackups } from './verify.ts'
import { assertSameState, type State, stateOf, World } from './world-suite.ts'

const key = new Uint8Array(32).fill(7)

for (const seed of seedsFor('backup model', { kept: [], fresh: 3 })) {
  for (const options of [{}, { historyMs: 0 }, { key }]) {
    const named = `history ${options.historyMs ?? 'an hour'}${options.key === undefined ? '' : ', encrypted'}`
    test(`restores agree with the twin, ${named}, seed ${seed}`, async () => {
      const world = new World({ random: new Random(seed), ...options })
      const { random } = world
      await world.open()
      const { storeId } = await hold(world)
      for (let step = 0; step < 30; step++) {
        await world.writes(random.between(0, 60))
        const action = random.below(8)
        if (action === 0) await world.store.compact()
        else if (action === 1) {
          await world.store.close()
          await world.open()
        } else if (action === 2) await world.backUp('full')
        else if (action < 5) await world.backUp('incremental')
        else await world.backUp('archive')
      }
      const { manifest } = await world.backUp('archive')
      const report = await verifyBackups(world.vault, storeId)
      assert.deepEqual(report.faults, [])
      const manifests = await world.vault.manifests(storeId)
      assert.ok(manifests.length > 3)
      const newest = manifests.at(-1)?.end.revision ?? 0
      assert.ok(manifest === undefined || manifest.end.revision === newest)
      await restoreOne(world, undefined, world.newest.state)
      for (let i = 0; i < 8; i++) {
        const revision = random.between(1, newest)
        await restoreOne(world, { revision }, world.stateAt(revision), manifests)
        const time = random.between(world.history[1]?.time ?? 0, world.newest.time)
        await restoreOne(world, { time }, world.stateAtTime(time), manifests)
      }
      await world.store.close()
    })
  }
}

async function hold(world: World): Promise<{ storeId: string }> {
  const held = await world.store.holdFiles()
  await held.release()
  return held
}

let restored = 0

/** Restores, compares, checks, writes on. What no backup covers must be refused by name. */
async function restoreOne(
  world: World,
  moment: Moment,
  wanted: State,
  manifests: readonly Manifest[] = [],
): Promise<void> {
  const { vault, disk, clock, random } = world
  const path = `/restored-${restored++}`
  const named = JSON.stringify(moment ?? 'latest')
  let report: RestoreReport
  try {
    report = await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path, moment })
  } catch (error) {
    assert.ok(hasCode(error, 'backup.not_covered'), `${named}: ${String(error)}`)
    assert.ok(!isCovered(moment, manifests), `${named} is covered`)
    return
  }
  const store = await world.openAt(path)
  assertSameState(stateOf(store), wanted, named)
  assert.deepEqual((await store.verify()).faults, [])
  assert.equal(store.stats().revision, report.revisionNext)
  assert.ok(report.revisionNext > world.newest.revision, 'above all that was seen')
  const revision = await store.put('after', 'x')
  assert.equal(revision, report.revisionNext + 1)
  assert.throws(
    () => store.snapshot({ revision: 1 }),
    (error) => hasCode(error, 'engine.compacted'),
  )
  await store.compact()
  assertSameState(stateOf(store), new Map([...wanted, ['after', 'x']]), `${named}, compacted`)
  await store.close()
}

/** Whether some backup alone has the moment, which is the least that must be restorable. */
function isCovered(moment: Moment, manifests: readonly Manifest[]): boolean {
  if (moment === undefined) return true
  return manifests.filter(isComplete).some(({ oldest, end }) => {
    return 'revision' in moment
      ? oldest.revision <= moment.revision && moment.revision <= end.revision
      : oldest.time <= moment.time && moment.time < end.time
  })
}
