/** The batch directory: a sparse note for each stretch of log, found by position and by revision. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BatchDirectory } from './batch-directory.ts'
import { newBatchHead } from './scan.ts'

const kib = 1024

/** A directory of batches of 16 KiB, three segments of a hundred; every second batch takes a revision. */
function filled(): BatchDirectory {
  const directory = new BatchDirectory()
  for (let position = 1; position <= 300; position++) {
    const segment = Math.ceil(position / 100)
    const offset = 64 + ((position - 1) % 100) * 16 * kib
    directory.add(segment, {
      ...newBatchHead(),
      offset,
      batchBytes: 16 * kib,
      position,
      revision: Math.ceil(position / 2),
    })
  }
  return directory
}

describe('batch directory', () => {
  test('an empty one knows nothing', () => {
    const directory = new BatchDirectory()
    assert.equal(directory.first(), undefined)
    assert.equal(directory.before('position', 1), undefined)
    directory.truncateAfter(0)
    assert.equal(directory.bytes, 0)
  })

  test('a position is found by a note at or before it, at most a stretch of 64 KiB away, in its segment', () => {
    const directory = filled()
    for (let position = 1; position <= 300; position++) {
      const place = directory.before('position', position)
      assert.ok(place !== undefined)
      assert.ok(place.position <= position && place.position > position - 4, `${place.position} for ${position}`)
      assert.equal(place.segment, Math.ceil(position / 100))
      assert.equal(place.offset, 64 + ((place.position - 1) % 100) * 16 * kib)
    }
    assert.equal(directory.before('position', 0), undefined)
    assert.equal(directory.before('position', 10_000)?.segment, 3)
  })

  test('a revision is found by a note whose revision is not above it', () => {
    const directory = filled()
    for (let revision = 1; revision <= 150; revision++) {
      const place = directory.before('revision', revision)
      assert.ok(place !== undefined)
      assert.ok(place.revision <= revision && place.revision >= revision - 2)
    }
    assert.equal(directory.before('revision', 0), undefined)
  })

  test('notes are few', () => {
    assert.ok(filled().bytes <= 80 * 72)
  })

  test('truncation forgets what is above a position, and what is added then is found', () => {
    const directory = filled()
    directory.truncateAfter(150)
    assert.ok((directory.before('position', 300)?.position ?? 0) <= 150)
    assert.equal(directory.first()?.position, 1)
    directory.add(4, { ...newBatchHead(), offset: 64, position: 151, revision: 76 })
    assert.deepEqual(directory.before('position', 151), { position: 151, revision: 76, segment: 4, offset: 64 })
    directory.truncateAfter(0)
    assert.equal(directory.first(), undefined)
  })
})
