/** Progress: what a terminal and a log see, on a clock that the test moves. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { Progress } from './progress.ts'
import { plain, stylesFor } from './styles.ts'

function surface(isTerminal: boolean, columns = 100) {
  const written: string[] = []
  return { written, isTerminal, columns, styles: plain, write: (text: string) => void written.push(text) }
}

const options = { label: 'importing a.csv', unit: 'records', total: 1000 }

test('on a terminal one line is redrawn: bar, share, rate, time left, and stays at the end', () => {
  const clock = new SimulatedClock()
  const terminal = surface(true)
  const progress = new Progress({ ...options, surface: terminal, clock })
  clock.advance(1000)
  progress.update(50, 250)
  assert.equal(
    terminal.written.at(-1),
    '\rimporting a.csv  [======>                 ]   25%  50 records, 50/s, 3.0 s left\u001b[K',
  )
  clock.advance(50)
  progress.update(60, 300)
  assert.equal(terminal.written.length, 1, 'not redrawn at once')
  clock.advance(950)
  progress.update(200, 1000)
  progress.finish()
  assert.match(terminal.written.at(-2) as string, /\[={24}\] {2}100% {2}200 records, 100\/s, in 2\.0 s/)
  assert.equal(terminal.written.at(-1), '\n')
})

test('elsewhere a plain line every five seconds, and none for what is done before', () => {
  const clock = new SimulatedClock()
  const file = surface(false)
  const quick = new Progress({ ...options, surface: file, clock })
  clock.advance(4999)
  quick.update(10, 10)
  quick.finish()
  assert.deepEqual(file.written, [])
  const slow = new Progress({ ...options, surface: file, clock })
  clock.advance(5000)
  slow.update(500, 500)
  slow.finish()
  assert.equal(file.written[0], 'importing a.csv   50%  500 records, 100/s, 5.0 s left\n')
  assert.equal(file.written.length, 2)
})

test('what an earlier run did counts for the share and not for the rate', () => {
  const clock = new SimulatedClock()
  const progress = new Progress({ ...options, surface: surface(false), clock, doneBefore: 500, countBefore: 500 })
  clock.advance(1000)
  progress.update(600, 600)
  assert.match(progress.line(clock.monotonic()), /60% {2}600 records, 100\/s, 4\.0 s left/)
})

test('without a total there are bytes instead of a share', () => {
  const clock = new SimulatedClock()
  const progress = new Progress({ ...options, total: undefined, surface: surface(true), clock })
  clock.advance(1000)
  progress.update(10, 2048)
  assert.equal(progress.line(clock.monotonic()), 'importing a.csv  10 records, 10/s, 2.0 KiB')
})

test('a narrow terminal gets a line that fits', () => {
  const clock = new SimulatedClock()
  const progress = new Progress({ ...options, surface: surface(true, 40), clock })
  clock.advance(1000)
  progress.update(10, 10)
  assert.ok(progress.line(clock.monotonic()).length < 40)
})

test('colours only on a terminal without NO_COLOR', () => {
  assert.notEqual(stylesFor(true, {}), plain)
  assert.equal(stylesFor(true, { NO_COLOR: '1' }), plain)
  assert.equal(stylesFor(true, { TERM: 'dumb' }), plain)
  assert.equal(stylesFor(false, {}), plain)
  assert.notEqual(stylesFor(true, { NO_COLOR: '' }), plain)
})
