/**
 * Compaction under the feet of everything else: random histories on an engine and its twin, where each slice of a compaction
 * ends at once and operations run between two slices: writes, deletes, truncations, retention, reads of every kept
 * state, ranges that were begun before. After each step the engine must agree with its twin.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import {
  type At,
  type Change,
  copyValue,
  deleteChange,
  deleteRangeChange,
  type Engine,
  latest,
  published,
  putChange,
  type RecordView,
} from '@orbitkv/engine'
import { compareEngines, Twin, type TwinRecord } from '@orbitkv/engine/suite'
import type { Clock, Timer } from '@orbitkv/runtime'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0, sliceMs: 1 }
const keyspaces = [0, 1, 7]
const steps = 120

/** Each look at it finds the slice over; each turn runs what a test wants to happen there. */
class SlicingClock implements Clock {
  readonly #clock = new SimulatedClock()
  #monotonicMs = 0
  between: () => Promise<void> = async () => {}

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    this.#monotonicMs += 1000
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#clock.after(delayMs, run)
  }

  turn(): Promise<void> {
    return this.between()
  }

  sleep(): Promise<void> {
    return this.between()
  }
}

/** A range at a fixed revision that was begun and goes on later. */
interface OpenRange {
  readonly at: number
  readonly iterator: Iterator<RecordView>
  readonly expected: TwinRecord[]
}

class History {
  engine: LogEngine
  readonly twin = new Twin()
  readonly #random: Random
  readonly #keys: number
  readonly #reopen: () => Promise<LogEngine>
  #ranges: OpenRange[] = []
  #time = 1_000_000

  constructor(engine: LogEngine, random: Random, reopen: () => Promise<LogEngine>) {
    this.engine = engine
    this.#random = random
    this.#reopen = reopen
    this.#keys = random.pick([5, 60, 400])
  }

  /** One operation that may run beside a compaction. */
  async step(): Promise<void> {
    const { engine, twin } = this
    const random = this.#random
    const dice = random.below(100)
    if (dice < 10) this.#extend()
    else if (dice < 50) this.#append()
    else if (dice < 62) this.#publish()
    else if (dice < 66) await engine.sync()
    else if (dice < 72) await this.#truncate()
    else if (dice < 76) this.#retain()
    else if (dice < 80) this.#beginRange()
    else if (dice < 86) this.#goOn()
    else this.#read()
    assert.equal(engine.appendedRevision, twin.appendedRevision)
    assert.equal(engine.publishedRevision, twin.publishedRevision)
  }

  async compact(): Promise<void> {
    const done = this.engine.compact(this.#random.pick(['garbage', 'all', 'all'] as const))
    // Compaction begins by giving up what it may.
    this.twin.retain(this.engine.oldestRevision)
    await done
    this.check()
  }

  async reopen(): Promise<void> {
    this.#ranges = []
    this.engine = await this.#reopen()
    this.twin.reopen(this.engine.oldestRevision)
    assert.equal(this.engine.stats().details.readOnly, '')
    this.check()
  }

  check(): void {
    this.engine.validate()
    compareEngines(this.engine, this.twin)
  }

  #key(): Uint8Array {
    const key = this.#random.below(this.#keys)
    return Uint8Array.of(...this.#random.pick([[], [7, 7, 7]]), key >> 4, key & 15)
  }

  #change(): Change {
    const random = this.#random
    const keyspace = random.pick(keyspaces)
    if (random.chance(30)) return deleteRangeChange(keyspace, this.#key(), random.chance(4) ? undefined : this.#key())
    if (random.chance(4)) return deleteChange(keyspace, this.#key())
    const value = random.bytes(random.chance(12) ? random.between(500, 3000) : random.between(0, 40))
    return putChange(keyspace, this.#key(), value, { tag: random.below(3), lease: random.chance(9) ? 5 : 0 })
  }

  #extend(): void {
    const change = this.#change()
    if (this.engine.extend(change, this.#time)) this.twin.extend(change)
  }

  #append(): void {
    const random = this.#random
    const changes = Array.from({ length: random.chance(4) ? random.between(2, 80) : 1 }, () => this.#change())
    const isHousekeeping = random.chance(8) && changes.every(({ kind }) => kind !== 'delete-range')
    const revision = this.engine.appendedRevision + (isHousekeeping ? 0 : 1)
    this.#time += random.below(3)
    this.engine.append({ changes, revision, time: this.#time })
    this.twin.append({ changes, revision, time: this.#time })
  }

  #publish(): void {
    const { engine, twin } = this
    const position = this.#random.chance(2)
      ? engine.appendedPosition
      : this.#random.between(engine.publishedPosition, engine.appendedPosition)
    engine.write()
    engine.publish(position)
    twin.publish(position)
  }

  async #truncate(): Promise<void> {
    const { engine, twin } = this
    const position = this.#random.between(engine.publishedPosition, engine.appendedPosition)
    await engine.truncateAfter(position)
    twin.truncateAfter(position)
  }

  #retain(): void {
    const { engine, twin } = this
    const revision = this.#random.chance(2)
      ? engine.publishedRevision
      : this.#random.between(engine.oldestRevision, engine.publishedRevision)
    while (!engine.retain(revision));
    twin.retain(revision)
    this.#ranges = this.#ranges.filter(({ at }) => at >= revision)
  }

  #beginRange(): void {
    const { engine, twin } = this
    // Housekeeping may still change what the newest revision shows.
    if (engine.oldestRevision === engine.publishedRevision) return
    const at = this.#random.between(engine.oldestRevision, engine.publishedRevision - 1)
    const keyspace = this.#random.pick(keyspaces)
    const range = { at, reverse: this.#random.chance(2) }
    this.#ranges.push({
      at,
      iterator: engine.range(keyspace, range)[Symbol.iterator](),
      expected: twin.range(keyspace, range),
    })
  }

  #goOn(): void {
    if (this.#ranges.length === 0) return
    const open = this.#random.pick(this.#ranges)
    for (let count = this.#random.between(1, 40); count > 0; count--) {
      const next = open.iterator.next()
      const expected = open.expected.shift()
      same(next.done ? undefined : next.value, expected)
      if (expected !== undefined) continue
      this.#ranges = this.#ranges.filter((other) => other !== open)
      return
    }
  }

  #read(): void {
    const { engine, twin } = this
    const keyspace = this.#random.pick(keyspaces)
    const key = this.#key()
    const kept = this.#random.between(engine.oldestRevision, engine.publishedRevision)
    for (const at of [published, latest, kept] as At[]) {
      same(engine.get(keyspace, key, 0, key.length, at), twin.get(keyspace, key, at))
    }
  }
}

function same(record: RecordView | undefined, expected: TwinRecord | undefined): void {
  assert.equal(record === undefined ? 'absent' : 'there', expected === undefined ? 'absent' : 'there')
  if (record === undefined || expected === undefined) return
  assert.deepEqual(copyValue(record), expected.value)
  assert.deepEqual(
    [record.revision, record.previousRevision, record.version],
    [expected.revision, expected.previousRevision, expected.version],
  )
}

async function run(seed: number): Promise<{ compactions: number; between: number }> {
  const random = new Random(seed)
  const disk = new SimulatedDisk({ seed })
  const clock = new SlicingClock()
  const open = (): Promise<LogEngine> => openLogEngine('/store', { disk, clock, config })
  const history = new History(await open(), random, async () => {
    await history.engine.close()
    return open()
  })
  let between = 0
  clock.between = async () => {
    for (let count = random.pick([0, 1, 1, 3, 12]); count > 0; count--, between++) await history.step()
  }
  for (let step = 0; step < steps; step++) {
    for (let count = random.between(1, 30); count > 0; count--) await history.step()
    if (random.chance(4)) await history.compact()
    if (random.chance(20)) await history.reopen()
  }
  await history.compact()
  assert.deepEqual((await history.engine.verify()).faults, [])
  await history.reopen()
  const { compactions } = history.engine.stats().details
  await history.engine.close()
  return { compactions: Number(compactions), between }
}

describe('compaction beside everything else', () => {
  for (const seed of seedsFor('compaction-model', { kept: [1, 2, 3, 91046], fresh: 5 })) {
    test(`agrees with its twin, seed ${seed}`, () => run(seed).then(() => {}))
  }
})
