/**
 * What a chart is: labelled series of numbers with units, and nothing of how it looks. `checkChart` refuses what cannot
 * be drawn; the drawers call it first and take for granted what it lets through.
 */

import { chartErrors } from './errors.ts'

export interface Axis {
  readonly label: string
  /**
   * `bytes`, `bytes/s`, `seconds` and `share` (0.5 is 50%) are written in larger and smaller units as fits; any other
   * word, such as `operations/s` or `USD`, with k, M and G before it; empty for plain numbers.
   */
  readonly unit: string
  /** `linear` unless said otherwise; on `log` every value must be positive. */
  readonly scale?: 'linear' | 'log'
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface LineChart {
  readonly kind: 'line'
  readonly title: string
  /** For those who cannot see the chart; made from the data where it is left out. */
  readonly description?: string
  readonly x: Axis
  readonly y: Axis
  /** Points are joined in the order given. */
  readonly series: readonly { readonly label: string; readonly points: readonly Point[] }[]
}

export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly description?: string
  /** Each group stands at one place of the axis and has one bar of every series. */
  readonly groups: readonly string[]
  readonly y: Axis
  /** One value a group; undefined where there is none. */
  readonly series: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[]
}

export type Chart = LineChart | BarChart

/** More could not be told apart. */
export const seriesMax = 8

/** Beyond this, sums and ratios of values would lose their meaning in the arithmetic of the axes. */
const magnitudeMax = 1e30

/** Throws `chart.bad_shape` or `chart.bad_number` unless the chart can be drawn. */
export function checkChart(chart: Chart): void {
  const { title, series } = chart
  const refuse = (problem: string) => chartErrors.bad_shape({ title, problem })
  if (series.length > seriesMax) throw refuse(`${series.length} series are more than ${seriesMax}`)
  for (const { label } of series)
    if (series.filter((one) => one.label === label).length > 1) throw refuse(`two series are called "${label}"`)
  if (chart.kind === 'line') {
    for (const { label, points } of chart.series)
      for (const [index, { x, y }] of points.entries()) {
        checkNumber(title, chart.x, x, `x of point ${index} of "${label}"`)
        checkNumber(title, chart.y, y, `y of point ${index} of "${label}"`)
      }
    return
  }
  for (const { label, values } of chart.series) {
    if (values.length !== chart.groups.length)
      throw refuse(`"${label}" has ${values.length} values for ${chart.groups.length} groups`)
    for (const [index, value] of values.entries())
      if (value !== undefined) checkNumber(title, chart.y, value, `"${label}" of "${chart.groups[index]}"`)
  }
}

function checkNumber(title: string, { scale }: Axis, value: number, where: string): void {
  if (!(Math.abs(value) <= magnitudeMax))
    throw chartErrors.bad_number({ title, where, value, expected: `a number from -${magnitudeMax} to ${magnitudeMax}` })
  if (scale === 'log' && !(value >= 1 / magnitudeMax))
    throw chartErrors.bad_number({ title, where, value, expected: 'positive, as an axis with logarithmic scale needs' })
}

/** All numbers that an axis must have room for. */
export function valuesOf(chart: Chart, axis: 'x' | 'y'): number[] {
  if (chart.kind === 'line') return chart.series.flatMap(({ points }) => points.map((point) => point[axis]))
  return chart.series.flatMap(({ values }) => values.filter((value) => value !== undefined))
}

/** Units that are written at every number need no naming, nor does one that the label names already. */
export function axisTitle({ label, unit, scale }: Axis): string {
  const isNamed = ['', 'bytes', 'bytes/s', 'seconds', 'share', label.toLowerCase()].includes(unit)
  return `${label}${isNamed ? '' : ` (${unit})`}${scale === 'log' ? ', logarithmic' : ''}`
}
