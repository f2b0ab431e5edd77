/**
 * The golden store of format 1 (fixtures/log-v1): it opens and reads as it did when it was made, making it again gives the
 * same bytes, and the format page's worked example is what is written. Bytes change only with a new version.
 *
 * `ORBIT_WRITE_GOLDEN=1` writes the fixture, once a version.
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

const fixture = new URL('../../../fixtures/log-v1/', import.meta.url)
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

function filesOf(disk: Disk): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const path of ['orbit.json', ...disk.list('/store/log-00').map((name) => `log-00/${name}`)]) {
    const file = disk.open(`/store/${path}`, 'read')
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    files.set(path, bytes)
  }
  return files
}

function readFixture(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const name of readdirSync(fixture, { recursive: true, encoding: 'utf8' }).sort()) {
    const url = new URL(name, fixture)
    if (statSync(url).isFile()) files.set(name, new Uint8Array(readFileSync(url)))
  }
  return files
}

function describeState(engine: Engine): unknown[] {
  return engine.keyspaces().flatMap((keyspace) =>
    Array.from(engine.range(keyspace, {}), (record) => ({
      keyspace,
      key: decodeText(copyKey(record)),
      value: record.valueBytes > 100 ? record.valueBytes : decodeText(copyValue(record)),
      numbers: [record.revision, record.createRevision, record.previousRevision, record.version],
      parts: [record.expiresAt, record.lease, record.tag],
    })),
  )
}

if (process.env.ORBIT_WRITE_GOLDEN === '1') {
  for (const [name, bytes] of filesOf(await make())) {
    mkdirSync(new URL('./', new URL(name, fixture)), { recursive: true })
    writeFileSync(new URL(name, fixture), bytes)
  }
}

test('the golden store of format 1 opens and holds what it held', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/store/log-00')
  for (const [name, bytes] of readFixture()) {
    const file = disk.open(`/store/${name}`, 'create')
    file.write(bytes, 0, bytes.length, 0)
    file.close()
  }
  const engine = await open(disk)
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

test('making the golden store again gives the same bytes', async () => {
  const made = filesOf(await make())
  const golden = readFixture()
  assert.deepEqual([...made.keys()].sort(), [...golden.keys()].sort())
  for (const [name, bytes] of made) assert.deepEqual(bytes, golden.get(name), name)
})

test('the worked example of the format page is what is written', () => {
  const page = readFileSync(new URL('../../../docs/formats/log-v1.md', import.meta.url), 'utf8')
  const segment = readFixture().get('log-00/0000000001.log') as Uint8Array
  const lines = [...page.matchAll(/^(00[4-9]0) {2}((?:[0-9a-f]{2} +){16})/gm)]
  assert.equal(lines.length, 6)
  for (const [, offset = '', text = ''] of lines) {
    const start = Number.parseInt(offset, 16)
    for (const [i, byte] of text.trim().split(/ +/).entries()) {
      if (byte === 'cc') continue
      assert.equal(segment[start + i]?.toString(16).padStart(2, '0'), byte, `byte ${start + i}`)
    }
  }
})
