/**
 * Random histories on an indexed keyspace, compared with a scan: what an index finds is what a pass over all values finds, in
 * the same order, at every state that is still kept. Writes, batches, merges, expiry, clocks that are stepped, restarts, and
 * indexes that are declared, raised and dropped while all of that goes on.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode, Random, seedsFor } from '@orbitkv/base'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import {
  jsonOf,
  type KeyspaceReader,
  open,
  type Snapshot,
  type Store,
  type TupleElement,
  type TypedKeyspace,
  u32,
} from './index.ts'
import { smallSegments, turn } from './store-suite.ts'

interface Item {
  readonly name: string
  readonly size: number
}

type IndexName = 'byName' | 'bySize'
type Items = TypedKeyspace<number, Item, IndexName>
type By = (item: Item) => TupleElement | undefined

const codecs = { key: u32, value: jsonOf<Item>() }
const nameOf: By = ({ name }) => (name === '' ? undefined : name)
const sizeOf: By = ({ name, size }) => [size, name]
const names = ['', 'a', 'a\0', 'ab', 'b', 'ÿ', '😀']
const keysBelow = 40
const steps = 150

/** Before and after, as a scan of the values says, with what they are found by. */
function byScan(reader: KeyspaceReader<number, Item, IndexName>, by: By): string[] {
  const found = Array.from(reader.range(), ({ key, value }) => ({ key, by: by(value) as unknown }))
  const sorted = found.filter((one) => one.by !== undefined).sort((a, b) => compare(a.by, b.by) || a.key - b.key)
  return sorted.map(({ key, by: of }) => `${key} ${JSON.stringify(of)}`)
}

function byIndex(reader: KeyspaceReader<number, Item, IndexName>, name: IndexName, by: By): string[] {
  return Array.from(reader.index(name).range(), ({ key, value }) => `${key} ${JSON.stringify(by(value))}`)
}

function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) return compare(a[0], b[0]) || compare(a[1], b[1])
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}

class History {
  readonly random: Random
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedDisk
  store!: Store
  items!: Items
  /** The sign of the sizes in the index, and its version. */
  sizeVersion = 1
  isUnique = false
  readonly snapshots: Snapshot[] = []

  constructor(seed: number) {
    this.random = new Random(seed)
    this.disk = new SimulatedDisk({ seed })
  }

  get bySize(): By {
    return this.sizeVersion % 2 === 1 ? sizeOf : (item) => -item.size
  }

  async open(): Promise<void> {
    this.store = await open('/store', { ...smallSegments, disk: this.disk, clock: this.clock, durability: 'interval' })
    this.declare()
  }

  declare(): void {
    this.items = this.store.keyspace<number, Item, IndexName>('items', {
      ...codecs,
      indexes: {
        byName: { by: nameOf, unique: this.isUnique },
        bySize: { by: this.bySize, version: this.sizeVersion },
      },
    })
  }

  item(): Item {
    return { name: this.random.pick(names), size: this.random.between(-3, 3) }
  }

  async step(): Promise<void> {
    const { random, items, store } = this
    const key = random.below(keysBelow)
    const dice = random.below(100)
    if (dice < 35) await allowed(items.put(key, this.item(), random.chance(3) ? { ttl: random.between(1, 3000) } : {}))
    else if (dice < 45) await items.delete(key)
    else if (dice < 60) {
      const batch = items.batch()
      for (let i = random.between(1, 12); i > 0; i--) {
        const other = random.below(keysBelow)
        if (random.chance(3)) batch.delete(other)
        else batch.put(other, this.item(), random.chance(4) ? { ttl: random.between(1, 3000) } : {})
      }
      await allowed(batch.commit())
    } else if (dice < 68) await allowed(items.merge(key, (item) => item && { ...item, size: item.size + 1 }))
    else if (dice < 78) this.clock.advance(random.between(1, 1500))
    else if (dice < 82) this.clock.stepWall(random.between(-500, 1500))
    else if (dice < 86) this.snapshots.push(store.snapshot())
    else if (dice < 88) for (const snapshot of this.snapshots.splice(0)) snapshot.close()
    else if (dice < 90) {
      for (const snapshot of this.snapshots.splice(0)) snapshot.close()
      await store.close()
      await this.open()
    } else if (dice < 93) {
      this.sizeVersion++
      this.declare()
    } else if (dice < 95) {
      this.isUnique = !this.isUnique
      this.declare()
    } else if (dice < 96) {
      await items.dropIndex('bySize')
      this.declare()
    } else await turn()
  }

  /** Compares what is built at every state that is at hand. */
  check(): void {
    for (const reader of [this.items, ...this.snapshots.map((snapshot) => this.items.at(snapshot))]) {
      this.#checkIndex(reader, 'byName', nameOf)
      this.#checkIndex(reader, 'bySize', this.bySize)
    }
  }

  #checkIndex(reader: KeyspaceReader<number, Item, IndexName>, name: IndexName, by: By): void {
    let found: string[]
    try {
      found = byIndex(reader, name, by)
    } catch (error) {
      const isBuilding = hasCode(error, 'store.index_building') || hasCode(error, 'store.index_not_then')
      // Old data need not be unique: then it cannot be built.
      if (isBuilding || (name === 'byName' && hasCode(error, 'store.not_unique'))) return
      throw error
    }
    this.compared++
    assert.deepEqual(found, byScan(reader, by), name)
    if (name === 'bySize' || reader !== this.items || !this.isUnique) return
    const seen = Array.from(reader.range(), ({ value }) => by(value)).filter((one) => one !== undefined)
    assert.equal(new Set(seen).size, seen.length, 'no two values have the same')
  }

  compared = 0
}

/** A unique index may refuse a write. */
async function allowed(write: Promise<unknown>): Promise<void> {
  await write.catch((error: unknown) => {
    if (!hasCode(error, 'store.not_unique')) throw error
  })
}

/** Entries of indexes that are there, in all keyspaces that an index may have. */
function entries(store: Store): number {
  let count = 0
  for (let keyspace = 1025; keyspace < 1200; keyspace++) {
    count += Array.from(store.owner.range(keyspace, {})).length
  }
  return count
}

async function run(seed: number): Promise<number> {
  const history = new History(seed)
  await history.open()
  for (let step = 0; step < steps; step++) {
    await history.step()
    history.check()
  }
  // In the end every index is built, and has an entry for each value and no more.
  for (const snapshot of history.snapshots.splice(0)) snapshot.close()
  history.isUnique = false
  history.declare()
  for (const name of ['byName', 'bySize'] as const) await history.items.index(name).ready()
  history.clock.advance(10_000)
  history.check()
  const { store, items } = history
  store.owner.beginTurn()
  const stored = Array.from(items.range(), ({ value }) => value)
  const wanted = stored.length + stored.filter((item) => nameOf(item) !== undefined).length
  assert.equal(entries(store), wanted, 'every value has its entries, and nothing is left behind')
  assert.deepEqual((await store.verify()).faults, [])
  await store.close()
  return history.compared
}

describe('indexes agree with a scan', () => {
  test('in random histories', async () => {
    for (const seed of seedsFor('indexes', { kept: [], fresh: 40 })) {
      const compared = await run(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
      })
      assert.ok(compared > steps / 4, `seed ${seed} compared something`)
    }
  })
})
