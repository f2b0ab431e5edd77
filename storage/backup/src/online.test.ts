/** Backups while the store is written and compacted: what is held stays until it is let go, each range is copied once. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, MiB, Random } from '@orbitkv/base'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { backUp } from './backup.ts'
import { Cipher, parseKey } from './cipher.ts'
import { RateLimit } from './rate.ts'
import { restore } from './restore.ts'
import { assertSameState, stateOf, World } from './world-suite.ts'

test('files that compaction leaves behind stay until they are let go', async () => {
  const world = new World({ random: new Random(1), historyMs: 0 })
  await world.open()
  await world.writes(150)
  const one = await world.store.holdFiles()
  const other = await world.store.holdFiles()
  await world.store.compact()
  const paths = one.files.map(({ path }) => path)
  assert.ok(paths.length > 2)
  assert.ok(paths.every((path) => world.disk.exists(path)))
  await one.release()
  await one.release()
  assert.ok(
    paths.every((path) => world.disk.exists(path)),
    'the other one holds them',
  )
  await other.release()
  assert.ok(!paths.some((path) => world.disk.exists(path)))
  await world.store.close()
})

test('files that were held when the process ended go at the next opening', async () => {
  const world = new World({ random: new Random(2), historyMs: 0 })
  await world.open()
  await world.writes(150)
  const held = await world.store.holdFiles()
  await world.store.compact()
  await world.store.close()
  await world.open()
  assert.ok(!held.files.some(({ path }) => world.disk.exists(path)))
  assertSameState(stateOf(world.store), world.newest.state, 'nothing is lost')
  await world.store.close()
})

test('a backup has what was acknowledged when it began, whatever is written and compacted meanwhile', async () => {
  const world = new World({ random: new Random(3), historyMs: 0 })
  await world.open()
  await world.writes(200)
  const before = world.newest
  const { vault, disk, clock, random } = world
  let busy: Promise<unknown> = Promise.resolve()
  const { manifest } = await backUp(world.store, {
    vault,
    disk,
    clock,
    kind: 'full',
    progress: () => {
      busy = busy.then(async () => {
        await world.writes(20)
        await world.store.compact()
      })
    },
  })
  await busy
  assert.ok(world.newest.revision > before.revision)
  assert.equal(manifest?.end.revision, before.revision)
  await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path: '/restored' })
  const store = await world.openAt('/restored')
  assertSameState(stateOf(store), before.state, 'as it was')
  await store.close()
  await world.store.close()
})

test('an incremental backup reads and writes new ranges only', async () => {
  const world = new World({ random: new Random(4) })
  await world.open()
  await world.writes(400)
  await world.store.compact()
  await world.writes(100)
  const full = await world.backUp('full')
  await world.writes(10)
  world.disk.counts.readBytes = 0
  world.targetDisk.counts.writtenBytes = 0
  const { manifest } = await world.backUp('incremental')
  const copied = manifest?.bytesCopied ?? 0
  assert.ok(copied > 0 && copied < 0.2 * (full.manifest?.bytesCopied ?? 0))
  assert.ok(world.disk.counts.readBytes < copied + 20_000, `${world.disk.counts.readBytes} read for ${copied}`)
  assert.equal((await world.backUp('archive')).manifest, undefined, 'nothing new, nothing written')
  await world.store.close()
})

test('a store that went back behind its backup, as a copy of an old folder does, begins with a full one', async () => {
  const world = new World({ random: new Random(5) })
  await world.open()
  await world.writes(30)
  await world.store.close()
  const { disk, vault, clock } = world
  copyFolder(world, '/store', '/copy')
  await world.open()
  await world.writes(10)
  await world.backUp('full')
  const other = await world.openAt('/copy')
  const behind = await backUp(other, { vault, disk, clock, kind: 'incremental' })
  assert.equal(behind.manifest?.kind, 'full')
  assert.match(behind.because, /went back/)
  for (let i = 0; i < 40; i++) await other.put(`other-${i}`, 'x'.repeat(100))
  await backUp(other, { vault, disk, clock, kind: 'incremental' })
  const { manifest, because } = await world.backUp('incremental')
  assert.equal(manifest?.kind, 'full', 'its log is another one than was copied last')
  assert.match(because, /went back/)
  await other.close()
  await world.store.close()
})

test('a rate limit: so many bytes take so long', async () => {
  const clock = new SimulatedClock()
  const rate = new RateLimit(clock, 10 * MiB)
  let done = 0
  const copying = (async () => {
    for (; done < 30; done++) await rate.take(MiB)
  })()
  await clock.advanceAwaiting(1000)
  assert.ok(done >= 9 && done <= 13, `${done} MiB in a second`)
  await clock.advanceAwaiting(1000)
  assert.ok(done >= 19 && done <= 23, `${done} MiB in two seconds`)
  await clock.advanceAwaiting(2000)
  await copying
})

test('keys are 32 bytes, in either writing', () => {
  const key = new Random(6).bytes(32)
  assert.deepEqual(parseKey(`${Buffer.from(key).toString('hex')}\n`), Buffer.from(key))
  assert.deepEqual(parseKey(Buffer.from(key).toString('base64')), Buffer.from(key))
  for (const bad of ['', 'abc', 'zz'.repeat(32), 'ab'.repeat(31)]) {
    assert.throws(
      () => parseKey(bad),
      (error) => hasCode(error, 'backup.bad_key'),
    )
  }
})

test('what is encrypted under one name cannot be read under another, nor with any bit changed', async () => {
  const random = new Random(7)
  const clock = new SimulatedClock()
  const cipher = new Cipher(random.bytes(32), () => random.uint32())
  const plain = random.bytes(50)
  const stored = await cipher.encrypt('name', plain, clock)
  assert.deepEqual(new Uint8Array(await cipher.decrypt('name', 'there', stored, clock)), plain)
  await assert.rejects(cipher.decrypt('other', 'there', stored, clock), (error) => hasCode(error, 'backup.wrong_key'))
  for (let bit = 8 * 8; bit < 8 * stored.length; bit += 5) {
    const changed = stored.slice()
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    await assert.rejects(cipher.decrypt('name', 'there', changed, clock), (error) => hasCode(error, 'backup.wrong_key'))
  }
})

function copyFolder(world: World, from: string, to: string): void {
  const { disk } = world
  disk.makeDirectory(to)
  for (const name of disk.list(from)) {
    try {
      disk.list(`${from}/${name}`)
    } catch {
      const source = disk.open(`${from}/${name}`, 'read')
      const target = disk.open(`${to}/${name}`, 'create')
      const bytes = new Uint8Array(source.size())
      source.read(bytes, 0, bytes.length, 0)
      target.write(bytes, 0, bytes.length, 0)
      source.close()
      target.close()
      continue
    }
    copyFolder(world, `${from}/${name}`, `${to}/${name}`)
  }
}

test('an archive is copied faster than the limit where it must be done in a time; other backups are not', async () => {
  for (const { kind, archiveMsMax, mostMs } of [
    { kind: 'archive', archiveMsMax: 1000, mostMs: 1000 },
    { kind: 'archive', archiveMsMax: undefined, mostMs: Number.POSITIVE_INFINITY },
    { kind: 'incremental', archiveMsMax: 1000, mostMs: Number.POSITIVE_INFINITY },
  ] as const) {
    const world = new World({ random: new Random(9) })
    await world.open()
    await world.backUp('full')
    await world.writes(300)
    const { vault, disk, clock } = world
    let longestMs = 0
    clock.sleep = (ms) => {
      longestMs = Math.max(longestMs, ms)
      return clock.turn()
    }
    const limits = { bytesPerSecond: 1, ...(archiveMsMax === undefined ? {} : { archiveMsMax }) }
    const { manifest } = await backUp(world.store, { vault, disk, clock, kind, ...limits })
    assert.equal(manifest?.kind, kind)
    assert.ok(longestMs <= mostMs, `${kind} waits ${longestMs} ms`)
    // At a byte a second, whatever is not in a hurry waits for hours.
    if (mostMs === Number.POSITIVE_INFINITY) assert.ok(longestMs > 3_600_000)
    else assert.ok(longestMs > 100, 'and not as if there were no limit')
    await world.store.close()
  }
})
