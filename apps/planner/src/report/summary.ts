/** What `orbit plan` shows of a plan: the figures that decide, in sections; `--explain` and `--json` have all of them. */

import { explain, shownValue, valueOf } from '../analysis/explain.ts'
import { growthOf, headroomEnd } from '../analysis/growth.ts'
import type { Plan } from '../analysis/plan.ts'
import type { Scenario } from '../analysis/variants.ts'
import { figureGroups, graph } from '../figures/index.ts'
import { type Limit, limits } from '../figures/nodes.ts'
import { formatQuantity } from '../model/format.ts'
import type { Values } from '../model/graph.ts'
import { unit } from '../model/units.ts'
import type { Section } from './section.ts'

/** Ids of the figures in each section; a figure's own label names it. */
const shown: readonly (readonly [string, readonly string[]])[] = [
  [
    'Work',
    [
      'operations.average_per_second',
      'operations.peak_per_second',
      'operations.reads_peak_per_second',
      'operations.writes_peak_per_second',
      'connections.total',
    ],
  ],
  [
    'Storage',
    [
      'storage.keys',
      'storage.raw_bytes',
      'storage.stored_bytes',
      'storage.replicated_bytes',
      'storage.metadata_bytes',
      'storage.snapshot_bytes',
      'storage.total_bytes',
      'storage.log_bytes',
      'storage.cold_bytes',
      'storage.per_node_bytes',
      'partitions.count',
      'partitions.bytes',
    ],
  ],
  [
    'Memory of a node',
    [
      'memory.fixed_per_node',
      'memory.index_per_node',
      'memory.bloom_per_node',
      'memory.cache_per_node',
      'memory.per_node_bytes',
      'memory.machine_share',
      'memory.total_bytes',
    ],
  ],
  [
    'CPU and disk',
    [
      'cpu.cores_average',
      'cpu.cores_peak',
      'cpu.busy_peak',
      'disk.reads_per_second',
      'disk.writes_per_second',
      'disk.ios_per_node',
      'disk.write_bandwidth',
    ],
  ],
  [
    'Network',
    [
      'network.client_in_average',
      'network.client_in_peak',
      'network.client_out_average',
      'network.client_out_peak',
      'network.replication_per_day',
      'network.regions_per_day',
      'network.backup_per_day',
    ],
  ],
  [
    'When something fails',
    [
      'recovery.failures_per_month',
      'consistency.reads_survive',
      'consistency.writes_survive',
      'recovery.rto_node_seconds',
      'recovery.replay_seconds',
      'recovery.rereplication_seconds',
      'recovery.rebalance_seconds',
      'recovery.restore_seconds',
      'recovery.rpo_seconds',
      'recovery.rto_region_seconds',
    ],
  ],
]

const costParts = [
  'cost.compute_month',
  'cost.storage_month',
  'cost.network_month',
  'cost.regions_month',
  'cost.backup_month',
  'cost.archive_month',
  'cost.load_balancers',
  'cost.operations_month',
]

/** One line that says it all. */
export function headline({ inputs, values, binding }: Plan): string {
  const name = inputs.title === '' ? '' : `${inputs.title}: `
  const count = formatQuantity(valueOf(values, 'nodes.chosen'), unit('node'))
  const binds = limitsDo(binding, 'bind')
  return `${name}${count} of ${inputs.kind}, ${inputs.backend}; ${binds}; ${shownValue('cost.month_total', values)}`
}

/** `memory binds`, `disk operations bind`, `memory and replicas bind`. */
function limitsDo(some: readonly Limit[], verb: string): string {
  const names = some.map(({ name }) => name).join(' and ')
  return `${names} ${some.length > 1 || names.endsWith('s') ? verb : `${verb}s`}`
}

export interface SummaryRequest {
  readonly plan: Plan
  readonly scenarios: readonly Scenario[]
  readonly years: number
}

export function summaryOf({ plan, scenarios, years }: SummaryRequest): Section[] {
  return [
    nodesSection(plan),
    ...shown.map(([title, ids]) => figuresSection(title, ids, plan.values)),
    costSection(plan),
    scenariosSection(scenarios),
    growthSection(plan, years),
    notesSection(plan),
  ].filter(({ rows, notes = [] }) => rows.length + notes.length > 0)
}

function nodesSection({ values, binding }: Plan): Section {
  const rows = limits.map((limit) => [
    limit.name,
    formatQuantity(valueOf(values, limit.needed), unit('1')),
    formatQuantity(valueOf(values, limit.used), unit('1'), { digits: 3, isShare: true }),
    binding.includes(limit) ? '<- binds' : '',
  ])
  const spares = valueOf(values, 'node.spares')
  const total = [
    'needed',
    formatQuantity(valueOf(values, 'nodes.needed'), unit('1')),
    '',
    spares > 0 ? `with ${formatQuantity(spares, unit('1'))} spare` : '',
  ]
  const chosen = ['in the plan', formatQuantity(valueOf(values, 'nodes.chosen'), unit('1')), '', '']
  return { title: 'Nodes', head: ['limit', 'asks for', 'used', ''], rows: [...rows, total, chosen], right: [1, 2] }
}

/** Parts that are nothing are left out, as long as something is left. */
function figuresSection(title: string, ids: readonly string[], values: Values): Section {
  const isThere = (id: string) => id !== 'recovery.rto_region_seconds' || valueOf(values, 'regions.others') > 0
  const some = ids.filter((id) => valueOf(values, id) !== 0 && isThere(id))
  return {
    title,
    rows: (some.length === 0 ? ids : some).map((id) => [graph.byId.get(id)?.label ?? id, shownValue(id, values)]),
    right: [1],
  }
}

function costSection({ values }: Plan): Section {
  const total = valueOf(values, 'cost.month_total')
  const parts = costParts.filter((id) => valueOf(values, id) !== 0)
  const share = (id: string) =>
    total === 0 ? '' : formatQuantity(valueOf(values, id) / total, unit('1'), { digits: 2, isShare: true })
  const totals = [
    'cost.month_total',
    'cost.year_total',
    'cost.three_years_total',
    'cost.per_operation',
    'cost.per_stored_gb',
  ]
  return {
    title: 'Cost',
    rows: [
      ...parts.map((id) => [labelOf(id), shownValue(id, values), share(id)]),
      ...totals.map((id) => [graph.byId.get(id)?.label ?? id, shownValue(id, values), '']),
    ],
    right: [1, 2],
  }
}

function labelOf(id: string): string {
  return graph.byId.get(id)?.label ?? (id.split('.')[1] as string).replaceAll('_', ' ')
}

function scenariosSection(scenarios: readonly Scenario[]): Section {
  const money = (plan: Plan, id: string) => shownValue(id, plan.values).replace(/\/(month|year)$/, '')
  return {
    title: 'Scenarios',
    head: ['', 'nodes', 'needed', 'total', 'a month', 'a year', 'three years'],
    rows: scenarios.map(({ name, plan }) => [
      name,
      formatQuantity(valueOf(plan.values, 'nodes.chosen'), unit('1')),
      formatQuantity(valueOf(plan.values, 'nodes.needed'), unit('1')),
      shownValue('storage.total_bytes', plan.values),
      money(plan, 'cost.month_total'),
      money(plan, 'cost.year_total'),
      money(plan, 'cost.three_years_total'),
    ]),
    right: [1, 2, 3, 4, 5, 6],
  }
}

function growthSection(plan: Plan, years: number): Section {
  const rows = growthOf(plan, years).map(({ year, values, binding }) => [
    year === 0 ? 'today' : `year ${year}`,
    formatQuantity(valueOf(values, 'storage.keys'), unit('1')),
    shownValue('operations.average_per_second', values),
    shownValue('storage.raw_bytes', values),
    shownValue('storage.total_bytes', values),
    shownValue('storage.archive_bytes', values),
    formatQuantity(valueOf(values, 'nodes.needed'), unit('1')),
    binding.map(({ name }) => name).join(', '),
    shownValue('cost.month_total', values),
  ])
  return {
    title: 'Growth',
    head: ['', 'keys', 'work', 'raw', 'total', 'archive', 'nodes', 'binds', 'cost'],
    rows,
    right: [1, 2, 3, 4, 5, 6, 8],
    notes: [headroomText(plan)],
  }
}

function headroomText(plan: Plan): string {
  const end = headroomEnd(plan)
  const nodes = formatQuantity(valueOf(plan.values, 'nodes.chosen'), unit('node'))
  if (end === undefined) return `${nodes} do for as long as can be planned.`
  const asks = `${limitsDo(end.binding, 'ask')} for more`
  if (end.days === 0) return `${nodes} do not do today: ${asks}.`
  return `${nodes} do until day ${formatQuantity(end.days, unit('1'), { digits: 6 })}, when ${asks}.`
}

function notesSection({ notes }: Plan): Section {
  return { title: 'To know', rows: [], notes: notes.map(({ about, text }) => `${text} (${about})`) }
}

/** Every figure with its formula, by names and with the numbers put in; `prefix` narrows to some. */
export function explanationOf({ values, inputs }: Plan, prefix = ''): Section[] {
  const sections = figureGroups.map(({ title, figures }) => ({
    title,
    rows: figures
      .filter(({ id }) => id.startsWith(prefix))
      .flatMap(({ id }) => {
        const { label, formula, withNumbers } = explain(id, values)
        return [
          [id, `= ${shownValue(id, values)} (${label})`],
          ['', `= ${formula}`],
          ['', `= ${withNumbers}`],
        ]
      }),
  }))
  const read = new Set(
    figureGroups
      .flatMap(({ figures }) => figures)
      .filter(({ id }) => id.startsWith(prefix))
      .flatMap(({ id }) => explain(id, values).inputs),
  )
  const used = [...inputs.origins].filter(([id]) => read.has(id))
  const inputRows = used.map(([id, origin]) => [id, `= ${shownValue(id, values)}`, origin])
  return [...sections, { title: 'Inputs of these', rows: inputRows }].filter(({ rows }) => rows.length > 0)
}
