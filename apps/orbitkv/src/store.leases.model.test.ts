/**
 * Leases against a model, through random renewals, writes, steps of the clocks, restarts and power cuts.
 *
 * What the model holds them to: a lease never ends before its time since the last acknowledged renewal has passed; it ends then
 * and not later while the store is open; a power cut gives it at most its whole time again; keys go with their lease and only
 * with it, all in one revision.
 */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { decodeText } from '@orbitkv/bytes'
import type { Watcher } from './index.ts'
import { entriesOf, type Setup, storeTest } from './store-suite.ts'

const leasedKeyspace = 3
const names = Array.from({ length: 12 }, (_, i) => `k${i}`)

interface ModelLease {
  readonly ttlMs: number
  endsAtMs: number
}

interface ModelKey {
  readonly value: string
  readonly lease: number
}

class Model {
  readonly #setup: Setup
  readonly #random: Random
  readonly #leases = new Map<number, ModelLease>()
  readonly #keys = new Map<string, ModelKey>()
  /** Leases whose end the watch must show, with the keys that they took along, and how it must name it. */
  readonly #ends: { kind: string; keys: string[]; lease: number }[] = []
  #watcher: Watcher | undefined
  #writes = 0

  constructor(setup: Setup, random: Random) {
    this.#setup = setup
    this.#random = random
    this.#watch(1)
  }

  get #store() {
    return this.#setup.store
  }

  get #nowMs(): number {
    return this.#setup.clock.monotonic()
  }

  #watch(from: number): void {
    this.#watcher = this.#store.watcher(0, { from, bufferBytes: 1e9 }, () => {})
  }

  #anyLease(): number | undefined {
    const ids = [...this.#leases.keys()]
    return ids.length === 0 ? undefined : this.#random.pick(ids)
  }

  // ---- what is done

  async step(): Promise<void> {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 12) await this.#grant()
    else if (dice < 30) await this.#renew()
    else if (dice < 35) await this.#revoke()
    else if (dice < 65) await this.#write()
    else if (dice < 85) await this.#pass(random.pick([1, 50, 400, 1000, 3000]))
    else if (dice < 90) this.#setup.clock.stepWall(random.between(-100_000, 100_000))
    else if (dice < 94) await this.#restart()
    else if (dice < 98) await this.#cut()
    else await this.#store.compact()
    this.check()
  }

  async #grant(): Promise<void> {
    const ttlMs = this.#random.pick([1, 700, 2000, 5000, 400_000])
    const startMs = this.#nowMs
    const id = await this.#store.leases.grant(ttlMs)
    this.#leases.set(id, { ttlMs, endsAtMs: startMs + ttlMs })
  }

  async #renew(): Promise<void> {
    const id = this.#anyLease()
    if (id === undefined) return
    const lease = this.#leases.get(id) as ModelLease
    assert.equal(await this.#store.leases.keepAlive(id), lease.ttlMs)
    lease.endsAtMs = this.#nowMs + lease.ttlMs
  }

  async #revoke(): Promise<void> {
    const id = this.#anyLease()
    if (id === undefined) return
    await this.#store.leases.revoke(id)
    this.#end(id, 'delete')
  }

  async #write(): Promise<void> {
    const random = this.#random
    const batch = this.#store.batch()
    for (let i = random.between(1, 3); i > 0; i--) {
      const key = random.pick(names)
      const lease = random.chance(2) ? this.#anyLease() : undefined
      const value = `${this.#writes++}`
      if (random.chance(5)) {
        batch.delete(key)
        this.#keys.delete(key)
      } else {
        batch.put(key, value, lease === undefined ? {} : { lease })
        this.#keys.set(key, { value, lease: lease ?? 0 })
      }
    }
    await batch.commit()
  }

  async #pass(ms: number): Promise<void> {
    await this.#setup.clock.advanceAwaiting(ms)
    for (const [id, { endsAtMs }] of this.#leases) if (endsAtMs <= this.#nowMs) this.#end(id, 'expire')
  }

  #end(id: number, kind: string): void {
    this.#leases.delete(id)
    const keys = [...this.#keys].filter(([, { lease }]) => lease === id).map(([key]) => key)
    for (const key of keys) this.#keys.delete(key)
    if (keys.length > 0) this.#ends.push({ kind, keys: keys.sort(), lease: id })
  }

  async #restart(): Promise<void> {
    const left = [...this.#leases].map(([id, { endsAtMs }]) => [id, endsAtMs - this.#nowMs] as const)
    const from = this.#store.stats().revision + 1
    this.#checkEnds()
    await this.#store.close()
    this.#setup.clock.advance(this.#random.below(20_000))
    await this.#setup.open()
    for (const [id, leftMs] of left) (this.#leases.get(id) as ModelLease).endsAtMs = this.#nowMs + leftMs
    this.#watch(from)
  }

  async #cut(): Promise<void> {
    const random = this.#random
    this.#checkEnds()
    const from = this.#store.stats().revision + 1
    this.#setup.disk.crash({ mode: random.pick(['random', 'prefix', 'drop-all', 'keep-all'] as const), random })
    await Promise.allSettled([this.#store.close()])
    const downMs = random.below(3000)
    this.#setup.clock.advance(downMs)
    await this.#setup.open()
    for (const [id, lease] of this.#leases) {
      const leftMs = this.#store.leases.timeLeft(id)
      const leastMs = lease.endsAtMs - (this.#nowMs - downMs)
      assert.ok(leftMs !== undefined && leftMs >= leastMs, `lease ${id} has ${leftMs} ms left, it was due ${leastMs}`)
      assert.ok(leftMs <= lease.ttlMs)
      lease.endsAtMs = this.#nowMs + leftMs
    }
    this.#watch(from)
  }

  // ---- what must hold

  check(): void {
    const store = this.#store
    const expected = [...this.#keys].map(([key, { value }]) => [key, value])
    assert.deepEqual(
      entriesOf(store),
      expected.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    )
    assert.deepEqual(
      store.leases.ids(),
      [...this.#leases.keys()].sort((a, b) => a - b),
    )
    let carried = 0
    for (const [id, { ttlMs, endsAtMs }] of this.#leases) {
      assert.deepEqual([store.leases.ttl(id), store.leases.timeLeft(id)], [ttlMs, endsAtMs - this.#nowMs])
      const keys = store.leases.keys(id).map((key) => decodeText(key))
      assert.deepEqual(keys, this.#keysOf(id))
      carried += keys.length
    }
    assert.equal(store.owner.count(leasedKeyspace), carried, 'no entry is left behind')
    assert.equal(store.stats().leasesHeld, this.#leases.size)
    this.#checkEnds()
  }

  #keysOf(id: number): string[] {
    const keys = [...this.#keys].filter(([, { lease }]) => lease === id).map(([key]) => key)
    return keys.sort()
  }

  /** The watch has shown each end as one batch. */
  #checkEnds(): void {
    const shown = new Map<number, { kind: string; keys: string[]; lease: number }>()
    for (let event = this.#watcher?.take(); event !== undefined; event = this.#watcher?.take()) {
      if (event.kind === 'progress' || event.kind === 'put' || event.lease === 0) continue
      const { kind, lease, key, revision } = event
      const end = shown.get(revision) ?? { kind, keys: [], lease }
      shown.set(revision, end)
      assert.equal(end.lease, lease)
      end.keys.push(decodeText(key))
    }
    const byLease = (a: { lease: number }, b: { lease: number }): number => a.lease - b.lease
    assert.deepEqual([...shown.values()].sort(byLease), this.#ends.splice(0).sort(byLease))
  }
}

describe('leases against a model', () => {
  for (const seed of seedsFor('store-leases', { kept: [], fresh: 30 })) {
    storeTest(`they end when they should, with their keys, seed ${seed}`, async (setup) => {
      const model = new Model(setup, new Random(seed))
      for (let step = 0; step < 150; step++) await model.step()
    })
  }
})
