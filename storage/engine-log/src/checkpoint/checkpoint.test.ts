/**
 * Checkpoints of indexes with many nodes, made while keys of every shape come and go between two slices; when one is made; and what
 * opening does and does not read.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, MiB, Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { type Change, copyKey, deleteChange, type Engine, putChange } from '@orbitkv/engine'
import { type Clock, realClock } from '@orbitkv/runtime'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { closeCrashed } from '../crashed-engine-suite.ts'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 256 * KiB, zeroAheadBytes: 64 * KiB, reserveBytes: 0 }

/** Each look finds the slice over; each turn runs what a test wants to happen there. */
function slicingClock(between: () => void = () => {}): Clock {
  let nowMs = 0
  return {
    ...realClock,
    monotonic: () => (nowMs += 1000),
    turn: async () => {
      await undefined
      between()
    },
  }
}

function open(disk: SimulatedDisk, settings: object, clock = slicingClock()): Promise<LogEngine> {
  return openLogEngine('/store', { disk, clock, config: { ...config, ...settings } })
}

const shapes: Readonly<Record<string, (n: number, random: Random) => Uint8Array>> = {
  'in order': (n) => encodeText(`key ${String(n).padStart(9, '0')}`),
  random: (_, random) => random.bytes(8),
  'with long shared prefixes': (n, random) =>
    encodeText(`tenant ${random.below(4)}, a long name that many share: ${random.below(900)}:${n % 7}`),
  'of any length': (_, random) => random.bytes(random.below(40)),
}

const randomKeys = shapes.random as (n: number, random: Random) => Uint8Array

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

/** Puts and deletes by batches, and what must be there then. */
class Writer {
  readonly there = new Map<string, number>()
  readonly #engine: Engine
  readonly #random: Random
  readonly #key: (n: number, random: Random) => Uint8Array
  #count = 0

  constructor(engine: Engine, random: Random, key: (n: number, random: Random) => Uint8Array) {
    this.#engine = engine
    this.#random = random
    this.#key = key
  }

  write(count: number): void {
    const engine = this.#engine
    const revision = engine.appendedRevision + 1
    const changes = new Map<string, Change>()
    for (let left = count; left > 0; left--) {
      const random = this.#random
      const isKnown = this.there.size > 0 && random.chance(3)
      const known = isKnown ? Buffer.from([...this.there.keys()].at(-1 - random.below(9)) ?? '', 'hex') : undefined
      const key = known ?? this.#key(this.#count++, random)
      const change = isKnown && random.chance(2) ? deleteChange(0, key) : putChange(0, key, random.bytes(5))
      changes.set(hex(key), change)
    }
    for (const [key, { kind }] of changes) {
      if (kind === 'put') this.there.set(key, revision)
      else this.there.delete(key)
    }
    engine.append({ changes: [...changes.values()], revision, time: 0 })
    engine.write()
    engine.publish(engine.appendedPosition)
  }
}

function assertSame(engine: LogEngine, there: ReadonlyMap<string, number>): void {
  engine.validate()
  const found = Array.from(engine.range(0, {}), (record) => [hex(copyKey(record)), record.revision] as const)
  assert.deepEqual(
    found,
    [...there].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

describe('checkpoints', () => {
  for (const [name, key] of Object.entries(shapes)) {
    test(`keys ${name}, while more come and go`, async () => {
      for (const seed of seedsFor('checkpoint-shapes', { kept: [1], fresh: 1 })) {
        const random = new Random(seed)
        const disk = new SimulatedDisk({ seed })
        let writer: Writer | undefined
        const clock = slicingClock(() => {
          const { checkpoints, checkpointing } = engine.stats().details
          if (checkpoints === 0 && checkpointing && random.chance(4)) writer?.write(random.between(1, 60))
        })
        const engine: LogEngine = await open(disk, { checkpointBytes: 512 * KiB }, clock)
        writer = new Writer(engine, random, key)
        while (engine.stats().details.checkpoints === 0) {
          if (!engine.stats().details.checkpointing) writer.write(500)
          await engine.sync()
        }
        writer.write(100)
        assertSame(engine, writer.there)
        await engine.sync()
        disk.crash({ mode: 'drop-all' })
        await closeCrashed(engine)
        const again = await open(disk, { checkpointBytes: 64 * MiB })
        const { details } = again.stats()
        assert.equal(details.openedFromCheckpoint, true, `seed ${seed}: ${details.openingProblem}`)
        assert.ok(Number(details.openingReplayedBytes) > 0)
        assertSame(again, writer.there)
        const more = new Writer(again, random, key)
        for (const [known, revision] of writer.there) more.there.set(known, revision)
        for (let left = 20; left > 0; left--) more.write(200)
        assertSame(again, more.there)
        await again.close()
      }
    })
  }

  test('closing makes none where there is little to read', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk, { checkpointBytes: 1 * MiB })
    new Writer(engine, new Random(1), randomKeys).write(1000)
    await engine.close()
    assert.ok(!disk.exists('/store/shard-000/checkpoint'))
  })

  test('closing makes one where there is much, and reading then takes none of it', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk, { checkpointBytes: 64 * KiB })
    const writer = new Writer(engine, new Random(1), randomKeys)
    writer.write(1000)
    await engine.close()
    const again = await open(disk, { checkpointBytes: 64 * KiB })
    const { details, appendedPosition } = again.stats()
    assert.deepEqual(
      [details.openedFromCheckpoint, details.openingReplayedBytes, details.checkpointPosition],
      [true, 0, appendedPosition],
    )
    assertSame(again, writer.there)
    await again.close()
  })

  test('none is made or used where they are set off', async () => {
    const disk = new SimulatedDisk()
    for (const checkpointBytes of [64 * KiB, 0]) {
      const engine = await open(disk, { checkpointBytes })
      assert.equal(engine.stats().details.openedFromCheckpoint, false)
      new Writer(engine, new Random(1), randomKeys).write(1000)
      await engine.close()
      assert.equal(engine.stats().details.checkpoints, checkpointBytes === 0 ? 0 : 1)
    }
  })

  test('progress is of what is read', async () => {
    const disk = new SimulatedDisk()
    const settings = { ...config, checkpointBytes: 64 * KiB }
    const engine = await open(disk, settings)
    const writer = new Writer(engine, new Random(1), randomKeys)
    writer.write(1000)
    await engine.close()
    const again = await open(disk, { checkpointBytes: 64 * MiB })
    new Writer(again, new Random(2), randomKeys).write(100)
    await again.close()
    let [done, total] = [0, 0]
    const progress = (bytesDone: number, bytesTotal: number): void => {
      done = bytesDone
      total = bytesTotal
    }
    const last = await openLogEngine('/store', { disk, clock: slicingClock(), config: settings, progress })
    assert.ok(done > 0)
    assert.equal(done, total)
    assert.ok(done < last.stats().diskBytes)
    await last.close()
  })

  test('it tells the scrub when what it covers was last checked', async () => {
    const disk = new SimulatedDisk()
    let nowMs = 1000
    const clock = { ...slicingClock(), now: () => nowMs }
    const engine = await open(disk, { checkpointBytes: 64 * KiB, segmentBytes: 64 * KiB }, clock)
    const writer = new Writer(engine, new Random(1), randomKeys)
    for (let left = 4; left > 0; left--) writer.write(1000)
    await engine.close()
    nowMs = 9000
    const again = await open(disk, { checkpointBytes: 64 * KiB, segmentBytes: 64 * KiB }, clock)
    const { openedFromCheckpoint, scrubOldestAt } = again.stats().details
    assert.deepEqual([openedFromCheckpoint, scrubOldestAt], [true, 1000])
    await again.close()
  })

  test('damage to what it covers is named by who walks the log', async () => {
    const disk = new SimulatedDisk()
    const settings = { checkpointBytes: 64 * KiB, segmentBytes: 64 * KiB }
    const engine = await open(disk, settings)
    const writer = new Writer(engine, new Random(1), randomKeys)
    for (let left = 4; left > 0; left--) writer.write(1000)
    await engine.close()
    disk.zeroRange('/store/log-00/0000000001.log', 64, 64)
    const again = await open(disk, settings)
    assert.equal(again.stats().details.openedFromCheckpoint, true)
    assert.throws(() => [...again.changes(0)], { code: 'engine.corrupt' })
    await again.close()
  })

  test('one waits until what is in it is published, and is done without where that does not come', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk, { checkpointBytes: 16 * KiB })
    for (let i = 1; i < 400; i++) {
      engine.append({ changes: [putChange(0, encodeText(`key ${i}`), new Uint8Array(100))], revision: i, time: 0 })
    }
    await engine.sync()
    assert.ok((await engine.verify()).faults.length === 0, 'which comes after it')
    assert.equal(engine.stats().details.checkpoints, 0)
    assert.deepEqual(
      disk.list('/store/shard-000').filter((name) => name.startsWith('checkpoint')),
      [],
    )
    await engine.truncateAfter(0)
    assert.equal(engine.stats().keysIndexed, 0)
    await engine.close()
  })

  test('no version that it needs is dropped while it is made', async () => {
    const disk = new SimulatedDisk()
    let isKept = false
    const clock = slicingClock(() => {
      if (!engine.stats().details.checkpointing) return
      const before = engine.versionsRetained
      assert.ok(engine.retain(engine.publishedRevision), 'the caller need not wait')
      if (before > 0 && engine.versionsRetained === before) isKept = true
    })
    const engine: LogEngine = await open(disk, { checkpointBytes: 16 * KiB }, clock)
    for (let i = 1; i < 400; i++) {
      engine.append({ changes: [putChange(0, encodeText(`key ${i % 9}`), new Uint8Array(100))], revision: i, time: 0 })
    }
    engine.write()
    engine.publish(engine.appendedPosition)
    await engine.verify()
    assert.ok(isKept)
    assert.ok(Number(engine.stats().details.checkpoints) > 0)
    engine.retain(engine.publishedRevision)
    assert.equal(engine.versionsRetained, 0)
    await engine.close()
  })
})
