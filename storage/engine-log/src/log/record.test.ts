/** Records: every combination of flags there and back, at every alignment of lengths, within the promised size. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Change, deleteChange, deleteRangeChange, putChange } from '@orbitkv/engine'
import fc from 'fast-check'
import { bytesBeforeKey, recordFlag, recordHeaderBytes } from './format.ts'
import { encodeRecord, type Lineage, LogRecord, recordBytesMax } from './record.ts'

const kinds = ['put', 'delete', 'expired', 'delete-range'] as const

interface Sample {
  readonly kind: (typeof kinds)[number]
  readonly keyspace: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly expiresAt: number
  readonly lease: number
  readonly tag: number
  readonly revision: number
  readonly before: Lineage
}

function changeOf({ kind, keyspace, key, value, expiresAt, lease, tag }: Sample): Change {
  if (kind === 'put') return putChange(keyspace, key, value, { expiresAt, lease, tag })
  if (kind === 'delete-range') return deleteRangeChange(keyspace, key, value)
  return deleteChange(keyspace, key, { expired: kind === 'expired' })
}

const noLineage: Lineage = { exists: false, createRevision: 0, previousRevision: 0, version: 0 }

/** Encodes a sample behind other bytes, reads it back, and compares everything. */
function thereAndBack(sample: Sample): void {
  const change = changeOf(sample)
  const start = 16
  const most = recordBytesMax(change)
  const bytes = new Uint8Array(start + most + 16).fill(0xee)
  const words = new Uint32Array(bytes.buffer)
  const valueEnd = encodeRecord(bytes, words, start, change, sample.revision, sample.before)
  const record = new LogRecord().moveTo(bytes, words, start)

  const isPut = sample.kind === 'put'
  const value = isPut || sample.kind === 'delete-range' ? sample.value : new Uint8Array(0)
  assert.equal(record.kind, sample.kind === 'expired' ? 'delete' : sample.kind)
  assert.equal(record.isPut, isPut)
  assert.equal(record.expired, sample.kind === 'expired')
  assert.equal(record.keyspace, sample.keyspace)
  assert.equal(record.revision, sample.revision)
  assert.equal(record.expiresAt, isPut ? sample.expiresAt : 0)
  assert.equal(record.lease, isPut ? sample.lease : 0)
  assert.equal(record.tag, isPut ? sample.tag : 0)
  const { before } = sample
  const fresh = { createRevision: sample.revision, previousRevision: 0, version: isPut ? 1 : 0 }
  const { createRevision, previousRevision, version } = before.exists ? before : fresh
  assert.deepEqual(
    [record.createRevision, record.previousRevision, record.version],
    [createRevision, previousRevision, version],
  )
  assert.deepEqual(bytes.slice(record.keyStart, record.keyStart + record.keyBytes), sample.key)
  assert.deepEqual(bytes.slice(record.valueStart, record.valueStart + record.valueBytes), value)

  assert.equal(valueEnd, record.valueStart + record.valueBytes)
  assert.equal(record.recordBytes % 8, 0)
  assert.ok(record.recordBytes <= most, `${record.recordBytes} bytes, ${most} were promised to do`)
  assert.ok(most - record.recordBytes <= 24, 'only the lineage may turn out not to be needed')
  const end = start + record.recordBytes
  assert.ok(
    bytes.subarray(valueEnd, end).every((byte) => byte === 0),
    'zeros up to the next multiple of 8',
  )
  assert.ok(
    bytes.subarray(0, start).every((byte) => byte === 0xee),
    'nothing before it is touched',
  )
  assert.ok(
    bytes.subarray(end).every((byte) => byte === 0xee),
    'nor behind it',
  )
  const checksumBytes = bytes.subarray(start, start + 4)
  assert.ok(
    checksumBytes.every((byte) => byte === 0xee),
    'the checksum is left to whoever knows the seed',
  )
}

const someBytes = fc.uint8Array({ maxLength: 300 })
const someNumber = fc.oneof(fc.constant(0), fc.maxSafeNat())

describe('records', () => {
  for (const kind of kinds) {
    test(`${kind}: every combination of optional parts, and every alignment`, () => {
      for (let flags = 0; flags < 8; flags++) {
        for (let keyBytes = 0; keyBytes <= 9; keyBytes++) {
          for (let valueBytes = 0; valueBytes <= 9; valueBytes++) {
            thereAndBack({
              kind,
              keyspace: 0xffffffff,
              key: new Uint8Array(keyBytes).fill(0x6b),
              value: new Uint8Array(valueBytes).fill(0x76),
              revision: Number.MAX_SAFE_INTEGER,
              tag: flags & 1 ? 255 : 0,
              expiresAt: flags & 1 ? 2 ** 45 + 1 : 0,
              lease: flags & 2 ? Number.MAX_SAFE_INTEGER : 0,
              before:
                flags & 4
                  ? { exists: true, createRevision: 2 ** 33, previousRevision: 2 ** 52 + 1, version: 2 ** 32 - 1 }
                  : noLineage,
            })
          }
        }
      }
    })
  }

  test('any record comes back as it was', () => {
    const someBefore = fc.oneof(
      fc.constant(noLineage),
      fc.record({
        exists: fc.constant(true),
        createRevision: fc.maxSafeNat(),
        previousRevision: fc.maxSafeNat(),
        version: fc.nat({ max: 2 ** 32 - 1 }),
      }),
    )
    const someSample = fc.record({
      kind: fc.constantFrom(...kinds),
      keyspace: fc.nat({ max: 2 ** 32 - 1 }),
      key: someBytes,
      value: someBytes,
      expiresAt: someNumber,
      lease: someNumber,
      tag: fc.nat({ max: 255 }),
      revision: fc.maxSafeNat(),
      before: someBefore,
    })
    fc.assert(fc.property(someSample, thereAndBack), { numRuns: 500 })
  })

  test('a window of larger bytes is the record of the window', () => {
    const change = putChange(3, new TextEncoder().encode('..key..'), new TextEncoder().encode('<value>'))
    change.keyStart = 2
    change.keyEnd = 5
    change.valueStart = 1
    change.valueEnd = 6
    const bytes = new Uint8Array(64)
    const words = new Uint32Array(bytes.buffer)
    encodeRecord(bytes, words, 0, change, 1, noLineage)
    const record = new LogRecord().moveTo(bytes, words, 0)
    const text = new TextDecoder().decode(bytes.subarray(record.keyStart, record.valueStart + record.valueBytes))
    assert.equal(text, 'keyvalue')
  })

  test('the bytes before the key are counted for every combination of flags', () => {
    for (let flags = 0; flags < 64; flags++) {
      let bytes = recordHeaderBytes
      if (flags & recordFlag.lineage) bytes += 24
      if (flags & recordFlag.expiry) bytes += 8
      if (flags & recordFlag.lease) bytes += 8
      assert.equal(bytesBeforeKey[flags], bytes)
    }
  })
})
