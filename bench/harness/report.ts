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

/** The parts that have something to show, in the order in which they ran. */
export function partsOf({ comparisons, figures }: Findings): string[] {
  return [...new Set([...comparisons, ...figures].map(({ part }) => part))]
}

export function formatReport(report: Report): string {
  const lines = [`bench ${report.bench}, ${report.startedAt}`, '']
  for (const [name, value] of Object.entries(report.machine)) lines.push(`${name}: ${value}`)
  for (const [name, value] of Object.entries(report.settings)) lines.push(`${name}: ${value}`)
  for (const part of partsOf(report)) {
    const comparisons = report.comparisons.filter((one) => one.part === part)
    const figures = report.figures.filter((one) => one.part === part)
    lines.push(
      '',
      `${part}: medians of ${comparisons[0]?.ratios.length ?? 0} rounds in turns; a ratio above 1 is for us`,
    )
    lines.push(formatTable(comparisonTable(comparisons)))
    if (figures.length > 0) lines.push('', formatTable(figureTable(figures)))
  }
  return lines.join('\n')
}
