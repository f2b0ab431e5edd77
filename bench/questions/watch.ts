/**
 * What do watches cost a writer, and how soon is a change delivered? `node tools/run.mjs bench/questions/watch.ts`
 *
 * The same puts (8-byte keys under a prefix, 100 B values, durability none) into four stores in turn: without watches, with 10,000
 * that wait on prefixes nobody writes, with as many on ranges, and with one that takes everything in a `for await` loop. Rounds
 * are interleaved; ratios are medians over them. Bars: 0.9 of none with the idle ones, 0.7 with the busy one, and a change in the
 * consumer's hands within 1 ms (p99) of the call of `put` (durability none), or of its acknowledgement (always). docs/decisions/watch.md goes by the answer.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type Store } from 'orbitkv'
import { median } from '../harness/statistics.ts'
import { formatTable } from '../harness/table.ts'

const rounds = 40
const putsPerRound = 5000
const idleWatches = 10_000
const groups = [1, 100]
const value = new Uint8Array(100).fill(7)

interface Contestant {
  readonly name: string
  readonly store: Store
}

const idlePrefix = (i: number): string => `user:${String(i).padStart(6, '0')}:`

async function takeAll(store: Store): Promise<number> {
  let seen = 0
  for await (const { value } of store.watch({ prefix: 'key:' })) seen += value?.length ?? 0
  return seen
}

async function openAll(folder: string): Promise<Contestant[]> {
  const openOne = (name: string): Promise<Store> => open(`${folder}/${name}`, { durability: 'none' })
  const [none, prefixes, ranges, busy] = await Promise.all(['none', 'prefixes', 'ranges', 'busy'].map(openOne))
  if (none === undefined || prefixes === undefined || ranges === undefined || busy === undefined) throw new Error()
  for (let i = 0; i < idleWatches; i++) {
    prefixes.watch({ prefix: idlePrefix(i) })
    ranges.watch({ range: { gte: idlePrefix(2 * i), lt: idlePrefix(2 * i + 1) } })
  }
  void takeAll(busy)
  return [
    { name: 'no watch', store: none },
    { name: `${idleWatches} idle, prefixes`, store: prefixes },
    { name: `${idleWatches} idle, ranges`, store: ranges },
    { name: 'one busy', store: busy },
  ]
}

/** Nanoseconds a put, written one after the other or in groups that are awaited together. */
async function putNs(store: Store, group: number): Promise<number> {
  const startMs = performance.now()
  const pending: Promise<number>[] = []
  for (let i = 0; i < putsPerRound; i++) {
    pending.push(store.put(`key:${String(i * 7919).padStart(8, '0')}`, value))
    if (pending.length < group) continue
    await Promise.all(pending)
    pending.length = 0
  }
  return ((performance.now() - startMs) * 1e6) / putsPerRound
}

/** Milliseconds from the call of `put`, or from its acknowledgement, to the change in the hands of who watches. */
async function deliveryMs(folder: string, durability: 'none' | 'always', puts: number): Promise<number[]> {
  await using store = await open(`${folder}/delivery-${durability}`, { durability })
  const startedMs: number[] = []
  const seenMs: number[] = []
  const watching = (async () => {
    for await (const { revision } of store.watch()) {
      seenMs.push(performance.now())
      if (revision === puts) return
    }
  })()
  for (let i = 0; i < puts; i++) {
    if (durability === 'none') startedMs.push(performance.now())
    await store.put(`key:${i}`, value)
    if (durability === 'always') startedMs.push(performance.now())
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
  }
  await watching
  return seenMs.map((ms, i) => Math.max(0, ms - (startedMs[i] as number)))
}

/** Of values in ascending order. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] as number
}

const folder = mkdtempSync(join(tmpdir(), 'orbit-watch-'))
try {
  const contestants = await openAll(folder)
  const rows: string[][] = []
  for (const group of groups) {
    const taken = contestants.map((): number[] => [])
    for (const { store } of contestants) await putNs(store, group)
    for (let round = 0; round < rounds; round++) {
      // Whoever comes first in a round has another cache than who comes last: each has every place in turn.
      for (let turn = 0; turn < contestants.length; turn++) {
        const i = (round + turn) % contestants.length
        taken[i]?.push(await putNs((contestants[i] as Contestant).store, group))
      }
    }
    const [none = []] = taken
    for (const [i, { name }] of contestants.entries()) {
      const ratios = none.map((ns, round) => ns / (taken[i]?.[round] as number))
      rows.push([String(group), name, median(taken[i] as number[]).toFixed(0), median(ratios).toFixed(2)])
    }
  }
  for (const { store } of contestants) await store.close()
  console.log(
    formatTable({
      columns: ['puts at once', 'watches', 'ns a put', 'of none'],
      numeric: [true, false, true, true],
      rows,
    }),
  )
  const delays: string[][] = []
  for (const [durability, puts] of [
    ['none', 50_000],
    ['always', 3000],
  ] as const) {
    const tookMs = (await deliveryMs(folder, durability, puts)).toSorted((a, b) => a - b)
    delays.push([
      durability === 'none' ? 'none, the call' : 'always, its acknowledgement',
      ...[50, 99, 99.9].map((percent) => percentile(tookMs, percent).toFixed(3)),
    ])
  }
  console.log(
    formatTable({
      columns: ['durability, since', 'p50 ms', 'p99 ms', 'p99.9 ms'],
      numeric: [false, true, true, true],
      rows: delays,
    }),
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
