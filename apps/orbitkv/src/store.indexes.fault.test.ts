/**
 * Power cuts while indexes are built over old data and written through, on a disk that loses, tears and reorders what was not
 * synced. After each cut every index that says that it is built agrees with a scan, and building goes on to its end.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, Random, seedsFor } from '@orbitkv/base'
import { type CrashMode, SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { jsonOf, open, type Store, type TypedKeyspace, u32 } from './index.ts'
import { smallSegments, turn } from './store-suite.ts'

interface Item {
  readonly size: number
}

/** Several slices of building. */
const items = 1200
const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']
const codecs = { key: u32, value: jsonOf<Item>() }
const indexes = { bySize: { by: ({ size }: Item) => size } }

type Items = TypedKeyspace<number, Item, 'bySize'>

function compare(keyspace: Items): void {
  const byScan = Array.from(keyspace.range(), ({ key, value }) => [value.size, key] as const)
  byScan.sort(([a, key], [b, other]) => a - b || key - other)
  const byIndex = Array.from(keyspace.index('bySize').range(), ({ key, value }) => [value.size, key])
  assert.deepEqual(byIndex, byScan)
}

async function fill(store: Store, random: Random): Promise<void> {
  const batch = store.keyspace('items', codecs).batch()
  for (let key = 0; key < items; key++) batch.put(key, { size: random.below(50) })
  await batch.commit()
}

/** Writes on both sides of where building is, for as many turns as the cut leaves. */
async function write(keyspace: Items, random: Random, turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) {
    const key = random.below(items + 20)
    const writing = random.chance(4) ? keyspace.delete(key) : keyspace.put(key, { size: random.below(50) })
    // The cut refuses what was under way.
    writing.catch(() => {})
    await turn()
  }
}

async function run(seed: number): Promise<{ cutWhileBuilding: boolean }> {
  const random = new Random(seed)
  const disk = new SimulatedDisk({ seed })
  const options = { ...smallSegments, disk, clock: new SimulatedClock() }
  const first = await open('/store', options)
  await fill(first, random)
  await first.close()
  let cutWhileBuilding = false
  for (let cuts = random.between(1, 3); cuts > 0; cuts--) {
    const store = await open('/store', options)
    const keyspace = store.keyspace('items', { ...codecs, indexes })
    const isBuilt = (): boolean => {
      try {
        keyspace.index('bySize').get(0)
        return true
      } catch (error) {
        assert.ok(hasCode(error, 'store.index_building'))
        return false
      }
    }
    if (isBuilt()) compare(keyspace)
    await write(keyspace, random, random.between(0, 12))
    if (isBuilt()) compare(keyspace)
    else cutWhileBuilding = true
    disk.crash({ mode: random.pick(modes), random })
    await Promise.allSettled([store.close()])
  }
  const last = await open('/store', options)
  const keyspace = last.keyspace('items', { ...codecs, indexes })
  await keyspace.index('bySize').ready()
  compare(keyspace)
  last.owner.beginTurn()
  // 1024 is the keyspace, 1025 its index.
  assert.equal(last.owner.count(1025), last.owner.count(1024), 'every value has its entry, and nothing is left behind')
  assert.deepEqual((await last.verify()).faults, [])
  await last.close()
  return { cutWhileBuilding }
}

test('power cuts while an index is built', async () => {
  let cutWhileBuilding = 0
  const seeds = seedsFor('index-building', { kept: [], fresh: 40 })
  for (const seed of seeds) {
    const result = await run(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
    })
    if (result.cutWhileBuilding) cutWhileBuilding++
  }
  if (seeds.length > 1) assert.ok(cutWhileBuilding > seeds.length / 4, 'cuts fall while it is being built')
})
