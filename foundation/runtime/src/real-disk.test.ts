/** The real disks: the suite for both, and what only a real machine can show. Run as root it also mounts a tmpfs. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { native, nativeProblem } from '@orbitkv/native'
import type { Disk } from './disk.ts'
import { diskFailure } from './disk-failure.ts'
import { diskSuite } from './disk-suite.ts'
import { realDisk } from './real-disk.ts'

const hasNative = native !== undefined
const isLinux = process.platform === 'linux'
const module = JSON.stringify(fileURLToPath(new URL('./real-disk.ts', import.meta.url)))
const nodeOptions = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning', '--input-type=module']

/** Ends a test whose child never answers. */
const testMsMax = 60_000

const code = (name: string) => ({ code: `disk.${name}` })

function temporaryFolder(): string {
  return fs.mkdtempSync(join(tmpdir(), 'orbit-disk-'))
}

function suiteFor(kind: boolean): void {
  diskSuite(kind ? 'native' : 'javascript', () => {
    const root = temporaryFolder()
    return { disk: realDisk({ native: kind }), root, remove: () => fs.rmSync(root, { recursive: true }) }
  })
}

suiteFor(false)
if (hasNative) suiteFor(true)

test('the native disk is tested, unless it was switched off', () => {
  assert.ok(hasNative || process.env['ORBIT_NATIVE'] === '0' || process.platform === 'win32', nativeProblem)
})

/** A process that runs `script` with `disk` and `folder` at hand, and reports by lines on its output. */
function startChild(script: string, kind: boolean, folder: string): ChildProcess {
  const text = `
    import { realDisk } from ${module}
    const disk = realDisk({ native: ${kind} })
    const folder = ${JSON.stringify(folder)}
    ${script}`
  return spawn(process.execPath, [...nodeOptions, '-e', text], { stdio: ['pipe', 'pipe', 'inherit'] })
}

async function firstOutput(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null)
  const [bytes] = await once(child.stdout, 'data')
  return String(bytes).trim()
}

const kinds = hasNative ? [false, true] : [false]
const nameOf = (kind: boolean): string => (kind ? 'native' : 'javascript')

describe('lock between processes', { timeout: testMsMax }, () => {
  const holdLock = `
    disk.lock(folder + '/LOCK')
    console.log('locked')
    process.stdin.resume()`

  for (const holder of kinds) {
    for (const other of kinds) {
      const both = `a ${nameOf(holder)} holder keeps out a ${nameOf(other)} one`
      // Away from Linux nothing tells the plain JavaScript disk of locks of the kernel.
      test(`${both}, until it is killed`, { skip: holder && !other && !isLinux }, async () => {
        const folder = temporaryFolder()
        const child = startChild(holdLock, holder, folder)
        try {
          assert.equal(await firstOutput(child), 'locked')
          const disk = realDisk({ native: other })
          assert.throws(() => disk.lock(join(folder, 'LOCK')), code('locked'))
          child.kill('SIGKILL')
          await once(child, 'close')
          const lock = disk.lock(join(folder, 'LOCK'))
          assert.throws(() => disk.lock(join(folder, 'LOCK')), code('locked'))
          lock.release()
        } finally {
          child.kill('SIGKILL')
          fs.rmSync(folder, { recursive: true })
        }
      })
    }
  }

  test('of many processes that want a javascript lock at once, at most one has it, again and again', async () => {
    const folder = temporaryFolder()
    const script = `
      const fs = await import('node:fs')
      process.stdin.once('data', () => {
        let taken = 0
        for (let round = 0; round < 300; round++) {
          let lock
          try {
            lock = disk.lock(folder + '/LOCK')
          } catch (error) {
            if (error.code !== 'disk.locked') throw error
            continue
          }
          // Fails if another process is between these two lines.
          fs.writeFileSync(folder + '/INSIDE', '', { flag: 'wx' })
          fs.unlinkSync(folder + '/INSIDE')
          lock.release()
          taken++
        }
        console.log('taken', taken)
      })
      console.log('ready')`
    const children = [0, 1, 2].map(() => startChild(script, false, folder))
    try {
      for (const child of children) assert.equal(await firstOutput(child), 'ready')
      const closed = children.map((child) => once(child, 'close'))
      const outputs = children.map((child) => firstOutput(child))
      for (const child of children) child.stdin?.end('go\n')
      let taken = 0
      for (const output of await Promise.all(outputs)) taken += Number(/^taken (\d+)$/.exec(output)?.[1])
      for (const [status] of await Promise.all(closed)) assert.equal(status, 0)
      assert.ok(taken >= 1, `${taken} times taken`)
      assert.deepEqual(fs.readdirSync(folder), ['LOCK'])
    } finally {
      for (const child of children) child.kill('SIGKILL')
      fs.rmSync(folder, { recursive: true })
    }
  })

  test('an entry of another boot is removed, one of other process numbers is not', { skip: !isLinux }, () => {
    const folder = temporaryFolder()
    const disk = realDisk({ native: false })
    const path = join(folder, 'LOCK')
    const lock = disk.lock(path)
    const own = fs.readdirSync(folder).find((name) => name.startsWith('LOCK.held-')) as string
    const [pid, start, boot, pids, thread, count] = own.slice('LOCK.held-'.length).split('-')
    lock.release()
    const foreign = join(folder, `LOCK.held-${pid}-${start}-${boot}-${Number(pids) + 1}-${thread}-${count}`)
    fs.writeFileSync(foreign, '')
    assert.throws(() => disk.lock(path), code('locked'))
    fs.rmSync(foreign)
    const reused = `LOCK.held-${pid}-${Number(start) + 1}-${boot}-${pids}-${thread}-${count}`
    const rebooted = `LOCK.held-${pid}-${start}-00000000-${pids}-${thread}-${count}`
    for (const name of [reused, rebooted]) fs.writeFileSync(join(folder, name), '')
    disk.lock(path).release()
    assert.deepEqual(fs.readdirSync(folder), ['LOCK'])
    fs.rmSync(folder, { recursive: true })
  })
})

describe('what the system refuses', () => {
  test('every errno has its error, and what is no answer of the system passes through', () => {
    const expected = {
      ENOENT: 'not_found',
      EEXIST: 'exists',
      ENOTDIR: 'not_a_directory',
      EACCES: 'read_only',
      EPERM: 'read_only',
      EROFS: 'read_only',
      ENOSPC: 'full',
      EDQUOT: 'full',
      EMFILE: 'too_many_open_files',
      ENFILE: 'too_many_open_files',
      EIO: 'failed',
      EFBIG: 'failed',
    }
    for (const [errno, name] of Object.entries(expected)) {
      const cause = Object.assign(new Error(`${errno}: no`), { code: errno, syscall: 'write' })
      const failure = diskFailure(cause, 'write', '/x')
      assert.ok(failure instanceof Error)
      assert.equal('code' in failure && failure.code, `disk.${name}`)
      assert.match(failure.message, /\/x/)
      assert.doesNotMatch(failure.message, /\{|undefined/)
      assert.equal(failure.cause, cause)
    }
    const bug = new TypeError('a bug')
    assert.equal(diskFailure(bug, 'write', '/x'), bug)
  })

  for (const kind of kinds) {
    test(`${nameOf(kind)}: a link to nowhere is no folder`, { skip: process.platform === 'win32' }, () => {
      const folder = temporaryFolder()
      const link = join(folder, 'link')
      fs.symlinkSync(join(folder, 'nowhere'), link)
      assert.throws(() => realDisk({ native: kind }).makeDirectory(link), code('not_a_directory'))
      fs.rmSync(folder, { recursive: true })
    })

    test(`${nameOf(kind)}: a device without room is full`, { skip: !fs.existsSync('/dev/full') }, () => {
      const file = realDisk({ native: kind }).open('/dev/full', 'write')
      assert.throws(() => file.write(new Uint8Array(10), 0, 10, 0), code('full'))
      file.close()
    })

    test(`${nameOf(kind)}: too many open files`, { skip: process.platform === 'win32' }, () => {
      const folder = temporaryFolder()
      const script = `
        import { realDisk } from ${module}
        const disk = realDisk({ native: ${kind} })
        const files = []
        let caught
        for (let i = 0; i < 200 && caught === undefined; i++) {
          try {
            files.push(disk.open(${JSON.stringify(folder)} + '/' + i, 'create'))
          } catch (error) {
            caught = error.code
          }
        }
        files.pop().close()
        files.pop().close()
        disk.open(${JSON.stringify(folder)} + '/again', 'create').close()
        console.log(caught)`
      const run = spawnSync(
        'sh',
        ['-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, ...nodeOptions, '-e', script],
        {
          encoding: 'utf8',
        },
      )
      assert.equal(run.stderr, '')
      assert.equal(run.stdout.trim(), 'disk.too_many_open_files')
      fs.rmSync(folder, { recursive: true })
    })
  }

  test('a small disk runs full and goes on, and one without writing is read_only', (context) => {
    const mountPoint = temporaryFolder()
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint])
    if (mounted.status !== 0) {
      fs.rmdirSync(mountPoint)
      context.skip('mounting a tmpfs needs root')
      return
    }
    try {
      for (const kind of kinds) runFull(realDisk({ native: kind }), join(mountPoint, nameOf(kind)))
      assert.equal(spawnSync('mount', ['-o', 'remount,ro', mountPoint]).status, 0)
      for (const kind of kinds) {
        const disk = realDisk({ native: kind })
        assert.throws(() => disk.open(join(mountPoint, 'a'), 'create'), code('read_only'))
        assert.throws(() => disk.makeDirectory(join(mountPoint, 'a')), code('read_only'))
        assert.throws(() => disk.lock(join(mountPoint, 'LOCK')), code('read_only'))
      }
    } finally {
      assert.equal(spawnSync('umount', [mountPoint]).status, 0)
      fs.rmdirSync(mountPoint)
    }
  })

  function runFull(disk: Disk, path: string): void {
    const free = disk.freeBytes(join(path, '..'))
    assert.ok(free > 0 && free <= 2 ** 20, String(free))
    const file = disk.open(path, 'create')
    const bytes = new Uint8Array(300_000).fill(7)
    let written = 0
    assert.throws(() => {
      for (; written < 2 ** 21; written += bytes.length) file.write(bytes, 0, bytes.length, written)
    }, code('full'))
    assert.ok(written >= bytes.length && written <= free)
    assert.ok(disk.freeBytes(path) < 4096)
    const target = new Uint8Array(bytes.length)
    assert.equal(file.read(target, 0, bytes.length, 0), bytes.length)
    assert.deepEqual(target, bytes)
    file.truncate(bytes.length)
    file.write(bytes, 0, 1000, bytes.length)
    file.close()
    disk.remove(path)
  }

  test('without permission a file is read_only', { skip: process.getuid?.() === 0 && 'root may do everything' }, () => {
    const folder = temporaryFolder()
    fs.writeFileSync(join(folder, 'a'), '', { mode: 0o400 })
    for (const kind of kinds) {
      assert.throws(() => realDisk({ native: kind }).open(join(folder, 'a'), 'write'), code('read_only'))
    }
    fs.rmSync(folder, { recursive: true })
  })
})

describe('which disk is real', () => {
  const script = `
    import { realDisk } from ${module}
    console.log(realDisk().kind, realDisk().kind)`
  const run = (env: Record<string, string>) => {
    const { ORBIT_NATIVE: _, ...inherited } = process.env
    return spawnSync(process.execPath, [...nodeOptions, '-e', script], {
      encoding: 'utf8',
      env: { ...inherited, ...env },
    })
  }
  // How node-gyp-build is told of another folder: here one without an addon.
  const noAddon = { '@ORBITKV/NATIVE_PREBUILD': join(tmpdir(), 'orbit-no-such-folder') }

  test('native where it loads, silently', { skip: !hasNative }, () => {
    const { stdout, stderr } = run({})
    assert.equal(stdout.trim(), 'native native')
    assert.equal(stderr, '')
  })

  test('without the addon the javascript one, said once in one line', () => {
    const { stdout, stderr } = run(noAddon)
    assert.equal(stdout.trim(), 'javascript javascript')
    assert.match(stderr, /^orbitkv: using the plain JavaScript disk.*npm rebuild @orbitkv\/native[^\n]*\n$/)
  })

  test('switched off on purpose, silently', () => {
    const { stdout, stderr } = run({ ORBIT_NATIVE: '0' })
    assert.equal(stdout.trim(), 'javascript javascript')
    assert.equal(stderr, '')
  })

  test('native demanded but not there is an error that says why', { skip: hasNative }, () => {
    assert.throws(() => realDisk({ native: true }), code('failed'))
  })
})

describe('the page cache', { skip: !hasNative || !isLinux }, () => {
  test('readResident and residentBytes tell what is not in memory', (context) => {
    const folder = temporaryFolder()
    const path = join(folder, 'a')
    const bytes = new Uint8Array(2 ** 20).fill(3)
    const disk = realDisk({ native: true })
    const file = disk.open(path, 'create')
    file.write(bytes, 0, bytes.length, 0)
    const mapping = file.map(0, bytes.length)
    assert.equal(mapping.residentBytes(), bytes.length)
    const target = new Uint8Array(4096)
    const first = file.readResident(target, 0, 4096, 0)
    mapping.release()
    spawnSync('sync', [path])
    const dropped = spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'])
    const again = file.map(0, bytes.length)
    try {
      if (first === -1 || dropped.status !== 0 || again.residentBytes() === bytes.length) {
        context.skip('this file system keeps the file in memory, or does not tell')
        return
      }
      assert.equal(again.residentBytes(), 0)
      assert.equal(file.readResident(target, 0, 4096, 0), -1)
      assert.equal(file.read(target, 0, 4096, 0), 4096)
      assert.equal(file.readResident(target, 0, 4096, 0), 4096)
      assert.deepEqual(target, bytes.subarray(0, 4096))
    } finally {
      again.release()
      file.close()
      fs.rmSync(folder, { recursive: true })
    }
  })
})
