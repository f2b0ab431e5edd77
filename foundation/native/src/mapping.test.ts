/**
 * The life of mappings: what they show, and that they end with `unmap`, with their collection, with their thread and
 * with the process, none of which may crash it. Node's own count of external memory is what makes this delicate
 * (c/mapping.c).
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type NativeAdvice, type NativeBinding, native, nativeProblem } from './index.ts'

const skip = native === undefined && nativeProblem
const addon = native as NativeBinding
const module = JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)))
const isLinux = process.platform === 'linux'
const fileBytes = 2 ** 20

/** Ends a test whose child or worker never answers. */
const testMsMax = 120_000

describe('mappings', { skip, timeout: testMsMax }, () => {
  let folder: string
  let path: string
  let fd: number
  const contents = Uint8Array.from({ length: fileBytes }, (_, at) => (at * 7) ^ (at >> 8))

  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'orbit-mapping-'))
    path = join(folder, 'mapped-file')
    fs.writeFileSync(path, contents)
    fd = fs.openSync(path, 'r+')
  })

  after(() => {
    fs.closeSync(fd)
    fs.rmSync(folder, { recursive: true })
  })

  /** Runs `script` in a process of its own, with the addon, a descriptor of the file and a count of its mappings. */
  const runChild = (script: string) => {
    const text = `
      import fs from 'node:fs'
      import { setImmediate } from 'node:timers/promises'
      import { native } from ${module}
      const fd = fs.openSync(${JSON.stringify(path)}, 'r')
      const mapped = () => fs.readFileSync('/proc/self/maps', 'latin1').split('mapped-file').length - 1
      ${script}`
    const options = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning', '--expose-gc']
    return spawnSync(process.execPath, [...options, '--input-type=module', '-e', text], { encoding: 'utf8' })
  }

  test('shows the file, and later writes to it', () => {
    const whole = addon.map(fd, 0, fileBytes)
    const part = addon.map(fd, 65_536, 1000)
    assert.deepEqual(new Uint8Array(whole), contents)
    assert.deepEqual(new Uint8Array(part), contents.subarray(65_536, 66_536))
    addon.write(fd, Uint8Array.of(1, 2, 3), 0, 3, 65_536)
    assert.deepEqual(new Uint8Array(part, 0, 3), Uint8Array.of(1, 2, 3))
    addon.write(fd, contents, 65_536, 3, 65_536)
    addon.unmap(whole)
    addon.unmap(part)
  })

  test('a stray write stays in the mapping, also of a file opened for reading', () => {
    const reading = fs.openSync(path, 'r')
    const mapping = new Uint8Array(addon.map(reading, 0, fileBytes))
    fs.closeSync(reading)
    mapping.fill(0)
    assert.deepEqual(new Uint8Array(fs.readFileSync(path)), contents)
    addon.unmap(mapping.buffer)
  })

  test('a range must lie within the file', () => {
    assert.throws(() => addon.map(fd, 0, fileBytes + 1), { code: 'EINVAL' })
    assert.throws(() => addon.map(fd, 2 * fileBytes, 1), { code: 'EINVAL' })
    assert.throws(() => addon.map(fd, 2 ** 52, 4096), { code: 'EINVAL' })
  })

  test('unmap takes it away, once', () => {
    const buffer = addon.map(fd, 0, 1000)
    const view = new Uint8Array(buffer, 10, 10)
    addon.unmap(buffer)
    assert.equal(buffer.byteLength, 0)
    assert.equal(view.length, 0)
    assert.throws(() => addon.unmap(buffer), { code: 'ERR_ORBITKV_ARGUMENT', message: /not unmapped yet/ })
    assert.throws(() => addon.residentBytes(buffer, 0, fileBytes), { code: 'ERR_ORBITKV_ARGUMENT' })
  })

  test('advice is taken or not known, and what it is does not change', () => {
    const buffer = addon.map(fd, 0, fileBytes)
    const bytes = new Uint8Array(buffer)
    bytes[5] = 99
    for (const advice of [
      'normal',
      'random',
      'sequential',
      'will-need',
      'cold',
      'page-out',
      'huge-pages',
    ] satisfies NativeAdvice[]) {
      assert.equal(typeof addon.advise(buffer, 100, 10_000, advice), 'boolean')
      assert.equal(addon.advise(buffer, fileBytes, 0, advice), false)
    }
    assert.equal(bytes[5], 99)
    assert.equal(addon.advise(buffer, 0, fileBytes, 'random'), true)
    assert.ok(addon.residentBytes(buffer, 0, fileBytes) <= fileBytes)
    addon.unmap(buffer)
    // Memory that is no file: an index that wants huge pages.
    const plain = new Uint8Array(8 * fileBytes).fill(7)
    addon.advise(plain.buffer, 0, plain.length, 'huge-pages')
    assert.equal(addon.advise(plain.buffer, 0, 100, 'cold'), false)
    addon.advise(plain.buffer, 0, plain.length, 'cold')
    assert.ok(plain.every((byte) => byte === 7))
  })

  test('pages that are given back come again from the file', { skip: !isLinux }, async () => {
    fs.fdatasyncSync(fd)
    const buffer = addon.map(fd, 0, fileBytes)
    assert.deepEqual(new Uint8Array(buffer), contents)
    assert.equal(addon.residentBytes(buffer, 0, fileBytes), fileBytes)
    assert.equal(addon.residentBytes(buffer, 65_536, 10_000), 10_000)
    assert.equal(addon.residentBytes(buffer, fileBytes - 65_536, 65_536), 65_536)
    assert.throws(() => addon.residentBytes(buffer, 100, 10), { code: 'ERR_ORBITKV_ARGUMENT', message: /start/ })
    addon.advise(buffer, 0, fileBytes, 'page-out')
    await addon.dropCached(fd, 0, fileBytes)
    assert.ok(addon.residentBytes(buffer, 0, fileBytes) < fileBytes)
    assert.deepEqual(new Uint8Array(buffer), contents)
    addon.unmap(buffer)
    await assert.rejects(addon.dropCached(2 ** 31 - 1, 0, 10), { code: 'EBADF', syscall: 'fadvise' })
  })

  test('memory comes from a node that there is, and its contents stay', { skip: !isLinux }, () => {
    const plain = new Uint8Array(8 * fileBytes).fill(7)
    assert.equal(addon.preferNode(plain.buffer, 1023), false)
    const isTaken = addon.preferNode(plain.buffer, 0)
    const node = addon.nodeOf(plain.buffer)
    assert.ok(isTaken ? node === 0 || node === -1 : true, `on node ${node}`)
    assert.ok(plain.every((byte) => byte === 7))
    assert.equal(addon.preferNode(new ArrayBuffer(100), 0), false)
    assert.equal(addon.nodeOf(new ArrayBuffer(100)), -1)
  })

  test('a mapping that nobody refers to is unmapped, one with a view is not', { skip: !isLinux }, () => {
    const { stdout, stderr } = runChild(`
      const rounds = 8
      const collect = async () => {
        for (let round = 0; round < rounds; round++) {
          gc()
          await setImmediate()
        }
      }
      let views = []
      for (let i = 0; i < 20; i++) views.push(new Uint8Array(native.map(fd, 0, ${fileBytes}), 100 * i, 10))
      const before = mapped()
      await collect()
      const kept = mapped()
      const read = views[19][0]
      views = views.slice(0, 5)
      await collect()
      const left = mapped()
      views = []
      await collect()
      console.log(JSON.stringify({ before, kept, read, left, end: mapped() }))`)
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout), { before: 20, kept: 20, read: contents[1900], left: 5, end: 0 })
  })

  test('mapping much does not set off a collection for each mapping', () => {
    // A machine that is busy elsewhere lets collections pile up: what counts is the quietest of a few runs.
    const runs = Array.from({ length: 3 }, () => countCollections())
    const whileMapping = Math.min(...runs.map((run) => run.whileMapping))
    const whileUnmapping = Math.min(...runs.map((run) => run.whileUnmapping))
    assert.ok(whileMapping <= 16, `${whileMapping} collections while mapping`)
    assert.ok(whileUnmapping <= 2, `${whileUnmapping} collections while unmapping`)
  })

  function countCollections(): { whileMapping: number; whileUnmapping: number } {
    const { stdout, stderr } = runChild(`
      import { PerformanceObserver } from 'node:perf_hooks'
      const big = ${JSON.stringify(join(folder, 'big'))}
      fs.writeFileSync(big, '')
      fs.truncateSync(big, 2 ** 30)
      const file = fs.openSync(big, 'r')
      let major = 0
      const majorKind = 4
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (entry.detail.kind === majorKind) major++
      }).observe({ entryTypes: ['gc'] })
      const mappings = []
      for (let i = 0; i < 64; i++) {
        mappings.push(native.map(file, 0, 2 ** 30))
        await setImmediate()
      }
      const whileMapping = major
      for (const mapping of mappings) {
        native.unmap(mapping)
        await setImmediate()
      }
      fs.unlinkSync(big)
      console.log(JSON.stringify({ whileMapping, whileUnmapping: major - whileMapping }))`)
    assert.equal(stderr, '')
    return JSON.parse(stdout)
  }

  const endings = {
    'by itself': '',
    'by process.exit': 'process.exit(0)',
    'in the middle of collections': 'for (let i = 0; i < 50; i++) { native.map(fd, 0, 1000); gc() }',
    'after unmapping half': 'for (const mapping of mappings.slice(0, 100)) native.unmap(mapping)',
    'with syncs under way': 'for (let i = 0; i < 20; i++) native.fdatasync(fd); process.exit(0)',
    'with a buffer moved to another': 'globalThis.moved = mappings[3].transfer()',
  }
  for (const [name, script] of Object.entries(endings)) {
    test(`a process with live mappings ends well ${name}`, () => {
      const { status, signal, stderr } = runChild(`
        const mappings = []
        for (let i = 0; i < 200; i++) mappings.push(native.map(fd, 0, ${fileBytes}))
        globalThis.mappings = mappings
        ${script}`)
      assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
    })
  }

  test('a mapping cannot be sent to another thread', () => {
    const buffer = addon.map(fd, 0, 1000)
    assert.throws(() => structuredClone(buffer, { transfer: [buffer] }), { name: 'DataCloneError' })
    addon.unmap(buffer)
  })

  test('workers that hold mappings and syncs are terminated again and again', { skip: !isLinux }, async () => {
    const mapped = (): number => fs.readFileSync('/proc/self/maps', 'latin1').split('mapped-file').length - 1
    const script = `
      const { parentPort } = require('node:worker_threads')
      const fs = require('node:fs')
      import(${module}).then(({ native }) => {
        const fd = fs.openSync(${JSON.stringify(path)}, 'r+')
        const bytes = new Uint8Array(4096)
        globalThis.mappings = []
        for (let i = 0; i < 30; i++) globalThis.mappings.push(native.map(fd, 0, ${fileBytes}))
        for (const mapping of globalThis.mappings.slice(0, 5)) native.unmap(mapping)
        for (let i = 0; i < 50; i++) native.map(fd, 0, 1000)
        for (let i = 0; i < 10; i++) {
          native.readNoWait(fd, bytes, 0, 4096, 0)
          native.fdatasync(fd).then(() => native.fdatasync(fd))
        }
        parentPort.postMessage(new Uint8Array(globalThis.mappings[9])[1000])
      })`
    // The same file in this thread, too: its mapping must not go with theirs.
    const own = new Uint8Array(addon.map(fd, 0, fileBytes))
    for (let round = 0; round < 20; round++) {
      const workers = [0, 1].map(() => new Worker(script, { eval: true, execArgv: ['--conditions=orbit-source'] }))
      const answers = await Promise.all(workers.map((worker) => once(worker, 'message')))
      for (const [answer] of answers) assert.equal(answer, contents[1000])
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
    assert.equal(mapped(), 1)
    assert.deepEqual(own, contents)
    addon.unmap(own.buffer)
  })
})
