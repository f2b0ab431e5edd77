/**
 * What may go wrong while segments are compacted: the power, the room, a write, a sync, a read, a bit. Whatever it is, no
 * promised record is lost, none that was deleted comes back, and the store opens by itself.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import {
  type Change,
  copyKey,
  copyValue,
  deleteChange,
  deleteRangeChange,
  type Engine,
  putChange,
} from '@orbitkv/engine'
import { compareEngines, Twin } from '@orbitkv/engine/suite'
import { type Clock, diskErrors, realClock } from '@orbitkv/runtime'
import { type CrashMode, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { closeCrashed } from '../crashed-engine-suite.ts'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']

/** Each look finds the slice over, and a turn is a microtask: the power may go at any of them. */
function slicingClock(): Clock {
  let nowMs = 0
  return { ...realClock, monotonic: () => (nowMs += 1000), turn: () => Promise.resolve() }
}

/** A disk as one process sees it: once that is dead, it can do nothing any more. */
function mortal(disk: SimulatedDisk): { disk: SimulatedDisk; kill: () => void } {
  let isDead = false
  const alive = new Proxy(disk, {
    get(target, name) {
      if (isDead) throw diskErrors.failed({ operation: String(name), path: '/store', reason: 'the process is gone' })
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    disk: alive,
    kill: () => {
      isDead = true
    },
  }
}

function open(disk: SimulatedDisk, settings: object = config, random = new Random(1)): Promise<LogEngine> {
  const randomUint32 = (): number => random.uint32()
  return openLogEngine('/store', { disk, clock: slicingClock(), config: settings, randomUint32 })
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await undefined
}

function someChange(random: Random): Change {
  const keyspace = random.pick([0, 1, 7])
  const key = (): Uint8Array => encodeText(`key ${random.below(90)}`)
  if (random.chance(25)) return deleteRangeChange(keyspace, key(), random.chance(3) ? undefined : key())
  if (random.chance(4)) return deleteChange(keyspace, key())
  return putChange(keyspace, key(), random.bytes(random.chance(9) ? random.between(500, 3000) : random.below(60)))
}

function write(engine: Engine, twin: Twin, random: Random, count: number): void {
  for (let left = count; left > 0; left--) {
    const changes = Array.from({ length: random.between(1, 5) }, () => someChange(random))
    const batch = { changes, revision: engine.appendedRevision + 1, time: engine.appendedPosition }
    engine.append(batch)
    twin.append(batch)
  }
  engine.write()
  engine.publish(engine.appendedPosition)
  twin.publish(twin.appendedPosition)
}

function retain(engine: Engine, twin: Twin, random: Random): void {
  const revision = random.between(engine.oldestRevision, engine.publishedRevision)
  while (!engine.retain(revision));
  twin.retain(revision)
}

/** Compactions of one history, each with a power cut somewhere; throws where a promise was broken. */
async function cutPower(seed: number): Promise<void> {
  const random = new Random(seed)
  const disk = new SimulatedDisk({ seed })
  const twin = new Twin()
  let life = mortal(disk)
  let engine = await open(life.disk, config, random)
  for (let cuts = random.between(1, 4); cuts > 0; cuts--) {
    write(engine, twin, random, random.between(1, 120))
    const durable = await engine.sync()
    retain(engine, twin, random)
    if (random.chance(2)) write(engine, twin, random, random.between(1, 9))
    const running = [engine.compact(random.pick(['garbage', 'all', 'all']))]
    twin.retain(engine.oldestRevision)
    await turns(random.between(0, random.pick([20, 200, 2000])))
    if (random.chance(2)) write(engine, twin, random, random.between(1, 20))
    if (random.chance(3)) running.push(engine.sync())
    if (random.chance(3)) retain(engine, twin, random)
    await turns(random.between(0, random.pick([20, 200, 2000])))
    disk.crash({ mode: random.pick(modes), random })
    life.kill()
    await Promise.allSettled([...running, engine.close()])

    life = mortal(disk)
    engine = await open(life.disk, config, random)
    assert.equal(engine.stats().details.readOnly, '', 'a power cut is not damage')
    assert.ok(
      engine.appendedPosition >= durable,
      `position ${durable} was promised, ${engine.appendedPosition} is there`,
    )
    assert.ok(engine.oldestRevision <= engine.publishedRevision, 'the oldest state that is kept is there')
    twin.truncateAfter(engine.appendedPosition)
    twin.publishedPosition = engine.appendedPosition
    twin.reopen(engine.oldestRevision)
    engine.validate()
    compareEngines(engine, twin)
    assert.deepEqual((await engine.verify()).faults, [])
    const known = engine.stats().segments
    const files = [
      ...disk.list('/store/log-00'),
      ...(disk.exists('/store/shard-000') ? disk.list('/store/shard-000') : []),
    ]
    const segments = files.filter((name) => /\.(log|sorted)$/.test(name))
    assert.equal(segments.length, known, 'what a crash left behind is removed')
  }
  await engine.close()
}

/** A store with garbage in its oldest segments, everything behind it. */
async function withGarbage(disk: SimulatedDisk, settings: object = config): Promise<LogEngine> {
  const engine = await open(disk, settings)
  for (let i = 0; i < 120; i++) {
    const changes = [putChange(0, encodeText(`key ${i % 40}`), encodeText(`value ${i} `.padEnd(600, '.')))]
    engine.append({ changes, revision: i + 1, time: i })
  }
  await engine.sync()
  engine.publish(120)
  engine.retain(120)
  return engine
}

function stateOf(engine: Engine): Map<string, string> {
  return new Map(
    Array.from(engine.range(0, {}), (record) => [decodeText(copyKey(record)), decodeText(copyValue(record))]),
  )
}

const wholeState = new Map(
  Array.from({ length: 40 }, (_, i) => [`key ${i}`, `value ${i + 80} `.padEnd(600, '.')] as const).sort(([a], [b]) =>
    a < b ? -1 : 1,
  ),
)

/** Nothing changed: all is there, it can be written to, and compaction works once the cause is gone. */
async function assertUnharmed(disk: SimulatedDisk, engine: LogEngine): Promise<void> {
  engine.validate()
  assert.deepEqual(stateOf(engine), wholeState)
  assert.equal(engine.stats().details.sortedSegments, 0)
  assert.deepEqual(disk.list('/store/shard-000'), [], 'what was written is removed')
  assert.ok((await engine.compact('all')) > 0)
  engine.validate()
  assert.deepEqual(stateOf(engine), wholeState)
  await engine.close()
  const again = await open(disk)
  assert.deepEqual(stateOf(again), wholeState)
  assert.deepEqual((await again.verify()).faults, [])
  await again.close()
}

describe('faults during compaction', () => {
  test('power cuts', async () => {
    for (const seed of seedsFor('compaction-crash', { kept: [], fresh: 300 })) {
      await cutPower(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
      })
    }
  })

  test('a full disk leaves everything as it was', async () => {
    const disk = new SimulatedDisk()
    const engine = await withGarbage(disk)
    for (const nth of [1, 2, 3]) {
      disk.fail({ operation: 'write', nth, pathEnd: '.sorted', error: 'full', lasting: true })
      const outcome = await engine.compact('all').catch((error: { code: string }) => error.code)
      disk.clearFaults()
      assert.equal(outcome, 'engine.full')
      engine.append({ changes: [], revision: 120, time: 0 })
      await engine.sync()
      engine.publish(engine.appendedPosition)
      if (nth === 1) continue
      break
    }
    await assertUnharmed(disk, engine)
  })

  test('a full disk is compacted with the room of the reserve', async () => {
    const settings = { ...config, reserveBytes: 64 * KiB }
    const disk = new SimulatedDisk({ capacityBytes: 256 * KiB })
    const engine = await withGarbage(disk, settings)
    const key = (i: number): Uint8Array => encodeText(`key ${i % 40}`)
    assert.throws(
      () => {
        for (let i = 0; i < 1000; i++) {
          const changes = [putChange(0, key(i), new Uint8Array(600))]
          engine.append({ changes, revision: engine.appendedRevision + 1, time: 0 })
        }
      },
      { code: 'engine.full' },
    )
    await engine.sync()
    engine.publish(engine.appendedPosition)
    engine.retain(engine.publishedRevision)
    assert.ok((await engine.compact('all')) > 0)
    engine.append({
      changes: [putChange(0, key(0), new Uint8Array(600))],
      revision: engine.appendedRevision + 1,
      time: 0,
    })
    assert.equal(engine.count(0, {}), 40)
    await engine.close()
  })

  for (const operation of ['write', 'sync'] as const) {
    test(`a failed ${operation} of an output leaves everything as it was`, async () => {
      const disk = new SimulatedDisk()
      const engine = await withGarbage(disk)
      disk.fail({ operation, pathEnd: '.sorted', error: 'failed' })
      await assert.rejects(engine.compact('all'), { code: 'disk.failed' })
      await assertUnharmed(disk, engine)
    })
  }

  test('a failed replacement of the contents leaves the store as it was', async () => {
    const disk = new SimulatedDisk()
    const engine = await withGarbage(disk)
    disk.fail({ operation: 'sync', pathEnd: 'contents.new', error: 'failed' })
    await assert.rejects(engine.compact('all'), { code: 'disk.failed' })
    engine.validate()
    assert.deepEqual(stateOf(engine), wholeState)
    await engine.close()
    const again = await open(disk)
    assert.deepEqual(stateOf(again), wholeState)
    await again.close()
  })

  test('a contents file that may be in place, or not, is not taken back', async () => {
    for (const mode of modes) {
      const disk = new SimulatedDisk()
      const engine = await withGarbage(disk)
      await engine.compact('all')
      engine.append({ changes: [putChange(0, encodeText('more'), encodeText('more'))], revision: 121, time: 0 })
      await engine.sync()
      engine.publish(engine.appendedPosition)
      engine.retain(121)
      // The name may be durable or not: whoever removes what the contents name, or goes on as before, may lose it all.
      disk.fail({ operation: 'syncDirectory', nth: 2, pathEnd: 'shard-000', error: 'failed' })
      await assert.rejects(engine.compact('all'))
      await closeCrashed(engine)
      disk.crash({ mode })
      disk.clearFaults()
      const again = await open(disk)
      assert.equal(again.stats().details.readOnly, '')
      assert.deepEqual(stateOf(again), new Map([...wholeState, ['more', 'more']]))
      await again.close()
    }
  })

  test('a read error in an input leaves everything as it was', async () => {
    const disk = new SimulatedDisk()
    const engine = await withGarbage(disk)
    disk.fail({ operation: 'read', pathEnd: '0000000002.log', error: 'failed' })
    await assert.rejects(engine.compact('all'), { code: 'disk.failed' })
    disk.clearFaults()
    assert.deepEqual(stateOf(engine), wholeState)
    assert.ok((await engine.compact('all')) > 0)
    await engine.close()
  })

  test('a flipped bit in an input is named, and nothing is compacted', async () => {
    const disk = new SimulatedDisk()
    const engine = await withGarbage(disk)
    disk.flipBit('/store/log-00/0000000002.log', 3000, 2)
    const error = await engine.compact('all').catch((reason: unknown) => reason)
    assert.equal((error as { code: string }).code, 'engine.corrupt')
    assert.match((error as Error).message, /0000000002\.log.*byte \d+/)
    assert.equal(engine.stats().details.sortedSegments, 0)
    assert.equal(stateOf(engine).size, 40)
    await engine.close()
  })
})
