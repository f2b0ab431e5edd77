/** Pictures of a plan: how figures answer to an input that is varied, and how they grow. Drawn by charts/. */

import { growthOf } from '../analysis/growth.ts'
import type { Plan } from '../analysis/plan.ts'
import { type Range, type VariedPlan, wideFactor } from '../analysis/variants.ts'
import { type Axis, type Chart, seriesMax } from '../charts/index.ts'
import { graph } from '../figures/index.ts'
import { isShareId } from '../model/format.ts'
import type { Values } from '../model/graph.ts'
import { unitText } from '../model/units.ts'

/** Several figures have several units, so they are drawn in parts of what each is at the first point. */
export function variedChart({ id }: Range, plans: readonly VariedPlan[], figureIds: readonly string[]): Chart {
  const first = plans[0]?.value ?? 0
  const last = plans.at(-1)?.value ?? 0
  const isWide = first > 0 && last / first >= wideFactor
  const x: Axis = { ...axisOf(id), ...(isWide ? { scale: 'log' as const } : {}) }
  const points = plans.map(({ value, plan }) => ({ at: value, values: plan.values }))
  // Those that stay as they are would lie upon each other; the table has them.
  const moving = figureIds.filter((figure) => new Set(points.map(({ values }) => values.get(figure))).size > 1)
  return chartOf(`${id} varied`, x, points, moving.length === 0 ? figureIds : moving)
}

const grown = [
  'storage.keys',
  'operations.average_per_second',
  'storage.total_bytes',
  'nodes.needed',
  'cost.month_total',
]

export function growthChart(plan: Plan, years: number): Chart {
  const points = growthOf(plan, years).map(({ year, values }) => ({ at: year, values }))
  return chartOf('Growth', { label: 'years from the plan on', unit: '' }, points, grown)
}

interface ChartPoint {
  readonly at: number
  readonly values: Values
}

function chartOf(title: string, x: Axis, points: readonly ChartPoint[], figureIds: readonly string[]): Chart {
  const ids = figureIds.slice(0, seriesMax)
  const [only] = ids
  const isOne = ids.length === 1 && only !== undefined
  const finite = points.filter(({ values }) => ids.every((id) => Number.isFinite(values.get(id))))
  const base = (id: string) =>
    isOne ? 1 : (finite.map(({ values }) => values.get(id) as number).find((value) => value > 0) ?? 1)
  const series = ids.map((id) => ({
    label: id,
    points: finite.map(({ at, values }) => ({ x: at, y: (values.get(id) as number) / base(id) })),
  }))
  const heights = series.flatMap(({ points: some }) => some.map(({ y }) => y))
  const isSteep = Math.min(...heights) > 0 && Math.max(...heights) / Math.min(...heights) >= wideFactor
  const y: Axis = isOne ? axisOf(only) : { label: 'times the first', unit: '' }
  // Over a logarithmic axis what grows in step would look as if it rose only at the end.
  return { kind: 'line', title, x, y: x.scale === 'log' && isSteep ? { ...y, scale: 'log' } : y, series }
}

/** The units that the charts scale have names of their own there. */
const chartUnits: Readonly<Record<string, string>> = { B: 'bytes', 'B/s': 'bytes/s', s: 'seconds', '1': '' }

function axisOf(id: string): Axis {
  const text = unitText(graph.unitOfId(id))
  return { label: id, unit: isShareId(id) ? 'share' : (chartUnits[text] ?? text) }
}
