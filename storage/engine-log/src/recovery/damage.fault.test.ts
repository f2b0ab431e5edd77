/**
 * Damage to files that were whole: each kind is named with file and offset, the store opens for reading, and every record
 * that is sound is still served. A clean end or a torn tail is never taken for damage, nor damage for a torn tail.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { copyKey, copyValue, type Engine, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const batches = 100

function open(disk: SimulatedDisk): Promise<Engine> {
  return openLogEngine('/store', { disk, config })
}

/** A closed store of several segments: key `k0` to `k99`, one batch each, values of 600 bytes. */
async function filled(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const engine = await open(disk)
  for (let i = 0; i < batches; i++) {
    const value = encodeText(`value ${i} `.padEnd(600, '.'))
    engine.append({ changes: [putChange(0, encodeText(`k${i}`), value)], revision: i + 1, time: i })
  }
  await engine.sync()
  engine.publish(batches)
  await engine.close()
  return disk
}

function segmentPaths(disk: SimulatedDisk): string[] {
  return disk
    .list('/store/log-00')
    .filter((name) => name.endsWith('.log'))
    .map((name) => `/store/log-00/${name}`)
}

function keysOf(engine: Engine): Map<string, string> {
  return new Map(
    Array.from(engine.range(0, {}), (record) => [decodeText(copyKey(record)), decodeText(copyValue(record))]),
  )
}

/** Opens what was damaged: it must say so, refuse writes, and serve only values that were written. */
async function assertNamed(disk: SimulatedDisk, file: string, keptMin: number): Promise<void> {
  const engine = await open(disk)
  try {
    const report = await engine.verify()
    assert.ok(report.faults.length > 0, 'the damage is found')
    assert.ok(
      report.faults.some((fault) => fault.file === file),
      `${file} is named, not only ${report.faults.map((fault) => fault.file)}`,
    )
    assert.throws(
      () => engine.append({ changes: [putChange(0, encodeText('x'), encodeText('y'))], revision: 1e6, time: 0 }),
      {
        code: 'engine.read_only',
      },
    )
    const kept = keysOf(engine)
    assert.ok(kept.size >= keptMin, `${kept.size} keys are kept, at least ${keptMin} are sound`)
    for (const [key, value] of kept) assert.equal(value, `value ${key.slice(1)} `.padEnd(600, '.'))
    for (const batch of engine.changes(0)) assert.ok(batch.position >= 1)
  } finally {
    await engine.close()
  }
}

describe('damage', () => {
  test('an undamaged store opens for writing, with everything', async () => {
    const engine = await open(await filled())
    assert.equal(keysOf(engine).size, batches)
    assert.equal(engine.append({ changes: [], revision: batches, time: 0 }), batches + 1)
    await engine.close()
  })

  test('what a power cut leaves of a second segment is no damage where the first has not a batch', async () => {
    const disk = new SimulatedDisk()
    // The durable line says now that nothing but the header of the first segment was promised.
    await (await open(disk)).close()
    const second = disk.open('/store/log-00/0000000002.log', 'create')
    second.write(new Random(1).bytes(1000), 0, 1000, 0)
    second.close()
    const engine = await open(disk)
    assert.equal(engine.stats().details.readOnly, '')
    assert.equal(engine.append({ changes: [], revision: 0, time: 0 }), 1)
    await engine.close()
  })

  test('a flipped bit in a record of the middle loses that batch alone', async () => {
    const disk = await filled()
    const [, second] = segmentPaths(disk) as [string, string]
    disk.flipBit(second, 5000, 3)
    await assertNamed(disk, second, batches - 1)
  })

  test("with checksums 'always' a record that is damaged after opening is an error, and never an answer", async () => {
    const disk = await filled()
    const [, second] = segmentPaths(disk) as [string, string]
    const engine = await openLogEngine('/store', { disk, config: { ...config, checksums: 'always' } })
    assert.equal(keysOf(engine).size, batches)
    disk.flipBit(second, 5000, 3)
    const damaged: string[] = []
    for (let i = 0; i < batches; i++) {
      const key = encodeText(`k${i}`)
      const read = (): unknown => engine.get(0, key, 0, key.length)
      try {
        read()
      } catch {
        assert.throws(read, (error: { code: string; details: Record<string, unknown> }) => {
          assert.equal(error.code, 'engine.corrupt')
          assert.equal(error.details.file, second)
          return Number(error.details.offset) <= 5000
        })
        await assert.rejects(engine.getAsync(0, key), { code: 'engine.corrupt' })
        damaged.push(decodeText(key))
      }
    }
    assert.equal(damaged.length, 1)
    assert.throws(() => keysOf(engine), { code: 'engine.corrupt' })
    await engine.close()
  })

  test('a flipped bit in the last batch of all is known from a torn tail, since the store was closed', async () => {
    const disk = await filled()
    const last = segmentPaths(disk).at(-1) as string
    const file = disk.open(last, 'read')
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    disk.flipBit(
      last,
      bytes.findLastIndex((byte) => byte !== 0),
      0,
    )
    await assertNamed(disk, last, batches - 1)
  })

  test('a flipped bit in a batch length loses that batch alone', async () => {
    const disk = await filled()
    const [first] = segmentPaths(disk) as [string]
    disk.flipBit(first, 64 + 8, 4)
    await assertNamed(disk, first, batches - 1)
  })

  test('zeroed pages are not taken for the end of the log', async () => {
    const disk = await filled()
    const [, second] = segmentPaths(disk) as [string, string]
    disk.zeroRange(second, 4096, 4096)
    await assertNamed(disk, second, batches - 10)
  })

  test('a truncated segment in the middle is found', async () => {
    const disk = await filled()
    const [, second, third] = segmentPaths(disk) as [string, string, string]
    disk.cut(second, 8192)
    await assertNamed(disk, third, batches / 2)
  })

  test('a truncated last segment is found, since the store was closed', async () => {
    const disk = await filled()
    const last = segmentPaths(disk).at(-1) as string
    disk.cut(last, 64)
    await assertNamed(disk, last, batches / 2)
  })

  test('a missing segment is found', async () => {
    const disk = await filled()
    const [, second, third] = segmentPaths(disk) as [string, string, string]
    disk.remove(second)
    await assertNamed(disk, third, batches / 2)
  })

  test('a missing first segment is found', async () => {
    const disk = await filled()
    const [first, second] = segmentPaths(disk) as [string, string]
    disk.remove(first)
    await assertNamed(disk, second, batches / 2)
  })

  test('a missing last segment is found, since the store was closed', async () => {
    const disk = await filled()
    const paths = segmentPaths(disk)
    disk.remove(paths.at(-1) as string)
    await assertNamed(disk, paths.at(-2) as string, batches / 2)
  })

  test('a segment under a second name is found', async () => {
    const disk = await filled()
    const paths = segmentPaths(disk)
    const [first] = paths as [string]
    const copy = disk.open(first, 'read')
    const bytes = new Uint8Array(copy.size())
    copy.read(bytes, 0, bytes.length, 0)
    copy.close()
    const name = `/store/log-00/${String(paths.length + 1).padStart(10, '0')}.log`
    const file = disk.open(name, 'create')
    file.write(bytes, 0, bytes.length, 0)
    file.close()
    await assertNamed(disk, name, batches)
  })

  test('a damaged header costs its segment', async () => {
    const disk = await filled()
    const [, second] = segmentPaths(disk) as [string, string]
    disk.flipBit(second, 16, 1)
    await assertNamed(disk, second, batches / 2)
  })

  for (const seed of seedsFor('damage', { kept: [1, 2, 3], fresh: 40 })) {
    test(`any single flipped bit is named or harmless, seed ${seed}`, async () => {
      const random = new Random(seed)
      const disk = await filled()
      const path = random.pick(segmentPaths(disk))
      const file = disk.open(path, 'read')
      const size = file.size()
      file.close()
      disk.flipBit(path, random.below(size), random.below(8))
      const engine = await open(disk)
      try {
        const kept = keysOf(engine)
        for (const [key, value] of kept) assert.equal(value, `value ${key.slice(1)} `.padEnd(600, '.'))
        const { faults } = await engine.verify()
        // A bit behind the last batch, in zeros that are cut, is the one that does no harm.
        if (faults.length === 0) assert.equal(kept.size, batches, 'nothing is lost without a word')
      } finally {
        await engine.close()
      }
    })
  }
})
