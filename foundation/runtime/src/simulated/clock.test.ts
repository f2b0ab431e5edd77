/** Tests of the simulated clock: order, cancelling, wall steps. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimulatedClock } from './clock.ts'

test('time stands still until it is advanced', () => {
  const clock = new SimulatedClock(1000)
  assert.equal(clock.now(), 1000)
  clock.advance(2.5)
  assert.equal(clock.now(), 1002)
  assert.equal(clock.monotonic(), 2.5)
})

test('timers run in the order of their due time, then of their making', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
      const clock = new SimulatedClock()
      const ran: { delayMs: number; place: number; atMs: number }[] = []
      for (const [place, delayMs] of delays.entries()) {
        clock.after(delayMs, () => ran.push({ delayMs, place, atMs: clock.monotonic() }))
      }
      clock.advance(20)
      const expected = delays
        .map((delayMs, place) => ({ delayMs, place, atMs: delayMs }))
        .sort((a, b) => a.delayMs - b.delayMs || a.place - b.place)
      assert.deepEqual(ran, expected)
    }),
  )
})

test('a timer armed by a timer runs in the same advance when it falls due', () => {
  const clock = new SimulatedClock()
  const ran: number[] = []
  clock.after(5, () => clock.after(5, () => ran.push(clock.monotonic())))
  clock.advance(9)
  assert.deepEqual(ran, [])
  clock.advance(1)
  assert.deepEqual(ran, [10])
})

test('a cancelled timer does not run and is not waited for', () => {
  const clock = new SimulatedClock()
  let ran = 0
  clock.after(1, () => ran++).cancel()
  assert.equal(clock.nextTimerMs(), undefined)
  clock.after(3, () => ran++)
  assert.equal(clock.nextTimerMs(), 3)
  clock.advance(10)
  assert.equal(ran, 1)
})

test('a step of the wall clock moves neither the monotonic clock nor timers', () => {
  const clock = new SimulatedClock(1_000_000)
  let ran = 0
  clock.after(10, () => ran++)
  clock.stepWall(-500_000)
  assert.equal(clock.now(), 500_000)
  clock.advance(9)
  assert.equal(ran, 0)
  clock.stepWall(1_000_000)
  clock.advance(1)
  assert.equal(ran, 1)
  assert.equal(clock.now(), 1_500_010)
  assert.equal(clock.monotonic(), 10)
})

test('advanceAwaiting lets a promise between two timers go on', async () => {
  const clock = new SimulatedClock()
  const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))
  let doneAtMs = -1
  const work = (async () => {
    await wait(3)
    await wait(4)
    doneAtMs = clock.monotonic()
  })()
  await clock.advanceAwaiting(10)
  await work
  assert.equal(doneAtMs, 7)
  assert.equal(clock.monotonic(), 10)
})
