/**
 * The process that the kill test kills: `writer.ts FOLDER SEED AHEAD`. It waits for a line `RUN FIRST` on its standard input, then
 * opens the store and writes batches FIRST, FIRST + 1 … of the run, many at a time, until it is killed.
 *
 * It reports on descriptor 3, a line each, by a write that has reached the pipe before anything else is done: `opening`
 * before the store is opened, and the number of each batch after its promise has resolved. AHEAD, 0 but for a canary,
 * is added to that number: a writer that acknowledges what it has not written.
 */

import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { KiB, Random } from '@orbitkv/base'
import { open } from 'orbitkv'
import { batchOf } from './history.ts'

const reportDescriptor = 3
/** Batches that are under way at once, at most. */
const underWayMax = 24
/** Small, so that a run goes through many segments. */
const settings = { segmentBytes: 256 * KiB, zeroAheadBytes: 16 * KiB, reserveBytes: 64 * KiB } as const

const [folder = '', seedText, aheadText] = process.argv.slice(2)
const seed = Number(seedText)
const ahead = Number(aheadText)

function report(line: string): void {
  writeSync(reportDescriptor, `${line}\n`)
}

// A process that is killed saves nothing on its way out: this spares the next one most of its start.
flushCompileCache()
const [line] = (await once(process.stdin, 'data')) as [Buffer]
const [run = 0, first = 0] = line.toString().split(' ').map(Number)
const random = new Random(seed ^ run)
report('opening')
const store = await open(folder, { ...settings, durability: 'always' })
const underWay = new Set<Promise<void>>()
for (let number = first; ; number++) {
  const batch = store.batch()
  for (const [key, value] of batchOf(seed, run, number)) {
    if (value === undefined) batch.delete(key)
    else batch.put(key, value)
  }
  const written = batch.commit().then(() => {
    report(String(number + ahead))
    underWay.delete(written)
  })
  underWay.add(written)
  // Bursts of different sizes: a sync covers one batch or many.
  if (underWay.size >= underWayMax || random.chance(8)) await Promise.race(underWay)
}
