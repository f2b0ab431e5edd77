/**
 * How many transactions a second? Each reads two random keys and writes both of them; OrbitKV against better-sqlite3 and lmdb-js, of
 * whose ways the best of each round counts (contestants.ts).
 *
 * Each product is loaded once; every way begins with a copy of its files. Rounds of all contestants take turns, in one process.
 */

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { installPeers, peerProblem, peerVersion } from '../engines/peers.ts'
import type { Comparison, Grid, Limit } from '../harness/report.ts'
import { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { BetterSqlite, type Contestant, groupSize, Lmdb, Orbit, type Way } from './contestants.ts'
import { Data } from './data.ts'
import type { Part, PartFindings, PartOptions } from './part.ts'

const part = 'transactions'
const transactionsPerRound: Readonly<Record<Way, number>> = { none: 20_000, flight: 20_000, grouped: 10_000 }
const bars = { 'better-sqlite3': 3, lmdb: 2 } as const
const meaning: Readonly<Record<Way, string>> = {
  none: 'durability none, one after another',
  flight: `durability none, ${groupSize} begun together`,
  grouped: `${groupSize} share a sync`,
}

export const transactions: Part = { rounds: 5, quickRounds: 2, run }

async function run({ keys, rounds, folder }: PartOptions): Promise<PartFindings> {
  const problem = installPeers((text) => process.stderr.write(`${text}\n`)) ?? peerProblem('better-sqlite3')
  const sqlites = (): Contestant[] => (problem === undefined ? [new BetterSqlite()] : [])
  const data = new Data(keys)
  const loaded = [new Orbit(), ...sqlites(), new Lmdb('sync')]
  for (const contestant of loaded) {
    const own = join(folder, contestant.product)
    mkdirSync(own)
    await contestant.open(own, 'none')
    await contestant.load(data)
    await contestant.close()
  }
  const samples = new Samples()
  const comparisons: Comparison[] = []
  const limits: Limit[] = []
  const grids: Grid[] = []
  for (const way of Object.keys(transactionsPerRound) as Way[]) {
    const forms = [new Lmdb('sync'), new Lmdb('async'), ...(way === 'grouped' ? [new Lmdb('sync, overlapping')] : [])]
    const contestants = [new Orbit(), ...sqlites(), ...forms]
    await measure(way, { data, rounds, folder, samples, contestants })
    for (const other of ['better-sqlite3', 'lmdb'] as const) {
      if (samples.has(`${way} best of ${other}`)) comparisons.push(compare(way, other, samples))
      else
        limits.push({ part, name: nameOf(way), unit: 'ratio', bound: bars[other], isAtMost: false, why: problem ?? '' })
    }
    const rows = contestants.map(({ name }) => ({ name, values: [median(samples.of(`${way} ${name}`))] }))
    grids.push({ part, title: meaning[way], columns: ['transactions/s'], rows })
  }
  const settings = {
    transactions: `${Object.entries(transactionsPerRound)
      .map(([way, count]) => `${count} a round ${way}`)
      .join(', ')}; keys drawn at random from ${keys}; of lmdb-js the best of its ways counts in each round`,
    'better-sqlite3':
      `${problem ?? peerVersion('better-sqlite3')}; WAL, synchronous OFF (grouped: FULL), cache 512 MiB, mmap 16 GiB, ` +
      'BEGIN IMMEDIATE, prepared statements; grouped: one COMMIT for a hundred',
    'lmdb-js': 'noSync, noMetaSync (grouped: neither), noMemInit; transactionSync, transaction and flushed',
  }
  return { settings, comparisons, limits, grids }
}

interface Measurement {
  readonly data: Data
  readonly rounds: number
  readonly folder: string
  readonly samples: Samples
  readonly contestants: readonly Contestant[]
}

async function measure(way: Way, { data, rounds, folder, samples, contestants }: Measurement): Promise<void> {
  const own = join(folder, way)
  for (const [index, contestant] of contestants.entries()) {
    const place = join(own, String(index))
    cpSync(join(folder, contestant.product), place, { recursive: true })
    await contestant.open(place, way)
  }
  const random = new Random(7)
  const count = transactionsPerRound[way]
  for (let round = 0; round <= rounds; round++) {
    const pairs = data.draw(random, 2 * count)
    const best: Partial<Record<Contestant['product'], number>> = {}
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const startMs = performance.now()
      await contestant.run(data, pairs, round)
      const perSecond = (count * 1000) / (performance.now() - startMs)
      // The first round warms up.
      if (round === 0) continue
      samples.add(`${way} ${contestant.name}`, perSecond)
      best[contestant.product] = Math.max(perSecond, best[contestant.product] ?? 0)
    }
    for (const [product, perSecond] of Object.entries(best)) samples.add(`${way} best of ${product}`, perSecond)
  }
  for (const contestant of contestants) await contestant.close()
  rmSync(own, { recursive: true, force: true })
}

function nameOf(way: Way): string {
  return `2 reads and 2 writes, ${meaning[way]}`
}

function compare(way: Way, other: keyof typeof bars, samples: Samples): Comparison {
  return samples.compare({
    part,
    name: nameOf(way),
    unit: 'transactions/s',
    lessIsBetter: false,
    other,
    ours: `${way} best of orbit`,
    theirs: `${way} best of ${other}`,
    // Begun together is beside the question of equal durability: the peers gain nothing by it.
    ...(way === 'flight' ? {} : { bar: bars[other] }),
  })
}
