/**
 * Power cuts at random points of random histories, on a disk that loses, tears and reorders whatever was not synced.
 *
 * After each cut the store must open by itself, sound, and hold exactly the state after some number of writes, in order:
 * with durability `always` at least as many as were acknowledged. The canary runs the same on a disk whose sync lies.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { type CrashMode, SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import type { Durability, Store } from '@orbitkv/store'
import { open } from './index.ts'

const runs = 1000
const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']

/** Segments of a few dozen writes, so that cuts fall on their borders too. */
const settings = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

type State = ReadonlyMap<string, string>

class History {
  /** The state after each revision. */
  readonly states: State[] = [new Map()]
  /** The highest revision that was acknowledged, or flushed where acknowledging promises nothing. */
  promised = 0

  write(changes: readonly (readonly [string, string | undefined])[]): number {
    const state = new Map(this.states.at(-1))
    for (const [key, value] of changes) {
      if (value === undefined) state.delete(key)
      else state.set(key, value)
    }
    this.states.push(state)
    return this.states.length - 1
  }
}

async function someWrites(store: Store, history: History, random: Random, durability: Durability): Promise<void> {
  const acknowledged: Promise<void>[] = []
  for (let i = random.between(1, 30); i > 0; i--) {
    const key = `key-${random.below(12)}`
    const value = 'v'.repeat(random.chance(12) ? random.between(500, 6000) : random.between(0, 60)) + random.uint32()
    const other = `key-${random.below(12)}`
    const changes: [string, string | undefined][] = [[key, value]]
    if (random.chance(3)) changes.push([other, undefined])
    if (random.chance(5)) changes.push([`${key}-more`, value])
    const batch = store.batch()
    for (const [name, text] of changes) text === undefined ? batch.delete(name) : batch.put(name, text)
    const revision = history.write(changes)
    acknowledged.push(
      batch.commit().then(
        () => {
          if (durability === 'always') history.promised = Math.max(history.promised, revision)
        },
        () => {},
      ),
    )
    // Some turns of the microtask queue: enough for a sync to begin, to end, or neither.
    await turn(random.below(random.pick([2, 12])))
  }
  if (random.chance(3)) await Promise.all(acknowledged)
  if (durability !== 'always' && random.chance(3)) {
    const revision = history.states.length - 1
    await store.flush()
    history.promised = revision
  }
}

/** Lets the microtask queue run: everything on the simulated disk happens there. */
async function turn(times: number): Promise<void> {
  for (let turns = times; turns > 0; turns--) await undefined
}

function readState(store: Store): State {
  return new Map(
    Array.from(store.range(), ({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
  )
}

/** One history with several power cuts; throws where a promise was broken. */
async function run(seed: number, durability: Durability, disk: SimulatedDisk): Promise<void> {
  const random = new Random(seed)
  const history = new History()
  const clock = new SimulatedClock()
  for (let cuts = random.between(1, 3); cuts >= 0; cuts--) {
    const options = { ...settings, disk, clock, durability }
    if (random.chance(3)) {
      const opening = open('/deep/store', options)
      await turn(random.between(0, 40))
      disk.crash({ mode: random.pick(modes), random })
      await Promise.allSettled([opening.then((store) => store.close())])
    }
    const store = await open('/deep/store', options)
    const { revision, details } = store.stats()
    assert.equal(details.readOnly, '', 'a power cut is not damage')
    assert.ok(revision >= history.promised, `revision ${history.promised} was promised, ${revision} is there`)
    assert.deepEqual(readState(store), history.states[revision], `the state is that after revision ${revision}`)
    assert.deepEqual((await store.verify()).faults, [])
    // What was lost is forgotten: histories go on from what is there.
    history.states.length = revision + 1
    history.promised = revision
    if (cuts === 0) {
      await store.close()
      return
    }
    const hold = random.chance(3) ? disk.holdSyncs() : undefined
    const writing = someWrites(store, history, random, durability)
    if (hold === undefined) await writing
    else await turn(random.between(20, 200))
    disk.crash({ mode: random.pick(modes), random })
    // The process that was cut goes on in the test alone: what it still tries must fail, and nothing else.
    await Promise.allSettled([store.close(), writing])
  }
}

describe('power cuts', () => {
  for (const durability of ['always', 'interval', 'none'] as const) {
    const fresh = durability === 'always' ? runs : 100
    test(`${fresh} histories with durability ${durability}`, async () => {
      for (const seed of seedsFor(`crash-${durability}`, { kept: [], fresh })) {
        const disk = new SimulatedDisk({ seed })
        disk.syncsInline = seed % 2 === 0
        await run(seed, durability, disk).catch((error: unknown) => {
          throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
        })
      }
    })
  }

  test('a build whose sync does nothing fails them', async () => {
    let caught = 0
    for (let seed = 1; seed <= 50; seed++) {
      const disk = new SimulatedDisk({ seed })
      disk.syncLies = true
      await run(seed, 'always', disk).catch(() => caught++)
    }
    assert.ok(caught >= 25, `${caught} of 50 histories noticed`)
  })
})
