/** Sections of a report as lines for a terminal, and the table of --vary as one more section. */

import { nearest } from '@orbitkv/base'
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
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import type { Styles } from '../terminal/styles.ts'
import { table } from '../terminal/text.ts'

export function terminalLines(sections: readonly Section[], styles: Styles): string[] {
  return sections.flatMap(({ title, head, rows, right = [], notes = [] }) => {
    const [first, ...others] = table(head === undefined ? rows : [head, ...rows], right)
    const body = first === undefined ? [] : [head === undefined ? first : styles.dim(first), ...others]
    return ['', styles.bold(title), ...body.map((line) => `  ${line}`), ...notes.map((note) => `  - ${note}`)]
  })
}

/** The figures whose columns --vary shows if nothing else is asked for. */
export const variedFigures = [
  'nodes.needed',
  'memory.total_bytes',
  'storage.total_bytes',
  'disk.ios_per_second',
  'network.out_peak',
  'cost.month_total',
]

/** What --figures asks for: each word begins the id of a figure. */
export function figurePrefixes(args: Context['args'], standard: readonly string[]): readonly string[] {
  const text = args.text('figures')
  if (text === undefined) return standard
  const prefixes = text.split(',').map((word) => word.trim())
  const ids = graph.figures.map(({ id }) => id)
  const unknown = prefixes.find((prefix) => figuresOf([prefix]).length === 0)
  if (unknown === undefined) return prefixes
  const near = nearest(unknown, [...ids, ...new Set(ids.map((id) => id.split('.', 1)[0] as string))])
  const hint = near === undefined ? 'docs/operating/planner.md lists them' : `did you mean ${near}?`
  const fault = `no figure's id begins with ${unknown}; ${hint}`
  throw cliErrors.flag_invalid({ flag: '--figures', given: text, fault, command: 'plan' })
}

export function figuresOf(prefixes: readonly string[]): readonly Figure[] {
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
