/**
 * What a bench found, for the terminal (`formatReport`) and, with `--json`, as it is here: `Report` is the schema of that
 * document. docs/performance.md is made from it by page.ts.
 */

import type { Machine } from './machine.ts'
import { formatNumber } from './numbers.ts'
import type { Spread } from './statistics.ts'
import { formatTable, type Table } from './table.ts'

/** One thing measured on both sides, in rounds that took turns. */
export interface Comparison {
  readonly part: string
  /** What was measured, such as `get`. */
  readonly name: string
  /** Of both sides' figures, such as `ns/op`. */
  readonly unit: string
  readonly lessIsBetter: boolean
  readonly ours: Spread
  readonly theirs: Spread
  /** What the other side is: `lmdb`, `redis`. */
  readonly other: string
  /** Above 1: ours is the better by that factor. Of each round, in order. */
  readonly ratios: readonly number[]
  readonly ratio: Spread
  /** The ratio that was asked for; absent where none was. */
  readonly bar?: number
}

/** Something measured on our side alone that was to stay on one side of a bound. */
export interface Limit {
  readonly part: string
  readonly name: string
  readonly unit: string
  /** Absent: it could not be measured, `why` says what is in the way. */
  readonly value?: number
  readonly bound: number
  readonly isAtMost: boolean
  readonly why?: string
}

/** Figures of several contestants side by side; an absent one was not measured. */
export interface Grid {
  readonly part: string
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[]
}

/** A figure that is no comparison of speeds: memory, disk. */
export interface Figure {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly theirs: number
  readonly other: string
}

export interface Findings {
  /** How it was measured, by what it concerns. */
  readonly settings: Readonly<Record<string, string>>
  readonly comparisons: readonly Comparison[]
  readonly figures: readonly Figure[]
  readonly limits?: readonly Limit[]
  readonly grids?: readonly Grid[]
  /** Pictures of it, as paths relative to docs/. */
  readonly charts?: readonly { readonly part: string; readonly title: string; readonly path: string }[]
}

export interface Report extends Findings {
  readonly bench: string
  readonly reportVersion: 1
  /** ISO 8601. */
  readonly startedAt: string
  readonly command: string
  readonly standard: boolean
  readonly machine: Machine
}

export function comparisonTable(comparisons: readonly Comparison[]): Table {
  const rows = comparisons.map((one) => [
    one.name,
    one.unit,
    formatNumber(one.ours.median),
    `${formatNumber(one.theirs.median)} ${one.other}`,
    `${one.ratio.median.toFixed(2)}x`,
    `${one.ratio.min.toFixed(2)} - ${one.ratio.max.toFixed(2)}`,
    one.bar === undefined ? '' : `${one.bar}x`,
    one.bar === undefined ? '' : one.ratio.median >= one.bar ? 'holds' : 'MISSED',
  ])
  return {
    columns: ['what', 'unit', 'ours', 'theirs', 'ratio', 'least - most', 'bar', ''],
    numeric: [false, false, true, true, true, true, true, false],
    rows,
  }
}

export function figureTable(figures: readonly Figure[]): Table {
  return {
    columns: ['what', 'unit', 'ours', 'theirs'],
    numeric: [false, false, true, true],
    rows: figures.map((one) => [
      one.name,
      one.unit,
      formatNumber(one.ours),
      `${formatNumber(one.theirs)} ${one.other}`,
    ]),
  }
}

export function limitTable(limits: readonly Limit[]): Table {
  return {
    columns: ['what', 'unit', 'measured', 'bar', '', 'why'],
    numeric: [false, false, true, true, false, false],
    rows: limits.map((one) => [
      one.name,
      one.unit,
      one.value === undefined ? '' : formatNumber(one.value),
      `${one.isAtMost ? 'at most' : 'at least'} ${formatNumber(one.bound)}`,
      stateOf(one),
      one.why ?? '',
    ]),
  }
}

function stateOf(limit: Limit): string {
  if (limit.value === undefined) return 'NOT YET'
  return holdsLimit(limit) ? 'holds' : 'MISSED'
}

function holdsLimit({ value, bound, isAtMost }: Limit): boolean {
  return value !== undefined && (isAtMost ? value <= bound : value >= bound)
}

export function gridTable({ columns, rows }: Grid): Table {
  return {
    columns: ['', ...columns],
    numeric: [false, ...columns.map(() => true)],
    rows: rows.map(({ name, values }) => [
      name,
      ...values.map((value) => (value === undefined ? '' : formatNumber(value))),
    ]),
  }
}

/** Whether every bar was measured and holds. */
export function holdsEveryBar({ comparisons, limits = [] }: Findings): boolean {
  return comparisons.every(({ bar, ratio }) => bar === undefined || ratio.median >= bar) && limits.every(holdsLimit)
}

/** The parts that have something to show, in the order in which they ran. */
export function partsOf({ comparisons, figures, limits = [], grids = [] }: Findings): string[] {
  return [...new Set([...comparisons, ...figures, ...limits, ...grids].map(({ part }) => part))]
}

/** The tables of a part, those with bars first. */
export function tablesOf(findings: Findings, part: string): { readonly title?: string; readonly table: Table }[] {
  const of = <One extends { readonly part: string }>(all: readonly One[] = []) => all.filter((one) => one.part === part)
  const comparisons = of(findings.comparisons)
  const limits = of(findings.limits)
  const figures = of(findings.figures)
  return [
    ...(comparisons.length > 0 ? [{ table: comparisonTable(comparisons) }] : []),
    ...(limits.length > 0 ? [{ table: limitTable(limits) }] : []),
    ...(figures.length > 0 ? [{ table: figureTable(figures) }] : []),
    ...of(findings.grids).map((grid) => ({ title: grid.title, table: gridTable(grid) })),
  ]
}

export function formatReport(report: Report): string {
  const lines = [`bench ${report.bench}, ${report.startedAt}`, '']
  for (const [name, value] of Object.entries(report.machine)) lines.push(`${name}: ${value}`)
  for (const [name, value] of Object.entries(report.settings)) lines.push(`${name}: ${value}`)
  for (const part of partsOf(report)) {
    const rounds = report.comparisons.find((one) => one.part === part)?.ratios.length
    const how = rounds === undefined ? '' : `: medians of ${rounds} rounds in turns; a ratio above 1 is for us`
    lines.push('', `${part}${how}`)
    for (const { title, table } of tablesOf(report, part)) {
      if (title !== undefined) lines.push('', title)
      lines.push(formatTable(table), '')
    }
  }
  return lines.join('\n')
}
