/** A chart in a sentence for each series: what a reader hears who does not see it. */

import { type Chart, valuesOf } from './chart.ts'
import { formatValue } from './format.ts'

/** The chart's own description, or one made from its data. */
export function describeChart(chart: Chart): string {
  if (chart.description !== undefined) return chart.description
  const kind = chart.kind === 'line' ? `Lines over ${chart.x.label}` : `Bars of ${chart.groups.length} groups`
  const scale = chart.y.scale === 'log' ? ', logarithmic' : ''
  const lines = chart.series.map((series) => {
    const values = valuesOf({ ...chart, series: [series] } as Chart, 'y')
    if (values.length === 0) return `${series.label}: no data.`
    let [low, high] = [Infinity, -Infinity]
    for (const value of values) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    return `${series.label}: ${formatValue(low, chart.y.unit)} to ${formatValue(high, chart.y.unit)}.`
  })
  return [`${kind}, ${chart.y.label}${scale}.`, ...lines].join(' ')
}
