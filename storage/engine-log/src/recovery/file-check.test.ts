/** The check of bytes as they come: sound files pass in pieces of any size, and a flipped bit does not. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { type Engine, type HeldFile, putChange } from '@orbitkv/engine'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'
import { FileCheck, type FileFault } from './file-check.ts'

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0, checkpointBytes: 0 }

function write(engine: Engine, random: Random, batches: number): void {
  for (let left = batches; left > 0; left--) {
    const key = (): Uint8Array => random.bytes(random.between(1, 12))
    // Some batches are larger than the pieces that they are cut into.
    const changes = Array.from({ length: random.between(1, 9) }, () =>
      putChange(0, key(), random.bytes(random.below(300))),
    )
    engine.append({ changes, revision: engine.appendedRevision + 1, time: 0 })
  }
  engine.publish(engine.write())
}

/** A store whose files are sorted ones and segments of the log, several of each. */
async function makeFiles(random: Random): Promise<{ disk: SimulatedDisk; files: readonly HeldFile[] }> {
  const disk = new SimulatedDisk({ seed: random.uint32() })
  const clock = new SimulatedClock()
  const engine = await openLogEngine('/store', { disk, clock, config, randomUint32: () => random.uint32() })
  write(engine, random, 60)
  while (!engine.retain(engine.publishedRevision));
  await engine.compact('all')
  write(engine, random, 40)
  const hold = await engine.holdFiles?.()
  assert.ok(hold !== undefined)
  await hold.release()
  await engine.close()
  for (const wanted of ['log', 'sorted']) assert.ok(hold.files.some(({ kind }) => kind === wanted))
  return { disk, files: hold.files }
}

function bytesOf(disk: SimulatedDisk, { path, bytes: length }: HeldFile): Uint8Array {
  const bytes = new Uint8Array(length)
  const file = disk.open(path, 'read')
  file.read(bytes, 0, length, 0)
  file.close()
  return bytes
}

/** Takes a file from an offset on in random pieces. */
function check(file: HeldFile, bytes: Uint8Array, random: Random, from = 0): FileFault | undefined {
  const checked = new FileCheck(file, from)
  for (let at = from; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 8 * random.between(1, random.pick([4, 40, 4000])))
    // What a caller does with its buffer afterwards is its own affair.
    const piece = bytes.slice(at, end)
    checked.take(piece)
    piece.fill(0xff)
    at = end
  }
  return checked.end()
}

for (const seed of seedsFor('file check', { kept: [], fresh: 3 })) {
  test(`what was written passes, from the start or from a batch, seed ${seed}`, async () => {
    const random = new Random(seed)
    const { disk, files } = await makeFiles(random)
    for (const file of files) {
      const bytes = bytesOf(disk, file)
      for (let i = 0; i < 5; i++) assert.equal(check(file, bytes, random), undefined)
      if (file.kind === 'sorted') continue
      const words = new Uint32Array(bytes.buffer)
      // Behind the header and the first batch.
      const from = 64 + (words[(64 + 8) >>> 2] as number)
      assert.equal(check(file, bytes, random, from), undefined)
    }
  })

  test(`a flipped bit, missing bytes and another file do not pass, seed ${seed}`, async () => {
    const random = new Random(seed)
    const { disk, files } = await makeFiles(random)
    for (const file of files) {
      const sound = bytesOf(disk, file)
      let missed = 0
      const flips = 200
      for (let i = 0; i < flips; i++) {
        const bytes = sound.slice()
        const at = random.below(bytes.length)
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
        const fault = check(file, bytes, random)
        if (fault === undefined) missed++
        else assert.ok(fault.offset <= at, `byte ${at} is named at ${fault.offset}`)
      }
      // Of a sorted file the zeros behind a record are no part of it; a log has its batches summed up whole.
      assert.ok(missed <= (file.kind === 'log' ? 0 : flips / 10), `${missed} of ${flips} flips pass in ${file.path}`)
      const cut = 8 * random.below(sound.length / 8)
      assert.ok(check({ ...file, bytes: sound.length }, sound.slice(0, cut), random) !== undefined)
      assert.equal(check({ ...file, number: file.number + 1 }, sound, random)?.offset, 0)
    }
  })
}
