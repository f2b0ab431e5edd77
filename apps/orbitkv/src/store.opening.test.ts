/** Opening: what a folder may hold, whose it is, and each way of not being a store that this version can open. */

import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { crc32c, decodeText, encodeText } from '@orbitkv/bytes'
import type { Disk, DiskFile, OpenMode } from '@orbitkv/runtime'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { type OpenOptions, open, type Store } from './index.ts'
import { keysOf, read, smallSegments } from './store-suite.ts'

const opened: Store[] = []

/** A store that is closed when the test ends, at the latest. */
async function openOn(disk: Disk, options: OpenOptions = {}, path = '/store'): Promise<Store> {
  const store = await open(path, { ...smallSegments, disk, clock: new SimulatedClock(), ...options })
  opened.push(store)
  return store
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
})

/** A closed store of several segments. */
async function filled(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const store = await openOn(disk)
  for (let i = 0; i < 100; i++) await store.put(`k${i}`, 'v'.repeat(500), { durability: 'none' })
  await store.close()
  return disk
}

function write(disk: Disk, path: string, bytes: Uint8Array): void {
  if (disk.exists(path)) disk.remove(path)
  const file = disk.open(path, 'create')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

function readFile(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, 'read')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

/** Counts the files that are open. */
class CountingDisk extends SimulatedDisk {
  filesOpen = 0

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode)
    this.filesOpen++
    let isOpen = true
    return new Proxy(file, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          if (name === 'close' && isOpen) {
            isOpen = false
            this.filesOpen--
          }
          return Reflect.apply(value, target, given)
        }
      },
    })
  }
}

describe('opening', () => {
  test('makes the folder and those above it, durably', async () => {
    const disk = new SimulatedDisk()
    const store = await openOn(disk, {}, '/a/b/c')
    await store.put('k', 'v')
    disk.crash({ mode: 'drop-all' })
    await assert.rejects(store.close())
    opened.pop()
    const again = await openOn(disk, { createIfMissing: false }, '/a/b/c')
    assert.equal(read(again, 'k'), 'v')
  })

  test('createIfMissing false refuses a path without a store, and makes nothing', async () => {
    const disk = new SimulatedDisk()
    await assert.rejects(openOn(disk, { createIfMissing: false }), { code: 'disk.not_found' })
    assert.equal(disk.exists('/store'), false)
    disk.makeDirectory('/store')
    await assert.rejects(openOn(disk, { createIfMissing: false }), { code: 'disk.not_found' })
    assert.deepEqual(disk.list('/store'), [])
  })

  test('an empty folder becomes a store', async () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/store')
    const store = await openOn(disk)
    assert.equal(await store.put('k', 'v'), 1)
  })

  test('an empty path is refused: it would be the root', async () => {
    const disk = new SimulatedDisk()
    await assert.rejects(openOn(disk, {}, ''), { code: 'store.bad_argument' })
    assert.deepEqual(disk.list('/'), [])
  })

  test('progress is told up to the end', async () => {
    const disk = await filled()
    const told: [number, number][] = []
    const store = await openOn(disk, { progress: (done, total) => told.push([done, total]) })
    await store.close()
    assert.ok(told.length > 1, `${told.length} times`)
    const [done, total] = told.at(-1) as [number, number]
    assert.equal(done, total)
    assert.ok(total > 50_000)
    assert.deepEqual(
      told,
      told.toSorted(([a], [b]) => a - b),
    )
  })
})

describe('one opener at a time', () => {
  test('a second is refused by name, in the same process too, until the first has closed', async () => {
    const disk = new SimulatedDisk()
    const first = await openOn(disk)
    await first.put('k', 'v')
    await assert.rejects(openOn(disk), { code: 'disk.locked', retry: 'later' })
    assert.equal(await first.put('k', 'w'), 2)
    await first.close()
    const second = await openOn(disk)
    assert.equal(read(second, 'k'), 'w')
  })

  test('two that open a new folder at once: one gets it, and it stays one store', async () => {
    const disk = new SimulatedDisk()
    const opening = await Promise.allSettled([openOn(disk), openOn(disk), openOn(disk)])
    const opened = opening.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
    const refused = opening.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code)
    assert.equal(opened.length, 1)
    assert.deepEqual(refused, ['disk.locked', 'disk.locked'])
    const [store] = opened as [Store]
    await store.put('k', 'v')
    await store.close()
    const again = await openOn(disk)
    assert.equal(again.stats().details.readOnly, '')
    assert.equal(read(again, 'k'), 'v')
  })

  test('an opening that fails lets the folder go', async () => {
    const disk = await filled()
    disk.fail({ operation: 'open', error: 'too_many_open_files', pathEnd: '2.log' })
    await assert.rejects(openOn(disk), { code: 'disk.too_many_open_files', retry: 'later' })
    const store = await openOn(disk)
    assert.equal(keysOf(store).length, 100)
  })
})

describe('what is no store', () => {
  test('a path that is a file is refused by name', async () => {
    const disk = new SimulatedDisk()
    write(disk, '/store', encodeText('a file'))
    await assert.rejects(openOn(disk), { code: 'disk.not_a_directory' })
    await assert.rejects(openOn(disk, {}, '/store/below'), { code: 'disk.not_a_directory' })
    assert.equal(decodeText(readFile(disk, '/store')), 'a file')
  })

  test('a folder with other files is refused by name, with one of them, and nothing is written to it', async () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/store')
    write(disk, '/store/thesis.txt', encodeText('years of work'))
    await assert.rejects(openOn(disk), { code: 'engine.not_a_store', message: /thesis\.txt/ })
    assert.deepEqual(disk.list('/store'), ['thesis.txt'])
  })

  test('what a crash may leave of a folder in the making is no other’s', async () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/store/log-00')
    write(disk, '/store/orbit.json.new', encodeText('{"form'))
    write(disk, '/store/lock', new Uint8Array(0))
    const store = await openOn(disk)
    assert.equal(await store.put('k', 'v'), 1)
  })

  for (const [what, text] of [
    ['empty', ''],
    ['cut short', '{ "format": 1, "storeId": "0123'],
    ['no object', '"orbit"'],
    ['null', 'null'],
    ['without a store id', '{ "format": 1, "shards": 1, "createdAt": 0 }'],
    [
      'with a format that is no number',
      '{ "format": "one", "storeId": "00112233445566778899aabbccddeeff", "shards": 1 }',
    ],
  ] as const) {
    test(`a manifest that is ${what} is damage, named`, async () => {
      const disk = await filled()
      write(disk, '/store/orbit.json', encodeText(text))
      await assert.rejects(openOn(disk), { code: 'engine.corrupt', message: /\/store\/orbit\.json/ })
    })
  }

  test('a manifest of a newer format is refused by name, and left alone', async () => {
    const disk = await filled()
    const manifest = JSON.parse(decodeText(readFile(disk, '/store/orbit.json')))
    const newer = encodeText(JSON.stringify({ ...manifest, format: 2, somethingNew: true }))
    write(disk, '/store/orbit.json', newer)
    const names = disk.list('/store')
    await assert.rejects(openOn(disk), { code: 'engine.newer_format', message: /format 2, this version reads up to 1/ })
    assert.deepEqual(disk.list('/store'), names)
    assert.deepEqual(readFile(disk, '/store/orbit.json'), newer)
  })

  test('a segment of a newer format is refused by name, and left alone', async () => {
    const disk = await filled()
    const path = '/store/log-00/0000000002.log'
    const bytes = readFile(disk, path)
    bytes[8] = 2
    new DataView(bytes.buffer).setUint32(60, crc32c(0, bytes, 0, 60), true)
    write(disk, path, bytes)
    await assert.rejects(openOn(disk), { code: 'engine.newer_format', message: /0000000002\.log/ })
    assert.deepEqual(readFile(disk, path), bytes)
  })

  test('a segment of another store is found, and the rest served', async () => {
    const [disk, other] = [await filled(), await filled()]
    write(disk, '/store/log-00/0000000002.log', readFile(other, '/store/log-00/0000000002.log'))
    const store = await openOn(disk)
    assert.match(String(store.stats().details.readOnly), /belongs to another store/)
    assert.ok(keysOf(store).length > 50)
    await assert.rejects(store.put('k', 'v'), { code: 'engine.read_only' })
  })

  test('a folder that cannot be written is refused by name', async () => {
    const disk = new SimulatedDisk()
    disk.fail({ operation: 'makeDirectory', error: 'read_only', lasting: true })
    await assert.rejects(openOn(disk), { code: 'disk.read_only' })
  })
})

describe('files are closed', () => {
  test('with the store', async () => {
    const disk = new CountingDisk()
    const store = await openOn(disk)
    for (let i = 0; i < 100; i++) await store.put(`k${i}`, 'v'.repeat(500), { durability: 'none' })
    assert.ok(disk.filesOpen > 2)
    await store.close()
    assert.equal(disk.filesOpen, 0)
  })

  for (const [what, damage] of [
    [
      'is damaged in its first batch',
      (disk: Disk, path: string) => (disk as SimulatedDisk).zeroRange(path, 64, 15_000),
    ],
    ['has a damaged header', (disk: Disk, path: string) => (disk as SimulatedDisk).flipBit(path, 16, 1)],
    ['ends early', (disk: Disk, path: string) => (disk as SimulatedDisk).cut(path, 9000)],
    ['is empty', (disk: Disk, path: string) => (disk as SimulatedDisk).cut(path, 0)],
    ['is missing', (disk: Disk, path: string) => disk.remove(path)],
  ] as const) {
    test(`of a store whose second segment ${what}`, async () => {
      const disk = new CountingDisk()
      const store = await openOn(disk)
      for (let i = 0; i < 100; i++) await store.put(`k${i}`, 'v'.repeat(500), { durability: 'none' })
      await store.close()
      damage(disk, '/store/log-00/0000000002.log')
      const damaged = await openOn(disk)
      assert.notEqual(damaged.stats().details.readOnly, '')
      assert.ok(keysOf(damaged).length > 10)
      await damaged.close()
      assert.equal(disk.filesOpen, 0)
    })
  }

  test('when opening fails half way', async () => {
    const disk = new CountingDisk()
    const store = await openOn(disk)
    for (let i = 0; i < 100; i++) await store.put(`k${i}`, 'v'.repeat(500), { durability: 'none' })
    await store.close()
    for (const operation of ['open', 'read'] as const) {
      for (let nth = 1; nth <= 6; nth++) {
        disk.fail({ operation, error: 'failed', nth })
        await assert.rejects(openOn(disk), { code: 'disk.failed' }, `the ${nth}th ${operation}`)
        disk.clearFaults()
        assert.equal(disk.filesOpen, 0, `after the ${nth}th ${operation} failed`)
      }
    }
    const path = '/store/log-00/0000000003.log'
    const bytes = readFile(disk, path)
    bytes[8] = 2
    new DataView(bytes.buffer).setUint32(60, crc32c(0, bytes, 0, 60), true)
    write(disk, path, bytes)
    await assert.rejects(openOn(disk), { code: 'engine.newer_format' })
    assert.equal(disk.filesOpen, 0)
  })
})

describe('settings', () => {
  test('every fault is told at once, before anything is touched', async () => {
    const disk = new SimulatedDisk()
    const options = { segmentBytes: 1, durability: 'allways', historyMS: 5 } as unknown as OpenOptions
    await assert.rejects(openOn(disk, options), (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 'config.invalid')
      assert.match(error.message, /segmentBytes = 1: must be at least/)
      assert.match(error.message, /durability = "allways": must be one of .*; did you mean always\?/)
      assert.match(error.message, /historyMS = 5: unknown setting; did you mean historyMs\?/)
      return true
    })
    assert.equal(disk.exists('/store'), false)
  })

  test('settings that contradict each other are refused', async () => {
    const options = { segmentBytes: 16 * 1024, zeroAheadBytes: 32 * 1024 }
    await assert.rejects(openOn(new SimulatedDisk(), options), {
      code: 'config.invalid',
      message: /zeroAheadBytes must be at most segmentBytes/,
    })
  })

  test('a backend that does not exist is refused by name, with those that do', async () => {
    const options = { backend: 'tape' } as unknown as OpenOptions
    await assert.rejects(openOn(new SimulatedDisk(), options), {
      code: 'open.no_such_backend',
      message: /tape.*mmap, memory/,
    })
  })
})
