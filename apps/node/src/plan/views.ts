/** Sections of a report as lines for a terminal, and the table of --vary as one more section. */

import {
  type Figure,
  formatQuantity,
  graph,
  isShareId,
  type Range,
  type Section,
  shownValue,
  type VariedPlan,
} from '@orbitkv/planner'
import type { Styles } from '../terminal/styles.ts'
import { table } from '../terminal/text.ts'

export function terminalLines(sections: readonly Section[], styles: Styles): string[] {
  return sections.flatMap(({ title, head, rows, right = [], notes = [] }) => {
    const [first, ...others] = table(head === undefined ? rows : [head, ...rows], right)
    const body = first === undefined ? [] : [head === undefined ? first : styles.dim(first), ...others]
    return ['', styles.bold(title), ...body.map((line) => `  ${line}`), ...notes.map((note) => `  - ${note}`)]
  })
}

const variedFigures = [
  'nodes.needed',
  'memory.total_bytes',
  'storage.total_bytes',
  'disk.ios_per_second',
  'network.out_peak',
  'cost.month_total',
]

/** The figures whose columns --vary shows: those of --figures, or a few that matter. */
export function variedColumns(figures: string | undefined): readonly Figure[] {
  const prefixes = figures?.split(',').map((text) => text.trim()) ?? variedFigures
  return prefixes.flatMap((prefix) => graph.figures.filter(({ id }) => id.startsWith(prefix)))
}

export function variedSection({ id }: Range, plans: readonly VariedPlan[], columns: readonly Figure[]): Section {
  return {
    title: `${id} varied`,
    head: [id, ...columns.map((figure) => figure.id), 'binds'],
    rows: plans.map(({ value, plan }) => [
      formatQuantity(value, graph.unitOfId(id), { isShare: isShareId(id) }),
      ...columns.map((figure) => shownValue(figure.id, plan.values)),
      plan.binding.map(({ name }) => name).join(', '),
    ]),
    right: columns.map((_, index) => index + 1).concat(0),
  }
}
