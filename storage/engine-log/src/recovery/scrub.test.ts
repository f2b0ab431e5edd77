/** The scrub: when it reads, how fast, what it finds, and that it gives way. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { type Engine, putChange } from '@orbitkv/engine'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

const hourMs = 3_600_000
const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0, scrubEveryMs: hourMs }

interface Opened {
  readonly disk: SimulatedDisk
  readonly clock: SimulatedClock
  readonly engine: Engine
}

/** A store of some ten log segments, all but the last of them sealed. */
async function filled(scrubBytesPerSecond: number): Promise<Opened> {
  const disk = new SimulatedDisk()
  const clock = new SimulatedClock()
  const engine = await openLogEngine('/store', { disk, clock, config: { ...config, scrubBytesPerSecond } })
  for (let i = 0; i < 240; i++) {
    const changes = [putChange(0, encodeText(`k${i % 80}`), new Uint8Array(600).fill(i))]
    engine.append({ changes, revision: i + 1, time: i })
  }
  await engine.sync()
  engine.publish(240)
  engine.retain(240)
  // The segments are seen here for the first time.
  engine.stats()
  return { disk, clock, engine }
}

describe('scrub', () => {
  test('reads nothing before it is time, then every sealed segment once', async () => {
    const { clock, engine } = await filled(1024 * KiB)
    const sealedBytes = engine.stats().logBytes
    await clock.advanceAwaiting(hourMs - 1000)
    assert.equal(engine.stats().details.scrubbedBytes, 0)
    await clock.advanceAwaiting(hourMs / 2)
    const { scrubbedBytes, scrubFaults, scrubOldestAt } = engine.stats().details
    assert.ok(Number(scrubbedBytes) > sealedBytes - 16 * KiB && Number(scrubbedBytes) <= sealedBytes)
    assert.equal(scrubFaults, 0)
    assert.ok(Number(scrubOldestAt) >= clock.now() - hourMs / 2)
    await clock.advanceAwaiting(hourMs / 4)
    assert.equal(engine.stats().details.scrubbedBytes, scrubbedBytes, 'once in a period')
    await engine.close()
  })

  test('reads no faster than it may', async () => {
    const { clock, engine } = await filled(16 * KiB)
    await clock.advanceAwaiting(hourMs + 3000)
    const scrubbedBytes = Number(engine.stats().details.scrubbedBytes)
    assert.ok(scrubbedBytes > 0 && scrubbedBytes <= 4 * 16 * KiB, `${scrubbedBytes} bytes in 3 s`)
    await engine.close()
  })

  test('names what it finds, in stats and in verify, until the segment is gone', async () => {
    const { disk, clock, engine } = await filled(1024 * KiB)
    const damaged = '/store/log-00/0000000003.log'
    disk.flipBit(damaged, 3000, 1)
    await clock.advanceAwaiting(2 * hourMs)
    assert.equal(engine.stats().details.scrubFaults, 1)
    const { faults } = await engine.verify()
    assert.deepEqual(
      faults.map(({ file }) => file),
      [damaged],
    )
    disk.flipBit(damaged, 3000, 1)
    await clock.advanceAwaiting(2 * hourMs)
    assert.equal(engine.stats().details.scrubFaults, 0, 'what is found sound again is no fault')
    await engine.close()
  })

  test('a read error is a fault', async () => {
    const { disk, clock, engine } = await filled(1024 * KiB)
    disk.fail({ operation: 'read', pathEnd: '0000000002.log', error: 'failed' })
    await clock.advanceAwaiting(hourMs + 60_000)
    assert.equal(engine.stats().details.scrubFaults, 1)
    await engine.close()
  })

  test('gives way to a compaction, and to close', async () => {
    const { clock, engine } = await filled(KiB)
    await clock.advanceAwaiting(hourMs + 100)
    // A segment takes 16 s at this rate, and from here on no time passes.
    assert.ok((await engine.compact('all')) > 0)
    await clock.advanceAwaiting(2 * hourMs)
    await engine.close()
  })

  test('can be set off', async () => {
    const { clock, engine } = await filled(0)
    await clock.advanceAwaiting(10 * hourMs)
    assert.equal(engine.stats().details.scrubbedBytes, 0)
    await engine.close()
  })
})
