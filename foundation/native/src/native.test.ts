/**
 * The addon's functions, each on its own: results, wrong arguments, failing system calls. mapping.test.ts has the life
 * of mappings, build.test.ts how the addon comes to be.
 */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import fc from 'fast-check'
import { type NativeAdvice, type NativeBinding, native, nativeProblem, switchedOff } from './index.ts'

test('the addon is there, or it is said why not', () => {
  assert.equal(native === undefined, nativeProblem !== undefined)
  const mayBeMissing = nativeProblem === switchedOff || process.platform === 'win32'
  assert.ok(native !== undefined || mayBeMissing, nativeProblem)
})

const seed = process.env['ORBIT_SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['ORBIT_SEED'])
const skip = native === undefined && nativeProblem
const addon = native as NativeBinding

/** Bit by bit, from the polynomial alone. */
function plainCrc32c(start: number, bytes: Uint8Array): number {
  let crc = ~start
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

describe('crc32c', { skip }, () => {
  test('gives the published check values', () => {
    const digits = new TextEncoder().encode('123456789')
    assert.equal(addon.crc32c(0, digits, 0, 9), 0xe3069283)
    // RFC 3720, B.4: 32 bytes of zeros, of ones, ascending.
    assert.equal(addon.crc32c(0, new Uint8Array(32), 0, 32), 0x8a9136aa)
    assert.equal(addon.crc32c(0, new Uint8Array(32).fill(0xff), 0, 32), 0x62a8ab43)
    assert.equal(
      addon.crc32c(
        0,
        Uint8Array.from({ length: 32 }, (_, i) => i),
        0,
        32,
      ),
      0x46dd794e,
    )
    assert.equal(addon.crc32c(0, digits, 4, 4), 0)
    assert.match(addon.crc32cWay, /^(sse4\.2|armv8|tables)$/)
  })

  test(`instruction, tables and polynomial agree on every length near a boundary, seed ${seed}`, () => {
    const random = new Random(seed)
    const bytes = random.bytes(40_000)
    // 768 and 12,288 are where three streams begin.
    const near = [0, 8, 64, 256, 768, 2 * 768, 12_288, 12_288 + 768, 3 * 12_288]
    for (const length of near.flatMap((at) => [at - 9, at - 1, at, at + 1, at + 7, at + 8]).filter((at) => at >= 0)) {
      const start = random.below(40)
      const begin = random.uint32()
      const expected = plainCrc32c(begin, bytes.subarray(start, start + length))
      assert.equal(addon.crc32c(begin, bytes, start, start + length), expected, `length ${length}`)
      assert.equal(addon.crc32cTables(begin, bytes, start, start + length), expected, `length ${length}`)
    }
  })

  test(`a checksum can be continued anywhere, seed ${seed}`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(), (bytes, cut) => {
        const at = bytes.length === 0 ? 0 : cut % bytes.length
        const whole = addon.crc32c(0, bytes, 0, bytes.length)
        assert.equal(addon.crc32c(addon.crc32c(0, bytes, 0, at), bytes, at, bytes.length), whole)
      }),
      { seed, numRuns: 200 },
    )
  })

  test('many spans are stored as if one by one', () => {
    const random = new Random(seed)
    const bytes = random.bytes(5000)
    const expected = bytes.slice()
    const spans = new Uint32Array(42)
    for (let i = 0; i < 20; i++) {
      const start = i * 250
      const end = start + 4 + random.below(246)
      spans.set([start, end], 2 * i)
      new DataView(expected.buffer).setUint32(start, addon.crc32c(77, bytes, start + 4, end), true)
    }
    addon.crc32cMany(77, bytes, spans, 20)
    assert.deepEqual(bytes, expected)
  })

  test('a wrong span changes nothing', () => {
    const bytes = new Uint8Array(100)
    for (const bad of [
      [98, 101],
      [50, 53],
      [50, 40],
      [0xffffffff, 3],
    ] as const) {
      const spans = Uint32Array.of(0, 20, ...bad)
      assert.throws(() => addon.crc32cMany(0, bytes, spans, 2), { code: 'ERR_ORBITKV_ARGUMENT', message: /spans/ })
    }
    assert.throws(() => addon.crc32cMany(0, bytes, Uint32Array.of(0, 20), 2), { message: /count/ })
    assert.deepEqual(bytes, new Uint8Array(100))
  })
})

describe('wrong arguments', { skip }, () => {
  const bytes = new Uint8Array(16)
  const buffer = new ArrayBuffer(16)
  /** For each function arguments that it takes, and their names. The descriptor is one that is never open. */
  const fd = 2 ** 31 - 1
  const signatures: Record<string, [string, unknown][]> = {
    map: [
      ['fd', fd],
      ['offset', 0],
      ['length', 10],
    ],
    unmap: [['buffer', buffer]],
    advise: [
      ['buffer', buffer],
      ['start', 0],
      ['length', 10],
      ['advice', 'random'],
    ],
    residentBytes: [
      ['buffer', buffer],
      ['start', 0],
      ['length', 10],
    ],
    read: [
      ['fd', fd],
      ['target', bytes],
      ['start', 0],
      ['length', 10],
      ['offset', 0],
    ],
    readNoWait: [
      ['fd', fd],
      ['target', bytes],
      ['start', 0],
      ['length', 10],
      ['offset', 0],
    ],
    write: [
      ['fd', fd],
      ['source', bytes],
      ['start', 0],
      ['length', 10],
      ['offset', 0],
    ],
    fdatasync: [['fd', fd]],
    fallocate: [
      ['fd', fd],
      ['offset', 0],
      ['length', 10],
    ],
    dropCached: [
      ['fd', fd],
      ['offset', 0],
      ['length', 10],
    ],
    preferNode: [
      ['buffer', buffer],
      ['node', 0],
    ],
    nodeOf: [['buffer', buffer]],
    lock: [['fd', fd]],
    unlock: [['fd', fd]],
    crc32c: [
      ['seed', 0],
      ['bytes', bytes],
      ['start', 0],
      ['end', 10],
    ],
    crc32cTables: [
      ['seed', 0],
      ['bytes', bytes],
      ['start', 0],
      ['end', 10],
    ],
    crc32cMany: [
      ['seed', 0],
      ['bytes', bytes],
      ['spans', Uint32Array.of(0, 10)],
      ['count', 1],
    ],
  }
  const wrong: readonly unknown[] = [
    undefined,
    null,
    'x',
    '7',
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    10n,
    Symbol('s'),
    {},
    [],
    () => {},
    new Uint16Array(8),
    new DataView(new ArrayBuffer(8)),
    new Uint8ClampedArray(8),
    new Proxy(bytes, {}),
  ]

  for (const [name, parameters] of Object.entries(signatures)) {
    test(`${name} names the argument that is wrong`, () => {
      const run = addon[name as 'unmap'] as (...values: unknown[]) => unknown
      parameters.forEach(([parameter], at) => {
        for (const value of wrong) {
          const values = parameters.map(([, right]) => right)
          values[at] = value
          assert.throws(
            () => run(...values),
            { name: 'TypeError', code: 'ERR_ORBITKV_ARGUMENT' },
            `${parameter}: ${typeof value}`,
          )
          assert.throws(
            () => run(...values),
            (error: Error) => error.message.startsWith(`${parameter} must be`),
          )
        }
      })
      assert.throws(() => run(), { name: 'TypeError' })
    })
  }

  test('spans end where their bytes do', () => {
    const error = { name: 'TypeError' }
    assert.throws(() => addon.read(fd, bytes, 10, 7, 0), error)
    assert.throws(() => addon.write(fd, bytes, 17, 0, 0), error)
    assert.throws(() => addon.crc32c(0, bytes, 5, 17), error)
    assert.throws(() => addon.crc32c(0, bytes, 6, 5), error)
    assert.throws(() => addon.crc32c(2 ** 32, bytes, 0, 1), error)
    assert.throws(() => addon.advise(buffer, 10, 7, 'random'), error)
    assert.throws(() => addon.advise(buffer, 0, 1, 'dont-need' as NativeAdvice), error)
    assert.throws(() => addon.map(fd, 100, 10), error)
    assert.throws(() => addon.map(fd, 0, 0), error)
    assert.throws(() => addon.unmap(buffer), error)
    assert.throws(() => addon.residentBytes(buffer, 0, 0), error)
    const detached = new Uint8Array(10)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    assert.throws(() => addon.read(fd, detached, 0, 1, 0), error)
    assert.throws(() => addon.crc32c(0, detached, 0, 1), error)
    assert.equal(addon.crc32c(9, detached, 0, 0), 9)
  })

  test('what the system refuses is an error of its shape, thrown or rejected', async () => {
    const error = { code: 'EBADF', syscall: 'read', errno: -9 }
    assert.throws(() => addon.read(fd, bytes, 0, 1, 0), error)
    assert.throws(() => addon.readNoWait(fd, bytes, 0, 1, 0), error)
    assert.throws(() => addon.write(fd, bytes, 0, 1, 0), { code: 'EBADF', syscall: 'write' })
    assert.throws(() => addon.map(fd, 0, 10), { code: 'EBADF' })
    assert.throws(() => addon.lock(fd), { code: 'EBADF', syscall: 'lock' })
    assert.throws(() => addon.unlock(fd), { code: 'EBADF' })
    await assert.rejects(addon.fdatasync(fd), { code: 'EBADF', syscall: 'fdatasync' })
  })
})

describe('files', { skip }, () => {
  let folder: string
  let path: string
  let fd: number

  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'orbit-native-'))
    path = join(folder, 'a')
    fd = fs.openSync(path, 'wx+')
  })

  after(() => {
    fs.closeSync(fd)
    fs.rmSync(folder, { recursive: true })
  })

  test('what is written is read, also beyond 4 GiB', () => {
    const bytes = new Random(1).bytes(1000)
    const target = new Uint8Array(1000)
    for (const offset of [0, 2 ** 32 - 500, 2 ** 33 + 1]) {
      addon.write(fd, bytes, 100, 900, offset)
      assert.equal(addon.read(fd, target, 50, 900, offset), 900)
      assert.deepEqual(target.subarray(50, 950), bytes.subarray(100))
      const count = addon.readNoWait(fd, target, 0, 900, offset)
      assert.ok(count === 900 || count === -1)
    }
    const end = 2 ** 33 + 901
    assert.equal(fs.fstatSync(fd).size, end)
    assert.equal(addon.read(fd, target, 0, 1000, end - 10), 10)
    assert.equal(addon.read(fd, target, 0, 1000, 2 ** 53 - 1 - 2 ** 52), 0)
    assert.throws(() => addon.write(fd, bytes, 0, 10, 2 ** 52), { code: 'EFBIG' })
    fs.ftruncateSync(fd, 0)
  })

  test('fdatasync resolves, many at once', async () => {
    addon.write(fd, new Uint8Array(1000), 0, 1000, 0)
    const results = await Promise.all(Array.from({ length: 20 }, () => addon.fdatasync(fd)))
    assert.deepEqual(results, new Array(20).fill(undefined))
  })

  test('fallocate gives a range its blocks', (context) => {
    try {
      addon.fallocate(fd, 4096, 100_000)
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EOPNOTSUPP') throw error
      context.skip('not on this file system')
      return
    }
    const status = fs.fstatSync(fd)
    assert.equal(status.size, 104_096)
    assert.ok(status.blocks * 512 >= 100_000)
    assert.throws(() => addon.fallocate(fd, 0, 0), { code: 'EINVAL' })
  })

  test('a lock belongs to the open file', () => {
    const other = fs.openSync(path, 'r+')
    assert.equal(addon.lock(fd), true)
    assert.equal(addon.lock(fd), true)
    assert.equal(addon.lock(other), false)
    addon.unlock(fd)
    assert.equal(addon.lock(other), true)
    assert.equal(addon.lock(fd), false)
    fs.closeSync(other)
    assert.equal(addon.lock(fd), true)
    addon.unlock(fd)
  })
})
