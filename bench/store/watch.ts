/**
 * What do watches cost a writer, and how soon is a change delivered? docs/decisions/watch.md goes by the answer.
 *
 * One store of all keys takes the same puts (durability none) without watches, with 10,000 that wait on prefixes nobody writes, with
 * as many on ranges, and with one that takes everything in a `for await` loop. They take turns, each having every place in turn;
 * ratios are of one round.
 */

import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { open, type Store } from 'orbitkv'
import type { Grid, Limit } from '../harness/report.ts'
import { Samples } from '../harness/samples.ts'
import { Data } from './data.ts'
import { loadStore } from './load.ts'
import { type Part, type PartFindings, type PartOptions, timePerRun } from './part.ts'

const part = 'watch'
const putsPerRound = 30_000
/** Untimed, before those: the index and the code are to be where a writer that goes on has them. */
const putsToWarmUp = 2000
const idleWatches = 10_000
const groups = [1, 100]
const bars = { idle: 0.9, busy: 0.7 }
const deliveryMsMax = 1
/** A writer that awaits nothing but its puts never lets timers and sockets have their turn. */
const turnEvery = 100
const deliveryPuts = { none: 50_000, always: 3000 } as const

export const watch: Part = { rounds: 20, quickRounds: 4, run }

/** What watches while a writer is timed. */
interface Watching {
  readonly name: string
  readonly bar?: number
  /** Begins; what it gives ends it, once everything has been taken. */
  begin(store: Store): () => Promise<void>
}

/** Prefixes of 4 bytes that no key has, since the keys begin with a 0 bit. */
function idlePrefix(i: number): Uint8Array {
  return Uint8Array.of(0x80, i >>> 16, (i >>> 8) & 0xff, i & 0xff)
}

function idle(begin: (store: Store, i: number) => { close(): void }): Watching['begin'] {
  return (store) => {
    const watches = Array.from({ length: idleWatches }, (_, i) => begin(store, i))
    return async () => {
      for (const one of watches) one.close()
    }
  }
}

const watchings: readonly Watching[] = [
  { name: 'no watch', begin: () => async () => {} },
  {
    name: '10,000 idle on prefixes',
    bar: bars.idle,
    begin: idle((store, i) => store.watch({ prefix: idlePrefix(i) })),
  },
  {
    name: '10,000 idle on ranges',
    begin: idle((store, i) => store.watch({ range: { gte: idlePrefix(2 * i), lt: idlePrefix(2 * i + 1) } })),
  },
  { name: 'one busy', bar: bars.busy, begin: beginBusy },
]

function beginBusy(store: Store): () => Promise<void> {
  const everything = store.watch()
  let seen = 0
  const takeAll = async (): Promise<void> => {
    for await (const { value } of everything) seen += value === undefined ? 0 : 1
  }
  const taken = takeAll()
  return async () => {
    while (everything.resumeFrom <= store.stats().revision) await turn()
    everything.close()
    await taken
    const made = putsToWarmUp + putsPerRound
    if (seen !== made) throw new Error(`the busy watch saw ${seen} of ${made} puts`)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function run({ keys, rounds, folder }: PartOptions): Promise<PartFindings> {
  const data = new Data(keys)
  const store = await open(join(folder, 'store'), { durability: 'none' })
  await loadStore(store, data)
  const samples = new Samples()
  const random = new Random(7)
  for (const group of groups) {
    for (let round = 0; round <= rounds; round++) {
      const written = data.draw(random, putsToWarmUp + putsPerRound)
      for (let place = 0; place < watchings.length; place++) {
        const watching = watchings[(round + place) % watchings.length] as Watching
        const end = watching.begin(store)
        // What ten thousand watches leave behind as they are made and closed is no part of what they cost a writer.
        globalThis.gc?.()
        const put = (i: number): Promise<number> => {
          const index = written[i] as number
          return store.put(data.key(index), data.value(index + round))
        }
        await timePerRun(putsToWarmUp, group, put)
        const nanoseconds = await timePerRun(putsPerRound, group, (i) => put(putsToWarmUp + i))
        await end()
        // The first round warms up.
        if (round > 0) samples.add(`${watching.name} ${group}`, nanoseconds)
      }
    }
  }
  await store.close()
  const comparisons = groups.flatMap((group) =>
    watchings.slice(1).map(({ name, bar }) =>
      samples.compare({
        part,
        name: `put, ${group} at once, ${name}`,
        unit: 'ns/op',
        lessIsBetter: true,
        other: 'without',
        ours: `${name} ${group}`,
        theirs: `no watch ${group}`,
        ...(bar === undefined ? {} : { bar }),
      }),
    ),
  )
  return { comparisons, ...(await measureDelivery(folder, data)) }
}

async function measureDelivery(folder: string, data: Data): Promise<{ limits: Limit[]; grids: Grid[] }> {
  const percents = [50, 99, 99.9]
  const rows: { name: string; values: number[] }[] = []
  const limits: Limit[] = []
  for (const durability of ['none', 'always'] as const) {
    const tookMs = (await deliveryMs(folder, data, durability)).toSorted((a, b) => a - b)
    const values = percents.map((percent) => percentile(tookMs, percent))
    const since = durability === 'none' ? 'since the call of put' : 'since its acknowledgement'
    rows.push({ name: `durability ${durability}, ${since}`, values })
    limits.push({
      part,
      name: `delivery p99, durability ${durability}, ${since}`,
      unit: 'ms',
      value: values[1] as number,
      bound: deliveryMsMax,
      isAtMost: true,
    })
  }
  return { limits, grids: [{ part, title: 'delivery, ms', columns: ['p50', 'p99', 'p99.9'], rows }] }
}

/** Milliseconds from the call of `put`, or from its acknowledgement, to the change in the hands of who watches. */
async function deliveryMs(folder: string, data: Data, durability: 'none' | 'always'): Promise<number[]> {
  const puts = Math.min(deliveryPuts[durability], data.count)
  const store = await open(join(folder, `delivery-${durability}`), { durability })
  const startedMs: number[] = []
  const seenMs: number[] = []
  const takeAll = async (): Promise<void> => {
    for await (const { revision } of store.watch()) {
      seenMs.push(performance.now())
      if (revision === puts) return
    }
  }
  const taken = takeAll()
  for (let i = 0; i < puts; i++) {
    if (durability === 'none') startedMs.push(performance.now())
    await store.put(data.key(i), data.value(i))
    if (durability === 'always') startedMs.push(performance.now())
    if (i % turnEvery === turnEvery - 1) await turn()
  }
  await taken
  await store.close()
  return seenMs.map((ms, i) => Math.max(0, ms - (startedMs[i] as number)))
}

/** Of values in ascending order. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] as number
}
