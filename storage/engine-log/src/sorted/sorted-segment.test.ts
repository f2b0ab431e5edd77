/** Sorted segments: what is written reads back, and whatever is wrong with one is named with its place. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { copyKey, copyValue, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { segmentHeaderBytes, sortedFooterBytes } from '../log/format.ts'
import { encodeRecord, LogRecord } from '../log/record.ts'
import { checkSegment } from '../recovery/check-segment.ts'
import { findSortedRecord, forEachSortedRecord, readFooter, type SortedBounds, SortedWriter } from './sorted-segment.ts'

const path = '/0000000007.sorted'
const noLineage = { exists: false, createRevision: 0, previousRevision: 0, version: 0 }
const header = {
  kind: 'sorted',
  number: 7,
  seed: 0x1234abcd,
  createdAt: 5,
  storeId: '0123456789abcdef'.repeat(2),
} as const

function recordOf(key: string, value: Uint8Array, revision: number): LogRecord {
  const bytes = new Uint8Array((value.length + key.length + 64 + 7) & ~7)
  const words = new Uint32Array(bytes.buffer)
  encodeRecord(bytes, words, 0, putChange(3, encodeText(key), value), revision, noLineage)
  return new LogRecord().moveTo(bytes, words, 0)
}

function writerOf(disk: SimulatedDisk, capacityBytes: number): SortedWriter {
  return new SortedWriter({
    disk,
    path,
    header,
    image: new Uint8Array(capacityBytes),
    withSpace: (allocate) => allocate(),
  })
}

interface Written {
  readonly disk: SimulatedDisk
  readonly writer: SortedWriter
  readonly bounds: SortedBounds
  readonly starts: number[]
}

/** Values of these lengths, under keys in order. */
async function written(valueBytes: readonly number[]): Promise<Written> {
  const disk = new SimulatedDisk()
  const writer = writerOf(disk, 8 * 1024 * 1024)
  const starts = valueBytes.map((length, i) =>
    writer.add(recordOf(`k${String(i).padStart(4, '0')}`, new Uint8Array(length).fill(i + 1), i + 10)),
  )
  return { disk, writer, bounds: await writer.finish(), starts }
}

async function faultsOf({ writer }: Written): Promise<[number, string][]> {
  const { segment } = writer
  const found: [number, string][] = []
  const fault = (offset: number, problem: string): void => void found.push([offset, problem])
  await checkSegment(
    segment,
    segment.end,
    () => {},
    fault,
    () => {},
  )
  return found
}

describe('sorted segment', () => {
  test('records read back in order, those longer than a step of the writer too', async () => {
    const lengths = [0, 1, 7, 8, 300, 3 * 1024 * 1024, 5]
    const { disk, bounds } = await written(lengths)
    assert.deepEqual(bounds, { recordCount: 7, minRevision: 10, maxRevision: 16 })
    const file = disk.open(path, 'read')
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    const image = { bytes, words: new Uint32Array(bytes.buffer), seed: header.seed }
    const footer = readFooter(bytes, image.words, header.seed, bytes.length)
    assert.deepEqual(footer, { recordsEnd: bytes.length - sortedFooterBytes, ...bounds })
    const seen: [string, number][] = []
    const end = forEachSortedRecord(image, segmentHeaderBytes, bytes.length - sortedFooterBytes, (record) => {
      seen.push([decodeText(copyKey(record)), record.valueBytes])
      assert.deepEqual(copyValue(record), new Uint8Array(record.valueBytes).fill(seen.length))
    })
    assert.equal(end, bytes.length - sortedFooterBytes)
    assert.deepEqual(
      seen,
      lengths.map((length, i) => [`k${String(i).padStart(4, '0')}`, length]),
    )
    file.close()
  })

  test('has room just for what fits before the footer', () => {
    const record = recordOf('k', new Uint8Array(100), 1)
    const room = segmentHeaderBytes + record.recordBytes + sortedFooterBytes
    assert.equal(writerOf(new SimulatedDisk(), room).hasRoom(record.recordBytes), true)
    assert.equal(writerOf(new SimulatedDisk(), room - 8).hasRoom(record.recordBytes), false)
  })

  test('a sound one has no faults', async () => {
    assert.deepEqual(await faultsOf(await written([1, 2, 3])), [])
  })

  test('damage is named with its offset', async () => {
    const cases: [string, (store: Written) => void, (store: Written) => [number, RegExp][]][] = [
      ['header', ({ disk }) => disk.flipBit(path, 33, 1), () => [[0, /checksum of its header/]]],
      [
        'record',
        ({ disk, starts }) => disk.flipBit(path, (starts[1] as number) + 30, 1),
        ({ starts, writer }) => [
          [starts[1] as number, new RegExp(`^${(starts[2] as number) - (starts[1] as number)} bytes are damaged`)],
          [writer.segment.end, /says 4 records, 3 are sound/],
        ],
      ],
      [
        'last record',
        ({ disk, starts }) => disk.flipBit(path, (starts[3] as number) + 4, 6),
        ({ starts, writer }) => [
          [starts[3] as number, /damaged from here to byte/],
          [writer.segment.end, /3 are sound/],
        ],
      ],
      [
        'footer',
        ({ disk, writer }) => disk.flipBit(path, writer.segment.end + 17, 1),
        ({ writer }) => [[writer.segment.end, /checksum of its footer/]],
      ],
      [
        'end',
        ({ disk, writer }) => disk.cut(path, writer.segment.end - 8),
        ({ writer }) => [[writer.segment.end - 8, /^the file ends here, 72 bytes early/]],
      ],
      [
        'zeroed page',
        ({ disk }) => disk.zeroRange(path, segmentHeaderBytes, 512),
        ({ starts, writer }) => [
          [segmentHeaderBytes, /bytes are damaged/],
          [writer.segment.end, new RegExp(`4 records, ${starts.filter((start) => start >= 576).length} are sound`)],
        ],
      ],
    ]
    for (const [what, damage, expected] of cases) {
      const store = await written([600, 700, 800, 900])
      damage(store)
      const found = await faultsOf(store)
      const wanted = expected(store)
      assert.deepEqual(
        found.map(([offset]) => offset),
        wanted.map(([offset]) => offset),
        `${what}: ${found.join('; ')}`,
      )
      for (const [i, [, problem]] of wanted.entries()) assert.match((found[i] as [number, string])[1], problem)
    }
  })

  test('a footer that says something else is not taken', async () => {
    const { writer } = await written([1, 2])
    const { bytes, words, seed, end } = writer.segment
    const footer = readFooter(bytes.slice(0, end + sortedFooterBytes), words, seed, end + sortedFooterBytes)
    assert.equal('problem' in footer, false)
    assert.match((readFooter(bytes, words, seed, 60) as { problem: string }).problem, /ends after 60 bytes/)
    assert.match((readFooter(bytes, words, seed, end) as { problem: string }).problem, /no footer/)
    assert.match((readFooter(bytes, words, seed + 1, end + 64) as { problem: string }).problem, /does not match/)
  })

  for (const seed of seedsFor('sorted-segment', { kept: [1], fresh: 20 })) {
    test(`a record is found again behind any damage, seed ${seed}`, async () => {
      const random = new Random(seed)
      const store = await written(Array.from({ length: 20 }, () => random.below(200)))
      const { segment } = store.writer
      const { starts } = store
      const victim = random.below(19)
      const from = starts[victim] as number
      const next = starts[victim + 1] as number
      for (let at = from; at < next; at++) segment.bytes[at] = random.below(256)
      const image = { bytes: segment.bytes, words: segment.words, seed: header.seed }
      assert.equal(findSortedRecord(image, from, segment.end), next)
      assert.equal(
        forEachSortedRecord(image, segmentHeaderBytes, segment.end, () => {}),
        from,
      )
    })
  }
})
