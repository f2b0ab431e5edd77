/**
 * The limit on index memory: random writes never bring the index above it, what is refused has changed nothing, and there is
 * always a way out.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, MiB, Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { type Change, deleteChange, type Engine, latest, putChange } from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const indexBytesMax = 2 * MiB
const config = { segmentBytes: 256 * KiB, zeroAheadBytes: 64 * KiB, reserveBytes: 0, indexBytesMax }
const value = encodeText('v')

/** Keys by their number, each kind crowding the index in another way. */
const kindsOfKeys: ((number: number, random: Random) => Uint8Array)[] = [
  (_, random) => random.bytes(8),
  (number) => encodeText(`user:${number % 97}:item:${number}`),
  (number) => encodeText(String(number).padStart(12, '0')),
  (number, random) => encodeText(`${'long'.repeat(random.below(30))}${number}`),
]

function write(engine: LogEngine, changes: Change[]): void {
  const position = engine.append({ changes, revision: engine.appendedRevision + 1, time: 1 })
  engine.write()
  engine.publish(position)
}

/** Adds keys to three keyspaces until a single one of the first is refused; returns those of it that were taken. */
function fill(
  engine: LogEngine,
  random: Random,
  keyOf: (number: number) => Uint8Array,
  bytesMax: number = indexBytesMax,
): Uint8Array[] {
  const taken: Uint8Array[] = []
  // A batch is refused where a smaller one still fits.
  let most = 3000
  for (let number = 0; ; ) {
    const length = 1 + random.below(random.below(20) === 0 ? most : Math.min(most, 20))
    const keys = Array.from({ length }, () => keyOf(number++))
    // Most to the first: deletes there are to make a difference.
    const keyspace = random.pick([0, 0, 0, 1, 2])
    const before = engine.stats()
    try {
      if (keys.length > 1 || !engine.extend(putChange(keyspace, keys[0] as Uint8Array, value), 1)) {
        write(
          engine,
          keys.map((key) => putChange(keyspace, key, value)),
        )
      }
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'engine.index_full')
      assert.match((error as Error).message, new RegExp(`${indexBytesMax} of indexBytesMax`))
      assert.deepEqual(engine.stats(), before)
      for (const key of keys) assert.equal(engine.get(keyspace, key, 0, key.length, latest), undefined)
      if (length === 1 && keyspace === 0) return taken
      most = Math.max(1, length - 1)
      continue
    }
    if (keyspace === 0) taken.push(...keys)
    assert.ok(engine.stats().indexBytes <= bytesMax, `${engine.stats().indexBytes} bytes of index`)
  }
}

for (const seed of seedsFor('index-cap', { kept: [1, 2, 3, 4], fresh: 2 })) {
  describe(`the limit on index memory, seed ${seed}`, () => {
    test('new keys are refused below it; overwrites, deletes and exchanges go on', async () => {
      const random = new Random(seed)
      const kind = kindsOfKeys[seed % kindsOfKeys.length] as (typeof kindsOfKeys)[number]
      const randomUint32 = (): number => random.uint32()
      const engine = await openLogEngine('/store', { disk: new SimulatedDisk(), config, randomUint32 })
      const taken = fill(engine, random, (number) => kind(number, random))
      // A limit that takes effect long before it is reached would be another one.
      assert.ok(engine.stats().indexBytes > indexBytesMax * 0.6, `${engine.stats().indexBytes} bytes of index`)

      const newKey = encodeText('a new key')
      const [first, second] = taken as [Uint8Array, Uint8Array]
      assert.throws(() => write(engine, [putChange(0, newKey, value), putChange(0, first, value)]), {
        code: 'engine.index_full',
        retry: 'later',
      })
      write(engine, [putChange(0, first, encodeText('another'))])
      write(engine, [deleteChange(0, second)])
      write(engine, [deleteChange(0, first), putChange(0, newKey, value)])
      assert.equal(engine.get(0, first, 0, first.length), undefined)
      assert.notEqual(engine.get(0, newKey, 0, newKey.length), undefined)

      // The way out: deletes, once no old state sees the keys any more.
      for (let at = 2; at < taken.length; at += 100) {
        write(
          engine,
          taken.slice(at, at + 100).map((key) => deleteChange(0, key)),
        )
      }
      while (!engine.retain(engine.publishedRevision));
      assert.equal(engine.stats().details.indexFull, false)
      const again = fill(engine, random, (number) => kind(number + 1_000_000, random), (indexBytesMax * 9) / 8)
      assert.ok(again.length > taken.length / 2, `${taken.length} keys were deleted, then ${again.length} fit in`)
      engine.validate()
      assert.deepEqual((await engine.verify()).faults, [])
      await engine.close()
    })
  })
}

test('a store above the limit opens, says so, and is as usable as one that has reached it', async () => {
  const disk = new SimulatedDisk()
  const first = await openLogEngine('/store', { disk, config: { ...config, indexBytesMax: 0 } })
  assert.equal(first.stats().details.indexFull, false)
  for (let from = 0; from < 40_000; from += 1000) {
    write(
      first,
      Array.from({ length: 1000 }, (_, i) => putChange(0, encodeText(`key ${from + i}`), value)),
    )
  }
  await first.close()
  const engine = await openLogEngine('/store', { disk, config: { ...config, indexBytesMax: MiB } })
  const { keysLive, indexBytes, details } = engine.stats()
  assert.equal(keysLive, 40_000)
  assert.ok(indexBytes > MiB)
  assert.equal(details.indexBytesMax, MiB)
  assert.equal(details.indexFull, true)
  assert.throws(() => write(engine, [putChange(0, encodeText('new'), value)]), { code: 'engine.index_full' })
  write(engine, [putChange(0, encodeText('key 7'), encodeText('again'))])
  write(engine, [deleteChange(0, encodeText('key 8'))])
  assert.equal(engine.stats().keysLive, 39_999)
  await engine.close()
})

test('a limit too small for any key is refused by name', async () => {
  const opening = openLogEngine('/store', { disk: new SimulatedDisk(), config: { indexBytesMax: 1000 } })
  await assert.rejects(opening, {
    code: 'config.invalid',
    message: /indexBytesMax must be 0, for no limit, or at least/,
  })
})
