/**
 * The tables of document [4] (AlexStorage against RocksDB and SQLite, an M3 Max, 2025) with our column and what the same peers
 * take here beside theirs. Machines differ: compare ratios within a machine.
 */

import { medianOf, PartFindings } from './findings.ts'
import type { ScaleRun } from './scale.ts'

const columns = [
  '[4] AlexStorage',
  '[4] RocksDB',
  '[4] SQLite',
  'OrbitKV',
  'RocksDB from C++',
  'better-sqlite3',
  '[4] RocksDB : Alex',
  'RocksDB : OrbitKV',
]

interface Published {
  readonly name: string
  readonly step: string
  /** AlexStorage, RocksDB, SQLite. */
  readonly figures: readonly (number | undefined)[]
}

const published: Readonly<Record<'small' | 'core' | 'large', readonly Published[]>> = {
  small: [
    { name: 'insert', step: 'insert', figures: [3873, 884, undefined] },
    { name: 'query', step: 'get', figures: [525, 1169, undefined] },
    { name: 'mixed 80/20', step: 'mixed 80/20', figures: [997, 7004, undefined] },
  ],
  core: [
    { name: 'insert', step: 'insert', figures: [3970, 1481, undefined] },
    { name: 'query', step: 'get', figures: [1051, 3642, 2173] },
    { name: 'mixed 80/20', step: 'mixed 80/20', figures: [2268, 71_966, 6524] },
  ],
  large: [
    { name: 'query ([4]: forecast)', step: 'get', figures: [2100, 11_000, undefined] },
    { name: 'mixed 80/20 ([4]: forecast)', step: 'mixed 80/20', figures: [4500, 215_000, undefined] },
  ],
}

export function documentTables(runs: Partial<Readonly<Record<'small' | 'core' | 'large', ScaleRun>>>): PartFindings {
  const findings = new PartFindings('document [4]')
  const rows = (['small', 'core', 'large'] as const).flatMap((size) => {
    const run = runs[size]
    if (run === undefined) return []
    return published[size].map(({ name, step, figures }) => {
      const here = ['orbit', 'rocksdb-cpp', 'sqlite'].map((who) => nanoseconds(run, step, who))
      const ratio = (theirs: number | undefined, ours: number | undefined) =>
        theirs === undefined || ours === undefined ? undefined : theirs / ours
      return {
        name: `${run.keys.toLocaleString('en-US')} keys, ${name}`,
        values: [...figures, ...here, ratio(figures[1], figures[0]), ratio(here[1], here[0])],
      }
    })
  })
  if (rows.length > 0) findings.grid('The tables of [4], nanoseconds an operation', columns, rows)
  if (runs.core !== undefined) addBreakdown(findings, runs.core)
  return findings
}

function nanoseconds({ samples }: ScaleRun, step: string, who: string): number | undefined {
  const figure = medianOf(samples, `${step} ${who}`)
  if (figure === undefined || step !== 'insert') return figure
  return 1e9 / figure
}

/** What a read is made of: differences between reads that each do one thing more. */
function addBreakdown(findings: PartFindings, { samples, keys }: ScaleRun): void {
  const [loop, has, view, get] = ['loop', 'has', 'view', 'get'].map((step) => medianOf(samples, `${step} orbit`))
  if (loop === undefined || has === undefined || view === undefined || get === undefined) return
  findings.grid(
    `A read among ${keys.toLocaleString('en-US')} keys, in nanoseconds ([4]: 1,000,000)`,
    ['[4] measured', '[4] goal', 'OrbitKV'],
    [
      { name: 'the key (the loop alone)', values: [undefined, undefined, loop] },
      { name: 'index, the key checked in the log (has)', values: [350, 250, has - loop] },
      { name: 'fetch (view: both ends of the value)', values: [250, 150, view - has] },
      { name: 'hand-out (get: a copy; [4]: overhead)', values: [451, 316, get - view] },
      { name: 'in all', values: [1051, 716, get] },
    ],
  )
}
