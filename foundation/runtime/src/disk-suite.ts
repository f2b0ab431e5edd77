/**
 * What every disk must do, as tests. `diskSuite` is called once for each: native and plain JavaScript in
 * real-disk.test.ts, simulated in simulated/disk.test.ts. What only some can do stands in those files.
 */

import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import fc from 'fast-check'
import { type Disk, type MapAdvice, mapAlignmentBytes } from './disk.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** An existing, empty folder on it. */
  readonly root: string
  /** Removes what the tests left behind. */
  remove(): void
}

/** Seed of the random tests: given as ORBIT_SEED, or a new one; printed by whoever uses it. */
export const testSeed =
  process.env['ORBIT_SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['ORBIT_SEED'])

const code = (name: string) => ({ code: `disk.${name}` })
const assertion = { code: 'base.assertion' }

export function diskSuite(name: string, make: () => DiskUnderTest): void {
  describe(`${name} disk`, () => {
    let made: DiskUnderTest
    let disk: Disk
    let folder: string
    let folders = 0

    before(() => {
      made = make()
      disk = made.disk
    })

    after(() => made.remove())

    beforeEach(() => {
      folder = posix.join(made.root, `test-${++folders}`)
      disk.makeDirectory(folder)
    })

    const at = (file: string): string => posix.join(folder, file)

    /** A file with these contents, left open. */
    const create = (file: string, contents: Uint8Array) => {
      const opened = disk.open(at(file), 'create')
      opened.write(contents, 0, contents.length, 0)
      return opened
    }

    const contentsOf = (file: string): Uint8Array => {
      const opened = disk.open(at(file), 'read')
      try {
        const bytes = new Uint8Array(opened.size())
        assert.equal(opened.read(bytes, 0, bytes.length, 0), bytes.length)
        return bytes
      } finally {
        opened.close()
      }
    }

    test('a write is read back, from any place into any place', () => {
      const bytes = new Random(1).bytes(10_000)
      const file = disk.open(at('a'), 'create')
      file.write(bytes, 100, 5000, 0)
      file.write(bytes, 5100, 900, 5000)
      assert.equal(file.size(), 5900)
      const target = new Uint8Array(6000)
      assert.equal(file.read(target, 50, 1000, 4500), 1000)
      assert.deepEqual(target.subarray(50, 1050), bytes.subarray(4600, 5600))
      assert.deepEqual(target.subarray(0, 50), new Uint8Array(50))
      assert.deepEqual(target.subarray(1050), new Uint8Array(4950))
      file.close()
      assert.deepEqual(contentsOf('a'), bytes.subarray(100, 6000))
    })

    test('a read is short only at the end of the file', async () => {
      const file = create('a', new Random(2).bytes(1000))
      const target = new Uint8Array(2000)
      assert.equal(file.read(target, 0, 2000, 400), 600)
      assert.equal(file.read(target, 0, 10, 1000), 0)
      assert.equal(file.read(target, 0, 10, 5_000_000_000), 0)
      assert.equal(file.read(target, 0, 0, 0), 0)
      assert.equal(await file.readAsync(target, 0, 2000, 400), 600)
      assert.equal(await file.readAsync(target, 0, 10, 1000), 0)
      file.close()
    })

    test('readAsync reads what read does', async () => {
      const bytes = new Random(3).bytes(300_000)
      const file = create('a', bytes)
      const targets = [0, 1, 2].map(() => new Uint8Array(100_010))
      const counts = await Promise.all(targets.map((target, i) => file.readAsync(target, 10, 100_000, i * 100_000)))
      assert.deepEqual(counts, [100_000, 100_000, 100_000])
      targets.forEach((target, i) => {
        assert.deepEqual(target.subarray(10), bytes.subarray(i * 100_000, (i + 1) * 100_000))
      })
      file.close()
    })

    test('readResident reads what read does, or answers -1', () => {
      const bytes = new Random(4).bytes(5000)
      const file = create('a', bytes)
      const target = new Uint8Array(5000)
      const count = file.readResident(target, 0, 5000, 1000)
      assert.ok(count === 4000 || count === -1, String(count))
      if (count === 4000) assert.deepEqual(target.subarray(0, 4000), bytes.subarray(1000))
      file.close()
    })

    test('what lies between writes is zero', () => {
      const file = create('a', Uint8Array.of(1))
      file.write(Uint8Array.of(2), 0, 1, 100_000)
      const expected = new Uint8Array(100_001)
      expected[0] = 1
      expected[100_000] = 2
      assert.deepEqual(contentsOf('a'), expected)
      file.close()
    })

    test('truncate cuts and grows, with zeros', () => {
      const bytes = new Random(5).bytes(70_000)
      const file = create('a', bytes)
      file.truncate(69_000)
      assert.equal(file.size(), 69_000)
      file.truncate(5000)
      file.truncate(200_000)
      const expected = new Uint8Array(200_000)
      expected.set(bytes.subarray(0, 5000))
      assert.deepEqual(contentsOf('a'), expected)
      file.close()
    })

    test('create refuses what is there, read and write what is not', () => {
      create('a', Uint8Array.of(1)).close()
      assert.throws(() => disk.open(at('a'), 'create'), code('exists'))
      assert.deepEqual(contentsOf('a'), Uint8Array.of(1))
      assert.throws(() => disk.open(at('b'), 'read'), code('not_found'))
      assert.throws(() => disk.open(at('b'), 'write'), code('not_found'))
      assert.throws(() => disk.open(at('no/a'), 'create'), code('not_found'))
      assert.throws(() => disk.open(at('a/a'), 'read'), code('not_a_directory'))
      assert.throws(() => disk.open(folder, 'read'), code('failed'))
      assert.throws(() => disk.open(folder, 'write'), code('failed'))
      assert.equal(disk.exists(at('b')), false)
    })

    test('a file opened for reading takes no change', () => {
      create('a', Uint8Array.of(1)).close()
      const file = disk.open(at('a'), 'read')
      assert.throws(() => file.write(Uint8Array.of(2), 0, 1, 0), code('read_only'))
      assert.throws(() => file.truncate(0), code('read_only'))
      file.close()
      assert.deepEqual(contentsOf('a'), Uint8Array.of(1))
    })

    test('a closed file refuses everything, and a second close is nothing', async () => {
      const file = create('a', new Uint8Array(100))
      const bytes = new Uint8Array(1)
      file.close()
      file.close()
      assert.throws(() => file.size(), code('closed'))
      assert.throws(() => file.write(bytes, 0, 1, 0), code('closed'))
      assert.throws(() => file.read(bytes, 0, 1, 0), code('closed'))
      assert.throws(() => file.truncate(0), code('closed'))
      assert.throws(() => file.map(0, 1), code('closed'))
      await assert.rejects(file.readAsync(bytes, 0, 1, 0), code('closed'))
      await assert.rejects(file.sync(), code('closed'))
    })

    test('close lets a sync and a read that are under way end well', async () => {
      const bytes = new Random(6).bytes(1000)
      const file = create('a', bytes)
      const target = new Uint8Array(1000)
      const settled = Promise.all([file.sync(), file.readAsync(target, 0, 1000, 0)])
      file.close()
      // A new file would be given the descriptor's number, had it been closed already.
      create('b', new Uint8Array(1000)).close()
      assert.equal((await settled)[1], 1000)
      assert.deepEqual(target, bytes)
    })

    test('sync and syncDirectory resolve', async () => {
      const file = create('a', new Random(7).bytes(100_000))
      await Promise.all([file.sync(), file.sync()])
      await disk.syncDirectory(folder)
      await file.sync()
      file.close()
      await assert.rejects(disk.syncDirectory(at('no')), code('not_found'))
      await assert.rejects(disk.syncDirectory(at('a')), code('not_a_directory'))
    })

    test('wrong spans and offsets are bugs, offsets beyond what a file can have are errors', async () => {
      const file = create('a', new Uint8Array(10))
      const bytes = new Uint8Array(10)
      assert.throws(() => file.write(bytes, 5, 6, 0), assertion)
      assert.throws(() => file.read(bytes, -1, 1, 0), assertion)
      assert.throws(() => file.read(bytes, 0, 1, 0.5), assertion)
      assert.throws(() => file.read(bytes, 0, 1, 2 ** 53), assertion)
      await assert.rejects(file.readAsync(bytes, 0, 11, 0), assertion)
      assert.throws(() => file.write(bytes, 0, 10, 2 ** 52), code('failed'))
      assert.throws(() => file.truncate(2 ** 52), code('failed'))
      assert.equal(file.size(), 10)
      file.close()
    })

    test('list names what is in a folder, sorted', () => {
      for (const name of ['b', 'a', 'c.log', 'B']) create(name, new Uint8Array(0)).close()
      disk.makeDirectory(at('d/e'))
      disk.makeDirectory(at('d/e'))
      assert.deepEqual(disk.list(folder), ['B', 'a', 'b', 'c.log', 'd'])
      assert.deepEqual(disk.list(at('d')), ['e'])
      assert.deepEqual(disk.list(at('d/e')), [])
      assert.throws(() => disk.list(at('a')), code('not_a_directory'))
      assert.throws(() => disk.list(at('no')), code('not_found'))
      assert.throws(() => disk.makeDirectory(at('a')), code('not_a_directory'))
      assert.throws(() => disk.makeDirectory(at('a/b')), code('not_a_directory'))
    })

    test('exists tells of files and folders', () => {
      create('a', new Uint8Array(0)).close()
      assert.equal(disk.exists(at('a')), true)
      assert.equal(disk.exists(folder), true)
      assert.equal(disk.exists(at('b')), false)
      assert.equal(disk.exists(at('b/c')), false)
      assert.equal(disk.exists(at('a/c')), false)
    })

    test('remove takes the name, not what is open', () => {
      const file = create('a', Uint8Array.of(1, 2, 3))
      disk.remove(at('a'))
      assert.equal(disk.exists(at('a')), false)
      file.write(Uint8Array.of(9), 0, 1, 3)
      const target = new Uint8Array(4)
      assert.equal(file.read(target, 0, 4, 0), 4)
      assert.deepEqual(target, Uint8Array.of(1, 2, 3, 9))
      create('a', Uint8Array.of(7)).close()
      assert.equal(file.size(), 4)
      file.close()
      assert.deepEqual(contentsOf('a'), Uint8Array.of(7))
      assert.throws(() => disk.remove(at('no')), code('not_found'))
    })

    test('discard takes the name too, by the time that it resolves', async () => {
      create('a', Uint8Array.of(1, 2, 3)).close()
      await disk.discard(at('a'))
      assert.equal(disk.exists(at('a')), false)
      await assert.rejects(disk.discard(at('a')), code('not_found'))
    })

    test('rename moves a file over another', () => {
      create('a', Uint8Array.of(1)).close()
      const old = create('b', Uint8Array.of(2, 2))
      disk.rename(at('a'), at('b'))
      assert.deepEqual(disk.list(folder), ['b'])
      assert.deepEqual(contentsOf('b'), Uint8Array.of(1))
      assert.equal(old.size(), 2)
      old.close()
      disk.makeDirectory(at('d'))
      disk.rename(at('b'), at('d/c'))
      assert.deepEqual(disk.list(at('d')), ['c'])
      assert.throws(() => disk.rename(at('b'), at('e')), code('not_found'))
      assert.throws(() => disk.rename(at('d/c'), at('no/c')), code('not_found'))
      assert.deepEqual(disk.list(at('d')), ['c'])
    })

    test('freeBytes is what an ordinary writer may still take', () => {
      const free = disk.freeBytes(folder)
      assert.ok(Number.isSafeInteger(free) && free > 0, String(free))
      assert.throws(() => disk.freeBytes(at('no')), code('not_found'))
    })

    test('a lock is one, and can be taken again after its release', () => {
      const lock = disk.lock(at('LOCK'))
      assert.equal(disk.exists(at('LOCK')), true)
      assert.throws(() => disk.lock(at('LOCK')), code('locked'))
      const other = disk.lock(at('OTHER'))
      lock.release()
      lock.release()
      const again = disk.lock(at('LOCK'))
      assert.throws(() => disk.lock(at('LOCK')), code('locked'))
      again.release()
      other.release()
      assert.throws(() => disk.lock(at('no/LOCK')), code('not_found'))
    })

    test('a lock leaves the contents of its file alone', () => {
      create('LOCK', Uint8Array.of(1, 2)).close()
      const lock = disk.lock(at('LOCK'))
      assert.deepEqual(contentsOf('LOCK'), Uint8Array.of(1, 2))
      lock.release()
      assert.deepEqual(contentsOf('LOCK'), Uint8Array.of(1, 2))
    })

    test('a mapping shows its range, and outlives the file being closed', () => {
      const bytes = new Random(8).bytes(3 * mapAlignmentBytes + 5000)
      const file = create('a', bytes)
      const whole = file.map(0, bytes.length)
      const part = file.map(2 * mapAlignmentBytes, 100)
      file.close()
      assert.deepEqual(whole.bytes, bytes)
      assert.deepEqual(part.bytes, bytes.subarray(2 * mapAlignmentBytes, 2 * mapAlignmentBytes + 100))
      assert.ok(whole.residentBytes() <= bytes.length)
      assert.ok(whole.residentBytes(mapAlignmentBytes, 5000) <= 2 * 4096)
      for (const advice of ['random', 'sequential', 'will-need', 'cold', 'page-out', 'normal'] satisfies MapAdvice[]) {
        whole.advise(advice)
        whole.advise(advice, 4096, 5000)
      }
      assert.deepEqual(whole.bytes, bytes)
      whole.release()
      part.release()
    })

    test('memory that is given back comes again from the file', async () => {
      const bytes = new Random(10).bytes(2 * mapAlignmentBytes)
      const file = create('a', bytes)
      await file.sync()
      const mapping = file.map(0, bytes.length)
      mapping.bytes[5] = (bytes[5] as number) ^ 1
      mapping.advise('page-out')
      await file.dropCached(0, bytes.length)
      const target = new Uint8Array(bytes.length)
      assert.equal(file.read(target, 0, bytes.length, 0), bytes.length)
      assert.deepEqual(target, bytes)
      assert.deepEqual(mapping.bytes.subarray(6), bytes.subarray(6))
      // A stray write is the holder's own, and stays.
      assert.equal(mapping.bytes[5], (bytes[5] as number) ^ 1)
      if (disk.kind === 'native' && process.platform === 'linux') {
        await file.sync()
        mapping.advise('page-out')
        await file.dropCached(0, bytes.length)
        assert.ok(mapping.residentBytes() < bytes.length, 'some of it was given back')
      }
      mapping.release()
      file.close()
      await assert.rejects(file.dropCached(0, 1), code('closed'))
    })

    test('a mapping shows later writes where its disk says so', () => {
      const file = create('a', new Uint8Array(mapAlignmentBytes + 1000))
      const mapping = file.map(mapAlignmentBytes, 1000)
      file.write(Uint8Array.of(1, 2, 3, 4), 0, 4, mapAlignmentBytes - 2)
      const shown =
        disk.kind === 'javascript' || disk.kind === 'memory' ? mapping.bytes.slice(0, 2) : Uint8Array.of(3, 4)
      assert.deepEqual(mapping.bytes.slice(0, 2), shown)
      mapping.release()
      file.close()
    })

    test('a stray write into a mapping reaches neither file nor another mapping', async () => {
      const bytes = new Random(9).bytes(10_000)
      const file = create('a', bytes)
      const mapping = file.map(0, 10_000)
      const other = file.map(0, 10_000)
      mapping.bytes.fill(0x55)
      await file.sync()
      assert.deepEqual(contentsOf('a'), bytes)
      assert.deepEqual(other.bytes, bytes)
      mapping.release()
      other.release()
      file.close()
    })

    test('a released mapping is gone, and a second release is nothing', () => {
      const file = create('a', new Uint8Array(10_000))
      const mapping = file.map(0, 10_000)
      const view = mapping.bytes.subarray(10, 20)
      mapping.release()
      mapping.release()
      assert.equal(mapping.bytes.length, 0)
      assert.equal(view.length, 0)
      assert.throws(() => mapping.residentBytes(), code('closed'))
      assert.throws(() => mapping.advise('random'), code('closed'))
      file.close()
    })

    test('a mapping begins where it may and ends within the file', () => {
      const file = create('a', new Uint8Array(mapAlignmentBytes + 10))
      assert.throws(() => file.map(4096, 10), assertion)
      assert.throws(() => file.map(0, 0), assertion)
      assert.throws(() => file.map(0, mapAlignmentBytes + 11), code('failed'))
      assert.throws(() => file.map(2 * mapAlignmentBytes, 1), code('failed'))
      const mapping = file.map(mapAlignmentBytes, 10)
      assert.equal(mapping.bytes.length, 10)
      mapping.release()
      file.close()
    })

    test(`files agree with plain arrays, seed ${testSeed}`, () => {
      const step = fc.oneof(
        fc.record({
          kind: fc.constant('write' as const),
          offset: fc.nat(100_000),
          length: fc.nat(40_000),
          fill: fc.nat(255),
        }),
        fc.record({ kind: fc.constant('truncate' as const), size: fc.nat(120_000) }),
        fc.record({ kind: fc.constant('read' as const), offset: fc.nat(130_000), length: fc.nat(40_000) }),
        fc.record({ kind: fc.constant('reopen' as const) }),
      )
      let files = 0
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          const name = `file-${++files}`
          let file = disk.open(at(name), 'create')
          let twin = new Uint8Array(0)
          for (const one of steps) {
            if (one.kind === 'write') {
              file.write(new Uint8Array(one.length).fill(one.fill), 0, one.length, one.offset)
              if (one.length > 0) twin = resized(twin, Math.max(twin.length, one.offset + one.length))
              twin.fill(one.fill, one.offset, one.offset + one.length)
            } else if (one.kind === 'truncate') {
              file.truncate(one.size)
              twin = resized(twin, one.size)
            } else if (one.kind === 'read') {
              const target = new Uint8Array(one.length)
              const count = file.read(target, 0, one.length, one.offset)
              assert.deepEqual(target.subarray(0, count), twin.subarray(one.offset, one.offset + one.length))
            } else {
              file.close()
              file = disk.open(at(name), 'write')
            }
            assert.equal(file.size(), twin.length)
          }
          file.close()
          assert.deepEqual(contentsOf(name), twin)
          disk.remove(at(name))
        }),
        { seed: testSeed, numRuns: 40 },
      )
    })
  })
}

function resized(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length)
  out.set(bytes.subarray(0, length))
  return out
}
