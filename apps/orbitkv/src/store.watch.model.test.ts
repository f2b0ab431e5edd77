/**
 * Random histories, and watches of every kind over them: eager and slow ones, from old revisions and from now, through restarts,
 * power cuts, compaction and deleted ranges. A witness that watches everything keeps the log of all commits, which is held
 * against what was written; every other watch must give exactly its part of that log.
 */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { type Change, copyKey, copyValue, deleteChange, deleteRangeChange, putChange } from '@orbitkv/engine'
import type { WatchEvent, Watcher, WatchOptions } from './index.ts'
import { entriesOf, type Setup, storeTest, turn } from './store-suite.ts'

const names = ['', 'a', 'aa', 'aab', 'ab', 'ab/1', 'ab/2', 'b', 'b/1', 'b/1/x', 'c', 'zz']

/** One change as the log of all commits has it. */
interface Logged {
  readonly revision: number
  readonly kind: string
  readonly key: string
  readonly value: string | undefined
  readonly previous: string | undefined
}

type Written = readonly { readonly key: string; readonly value: string | undefined }[]

/** A watch under test: what it asks for, and what it has given so far. */
interface Follower {
  readonly options: WatchOptions
  readonly from: number
  readonly covers: (key: string) => boolean
  watcher: Watcher
  readonly seen: Logged[]
  /** It has been told that there is something. */
  isReady: boolean
}

function toLogged(event: WatchEvent): Logged {
  assert.ok(event.kind !== 'progress')
  const { revision, kind, key, value, previous } = event
  return {
    revision,
    kind,
    key: decodeText(key),
    value: value === undefined ? undefined : decodeText(value),
    previous: previous === undefined ? undefined : decodeText(previous.value),
  }
}

function randomInterest(random: Random): { options: WatchOptions; covers: (key: string) => boolean } {
  const [one, other] = [random.pick(names), random.pick(names)].sort() as [string, string]
  switch (random.below(5)) {
    case 0:
      return { options: { key: one }, covers: (key) => key === one }
    case 1:
      return { options: { prefix: one }, covers: (key) => key.startsWith(one) }
    case 2:
      return { options: { range: { gte: one, lt: other } }, covers: (key) => key >= one && key < other }
    case 3:
      return { options: { range: { gt: one, lte: other } }, covers: (key) => key > one && key <= other }
    default:
      return { options: {}, covers: () => true }
  }
}

class World {
  readonly #setup: Setup
  readonly #random: Random
  /** Every change that was committed, as the witness saw it. */
  readonly log: Logged[] = []
  readonly #state = new Map<string, string>()
  /** What was written at each revision. */
  readonly #written = new Map<number, Written>()
  #witness: Watcher | undefined
  /** The revision up to which the log is that of all commits. */
  #observed = 0
  followers: Follower[] = []
  #writes = 0

  constructor(setup: Setup, random: Random) {
    this.#setup = setup
    this.#random = random
  }

  get #store() {
    return this.#setup.store
  }

  #startWitness(): void {
    const from = this.#observed + 1
    this.#witness = this.#store.watcher(0, { from, previous: true, bufferBytes: 1e9 }, () => {})
  }

  /** Takes what the witness has to say, and checks it against what was written. */
  async observe(): Promise<void> {
    if (this.#witness === undefined) this.#startWitness()
    const { revision } = this.#store.stats()
    const start = this.log.length
    for (let idle = 0; idle < 3; ) {
      const event = this.#witness?.take()
      if (event === undefined) {
        idle++
        await turn()
        continue
      }
      idle = 0
      const change = toLogged(event)
      assert.equal(change.previous, this.#state.get(change.key), `what ${change.key} was before ${change.revision}`)
      if (change.value === undefined) this.#state.delete(change.key)
      else this.#state.set(change.key, change.value)
      this.log.push(change)
    }
    for (let at = this.#observed + 1; at <= revision; at++) {
      const seen = this.log.slice(start).filter((change) => change.revision === at)
      const written = this.#written.get(at)
      if (written === undefined)
        assert.ok(
          seen.every(({ kind }) => kind === 'expire'),
          `revision ${at} is expiry`,
        )
      else {
        const asked = seen.filter(({ kind }) => kind !== 'expire').map(({ key, value }) => ({ key, value }))
        assert.deepEqual(sortedByKey(asked), sortedByKey(written), `the changes of revision ${at}`)
      }
    }
    this.#observed = revision
    const live = new Map(entriesOf(this.#store))
    for (const [key, value] of live) assert.equal(this.#state.get(key), value)
  }

  async write(): Promise<void> {
    const written = this.#apply()
    const revision = await written.promise
    if (revision !== undefined) this.#written.set(revision, written.changes)
  }

  /** Begins a write; its promise resolves to its revision, or to nothing where it changed nothing. */
  #apply(): { promise: Promise<number | undefined>; changes: Written } {
    const random = this.#random
    const store = this.#store
    const value = `${this.#writes++}${'.'.repeat(random.chance(8) ? random.below(900) : 0)}`
    if (random.chance(12)) return this.#deleteRange()
    const batch = store.batch()
    const changes: { key: string; value: string | undefined }[] = []
    for (const key of new Set(Array.from({ length: random.chance(3) ? 4 : 1 }, () => random.pick(names)))) {
      if (random.chance(4)) {
        batch.delete(key)
        changes.push({ key, value: undefined })
      } else {
        batch.put(key, value, random.chance(5) ? { ttl: random.between(1, 5000) } : {})
        changes.push({ key, value })
      }
    }
    return { promise: batch.commit(), changes }
  }

  /** Puts, a delete of a range, and puts again, as one batch of a server's. */
  #deleteRange(): { promise: Promise<number | undefined>; changes: Written } {
    const random = this.#random
    const { owner } = this.#store
    owner.beginTurn()
    const [first, end] = [random.pick(names), random.pick(names)].sort() as [string, string]
    const changes: Change[] = []
    const before = random.pick(names)
    const after = random.pick(names)
    if (random.chance(2)) changes.push(putChange(0, encodeText(before), encodeText('before')))
    const toEnd = first === end
    changes.push(deleteRangeChange(0, encodeText(first), toEnd ? undefined : encodeText(end)))
    const covered = (key: string): boolean => key >= first && (toEnd || key < end)
    if (random.chance(2)) changes.push(deleteChange(0, encodeText(after)))
    const written: { key: string; value: string | undefined }[] = []
    const state = new Map(this.#liveNow())
    for (const { kind, key } of changes) {
      if (kind === 'put') {
        written.push({ key: decodeText(key), value: 'before' })
        state.set(decodeText(key), 'before')
      } else if (kind === 'delete') written.push({ key: decodeText(key), value: undefined })
      else for (const name of state.keys()) if (covered(name)) written.push({ key: name, value: undefined })
    }
    owner.write(changes)
    return {
      promise: new Promise((resolve, reject) => {
        owner.settle((error) => (error === undefined ? resolve(this.#store.stats().revision) : reject(error)))
      }),
      changes: written,
    }
  }

  /** The newest state, published or not. */
  #liveNow(): [string, string][] {
    return Array.from(this.#store.owner.range(0, {}), (record) => [
      decodeText(copyKey(record)),
      decodeText(copyValue(record)),
    ])
  }

  // ---- watches

  follow(): void {
    const random = this.#random
    const { options, covers } = randomInterest(random)
    const { revision, oldestRevision } = this.#store.stats()
    const isOld = random.chance(2) && revision > oldestRevision
    const from = isOld ? random.between(oldestRevision + 1, revision + 3) : revision + 1
    const asked = {
      ...options,
      ...(isOld ? { from } : {}),
      ...(random.chance(2) ? { previous: true } : {}),
      ...(random.chance(3) ? { bufferBytes: random.between(300, 4000) } : {}),
    }
    const follower: Follower = {
      options: asked,
      from,
      covers,
      seen: [],
      isReady: false,
      watcher: this.#store.watcher(0, asked, () => {
        follower.isReady = true
      }),
    }
    this.followers.push(follower)
  }

  /** Takes a few changes, or all there are, and goes on as told where the watch ended. */
  async take(follower: Follower, most: number): Promise<void> {
    for (let taken = 0, idle = 0; taken < most && idle < 3; ) {
      const event = this.#takeOne(follower)
      if (event === undefined) {
        idle++
        await turn()
      } else {
        taken++
        idle = 0
        this.#check(follower, event)
      }
    }
  }

  #takeOne(follower: Follower): WatchEvent | undefined {
    try {
      return follower.watcher.take()
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && 'details' in error)
      assert.equal(error.code, 'store.watch_slow')
      const { resumeFrom } = error.details as { resumeFrom: number }
      assert.equal(follower.watcher.isEnded, true)
      this.resume(follower, resumeFrom)
      return undefined
    }
  }

  resume(follower: Follower, from: number): void {
    while ((follower.seen.at(-1)?.revision ?? 0) >= from) follower.seen.pop()
    follower.isReady = false
    const { oldestRevision } = this.#store.stats()
    if (from <= oldestRevision) {
      const refused = {
        code: 'engine.compacted',
        details: { what: 'the change of revision', asked: from, oldest: oldestRevision + 1 },
      }
      assert.throws(() => this.#store.watcher(0, { ...follower.options, from }, () => {}), refused)
      this.followers = this.followers.filter((other) => other !== follower)
      return
    }
    follower.watcher = this.#store.watcher(0, { ...follower.options, from }, () => {
      follower.isReady = true
    })
  }

  #check(follower: Follower, event: WatchEvent): void {
    const change = toLogged(event)
    follower.seen.push(change)
    assert.ok(event.kind !== 'progress')
    const expected = this.#expectedOf(follower)
    const place = follower.seen.length - 1
    assert.deepEqual(change, expected[place], `change ${place} of a watch from ${follower.from}`)
    assert.equal(event.last, expected[place + 1]?.revision !== change.revision, 'the last of its batch is marked')
  }

  #expectedOf({ from, covers, options }: Follower): Logged[] {
    const part = this.log.filter(({ key, revision }) => revision >= from && covers(key))
    return options.previous === true ? part : part.map((change) => ({ ...change, previous: undefined }))
  }

  async finish(): Promise<void> {
    await this.observe()
    for (const follower of this.followers) {
      await this.take(follower, Number.POSITIVE_INFINITY)
      // What it still wanted may be gone by now.
      if (!this.followers.includes(follower)) continue
      assert.deepEqual(follower.seen, this.#expectedOf(follower))
      follower.watcher.close()
      assert.equal(follower.watcher.take(), undefined)
    }
    this.#witness?.close()
  }

  // ---- what happens to the store

  async restart(cut: boolean): Promise<void> {
    await this.observe()
    if (cut) {
      const pending = Array.from({ length: this.#random.below(4) }, () => this.#apply())
      const { revision } = this.#store.stats()
      const ended = Promise.allSettled([...pending.map(({ promise }) => promise)])
      this.#setup.disk.crash({ mode: 'random', random: this.#random })
      await Promise.allSettled([ended, this.#store.close()])
      await this.#setup.open()
      // Whatever was not acknowledged may be there all the same, in order.
      for (let i = 0; revision + 1 + i <= this.#store.stats().revision; i++) {
        this.#written.set(revision + 1 + i, (pending[i] as { changes: Written }).changes)
      }
    } else {
      await this.#setup.reopen()
    }
    this.#witness = undefined
    for (const follower of this.followers) {
      assert.equal(follower.watcher.isEnded || follower.isReady, true, 'a watch ends with its store, and says so')
      const { resumeFrom } = follower.watcher
      this.resume(follower, resumeFrom)
    }
    await this.observe()
  }
}

function sortedByKey(changes: Written): Written {
  // A key may change twice in a batch: then in the order in which it did.
  return changes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}

describe('watches over random histories', () => {
  for (const seed of seedsFor('store-watch', { kept: [], fresh: 30 })) {
    storeTest(
      `each gives its part of the log of all commits, seed ${seed}`,
      async (setup) => {
        const random = new Random(seed)
        const world = new World(setup, random)
        await world.observe()
        for (let step = 0; step < 150; step++) {
          const dice = random.below(100)
          if (dice < 60) await world.write()
          else if (dice < 72) world.follow()
          else if (dice < 82) await setup.clock.advanceAwaiting(random.between(1, 2000))
          else if (dice < 84) await setup.store.compact()
          else if (dice < 86) await world.restart(false)
          else if (dice < 88) await world.restart(true)
          await world.observe()
          for (const follower of world.followers) if (random.chance(4)) await world.take(follower, random.between(1, 8))
        }
        await world.finish()
      },
      { settings: { historyMs: 3_600_000 } },
    )
  }
})
