/** Reading batches where nothing can be trusted: what is whole is found, and nothing else is taken for a batch. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { crc32c, decodeText, encodeText } from '@orbitkv/bytes'
import { putChange } from '@orbitkv/engine'
import { MemoryDisk } from '@orbitkv/runtime'
import { openLogEngine } from '../open.ts'
import { batchHeader, batchHeaderBytes, batchMagic, segmentHeaderBytes } from './format.ts'
import { LogRecord } from './record.ts'
import { type BatchHead, findBatch, forEachRecord, newBatchHead, readBatchHead, skipZeros } from './scan.ts'
import { decodeHeader } from './segment.ts'

interface Image {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly seed: number
}

const batches = 12

/** The bytes of a segment as the engine writes it: batch i holds `key-i`, and zeros follow the last. */
async function segmentImage(): Promise<Image> {
  const disk = new MemoryDisk()
  const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
  const engine = await openLogEngine('/store', { disk, config, randomUint32: () => 0x5eed })
  for (let i = 1; i <= batches; i++) {
    const value = encodeText('v'.repeat(i * 3))
    engine.append({
      changes: [putChange(0, encodeText(`key-${i}`), value), putChange(7, encodeText('other'), value)],
      revision: i,
      time: i,
    })
  }
  await engine.sync()
  await engine.close()
  const file = disk.open('/store/log-00/0000000001.log', 'read')
  const bytes = new Uint8Array(16 * KiB)
  file.read(bytes, 0, file.size(), 0)
  const header = decodeHeader('a segment', bytes, bytes.length)
  assert.ok('seed' in header)
  return { bytes, words: new Uint32Array(bytes.buffer), seed: header.seed }
}

function copyOf({ bytes, seed }: Image): Image {
  const own = bytes.slice()
  return { bytes: own, words: new Uint32Array(own.buffer), seed }
}

/** The heads of all batches from the start on, each where the one before it ends. */
function walk({ bytes, words, seed }: Image): BatchHead[] {
  const heads: BatchHead[] = []
  const head = newBatchHead()
  for (let at = segmentHeaderBytes; readBatchHead(bytes, words, seed, at, bytes.length, head); at += head.batchBytes) {
    heads.push({ ...head })
  }
  return heads
}

function find(image: Image, offset: number, end = image.bytes.length): BatchHead | undefined {
  const head = newBatchHead()
  return findBatch(image.bytes, image.words, image.seed, offset, end, head) ? head : undefined
}

describe('scanning', () => {
  test('a walk meets every batch, in order, with its numbers', async () => {
    const heads = walk(await segmentImage())
    assert.deepEqual(
      heads.map(({ position, revision, time, recordCount }) => [position, revision, time, recordCount]),
      Array.from({ length: batches }, (_, i) => [i + 1, i + 1, i + 1, 2]),
    )
  })

  test('the next batch is found from any place before it', async () => {
    const image = await segmentImage()
    const heads = walk(image)
    for (const [i, head] of heads.entries()) {
      const before = heads[i - 1]?.offset ?? 0
      for (let at = before + 8; at <= head.offset; at += 8) assert.equal(find(image, at)?.position, head.position)
    }
    assert.equal(find(image, (heads.at(-1) as BatchHead).offset + 8), undefined)
  })

  test('a batch that does not end before the end is none', async () => {
    const image = await segmentImage()
    const last = walk(image).at(-1) as BatchHead
    const whole = last.offset + last.batchBytes
    assert.equal(find(image, last.offset, whole)?.position, batches)
    for (let end = last.offset; end < whole; end++) assert.equal(find(image, last.offset, end), undefined)
  })

  test('a torn batch, zeros from any place in it on, is none', async () => {
    const image = await segmentImage()
    const last = walk(image).at(-1) as BatchHead
    const whole = last.offset + last.batchBytes
    for (let from = last.offset; from < whole; from++) {
      const torn = copyOf(image)
      // The padding behind the last value is zeros already: tearing it off loses nothing.
      if (torn.bytes.subarray(from, whole).every((byte) => byte === 0)) continue
      torn.bytes.fill(0, from, whole)
      assert.equal(find(torn, last.offset), undefined, `torn ${from - last.offset} bytes in`)
    }
  })

  test('a batch of another seed is none: a block that another file left behind is not ours', async () => {
    const image = await segmentImage()
    assert.equal(find({ ...image, seed: image.seed ^ 1 }, 0), undefined)
    assert.equal(find({ ...image, seed: 0 }, 0), undefined)
  })

  test('a batch shifted by less than 8 bytes is none; by more it is found where it stands, and its position tells', async () => {
    const image = await segmentImage()
    const [first] = walk(image) as [BatchHead]
    for (let shift = 1; shift <= 16; shift++) {
      const shifted = copyOf(image)
      shifted.bytes.fill(0, segmentHeaderBytes)
      const place = 1024 + shift
      shifted.bytes.set(image.bytes.subarray(first.offset, first.offset + first.batchBytes), place)
      const found = find(shifted, segmentHeaderBytes)
      if (shift % 8 !== 0) assert.equal(found, undefined)
      else assert.deepEqual([found?.offset, found?.position], [place, 1])
    }
  })

  for (const seed of seedsFor('scan', { kept: [1], fresh: 3 })) {
    test(`a batch with any bit flipped is passed over, and the next one found, seed ${seed}`, async () => {
      const random = new Random(seed)
      const image = await segmentImage()
      const heads = walk(image)
      for (let round = 0; round < 2000; round++) {
        const hurt = random.below(batches)
        const { offset, batchBytes } = heads[hurt] as BatchHead
        const place = offset + random.below(batchBytes)
        const bit = 1 << random.below(8)
        image.bytes[place] = (image.bytes[place] as number) ^ bit
        assert.equal(find(image, offset)?.position, hurt + 1 < batches ? hurt + 2 : undefined)
        image.bytes[place] = (image.bytes[place] as number) ^ bit
      }
      assert.equal(walk(image).length, batches)
    })

    test(`random bytes are never taken for a batch, magic or not, seed ${seed}`, () => {
      const random = new Random(seed)
      const bytes = random.bytes(64 * KiB)
      const words = new Uint32Array(bytes.buffer)
      for (let i = 0; i < 200; i++) {
        const word = random.below(words.length / 2 - 32) * 2
        words[word] = batchMagic
        words[word + batchHeader.batchBytes / 4] = random.pick([0, 8, 56, 64, 63, 72, 1024, 2 ** 31, 2 ** 32 - 8])
      }
      assert.equal(find({ bytes, words, seed: random.uint32() }, 0), undefined)
    })
  }

  test('a length that is too small, odd or past the end is none, even with a checksum that would match', async () => {
    const image = await segmentImage()
    const [first] = walk(image) as [BatchHead]
    const word = first.offset >>> 2
    for (const batchBytes of [0, 8, batchHeaderBytes - 8, batchHeaderBytes + 4, 2 ** 32 - 8]) {
      const wrong = copyOf(image)
      wrong.words[word + batchHeader.batchBytes / 4] = batchBytes
      const end = Math.min(Math.max(first.offset + batchBytes, first.offset + 8), wrong.bytes.length)
      wrong.words[word + batchHeader.checksum / 4] = crc32c(wrong.seed, wrong.bytes, first.offset + 8, end)
      assert.equal(
        readBatchHead(wrong.bytes, wrong.words, wrong.seed, first.offset, wrong.bytes.length, newBatchHead()),
        false,
      )
    }
  })

  test('zeros are skipped up to the first word that is none, or the end', () => {
    const words = new Uint32Array(16)
    assert.equal(skipZeros(words, 0, 64), 64)
    assert.equal(skipZeros(words, 8, 8), 8)
    words[5] = 1
    assert.equal(skipZeros(words, 0, 64), 20)
    assert.equal(skipZeros(words, 20, 64), 20)
    assert.equal(skipZeros(words, 24, 64), 64)
    assert.equal(skipZeros(words, 0, 16), 16)
  })
})

describe('the records of a batch', () => {
  test('are visited in order', async () => {
    const image = await segmentImage()
    const keys: string[] = []
    for (const head of walk(image).slice(0, 2)) {
      forEachRecord(image.bytes, image.words, head, new LogRecord(), ({ keyspace, keyStart, keyBytes }) => {
        keys.push(`${keyspace} ${decodeText(image.bytes.subarray(keyStart, keyStart + keyBytes))}`)
      })
    }
    assert.deepEqual(keys, ['0 key-1', '7 other', '0 key-2', '7 other'])
  })

  test('that run past it, leave room behind or have unknown flags throw', async () => {
    const image = await segmentImage()
    const [first] = walk(image) as [BatchHead]
    const visit = (head: BatchHead, { bytes, words }: Image): void => {
      forEachRecord(bytes, words, head, new LogRecord(), () => undefined)
    }
    assert.throws(() => visit({ ...first, recordCount: 3 }, image), /record 2 at byte \d+ runs past its batch/)
    assert.throws(() => visit({ ...first, recordCount: 1 }, image), /has bytes behind its last record/)
    const unknown = copyOf(image)
    const flagsAt = first.offset + batchHeaderBytes + 10
    unknown.bytes[flagsAt] = (unknown.bytes[flagsAt] as number) | 64
    assert.throws(() => visit(first, unknown), /record 0 at byte \d+ has flags that this version does not know/)
  })
})
