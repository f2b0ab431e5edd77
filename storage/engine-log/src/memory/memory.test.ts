/** Settings of memory on a whole engine: on the simulated disk, and on the real one as it is here (addon or plain JavaScript). */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, describe, test } from 'node:test'
import { KiB, MiB } from '@orbitkv/base'
import { encodeText, largeBuffer } from '@orbitkv/bytes'
import { copyValue, deleteChange, type Engine, putChange } from '@orbitkv/engine'
import { type Clock, type Disk, realClock, realDisk } from '@orbitkv/runtime'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import type { LogConfig } from '../config.ts'
import { openLogEngine } from '../open.ts'

type LogEngine = Engine & { validate(): void }

const config = { segmentBytes: 256 * KiB, zeroAheadBytes: 64 * KiB, reserveBytes: 0 }
const records = 4000
const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function write(engine: LogEngine, key: string, value: Uint8Array): void {
  const changes = [putChange(0, encodeText(key), value)]
  engine.publish(engine.append({ changes, revision: engine.appendedRevision + 1, time: 1 }))
}

const valueOf = (number: number): Uint8Array => new Uint8Array(1000).fill(number % 251)

async function fill(engine: LogEngine): Promise<void> {
  for (let i = 0; i < records; i++) write(engine, `key ${i}`, valueOf(i))
  await engine.sync()
}

function assertAll(engine: LogEngine): void {
  for (let i = 0; i < records; i++) {
    const key = encodeText(`key ${i}`)
    const record = engine.get(0, key, 0, key.length)
    assert.deepEqual(record && copyValue(record), valueOf(i))
  }
}

const places: [string, () => { disk: Disk; path: string; clock: Clock }][] = [
  ['the simulated disk', () => ({ disk: new SimulatedDisk(), path: '/store', clock: new SimulatedClock() })],
  [
    `the real disk (${realDisk().kind})`,
    () => {
      const folder = mkdtempSync(`${tmpdir()}/orbit-memory-`)
      folders.push(folder)
      return { disk: realDisk(), path: `${folder}/store`, clock: realClock }
    },
  ],
]

for (const [name, place] of places) {
  describe(`memory on ${name}`, () => {
    const open = (at: ReturnType<typeof place>, more: Partial<LogConfig>): Promise<LogEngine> =>
      openLogEngine(at.path, { disk: at.disk, clock: at.clock, config: { ...config, ...more } })

    test('every way of reading files gives the same answers', async () => {
      const at = place()
      const first = await open(at, {})
      await fill(first)
      await first.close()
      for (const more of [
        { adviseRandom: false },
        { prefault: true },
        { prefault: true, residentBytesMax: 1 * MiB },
        { hugePages: false },
        { numaNode: 0 },
      ]) {
        const engine = await open(at, more)
        assertAll(engine)
        const { details } = engine.stats()
        assert.equal(details.residentBytesMax, more.residentBytesMax ?? 0)
        assert.equal(details.hugePages === 'off', more.hugePages === false)
        assert.equal(details.numa === 'off', more.numaNode === undefined)
        assert.ok((details.readsNoted as number) > 0, 'reads are noted')
        engine.validate()
        await engine.close()
      }
    })

    test('prefaulting reads every sealed segment, as far as the budget goes; a read error fails the opening by name', async (context) => {
      const at = place()
      if (!(at.disk instanceof SimulatedDisk)) return context.skip('needs the simulated disk')
      const { disk } = at
      const first = await open(at, {})
      await fill(first)
      const { logBytes } = first.stats()
      await first.close()
      const readsOf = async (more: Partial<LogConfig>): Promise<number> => {
        disk.counts.reads = 0
        await (await open(at, more)).close()
        return disk.counts.reads
      }
      const plain = await readsOf({})
      const sealed = Math.floor(logBytes / config.segmentBytes)
      assert.equal(await readsOf({ prefault: true }), plain + sealed)
      assert.equal(await readsOf({ prefault: true, residentBytesMax: 3.5 * config.segmentBytes }), plain + 3)
      disk.fail({ operation: 'read', nth: plain + 2, error: 'failed' })
      await assert.rejects(open(at, { prefault: true }), { code: 'disk.failed', message: /log-00/ })
      disk.clearFaults()
      const engine = await open(at, {})
      assertAll(engine)
      await engine.close()
    })

    test('beyond storedBytesMax a put is refused with nothing changed, deletes go on, compaction makes room', async () => {
      const at = place()
      const storedBytesMax = 2 * MiB
      const engine = await open(at, { storedBytesMax })
      let written = 0
      const full = { code: 'engine.store_full', retry: 'later', message: /storedBytesMax/ }
      assert.throws(() => {
        for (; ; written++) write(engine, `key ${written}`, valueOf(written))
      }, full)
      assert.ok(engine.storedBytes <= storedBytesMax)
      assert.ok(engine.storedBytes > storedBytesMax * 0.9)
      assert.equal(engine.stats().keysLive, written)
      for (let i = 0; i < written; i += 2) {
        const changes = [deleteChange(0, encodeText(`key ${i}`))]
        engine.publish(engine.append({ changes, revision: engine.appendedRevision + 1, time: 1 }))
      }
      await engine.sync()
      while (!engine.retain(engine.publishedRevision));
      while ((await engine.compact('all')) > 0);
      write(engine, 'another', valueOf(1))
      assert.equal(engine.stats().keysLive, Math.floor(written / 2) + 1)
      engine.validate()
      assert.deepEqual((await engine.verify()).faults, [])
      await engine.close()
    })
  })
}

test('a budget for mapped pages is kept on the native disk', {
  skip: realDisk().kind !== 'native' && 'no addon',
}, async () => {
  const [, place] = places[1] as (typeof places)[number]
  const { disk, path } = place()
  const clock = new SimulatedClock()
  const residentBytesMax = 1 * MiB
  const engine = await openLogEngine(path, { disk, clock, config: { ...config, residentBytesMax } })
  await fill(engine)
  assertAll(engine)
  // Each round begins a second after the one before has ended, and needs real turns of the loop in between.
  let details = engine.stats().details
  for (let tries = 0; tries < 1000 && !((details.releasedBytes as number) > 0); tries++) {
    clock.advance(1000)
    await realClock.turn()
    details = engine.stats().details
  }
  assert.ok((details.releasedBytes as number) > 0, 'pages were given back')
  assert.ok((details.mappedBytes as number) > 3 * MiB)
  assert.equal(details.residencyProblem, '')
  assertAll(engine)
  await engine.close()
})

test('large buffers work wherever they are placed', async () => {
  const buffer = new Uint8Array(largeBuffer(5 * MiB))
  buffer.fill(3)
  assert.ok(buffer.every((byte) => byte === 3))
})
