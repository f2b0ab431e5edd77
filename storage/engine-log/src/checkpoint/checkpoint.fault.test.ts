/**
 * What may go wrong with a checkpoint: a bit, a cut, the power at any write, a full disk, a failed read, an older one in its place.
 * Whatever it is, opening finds the same state as without one: a checkpoint costs time at worst.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { copyKey, copyValue, deleteRangeChange, type Engine, putChange } from '@orbitkv/engine'
import { type Clock, type Disk, diskErrors, realClock } from '@orbitkv/runtime'
import { type CrashMode, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { assertRefusal, closeCrashed } from '../crashed-engine-suite.ts'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0, checkpointBytes: 16 * KiB }
const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']
const path = '/store/shard-000/checkpoint'

/** Each look finds the slice over; a turn is a microtask. */
function slicingClock(): Clock {
  let nowMs = 0
  return { ...realClock, monotonic: () => (nowMs += 1000), turn: () => Promise.resolve() }
}

function open(disk: Disk, settings: object = config, random = new Random(1)): Promise<LogEngine> {
  const randomUint32 = (): number => random.uint32()
  return openLogEngine('/store', { disk, clock: slicingClock(), config: settings, randomUint32 })
}

function write(engine: Engine, random: Random, count: number): void {
  for (let left = count; left > 0; left--) {
    const key = (): Uint8Array => Uint8Array.of(random.below(4), random.below(64))
    const change = random.chance(20) ? deleteRangeChange(0, key(), key()) : putChange(0, key(), random.bytes(100))
    engine.append({ changes: [change], revision: engine.appendedRevision + 1, time: 0 })
  }
  engine.write()
  engine.publish(engine.appendedPosition)
}

/** Everything that can be read, in each of the states kept from a revision on. */
function stateOf(engine: Engine, oldest = engine.publishedRevision): unknown[] {
  const states: unknown[] = []
  for (let at = oldest; at <= engine.publishedRevision; at += 7) {
    states.push(Array.from(engine.range(0, { at }), (record) => [copyKey(record), copyValue(record), record.revision]))
  }
  return states
}

interface Store {
  readonly oldest: number
  readonly states: readonly unknown[]
}

/** Closes a store; returns its states from a revision on. */
async function closed(engine: Engine, oldest: number): Promise<Store> {
  const states = stateOf(engine, oldest)
  await engine.close()
  return { oldest, states }
}

/** A closed store with a checkpoint, and the states from a revision on. */
async function closedStore(disk: SimulatedDisk): Promise<Store> {
  const random = new Random(5)
  const engine = await open(disk)
  write(engine, random, 300)
  await engine.sync()
  const oldest = engine.publishedRevision - 50
  while (!engine.retain(oldest));
  await engine.compact('all')
  write(engine, random, 60)
  return closed(engine, oldest)
}

function fileOf(disk: Disk): Uint8Array {
  const file = disk.open(path, 'read')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

function replaceFile(disk: Disk, bytes: Uint8Array): void {
  if (disk.exists(path)) disk.remove(path)
  const file = disk.open(path, 'create')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

async function assertOpens(
  disk: Disk,
  { oldest, states }: Store,
  expected: { openedFromCheckpoint: boolean; openingProblem?: RegExp },
): Promise<void> {
  const engine = await open(disk, { ...config, checkpointBytes: 1024 * KiB })
  const { details } = engine.stats()
  assert.equal(details.readOnly, '')
  assert.equal(details.openedFromCheckpoint, expected.openedFromCheckpoint)
  assert.match(String(details.openingProblem), expected.openingProblem ?? /^$/)
  engine.validate()
  assert.deepEqual(stateOf(engine, oldest), states)
  await engine.close()
}

describe('faults of a checkpoint', () => {
  test('a sound one is used', async () => {
    const disk = new SimulatedDisk()
    await assertOpens(disk, await closedStore(disk), { openedFromCheckpoint: true })
  })

  test('a flipped bit anywhere makes it unused', async () => {
    const disk = new SimulatedDisk()
    const store = await closedStore(disk)
    const sound = fileOf(disk)
    for (const seed of seedsFor('checkpoint-bits', { kept: [], fresh: 150 })) {
      const offset = seed < 128 ? seed : new Random(seed).below(sound.length)
      const bytes = sound.slice()
      bytes[offset] = (bytes[offset] as number) ^ (1 << (seed & 7))
      replaceFile(disk, bytes)
      const expected = { openedFromCheckpoint: false, openingProblem: /./ }
      await assertOpens(disk, store, expected).catch((cause: unknown) => {
        throw new Error(`seed ${seed}, byte ${offset} of ${sound.length}`, { cause })
      })
    }
    replaceFile(disk, sound)
    await assertOpens(disk, store, { openedFromCheckpoint: true })
  })

  test('one that is cut, or has more behind it, is not used', async () => {
    const disk = new SimulatedDisk()
    const store = await closedStore(disk)
    const sound = fileOf(disk)
    const longer = new Uint8Array(sound.length + 8)
    longer.set(sound)
    const wrong = [0, 1, 100, 128, 4096, sound.length - 1].map((length) => sound.slice(0, length))
    for (const bytes of [...wrong, longer]) {
      replaceFile(disk, bytes)
      await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /./ })
    }
  })

  test('one of older contents is not used', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const older = fileOf(disk)
    const engine = await open(disk)
    const oldest = engine.publishedRevision
    while (!engine.retain(oldest));
    assert.ok((await engine.compact('all')) > 0)
    const store = await closed(engine, oldest)
    replaceFile(disk, older)
    await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /generation 1 .* is 2/ })
  })

  test('one of the same contents that is older only has a longer tail', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const older = fileOf(disk)
    const engine = await open(disk)
    write(engine, new Random(6), 400)
    const oldest = engine.publishedRevision - 300
    const store = await closed(engine, oldest)
    assert.notDeepEqual(fileOf(disk), older)
    replaceFile(disk, older)
    await assertOpens(disk, store, { openedFromCheckpoint: true })
  })

  test('one of what the log was before it went another way is not used, and gone', async () => {
    const disk = new SimulatedDisk()
    const put = (engine: Engine, from: number, to: number, fill: number): void => {
      for (let i = from; i < to; i++) {
        const change = putChange(0, Uint8Array.of(i), new Uint8Array(100).fill(fill))
        engine.append({ changes: [change], revision: i, time: 0 })
      }
      engine.publish(engine.appendedPosition)
    }
    const engine = await open(disk)
    put(engine, 1, 60, 1)
    await engine.close()
    const before = fileOf(disk)
    // A disk that promised what it did not keep.
    const [file] = disk.list('/store/log-00').filter((name) => name.endsWith('.log'))
    disk.cut(`/store/log-00/${file}`, 10_000)
    disk.remove('/store/log-00/durable')
    const other = await open(disk, { ...config, checkpointBytes: 1024 * KiB })
    assert.match(String(other.stats().details.openingProblem), /ends before its tail/)
    assert.ok(!disk.exists(path), 'it is removed before the log goes on')
    put(other, other.appendedRevision + 1, 60, 2)
    const store = await closed(other, 1)
    replaceFile(disk, before)
    await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /has other batches/ })
  })

  test('one that another store left is not used', async () => {
    const disk = new SimulatedDisk()
    const store = await closedStore(disk)
    const other = new SimulatedDisk()
    const engine = await open(other, config, new Random(2))
    write(engine, new Random(3), 300)
    await engine.close()
    replaceFile(disk, fileOf(other))
    await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /another store/ })
  })

  test('a segment that it covers and that is not as it was is read, and named', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const [sorted] = disk.list('/store/shard-000').filter((name) => name.endsWith('.sorted'))
    const file = `/store/shard-000/${sorted}`
    disk.cut(file, 5000)
    const engine = await open(disk)
    const { details } = engine.stats()
    assert.equal(details.openedFromCheckpoint, false)
    assert.match(String(details.openingProblem), /sorted has 5000 bytes/)
    assert.match(String(details.readOnly), /sorted is damaged at byte/)
    await engine.close()
  })

  test('a segment that it covers and that is missing is named', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const [sorted] = disk.list('/store/shard-000').filter((name) => name.endsWith('.sorted'))
    disk.remove(`/store/shard-000/${sorted}`)
    const engine = await open(disk)
    const { details } = engine.stats()
    assert.match(String(details.openingProblem), /is missing/)
    assert.match(String(details.readOnly), /is missing/)
    await engine.close()
  })

  test('a damaged batch before the tail, in its segment, is named', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const file = `/store/log-00/${disk
      .list('/store/log-00')
      .filter((name) => name.endsWith('.log'))
      .at(-1)}`
    disk.flipBit(file, 200, 3)
    const engine = await open(disk)
    const { details } = engine.stats()
    assert.match(String(details.openingProblem), /damaged at byte 64/)
    assert.match(String(details.readOnly), /log is damaged at byte 64/)
    await engine.close()
  })

  test('what it covers is not read at opening, and verify finds damage there', async () => {
    const disk = new SimulatedDisk()
    await closedStore(disk)
    const [sorted] = disk.list('/store/shard-000').filter((name) => name.endsWith('.sorted'))
    const file = `/store/shard-000/${sorted}`
    disk.flipBit(file, 3000, 3)
    const engine = await open(disk)
    assert.equal(engine.stats().details.openedFromCheckpoint, true)
    const { faults } = await engine.verify()
    assert.deepEqual([...new Set(faults.map((fault) => fault.file))], [file])
    await engine.close()
  })

  for (const operation of ['read', 'open'] as const) {
    test(`a failed ${operation} costs only time`, async () => {
      const disk = new SimulatedDisk()
      const store = await closedStore(disk)
      disk.fail({ operation, pathEnd: '/checkpoint', error: 'failed' })
      await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /failed/ })
    })
  }

  for (const operation of ['open', 'write', 'sync', 'rename'] as const) {
    test(`a failed ${operation} while it is made leaves the one before`, async () => {
      const disk = new SimulatedDisk()
      await closedStore(disk)
      const before = fileOf(disk)
      const engine = await open(disk)
      disk.fail({ operation, pathEnd: 'checkpoint.new', error: 'failed', lasting: true })
      write(engine, new Random(6), 200)
      await engine.sync()
      const store = await closed(engine, engine.oldestRevision)
      assert.notEqual(engine.stats().details.checkpointProblem, '')
      assert.deepEqual(fileOf(disk), before)
      assert.ok(!disk.exists(`${path}.new`), 'what was begun is removed')
      await assertOpens(disk, store, { openedFromCheckpoint: true })
    })
  }

  test('what nobody foresaw while it is made is told, and the store goes on', async () => {
    const disk = new SimulatedDisk()
    let isBroken = true
    const broken = new Proxy(disk, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          const isIt = name === 'open' && String(given[0]).endsWith('checkpoint.new')
          // As when memory cannot be had: no error of ours.
          if (isIt && isBroken) throw new RangeError('Array buffer allocation failed')
          return value.apply(target, given)
        }
      },
    })
    // A rejection that nobody handles would fail this test.
    const engine = await open(broken)
    for (let i = 0; i < 20; i++) {
      write(engine, new Random(6 + i), 50)
      await engine.sync()
    }
    assert.match(String(engine.stats().details.checkpointProblem), /allocation failed/)
    assert.equal(engine.stats().details.checkpoints, 0)
    isBroken = false
    for (let i = 0; i < 20; i++) {
      write(engine, new Random(30 + i), 50)
      await engine.sync()
    }
    assert.equal(engine.stats().details.checkpointProblem, '')
    const store = await closed(engine, engine.oldestRevision)
    await assertOpens(disk, store, { openedFromCheckpoint: true })
  })

  test('a full disk does without', async () => {
    const disk = new SimulatedDisk()
    const engine = await open(disk)
    disk.fail({ operation: 'write', pathEnd: 'checkpoint.new', error: 'full', lasting: true })
    write(engine, new Random(6), 200)
    const store = await closed(engine, 0)
    assert.match(String(engine.stats().details.checkpointProblem), /./)
    disk.clearFaults()
    await assertOpens(disk, store, { openedFromCheckpoint: false, openingProblem: /none/ })
  })

  test('the power may go at every step of the disk', async () => {
    for (const mode of modes) {
      let isCut = true
      for (let left = 1; isCut; left += left < 20 ? 1 : 5) isCut = await cutPowerAfter(left, mode)
    }
  })
})

/** Ends everything at an operation of the disk; false where it was never come to. */
async function cutPowerAfter(operations: number, mode: CrashMode): Promise<boolean> {
  const disk = new SimulatedDisk()
  await closedStore(disk)
  let left = Number.POSITIVE_INFINITY
  const gone = (operation: string): never => {
    throw diskErrors.failed({ operation, path: '/store', reason: 'the power is gone' })
  }
  const counted = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name, object)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          if (
            ['write', 'sync', 'rename', 'remove', 'syncDirectory', 'truncate'].includes(String(name)) &&
            left-- <= 0
          ) {
            gone(String(name))
          }
          const result: unknown = value.apply(object, given)
          return name === 'open' ? counted(result as object) : result
        }
      },
    })
  const engine = await open(counted(disk))
  const random = new Random(8)
  left = operations
  let durable = engine.publishedRevision
  let states = stateOf(engine)
  try {
    for (let round = 0; round < 3; round++) {
      write(engine, random, 80)
      const written = stateOf(engine)
      await engine.sync()
      durable = engine.publishedRevision
      states = written
    }
    await engine.close()
  } catch (error) {
    assertRefusal(error)
    await closeCrashed(engine)
  }
  const isCut = left < 0
  disk.crash({ mode, random: new Random(operations) })
  const again = await open(disk, { ...config, checkpointBytes: 1024 * KiB })
  const { details } = again.stats()
  assert.equal(details.readOnly, '', `after ${operations} operations, ${mode}`)
  assert.ok(again.publishedRevision >= durable, 'what was promised is there')
  again.validate()
  const there = Array.from(again.range(0, { at: durable }), (record) => [
    copyKey(record),
    copyValue(record),
    record.revision,
  ])
  assert.deepEqual([there], states)
  await again.close()
  return isCut
}
