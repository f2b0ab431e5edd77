/** The simulated disk: the suite, what survives its power cuts, and its faults. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import fc from 'fast-check'
import type { DiskFile } from '../disk.ts'
import { diskSuite, testSeed } from '../disk-suite.ts'
import { type CrashMode, SimulatedDisk } from './disk.ts'

const code = (name: string) => ({ code: `disk.${name}` })
const sectorBytes = 512

diskSuite('simulated', () => ({ disk: new SimulatedDisk(), root: '/', remove: () => {} }))

/** A disk with one synced file of these contents, its name synced, too. */
async function diskWith(contents: Uint8Array, seed = 1): Promise<{ disk: SimulatedDisk; file: DiskFile }> {
  const disk = new SimulatedDisk({ seed })
  const file = disk.open('/a', 'create')
  file.write(contents, 0, contents.length, 0)
  await file.sync()
  await disk.syncDirectory('/')
  return { disk, file }
}

function contentsOf(disk: SimulatedDisk, path: string): Uint8Array {
  const file = disk.open(path, 'read')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

function writeAll(file: DiskFile, offset: number, bytes: Uint8Array): void {
  file.write(bytes, 0, bytes.length, offset)
}

describe('power cut', () => {
  test('drop-all keeps what was synced and nothing else', async () => {
    const { disk, file } = await diskWith(new Uint8Array(10_000).fill(1))
    writeAll(file, 0, new Uint8Array(20_000).fill(2))
    disk.open('/b', 'create').close()
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(contentsOf(disk, '/a'), new Uint8Array(10_000).fill(1))
    assert.deepEqual(disk.list('/'), ['a'])
  })

  test('keep-all keeps all', async () => {
    const { disk, file } = await diskWith(new Uint8Array(10_000).fill(1))
    writeAll(file, 5000, new Uint8Array(20_000).fill(2))
    file.truncate(12_000)
    writeAll(disk.open('/b', 'create'), 0, Uint8Array.of(3))
    disk.crash({ mode: 'keep-all' })
    const expected = new Uint8Array(12_000).fill(1)
    expected.fill(2, 5000)
    assert.deepEqual(contentsOf(disk, '/a'), expected)
    assert.deepEqual(contentsOf(disk, '/b'), Uint8Array.of(3))
  })

  test('random tears within a write and keeps a later write while losing an earlier one', async () => {
    let torn = false
    let reordered = false
    let lost = false
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(8192), seed)
      writeAll(file, 0, new Uint8Array(4096).fill(1))
      writeAll(file, 4096, new Uint8Array(4096).fill(2))
      disk.crash()
      const bytes = contentsOf(disk, '/a')
      const first = new Set(bytes.subarray(0, 4096))
      torn ||= first.size === 2
      reordered ||= !first.has(1) && bytes.includes(2)
      lost ||= bytes[0] === 0
    }
    assert.ok(torn && lost)
    for (let seed = 1; seed <= 50 && !reordered; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(1024), seed)
      writeAll(file, 0, new Uint8Array(512).fill(1))
      writeAll(file, 512, new Uint8Array(512).fill(2))
      disk.crash()
      const bytes = contentsOf(disk, '/a')
      reordered = bytes[0] === 0 && bytes[512] === 2
    }
    assert.ok(reordered)
  })

  test('the same seed decides alike, another one otherwise', async () => {
    const run = async (seed: number): Promise<string> => {
      const { disk, file } = await diskWith(new Uint8Array(20_000), seed)
      writeAll(file, 0, new Uint8Array(30_000).fill(5))
      for (const name of ['/b', '/c', '/d']) disk.open(name, 'create').close()
      disk.crash()
      return `${disk.list('/')} ${Buffer.from(contentsOf(disk, '/a')).toString('base64')}`
    }
    assert.equal(await run(7), await run(7))
    assert.notEqual(await run(7), await run(8))
  })

  test('prefix keeps what came before one moment, over all files', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(1024), seed)
      const other = disk.open('/b', 'create')
      await disk.syncDirectory('/')
      writeAll(file, 0, new Uint8Array(1024).fill(1))
      writeAll(other, 0, new Uint8Array(1024).fill(2))
      disk.rename('/b', '/c')
      disk.crash({ mode: 'prefix' })
      const first = [...contentsOf(disk, '/a')].filter((_, at) => at % sectorBytes === 0).join('')
      const renamed = disk.exists('/c')
      const second = contentsOf(disk, renamed ? '/c' : '/b').length
      outcomes.add(`${first} ${second} ${renamed}`)
    }
    const possible = ['00 0 false', '10 0 false', '11 0 false', '11 512 false', '11 1024 false', '11 1024 true']
    for (const outcome of outcomes) assert.ok(possible.includes(outcome), outcome)
    assert.equal(outcomes.size, possible.length)
  })

  test('names are kept or lost apart, unless one builds on another', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 100; seed++) {
      const disk = new SimulatedDisk({ seed })
      disk.open('/new', 'create').close()
      disk.rename('/new', '/final')
      disk.open('/other', 'create').close()
      disk.crash()
      outcomes.add(disk.list('/').join(' '))
    }
    assert.deepEqual([...outcomes].sort(), ['', 'final', 'final other', 'new', 'new other', 'other'])
  })

  test('a name is durable once its folder is synced, and with it the rename that it builds on', async () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/d')
    disk.makeDirectory('/e')
    await disk.syncDirectory('/')
    writeAll(disk.open('/d/new', 'create'), 0, Uint8Array.of(1))
    disk.rename('/d/new', '/e/final')
    disk.open('/d/later', 'create').close()
    await disk.syncDirectory('/e')
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(disk.list('/d'), [])
    assert.deepEqual(disk.list('/e'), ['final'])
    disk.remove('/e/final')
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(disk.list('/e'), ['final'])
    disk.remove('/e/final')
    await disk.syncDirectory('/e')
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(disk.list('/e'), [])
  })

  test('a folder that is not durable takes what is in it along', async () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/d')
    const file = disk.open('/d/a', 'create')
    writeAll(file, 0, Uint8Array.of(1))
    await file.sync()
    await disk.syncDirectory('/d')
    disk.crash({ mode: 'drop-all' })
    assert.equal(disk.exists('/d'), false)
  })

  test('what was open is dead, what was under way is rejected, and the disk goes on', async () => {
    const { disk, file } = await diskWith(Uint8Array.of(1))
    const lock = disk.lock('/LOCK')
    const mapping = file.map(0, 1)
    const pending = [file.sync(), file.readAsync(new Uint8Array(1), 0, 1, 0), disk.syncDirectory('/')]
    disk.crash({ mode: 'keep-all' })
    for (const promise of pending) await assert.rejects(promise, code('failed'))
    const bytes = new Uint8Array(1)
    assert.throws(() => file.read(bytes, 0, 1, 0), code('failed'))
    assert.throws(() => file.write(bytes, 0, 1, 0), code('failed'))
    assert.throws(() => file.size(), code('failed'))
    assert.throws(() => file.truncate(0), code('failed'))
    assert.throws(() => file.map(0, 1), code('failed'))
    await assert.rejects(file.sync(), code('failed'))
    assert.throws(() => mapping.residentBytes(), code('failed'))
    assert.throws(() => lock.release(), code('failed'))
    file.close()
    mapping.release()
    disk.lock('/LOCK').release()
    assert.deepEqual(contentsOf(disk, '/a'), Uint8Array.of(1))
  })

  test('a sync covers what was written before it began, not what came while it ran', async () => {
    const { disk, file } = await diskWith(new Uint8Array(512).fill(1))
    const hold = disk.holdSyncs()
    writeAll(file, 0, new Uint8Array(512).fill(2))
    const first = file.sync()
    writeAll(file, 0, new Uint8Array(512).fill(3))
    assert.equal(hold.waiting, 1)
    hold.release()
    await first
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(contentsOf(disk, '/a'), new Uint8Array(512).fill(2))
  })

  test('a crash during a sync leaves of it whatever it likes', async () => {
    const seen = new Set<number>()
    for (let seed = 1; seed <= 40; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(512).fill(1), seed)
      disk.holdSyncs()
      writeAll(file, 0, new Uint8Array(512).fill(2))
      const sync = assert.rejects(file.sync(), code('failed'))
      writeAll(file, 0, new Uint8Array(512).fill(3))
      disk.crash()
      await sync
      seen.add(contentsOf(disk, '/a')[0] as number)
    }
    assert.deepEqual([...seen].sort(), [1, 2, 3])
  })

  test('a cut is kept whole or lost whole', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 200; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(4096).fill(1), seed)
      file.truncate(512)
      file.truncate(4096)
      disk.crash()
      const bytes = contentsOf(disk, '/a')
      const behind = new Set(bytes.subarray(512))
      assert.ok(behind.size <= 1, 'old contents and zeros are not mixed')
      outcomes.add(`${bytes.length > 512} ${[...behind]}`)
    }
    assert.ok(outcomes.has('true 1') && outcomes.has('false ') && outcomes.has('true 0'), [...outcomes].join('; '))
  })
})

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.nat(40_000), bytes: fc.nat(9000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grow' as const), bytes: fc.nat(30_000) }) },
)

test('what a power cut leaves behind the end never comes back', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { disk, file } = await diskWith(new Uint8Array(512).fill(1), seed)
    writeAll(file, 512, new Uint8Array(8192).fill(2))
    disk.crash()
    const again = disk.open('/a', 'write')
    const survived = again.size()
    again.truncate(8704)
    assert.ok(
      contentsOf(disk, '/a')
        .subarray(survived)
        .every((byte) => byte === 0),
    )
    await again.sync()
    disk.crash({ mode: 'drop-all' })
    assert.ok(
      contentsOf(disk, '/a')
        .subarray(survived)
        .every((byte) => byte === 0),
    )
  }
})

describe(`properties, seed ${testSeed}`, () => {
  test('each byte is as at the last sync or as after a write since, in whole sectors', async () => {
    const modes = fc.constantFrom<CrashMode>('random', 'prefix', 'drop-all', 'keep-all')
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), fc.nat(), modes, async (operations, seed, mode) => {
        const { disk, file } = await diskWith(new Uint8Array(0), seed)
        // Every state of the file since its last sync, newest last; each write leaves its own number.
        let states = [new Uint8Array(0)]
        let mark = 0
        for (const one of operations) {
          const newest = states.at(-1) as Uint8Array
          if (one.kind === 'sync') {
            await file.sync()
            states = [newest.slice()]
          } else if (one.kind === 'grow') {
            file.truncate(newest.length + one.bytes)
            const grown = new Uint8Array(newest.length + one.bytes)
            grown.set(newest)
            states.push(grown)
          } else {
            const written = new Uint8Array(one.bytes).fill((++mark % 255) + 1)
            writeAll(file, one.at, written)
            const next = new Uint8Array(Math.max(newest.length, written.length === 0 ? 0 : one.at + written.length))
            next.set(newest)
            if (written.length > 0) next.set(written, one.at)
            states.push(next)
          }
        }
        disk.crash({ mode })
        const survived = contentsOf(disk, '/a')
        assert.ok(survived.length >= (states[0] as Uint8Array).length, 'a synced size is kept')
        assert.ok(survived.length <= (states.at(-1) as Uint8Array).length)
        for (let sector = 0; sector < survived.length; sector += sectorBytes) {
          const end = Math.min(sector + sectorBytes, survived.length)
          const found = Buffer.from(survived.subarray(sector, end))
          const isOneOfThem = states.some((state) => {
            const expected = Buffer.alloc(end - sector)
            expected.set(state.subarray(sector, end))
            return expected.equals(found)
          })
          assert.ok(isOneOfThem, `the sector at ${sector} is none that was ever there`)
        }
      }),
      { seed: testSeed, numRuns: 200 },
    )
  })

  test('canary: with a sync that lies, synced bytes are lost', async () => {
    let losses = 0
    for (let seed = 1; seed <= 20; seed++) {
      const { disk, file } = await diskWith(new Uint8Array(4096).fill(1), seed)
      disk.syncLies = true
      writeAll(file, 0, new Uint8Array(4096).fill(2))
      await file.sync()
      disk.crash()
      if (contentsOf(disk, '/a').some((byte) => byte !== 2)) losses++
    }
    assert.ok(losses >= 15, `${losses} of 20`)
  })
})

describe('faults', () => {
  test('the nth write fails, after a part of it, and the next goes on', async () => {
    const { disk, file } = await diskWith(new Uint8Array(0))
    disk.fail({ operation: 'write', nth: 2, error: 'full', partialBytes: 3 })
    writeAll(file, 0, Uint8Array.of(1, 1, 1, 1))
    assert.throws(() => writeAll(file, 4, Uint8Array.of(2, 2, 2, 2)), code('full'))
    assert.deepEqual(contentsOf(disk, '/a'), Uint8Array.of(1, 1, 1, 1, 2, 2, 2))
    writeAll(file, 4, Uint8Array.of(3))
    assert.deepEqual(contentsOf(disk, '/a'), Uint8Array.of(1, 1, 1, 1, 3, 2, 2))
  })

  test('each operation can be made to fail, on chosen paths, once or for good', async () => {
    const { disk, file } = await diskWith(Uint8Array.of(1))
    const bytes = new Uint8Array(1)
    disk.fail({ operation: 'open', error: 'too_many_open_files', pathEnd: '/b' })
    disk.open('/a', 'read').close()
    assert.throws(() => disk.open('/b', 'create'), code('too_many_open_files'))
    disk.open('/b', 'create').close()
    disk.fail({ operation: 'read', error: 'failed', lasting: true })
    for (let i = 0; i < 3; i++) assert.throws(() => file.read(bytes, 0, 1, 0), code('failed'))
    await assert.rejects(file.readAsync(bytes, 0, 1, 0), code('failed'))
    disk.clearFaults()
    assert.equal(file.read(bytes, 0, 1, 0), 1)
    disk.fail({ operation: 'sync', error: 'failed' })
    await assert.rejects(file.sync(), code('failed'))
    await file.sync()
    disk.fail({ operation: 'syncDirectory', error: 'failed' })
    await assert.rejects(disk.syncDirectory('/'), code('failed'))
    await disk.syncDirectory('/')
    for (const [name, run] of Object.entries({
      truncate: () => file.truncate(1),
      map: () => file.map(0, 1).release(),
      makeDirectory: () => disk.makeDirectory('/d'),
      rename: () => disk.rename('/b', '/c'),
      remove: () => disk.remove('/c'),
      lock: () => disk.lock('/LOCK').release(),
    })) {
      disk.fail({ operation: name as 'map', error: 'read_only' })
      assert.throws(run, code('read_only'), name)
      run()
    }
  })

  test('after a failed sync, a later one does not make durable what the failed one covered', async () => {
    const { disk, file } = await diskWith(new Uint8Array(8192).fill(1))
    disk.fail({ operation: 'sync', error: 'failed' })
    writeAll(file, 0, new Uint8Array(8192).fill(2))
    await assert.rejects(file.sync(), code('failed'))
    await file.sync()
    assert.deepEqual(contentsOf(disk, '/a'), new Uint8Array(8192).fill(2))
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(contentsOf(disk, '/a'), new Uint8Array(8192).fill(1))
  })

  test('a capacity is honest: full, with what fitted written, until something is removed', () => {
    const disk = new SimulatedDisk({ capacityBytes: 40_960 })
    const bytes = new Uint8Array(30_000).fill(1)
    const file = disk.open('/a', 'create')
    writeAll(file, 0, bytes)
    assert.equal(disk.freeBytes('/'), 8192)
    assert.throws(() => writeAll(file, 30_000, bytes), code('full'))
    assert.equal(file.size(), 40_960)
    assert.equal(disk.freeBytes('/'), 0)
    writeAll(file, 0, bytes)
    const other = disk.open('/b', 'create')
    assert.throws(() => writeAll(other, 0, Uint8Array.of(1)), code('full'))
    assert.equal(other.size(), 0)
    file.truncate(5000)
    assert.equal(disk.freeBytes('/'), 32_768)
    writeAll(other, 0, Uint8Array.of(1))
    assert.equal(disk.freeBytes('/'), 28_672)
    disk.remove('/a')
    assert.equal(disk.freeBytes('/'), 28_672)
    file.close()
    assert.equal(disk.freeBytes('/'), 36_864)
    disk.crash({ mode: 'drop-all' })
    assert.equal(disk.freeBytes('/'), 40_960)
  })

  test('zeros take room on the disk and none in memory', () => {
    const disk = new SimulatedDisk({ capacityBytes: 2 ** 30 })
    const file = disk.open('/a', 'create')
    const zeros = new Uint8Array(2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 512; i++) writeAll(file, i * zeros.length, zeros)
    assert.equal(disk.freeBytes('/'), 2 ** 29)
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24)
  })

  test('damage is seen at once, in mappings too, and survives a power cut', async () => {
    const { disk, file } = await diskWith(new Uint8Array(100_000).fill(1))
    const mapping = file.map(65_536, 1000)
    disk.flipBit('/a', 65_536 + 10, 3)
    assert.equal(mapping.bytes[10], 1 ^ 8)
    disk.zeroRange('/a', 65_536 + 20, 5)
    assert.deepEqual(mapping.bytes.slice(19, 26), Uint8Array.of(1, 0, 0, 0, 0, 0, 1))
    disk.cut('/a', 90_000)
    assert.equal(file.size(), 90_000)
    disk.crash({ mode: 'drop-all' })
    const bytes = contentsOf(disk, '/a')
    assert.equal(bytes.length, 90_000)
    assert.equal(bytes[65_546], 1 ^ 8)
    assert.deepEqual(bytes.slice(65_555, 65_562), Uint8Array.of(1, 0, 0, 0, 0, 0, 1))
  })

  test('operations are counted', async () => {
    const { disk, file } = await diskWith(new Uint8Array(100))
    const bytes = new Uint8Array(50)
    file.read(bytes, 0, 50, 80)
    disk.readsAreResident = false
    assert.equal(file.readResident(bytes, 0, 50, 0), -1)
    const expected = { opens: 1, reads: 1, readBytes: 20, writes: 1, writtenBytes: 100, syncs: 1, directorySyncs: 1 }
    assert.deepEqual(disk.counts, expected)
  })

  test('when asynchronous operations end is up to the caller', async () => {
    const waiting: (() => void)[] = []
    const disk = new SimulatedDisk({ schedule: (run) => waiting.push(run) })
    const file = disk.open('/a', 'create')
    let ended = ''
    const syncs = Promise.all([file.sync().then(() => (ended += 'a')), file.sync().then(() => (ended += 'b'))])
    assert.equal(waiting.length, 2)
    for (const run of waiting.reverse()) run()
    await syncs
    assert.equal(ended, 'ba')
  })
})

test('a thousand power cuts in a workload of a log are quick', async () => {
  const random = new Random(testSeed)
  const record = random.bytes(300)
  for (let seed = 0; seed < 1000; seed++) {
    const disk = new SimulatedDisk({ seed })
    const file = disk.open('/log', 'create')
    file.truncate(2 ** 26)
    await file.sync()
    await disk.syncDirectory('/')
    let end = 0
    let syncedEnd = 0
    for (let i = 0; i < 60; i++) {
      writeAll(file, end, record)
      end += record.length
      if (random.chance(6)) {
        await file.sync()
        syncedEnd = end
      }
    }
    disk.crash()
    const survived = disk.open('/log', 'read')
    const bytes = new Uint8Array(record.length)
    for (let at = 0; at < syncedEnd; at += record.length) {
      survived.read(bytes, 0, record.length, at)
      assert.deepEqual(bytes, record)
    }
    assert.equal(survived.size(), 2 ** 26)
  }
})
