/**
 * The budget for mapped pages: whose pages go, whose are read ahead, that the loop has its turns, and that a segment may vanish
 * meanwhile. Segments are made up; memory.test.ts has real ones.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MiB } from '@orbitkv/base'
import { type Clock, type MapAdvice, realClock } from '@orbitkv/runtime'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import { Accesses } from './accesses.ts'
import { Residency } from './residency.ts'

const segmentBytes = 16 * MiB

/** A segment whose mapping keeps track of its pages by the MiB; the first `resident` bytes are in memory. */
function makeSegment(number: number, resident: number, said: string[]) {
  const pages: boolean[] = Array.from({ length: segmentBytes / MiB }, (_, page) => page < resident / MiB)
  const part = (start: number, length: number): boolean[] => pages.slice(start / MiB, (start + length) / MiB)
  const mapping = {
    bytes: { length: segmentBytes } as Uint8Array,
    residentBytes: (start = 0, length = segmentBytes) => part(start, length).filter(Boolean).length * MiB,
    advise(advice: MapAdvice, start = 0, length = segmentBytes) {
      said.push(`${number} ${advice} ${start / MiB}+${length / MiB}`)
      pages.fill(advice === 'will-need', start / MiB, (start + length) / MiB)
    },
    release() {},
  }
  const file = { dropCached: async () => {} }
  const segment = { number, mapping, file } as unknown as Segment
  return {
    segment,
    get resident() {
      return mapping.residentBytes()
    },
  }
}

function make(residents: readonly number[], residentBytesMax: number) {
  const said: string[] = []
  const made = residents.map((resident, i) => makeSegment(i + 1, resident, said))
  const segments: (Segment | undefined)[] = [undefined, ...made.map(({ segment }) => segment)]
  const log = {
    segments,
    inOrder: () => segments.filter((segment) => segment !== undefined),
  } as unknown as Log
  const simulated = new SimulatedClock()
  const waitsMs: number[] = []
  // A millisecond goes by with each look at it, and waits end by themselves.
  const clock: Clock = {
    now: () => simulated.now(),
    monotonic() {
      simulated.advance(1)
      return simulated.monotonic()
    },
    after(delayMs, run) {
      waitsMs.push(delayMs)
      setImmediate(run)
      return { cancel() {} }
    },
    sleep: (ms) => simulated.sleep(ms),
    turn: () => simulated.turn(),
  }
  const accesses = new Accesses(log)
  const residency = new Residency({ log, clock, config: { residentBytesMax, sliceMs: 2 }, accesses })
  return { said, made, segments, accesses, residency, waitsMs }
}

function heat(accesses: Accesses, segment: number, notes: number): void {
  for (let i = 0; i < notes; i++) accesses.note(segment)
}

describe('residency', () => {
  test('above the budget the coldest segments give their pages back, and no more of them than need be', async () => {
    const { made, accesses, residency, said } = make([segmentBytes, segmentBytes, segmentBytes, segmentBytes], 40 * MiB)
    heat(accesses, 1, 50)
    heat(accesses, 2, 1)
    heat(accesses, 4, 20)
    await residency.round()
    assert.deepEqual(
      made.map(({ resident }) => resident / MiB),
      [16, 0, 0, 16],
    )
    assert.deepEqual(said.slice(0, 2), ['3 page-out 0+1', '3 page-out 1+1'])
    assert.equal(said.at(-1), '2 page-out 15+1')
    const stats = residency.stats()
    assert.equal(stats.releasedBytes, 32 * MiB)
    assert.equal(stats.residentBytes, 32 * MiB)
    assert.equal(stats.hotSegments, 2)
    await residency.round()
    assert.equal(said.length, 32, 'within the budget nothing more goes')
  })

  test('below it hot segments are read ahead, the hottest first, as far as they fit; cold ones are not', async () => {
    const { made, accesses, residency } = make([0, 4 * MiB, 0, 0], 40 * MiB)
    heat(accesses, 1, 10)
    heat(accesses, 2, 40)
    heat(accesses, 3, 3)
    heat(accesses, 4, 9)
    await residency.round()
    assert.deepEqual(
      made.map(({ resident }) => resident / MiB),
      [16, 16, 0, 0],
    )
    assert.equal(residency.stats().readAheadBytes, 28 * MiB)
  })

  test('heat fades: what was hot is cold after a while without reads', async () => {
    const { accesses, residency } = make([segmentBytes], 40 * MiB)
    heat(accesses, 1, 100)
    for (let round = 0; round < 10; round++) await residency.round()
    assert.equal(residency.stats().hotSegments, 1)
    for (let round = 0; round < 400; round++) await residency.round()
    assert.equal(residency.stats().hotSegments, 0)
  })

  test('a segment that goes in the middle is left alone, and so is everything after a stop', async () => {
    const { made, residency, segments, said } = make([segmentBytes, segmentBytes], 1 * MiB)
    const { mapping } = (made[0] as { segment: Segment }).segment
    const advise = mapping?.advise
    Object.assign(mapping as object, {
      advise(...parameters: Parameters<NonNullable<typeof advise>>) {
        advise?.(...parameters)
        if (parameters[1] === 4 * MiB) segments[1] = undefined
      },
    })
    await residency.round()
    assert.ok(said.includes('1 page-out 4+1'))
    assert.ok(!said.includes('1 page-out 5+1'))
    assert.ok(said.includes('2 page-out 15+1'))
    await residency.stop()
    said.length = 0
    await residency.round()
    assert.deepEqual(said, [])
  })

  test('a failure ends it, and stats say why', async () => {
    const { made, residency } = make([segmentBytes], 1 * MiB)
    let failures = 0
    const fails = (): void => {
      failures++
      throw new Error('EIO, made up')
    }
    Object.assign((made[0] as { segment: Segment }).segment.mapping as object, { advise: fails })
    assert.equal(residency.stats().residencyProblem, '')
    residency.start()
    for (let turns = 0; turns < 1000 && residency.stats().residencyProblem === ''; turns++) await realClock.turn()
    assert.match(String(residency.stats().residencyProblem), /EIO, made up/)
    for (let turns = 0; turns < 20; turns++) await realClock.turn()
    assert.equal(failures, 1)
    await residency.stop()
  })

  test('the loop has its turns: a slice ends after sliceMs, and nine times as long belong to others', async () => {
    const { residency, waitsMs } = make(new Array(20).fill(segmentBytes), 1 * MiB)
    await residency.round()
    // Twenty looks and more than three hundred steps, two in a slice.
    assert.ok(waitsMs.length >= 150, `${waitsMs.length} waits`)
    assert.ok(waitsMs.every((ms) => ms === 18))
  })
})

test('about one read in 512 is noted, at distances that differ', () => {
  const accesses = new Accesses({ segments: [] })
  const distances = Array.from({ length: 2000 }, () => accesses.note(7))
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length
  assert.ok(mean > 450 && mean < 575, `a mean distance of ${mean}`)
  assert.ok(new Set(distances).size > 200)
  assert.ok(Math.min(...distances) >= 1)
  assert.equal(accesses.noted, 2000)
  assert.equal(accesses.heatOf(7), 2000)
  assert.equal(accesses.heatOf(8), 0)
})
