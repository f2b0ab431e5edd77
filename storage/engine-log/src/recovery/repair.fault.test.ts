/**
 * Repair: whatever is damaged, the new store opens for writing, verifies clean, and has everything that was sound; the
 * list says what is lost; the damaged folder is as it was.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { copyKey, copyValue, deleteChange, type Engine, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'
import { type RepairReport, repairStore } from './repair.ts'

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const keysSorted = 60
const keysInLog = 60

/** A closed store: `k0` to `k59` in sorted segments, `k60` to `k119` in the log, `gone` deleted; one batch each. */
async function filled(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const engine = await openLogEngine('/store', { disk, config })
  const put = (i: number): void => {
    const revision = engine.appendedRevision + 1
    engine.append({ changes: [putChange(0, encodeText(`k${i}`), valueOf(`k${i}`))], revision, time: revision })
  }
  engine.append({ changes: [putChange(0, encodeText('gone'), encodeText('x'))], revision: 1, time: 1 })
  for (let i = 0; i < keysSorted; i++) put(i)
  await engine.sync()
  engine.publish(engine.appendedPosition)
  engine.retain(engine.publishedRevision)
  await engine.compact('all')
  for (let i = 0; i < keysInLog; i++) put(keysSorted + i)
  const revision = engine.appendedRevision + 1
  engine.append({ changes: [deleteChange(0, encodeText('gone'))], revision, time: revision })
  await engine.sync()
  engine.publish(engine.appendedPosition)
  await engine.close()
  return disk
}

function valueOf(key: string): Uint8Array {
  return encodeText(`value of ${key} `.padEnd(600, '.'))
}

function keysOf(engine: Engine): Set<string> {
  const keys = new Set<string>()
  for (const record of engine.range(0, {})) {
    const key = decodeText(copyKey(record))
    if (key !== 'gone') assert.deepEqual(copyValue(record), valueOf(key), 'what is there is what was written')
    keys.add(key)
  }
  return keys
}

function pathsOf(disk: SimulatedDisk, kind: 'log' | 'sorted', folder = '/store'): string[] {
  const directory = `${folder}/${kind === 'log' ? 'log-00' : 'shard-000'}`
  return disk
    .list(directory)
    .filter((name) => name.endsWith(`.${kind}`))
    .map((name) => `${directory}/${name}`)
}

function readFile(disk: SimulatedDisk, path: string): Uint8Array {
  const file = disk.open(path, 'read')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

function writeFile(disk: SimulatedDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, 'create')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

function snapshotOf(disk: SimulatedDisk): Map<string, Uint8Array> {
  const paths = [...pathsOf(disk, 'log'), ...pathsOf(disk, 'sorted')]
  return new Map(paths.map((path) => [path, readFile(disk, path)]))
}

interface Repaired {
  readonly report: RepairReport
  readonly keys: Set<string>
}

/** Opening names the damage; repair makes a sound store of it; the damaged one is untouched. */
async function repair(disk: SimulatedDisk): Promise<Repaired> {
  const before = snapshotOf(disk)
  const damaged = await openLogEngine('/store', { disk, config })
  assert.notEqual(damaged.stats().details.readOnly, '', 'opening names the damage')
  const served = keysOf(damaged)
  await damaged.close()

  const dry = await repairStore('/store', { disk, target: '/repaired', dryRun: true, config })
  assert.equal(dry.isWritten, false)
  assert.equal(disk.exists('/repaired'), false, 'a dry run writes nothing')
  const report = await repairStore('/store', { disk, target: '/repaired', config })
  assert.deepEqual({ ...report, isWritten: false }, dry, 'a dry run tells what is done')
  assert.ok(report.faults.length > 0)
  assert.deepEqual(snapshotOf(disk), before, 'the damaged store is as it was')

  let engine = await openLogEngine('/repaired', { disk, config })
  assert.equal(engine.stats().details.readOnly, '')
  const keys = keysOf(engine)
  for (const key of served) assert.ok(keys.has(key), `${key} was served from the damaged store`)
  const revision = engine.appendedRevision + 1
  engine.append({ changes: [putChange(0, encodeText('k999'), valueOf('k999'))], revision, time: 0 })
  await engine.sync()
  engine.publish(engine.appendedPosition)
  engine.retain(revision)
  await engine.compact('all')
  await engine.close()
  engine = await openLogEngine('/repaired', { disk, config })
  assert.deepEqual((await engine.verify()).faults, [])
  assert.equal(keysOf(engine).size, keys.size + 1, 'the repaired store goes on')
  await engine.close()
  return { report, keys }
}

/** The keys that were there and are not. */
function missing(keys: Set<string>): string[] {
  return Array.from({ length: keysSorted + keysInLog }, (_, i) => `k${i}`).filter((key) => !keys.has(key))
}

describe('repair', () => {
  test('a sound store is left alone', async () => {
    const disk = await filled()
    const report = await repairStore('/store', { disk, target: '/repaired', config })
    assert.deepEqual([report.faults, report.lost, report.isWritten], [[], [], false])
    assert.equal(report.recordsKept, keysSorted + 1 + keysInLog + 1)
    assert.equal(disk.exists('/repaired'), false)
  })

  test('a folder that holds something is not written to', async () => {
    const disk = await filled()
    disk.makeDirectory('/repaired')
    writeFile(disk, '/repaired/mine', Uint8Array.of(1))
    await assert.rejects(repairStore('/store', { disk, target: '/repaired', config }), { code: 'engine.not_a_store' })
  })

  test('a store in use is not repaired', async () => {
    const disk = await filled()
    const engine = await openLogEngine('/store', { disk, config })
    await assert.rejects(repairStore('/store', { disk, target: '/repaired', config }), { code: 'disk.locked' })
    await engine.close()
  })

  test('a flipped bit in a value of a log segment costs that batch, whose position and place are told', async () => {
    const disk = await filled()
    const [, second] = pathsOf(disk, 'log') as [string, string]
    disk.flipBit(second, 5000, 3)
    const { report, keys } = await repair(disk)
    assert.equal(missing(keys).length, 1)
    const [lost] = report.lost
    assert.equal(report.lost.length, 1)
    assert.equal(lost?.file, second)
    assert.ok(lost.offset <= 5000 && lost.offset + lost.bytes > 5000)
    assert.equal(lost.positions?.first, lost.positions?.last)
    assert.equal(lost.recordsSaved, 0)
  })

  test('a flipped bit in the header of a batch loses no record', async () => {
    const disk = await filled()
    const [first] = pathsOf(disk, 'log') as [string]
    disk.flipBit(first, 64 + 8, 4)
    const { report, keys } = await repair(disk)
    assert.deepEqual(missing(keys), [])
    assert.equal(report.lost[0]?.recordsSaved, 1)
  })

  test('a damaged header of a log segment loses no record', async () => {
    const disk = await filled()
    const [, second] = pathsOf(disk, 'log') as [string, string]
    disk.flipBit(second, 40, 1)
    assert.deepEqual(missing((await repair(disk)).keys), [])
  })

  test('zeroed pages cost the records in them', async () => {
    const disk = await filled()
    const [, second] = pathsOf(disk, 'log') as [string, string]
    disk.zeroRange(second, 4096, 4096)
    const lost = missing((await repair(disk)).keys).length
    assert.ok(lost > 0 && lost <= 8, `${lost} keys are lost`)
  })

  for (const [what, damage] of [
    ['a missing log segment', (disk: SimulatedDisk, path: string) => disk.remove(path)],
    ['a truncated log segment', (disk: SimulatedDisk, path: string) => disk.cut(path, 8192)],
  ] as const) {
    for (const which of [0, 1, -1]) {
      test(`${what}, number ${which}, costs its records`, async () => {
        const disk = await filled()
        damage(disk, pathsOf(disk, 'log').at(which) as string)
        const { report, keys } = await repair(disk)
        assert.ok(missing(keys).length > 0 && missing(keys).length < 30)
        assert.ok(missing(keys).every((key) => Number(key.slice(1)) >= keysSorted))
        if (which !== -1) assert.ok(report.lost.length > 0)
      })
    }
  }

  test('a flipped bit in a sorted segment costs one record, and the keys around it are told', async () => {
    const disk = await filled()
    const [first] = pathsOf(disk, 'sorted') as [string]
    disk.flipBit(first, 5000, 3)
    const { report, keys } = await repair(disk)
    const [key] = missing(keys) as [string]
    assert.equal(missing(keys).length, 1)
    const around = report.lost[0]?.keys
    assert.ok(decodeText(around?.after as Uint8Array) < key && key < decodeText(around?.before as Uint8Array))
  })

  test('a damaged footer or header of a sorted segment loses nothing', async () => {
    for (const place of ['header', 'footer']) {
      const disk = await filled()
      const [first] = pathsOf(disk, 'sorted') as [string]
      disk.flipBit(first, place === 'header' ? 40 : readFile(disk, first).length - 50, 1)
      const { report, keys } = await repair(disk)
      assert.deepEqual(missing(keys), [])
      assert.deepEqual(report.lost, [])
    }
  })

  test('a truncated sorted segment keeps what is left', async () => {
    const disk = await filled()
    const [first] = pathsOf(disk, 'sorted') as [string]
    disk.cut(first, 8000)
    const { report, keys } = await repair(disk)
    assert.ok(missing(keys).length > 0 && missing(keys).length < 20)
    assert.equal(report.lost.at(-1)?.file, first)
  })

  test('a missing sorted segment costs its records, and their number is told', async () => {
    const disk = await filled()
    const [first] = pathsOf(disk, 'sorted') as [string]
    disk.remove(first)
    const { report, keys } = await repair(disk)
    assert.equal(missing(keys).length + 1, report.lost[0]?.records, 'the first has the record of `gone`, too')
  })

  test('a sorted segment in the place of another costs that one', async () => {
    const disk = await filled()
    const [first, second] = pathsOf(disk, 'sorted') as [string, string]
    const bytes = readFile(disk, second)
    disk.remove(first)
    writeFile(disk, first, bytes)
    const { keys } = await repair(disk)
    assert.ok(missing(keys).length > 0 && missing(keys).length < 30)
  })

  test('a sorted segment under a name that nobody knows is named, not removed', async () => {
    const disk = await filled()
    const [first] = pathsOf(disk, 'sorted') as [string]
    writeFile(disk, '/store/shard-000/0000000099.sorted', readFile(disk, first))
    const engine = await openLogEngine('/store', { disk, config })
    assert.match(String(engine.stats().details.readOnly), /0000000099\.sorted is damaged/)
    await engine.close()
    assert.ok(disk.exists('/store/shard-000/0000000099.sorted'))
  })

  for (const [what, damage] of [
    ['damaged', (disk: SimulatedDisk) => disk.flipBit('/store/shard-000/contents', 40, 1)],
    ['missing', (disk: SimulatedDisk) => disk.remove('/store/shard-000/contents')],
    ['empty', (disk: SimulatedDisk) => disk.cut('/store/shard-000/contents', 0)],
  ] as const) {
    test(`${what} contents lose nothing`, async () => {
      const disk = await filled()
      damage(disk)
      const { report, keys } = await repair(disk)
      assert.deepEqual(missing(keys), [])
      assert.equal(keys.has('gone'), false, 'what was deleted stays so')
      assert.equal(report.faults[0]?.file, '/store/shard-000/contents')
    })
  }

  test('missing contents before an empty log do not let the sorted segments be taken for leftovers', async () => {
    const disk = await filled()
    const engine = await openLogEngine('/store', { disk, config })
    engine.retain(engine.publishedRevision)
    await engine.compact('all')
    await engine.close()
    disk.remove('/store/shard-000/contents')
    assert.deepEqual(missing((await repair(disk)).keys), [])
  })

  for (const seed of seedsFor('repair', { kept: [1, 2, 3], fresh: 25 })) {
    test(`any flipped bits, seed ${seed}`, async () => {
      const random = new Random(seed)
      const disk = await filled()
      const paths = [...pathsOf(disk, 'log'), ...pathsOf(disk, 'sorted'), '/store/shard-000/contents']
      for (let count = random.between(1, 5); count > 0; count--) {
        const path = random.pick(paths)
        disk.flipBit(path, random.below(readFile(disk, path).length), random.below(8))
      }
      const opened = await openLogEngine('/store', { disk, config })
      const isHarmless = opened.stats().details.readOnly === ''
      if (isHarmless) assert.deepEqual(missing(keysOf(opened)), [])
      await opened.close()
      if (isHarmless) return
      // Each flip can cost one record; one in the seed of a header costs its segment.
      assert.ok(missing((await repair(disk)).keys).length <= 5 * 30)
    })
  }
})
