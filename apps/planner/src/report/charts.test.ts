/** Charts of plans: the series are the figures, in parts of the first point where there are several. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vary } from '../analysis/variants.ts'
import { chartToSvg, chartToText } from '../charts/index.ts'
import { kinds, planOf, preset } from '../presets-suite.ts'
import { growthChart, variedChart } from './charts.ts'

const request = { sources: [preset('kv-100b-ops')], kinds }

test('an input varied: several figures in parts of the first, one in its own unit', () => {
  const range = { id: 'workload.peak_factor', points: [1, 2, 4] }
  const { plans } = vary(request, range)
  const several = variedChart(range, plans, [
    'operations.peak_per_second',
    'network.client_in_peak',
    'storage.total_bytes',
  ])
  assert.ok(several.kind === 'line')
  assert.deepEqual(
    several.series.map(({ label }) => label),
    ['operations.peak_per_second', 'network.client_in_peak'],
    'what does not move is not drawn',
  )
  for (const { points } of several.series)
    assert.deepEqual(
      points.map(({ x, y }) => [x, Number(y.toFixed(6))]),
      [
        [1, 1],
        [2, 2],
        [4, 4],
      ],
    )
  const one = variedChart(range, plans, ['storage.total_bytes'])
  assert.equal(one.y.unit, 'bytes')
  assert.match(chartToText(one), /workload\.peak_factor varied/)
  assert.match(chartToSvg(several), /^<svg[\s\S]*<\/svg>\s*$/)
})

test('a wide range is drawn on a logarithmic axis, and so is what it makes wide', () => {
  const range = { id: 'data.keys', points: [1e6, 1e8, 1e10] }
  const { plans } = vary(request, range)
  const scales = (figures: readonly string[]) => {
    const chart = variedChart(range, plans, figures)
    assert.ok(chart.kind === 'line')
    return [chart.x.scale, chart.y.scale]
  }
  assert.deepEqual(scales(['nodes.needed']), ['log', undefined])
  assert.deepEqual(scales(['nodes.needed', 'storage.total_bytes']), ['log', 'log'])
})

test('growth is drawn by the year', () => {
  const chart = growthChart(planOf(request.sources), 3)
  assert.ok(chart.kind === 'line')
  assert.deepEqual(
    chart.series[0]?.points.map(({ x, y }) => [x, Number(y.toFixed(3))]),
    [
      [0, 1],
      [1, 4.65],
      [2, 8.3],
      [3, 8.3],
    ],
  )
})
