/**
 * Draws what was found into docs/performance/, as SVG. Which grids, which rows and which contestants stand here; how a chart looks
 * is the planner's business.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Chart, chartToSvg } from '@orbitkv/planner'
import type { Findings, Grid } from '../harness/report.ts'

const docs = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'docs')
const folder = 'performance'

interface Drawing {
  readonly part: string
  /** What the title of the grid contains. */
  readonly grid: string
  readonly rows: readonly string[]
  readonly file: string
  readonly title: string
  readonly unit: string
  /** Where figures lie orders of magnitude apart. */
  readonly isLog?: boolean
}

const drawings: readonly Drawing[] = [
  {
    part: 'core',
    grid: 'nanoseconds',
    rows: ['get (copy)', 'view', 'get, Zipf'],
    file: 'engines-reads.svg',
    title: 'Reads, 1 M random keys (less is better)',
    unit: 'ns',
  },
  {
    part: 'core',
    grid: 'nanoseconds',
    rows: ['range seek', 'mixed 80/20', 'mixed 50/50'],
    file: 'engines-mixed.svg',
    title: 'Range seeks and mixed work, 1 M random keys (less is better)',
    unit: 'ns',
    isLog: true,
  },
  {
    part: 'core',
    grid: 'Records or entries',
    rows: ['bulk insert', 'durable, by 100', 'durable, alone'],
    file: 'engines-writes.svg',
    title: 'Writes, 1 M random keys (more is better)',
    unit: 'records/s',
    isLog: true,
  },
  {
    part: 'core',
    grid: 'Records or entries',
    rows: ['scan of 10', 'scan of 1,000', 'scan of 1,000, compacted'],
    file: 'engines-scans.svg',
    title: 'Scans with keys and values, 1 M random keys (more is better)',
    unit: 'entries/s',
    isLog: true,
  },
]
/** The most that a chart can tell apart; the first of them that have a figure are drawn. */
const drawn = [
  'OrbitKV',
  'lmdb-js',
  'LMDB from C',
  'classic-level',
  'better-sqlite3',
  'RocksDB from Node',
  'RocksDB from C++',
  'Map (a floor, no peer)',
]

/** Writes the charts of what is there; of a part that did not run there is none. */
export function drawCharts(findings: Findings): NonNullable<Findings['charts']> {
  mkdirSync(join(docs, folder), { recursive: true })
  return drawings.flatMap(({ part, grid: name, rows, file, title, unit, isLog = false }) => {
    const grid = (findings.grids ?? []).find((one) => one.part === part && one.title.includes(name))
    if (grid === undefined) return []
    const path = `${folder}/${file}`
    writeFileSync(join(docs, path), chartToSvg(chartOf(grid, rows, { title, unit, isLog })))
    return [{ part, title, path }]
  })
}

function chartOf(
  grid: Grid,
  rows: readonly string[],
  { title, unit, isLog }: { readonly title: string; readonly unit: string; readonly isLog: boolean },
): Chart {
  const groups = grid.rows.filter(({ name }) => rows.includes(name))
  const columns = drawn.filter((name) => grid.columns.includes(name))
  return {
    kind: 'bars',
    title,
    groups: groups.map(({ name }) => name),
    y: { label: unit === 'ns' ? 'Time an operation' : 'Rate', unit, ...(isLog ? { scale: 'log' } : {}) },
    series: columns.map((label) => ({
      label,
      values: groups.map(({ values }) => values[grid.columns.indexOf(label)]),
    })),
  }
}
