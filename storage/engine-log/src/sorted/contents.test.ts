/** The contents of a shard: replaced whole or not at all, and never taken for what they are not. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32c, encodeText } from '@orbitkv/bytes'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { type Contents, commitContents, noContents, readContents, stageContents } from './contents.ts'

const storeId = '0123456789abcdef'.repeat(2)
const contents: Contents = {
  generation: 3,
  oldestRevision: 17,
  logStart: 9,
  base: { position: 20, revision: 17, time: 1_700_000_000_000 },
  sorted: [{ number: 4, bytes: 4096, records: 12, minRevision: 1, maxRevision: 17 }],
}

async function replaced(disk: SimulatedDisk, next: Contents): Promise<void> {
  await stageContents(disk, '/shard', storeId, next)
  await commitContents(disk, '/shard')
}

function diskWithFolder(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/shard')
  return disk
}

/** Puts a text there with the right checksum. */
function plant(disk: SimulatedDisk, text: string): void {
  const bytes = encodeText(text)
  const line = encodeText(`crc32c ${crc32c(0, bytes, 0, bytes.length).toString(16).padStart(8, '0')}\n`)
  const file = disk.open('/shard/contents', 'create')
  file.write(line, 0, line.length, 0)
  file.write(bytes, 0, bytes.length, line.length)
  file.close()
}

describe('contents', () => {
  test('a store that was never compacted has none', () => {
    assert.deepEqual(readContents(diskWithFolder(), '/shard', storeId), noContents)
  })

  test('read back as written, and replaced', async () => {
    const disk = diskWithFolder()
    await replaced(disk, contents)
    assert.deepEqual(readContents(disk, '/shard', storeId), contents)
    await replaced(disk, { ...contents, generation: 4, sorted: [] })
    assert.deepEqual(readContents(disk, '/shard', storeId), { ...contents, generation: 4, sorted: [] })
  })

  test('staged ones change nothing, also after a crash, and are staged again', async () => {
    const disk = diskWithFolder()
    await disk.syncDirectory('/')
    await replaced(disk, contents)
    await stageContents(disk, '/shard', storeId, { ...contents, generation: 4 })
    assert.equal(readContents(disk, '/shard', storeId).generation, 3)
    disk.crash({ mode: 'keep-all' })
    assert.equal(readContents(disk, '/shard', storeId).generation, 3)
    await replaced(disk, { ...contents, generation: 5 })
    disk.crash({ mode: 'drop-all' })
    assert.equal(readContents(disk, '/shard', storeId).generation, 5)
  })

  test('every flipped bit is found', async () => {
    const disk = diskWithFolder()
    await replaced(disk, contents)
    const file = disk.open('/shard/contents', 'read')
    const size = file.size()
    file.close()
    for (let at = 0; at < size; at++) {
      disk.flipBit('/shard/contents', at, at % 8)
      assert.throws(() => readContents(disk, '/shard', storeId), { code: 'engine.corrupt' }, `byte ${at}`)
      disk.flipBit('/shard/contents', at, at % 8)
    }
    assert.deepEqual(readContents(disk, '/shard', storeId), contents)
  })

  test('those of another store and of a newer version are refused by name', async () => {
    const disk = diskWithFolder()
    await replaced(disk, contents)
    const other = 'f'.repeat(32)
    assert.throws(() => readContents(disk, '/shard', other), { code: 'engine.corrupt', message: /another store/ })
    disk.remove('/shard/contents')
    plant(disk, `${JSON.stringify({ format: 2, storeId, ...contents })}\n`)
    assert.throws(() => readContents(disk, '/shard', storeId), { code: 'engine.newer_format' })
  })
})
