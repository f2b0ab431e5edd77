/**
 * The golden stores of format 1, fixtures/log-v1 and, after a compaction, fixtures/sorted-v1: they open and read as they did when
 * they were made, making them again gives the same bytes, and the format pages' worked examples are what is written. Bytes
 * change only with a new version.
 *
 * `ORBIT_WRITE_GOLDEN=1` writes the fixtures, once a version.
 */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { KiB, Random } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import {
  type Change,
  copyKey,
  copyValue,
  deleteChange,
  deleteRangeChange,
  type Engine,
  putChange,
} from '@orbitkv/engine'
import { type Disk, MemoryDisk } from '@orbitkv/runtime'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { openLogEngine } from './open.ts'

const logFixture = new URL('../../../fixtures/log-v1/', import.meta.url)
const sortedFixture = new URL('../../../fixtures/sorted-v1/', import.meta.url)
const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const startMs = 1_700_000_000_000

function open(disk: Disk): ReturnType<typeof openLogEngine> {
  const random = new Random(1)
  const clock = new SimulatedClock(startMs)
  return openLogEngine('/store', { disk, clock, config, randomUint32: () => random.uint32() })
}

/** Every kind of record, every optional part, more than one segment. */
const history: readonly (readonly Change[])[] = [
  [putChange(0, encodeText('a'), encodeText('1'))],
  [putChange(0, encodeText('a'), encodeText('2')), putChange(0, encodeText(''), encodeText('the empty key'))],
  [putChange(7, encodeText('full'), encodeText('x'), { expiresAt: startMs + 5000, lease: 2 ** 40 + 1, tag: 9 })],
  [putChange(0, encodeText('large'), new Uint8Array(9000).fill(0x5a))],
  [putChange(0, encodeText('b1'), encodeText('x')), putChange(0, encodeText('b2'), encodeText('x'))],
  [deleteRangeChange(0, encodeText('b'), encodeText('c'))],
  [deleteChange(0, encodeText('a'), { expired: true })],
  [putChange(0, encodeText('a'), encodeText('again'))],
  [putChange(0, encodeText('second segment'), new Uint8Array(8000).fill(0xa5))],
]

async function make(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const engine = await open(disk)
  for (const [i, changes] of history.entries()) {
    engine.append({ changes, revision: i + 1, time: startMs + i })
    await engine.sync()
    engine.publish(i + 1)
  }
  await engine.close()
  return disk
}

/** Deletes that must be kept, versions that history keeps, two sorted segments, and a log behind them. */
async function makeSorted(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const engine = await open(disk)
  const commit = async (...changes: Change[]): Promise<void> => {
    const revision = engine.appendedRevision + 1
    engine.append({ changes, revision, time: startMs + revision })
    await engine.sync()
    engine.publish(engine.appendedPosition)
  }
  const small = [putChange(0, encodeText('a'), encodeText('1')), putChange(0, encodeText('b'), encodeText('2'))]
  await commit(...small, putChange(0, encodeText('c'), new Uint8Array(500).fill(0x63)))
  engine.retain(1)
  await engine.compact('all')
  await commit(putChange(0, encodeText('large'), new Uint8Array(9000).fill(0x5a)))
  await commit(putChange(7, encodeText('full'), encodeText('x'), { expiresAt: startMs + 5000, lease: 6, tag: 9 }))
  await commit(putChange(0, encodeText('a'), encodeText('seen by revision 5')), deleteChange(0, encodeText('b')))
  await commit(putChange(0, encodeText('large'), new Uint8Array(9000).fill(0xa5)))
  engine.retain(5)
  // What it may take, but for the first sorted segment: that has too little garbage.
  await commit(deleteRangeChange(0, encodeText('a'), encodeText('c')))
  await engine.compact('garbage')
  await engine.close()
  return disk
}

function filesOf(disk: Disk): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const folders = ['log-00', 'shard-000'].filter((name) => disk.exists(`/store/${name}`))
  const names = folders.flatMap((folder) => disk.list(`/store/${folder}`).map((name) => `${folder}/${name}`))
  for (const path of ['orbit.json', ...names]) {
    const file = disk.open(`/store/${path}`, 'read')
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    files.set(path, bytes)
  }
  return files
}

function readFixture(fixture: URL): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const name of readdirSync(fixture, { recursive: true, encoding: 'utf8' }).sort()) {
    const url = new URL(name, fixture)
    if (statSync(url).isFile()) files.set(name, new Uint8Array(readFileSync(url)))
  }
  return files
}

function openFixture(fixture: URL): ReturnType<typeof openLogEngine> {
  const disk = new MemoryDisk()
  for (const [name, bytes] of readFixture(fixture)) {
    disk.makeDirectory(new URL(`.`, new URL(name, 'file:///store/')).pathname.replace(/\/$/, ''))
    const file = disk.open(`/store/${name}`, 'create')
    file.write(bytes, 0, bytes.length, 0)
    file.close()
  }
  return open(disk)
}

function describeState(engine: Engine, at?: number): unknown[] {
  return engine.keyspaces().flatMap((keyspace) =>
    Array.from(engine.range(keyspace, at === undefined ? {} : { at }), (record) => ({
      keyspace,
      key: decodeText(copyKey(record)),
      value: record.valueBytes > 100 ? record.valueBytes : decodeText(copyValue(record)),
      numbers: [record.revision, record.createRevision, record.previousRevision, record.version],
      parts: [record.expiresAt, record.lease, record.tag],
    })),
  )
}

if (process.env.ORBIT_WRITE_GOLDEN === '1') {
  for (const [fixture, disk] of [
    [logFixture, await make()],
    [sortedFixture, await makeSorted()],
  ] as const) {
    for (const [name, bytes] of filesOf(disk)) {
      mkdirSync(new URL('./', new URL(name, fixture)), { recursive: true })
      writeFileSync(new URL(name, fixture), bytes)
    }
  }
}

/** Compares the lines of a page's dump with a file. `cc` stands for a byte of a checksum. */
function assertExample(page: string, bytes: Uint8Array, lineCount: number): void {
  const text = readFileSync(new URL(`../../../docs/formats/${page}`, import.meta.url), 'utf8')
  const lines = [...text.matchAll(/^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} +){16})/gm)]
  assert.equal(lines.length, lineCount)
  for (const [, offset = '', line = ''] of lines) {
    const start = Number.parseInt(offset, 16)
    for (const [i, byte] of line.trim().split(/ +/).entries()) {
      if (byte === 'cc') continue
      assert.equal(bytes[start + i]?.toString(16).padStart(2, '0'), byte, `byte ${start + i}`)
    }
  }
}

test('the golden store of format 1 opens and holds what it held', async () => {
  const engine = await openFixture(logFixture)
  assert.deepEqual(describeState(engine), [
    { keyspace: 0, key: '', value: 'the empty key', numbers: [2, 2, 0, 1], parts: [0, 0, 0] },
    { keyspace: 0, key: 'a', value: 'again', numbers: [8, 8, 7, 1], parts: [0, 0, 0] },
    { keyspace: 0, key: 'large', value: 9000, numbers: [4, 4, 0, 1], parts: [0, 0, 0] },
    { keyspace: 0, key: 'second segment', value: 8000, numbers: [9, 9, 0, 1], parts: [0, 0, 0] },
    { keyspace: 7, key: 'full', value: 'x', numbers: [3, 3, 0, 1], parts: [startMs + 5000, 2 ** 40 + 1, 9] },
  ])
  assert.equal(engine.stats().segments, 2)
  assert.deepEqual((await engine.verify()).faults, [])
  await engine.close()
})

test('the golden store with sorted segments opens and holds what it held', async () => {
  const engine = await openFixture(sortedFixture)
  const full = { keyspace: 7, key: 'full', value: 'x', numbers: [3, 3, 0, 1], parts: [startMs + 5000, 6, 9] }
  const large = { keyspace: 0, key: 'large', value: 9000, numbers: [5, 2, 2, 2], parts: [0, 0, 0] }
  const c = { keyspace: 0, key: 'c', value: 500, numbers: [1, 1, 0, 1], parts: [0, 0, 0] }
  assert.deepEqual(describeState(engine), [c, large, full])
  const a = { keyspace: 0, key: 'a', value: 'seen by revision 5', numbers: [4, 1, 1, 2], parts: [0, 0, 0] }
  assert.deepEqual(describeState(engine, 5), [a, c, large, full])
  assert.equal(engine.stats().details.sortedSegments, 2)
  assert.deepEqual((await engine.verify()).faults, [])
  assert.throws(() => describeState(engine, 4), { code: 'engine.compacted' })
  await engine.close()
})

test('making the golden stores again gives the same bytes', async () => {
  for (const [fixture, disk] of [
    [logFixture, await make()],
    [sortedFixture, await makeSorted()],
  ] as const) {
    const made = filesOf(disk)
    const golden = readFixture(fixture)
    assert.deepEqual([...made.keys()].sort(), [...golden.keys()].sort())
    for (const [name, bytes] of made) assert.deepEqual(bytes, golden.get(name), name)
  }
})

test('the worked examples of the format pages are what is written', () => {
  assertExample('log-v1.md', readFixture(logFixture).get('log-00/0000000001.log') as Uint8Array, 6)
  const newest = [...readFixture(sortedFixture)].findLast(([name]) => name.endsWith('.sorted'))
  assertExample('sorted-v1.md', newest?.[1] as Uint8Array, 15)
})
