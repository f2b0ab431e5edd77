/**
 * A chart as one SVG document: self-contained, legible on light and dark, with title and description for those who
 * hear it read. Pure: the same chart gives the same text.
 */

import { axisTitle, type BarChart, type Chart, checkChart, type LineChart, valuesOf } from './chart.ts'
import { describeChart } from './describe.ts'
import { chartErrors } from './errors.ts'
import { formatValue } from './format.ts'
import { type Scale, scaleFor } from './scale.ts'
import { element, escapeXml, fitText, px, styleSheet, text, textWidth } from './svg-text.ts'

export interface SvgOptions {
  readonly widthPixels?: number
  readonly heightPixels?: number
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const margin = 16
const legendRowHeight = 20
/** With more points than this a dot for each would hide the line. */
const dottedPointsMax = 40
/** Labels of groups that do not fit side by side are turned by this much. */
const turnDegrees = 35
const turnRadians = (turnDegrees * Math.PI) / 180
const turnedWidthMax = 160
/** Above a bar, and below one that hangs from zero. */
const valueLabelHeight = 12

export function chartToSvg(chart: Chart, { widthPixels = 720, heightPixels = 420 }: SvgOptions = {}): string {
  checkChart(chart)
  checkSize('widthPixels', widthPixels)
  checkSize('heightPixels', heightPixels)
  const legend = drawLegend(chart, widthPixels)
  const turned = chart.kind === 'bars' && areTurned(chart.groups, widthPixels)
  const top = legend.height + (chart.kind === 'line' ? 62 : 62 + valueLabelHeight)
  const bottom = heightPixels - (chart.kind === 'line' ? 48 : groupLabelsHeight(chart, turned))
  const y = scaleFor({
    axis: chart.y,
    values: valuesOf(chart, 'y'),
    tickCount: Math.max(2, Math.floor((bottom - top) / 44)),
    isBase: chart.kind === 'bars',
  })
  const left = margin + Math.max(...y.ticks.map(({ label }) => textWidth(label)), 0) + 8
  const box: Box = { left, right: widthPixels - margin - 8, top, bottom }
  const marks = chart.kind === 'line' ? drawLines(chart, box, y) : drawBars(chart, box, y, turned)
  const parts = [
    element('rect', { class: 'ground', width: widthPixels, height: heightPixels, rx: 6 }),
    text({ class: 'ink title', x: margin, y: 28 }, fitText(chart.title, widthPixels - 2 * margin, 16)),
    legend.markup,
    text({ class: 'faint', x: margin, y: legend.height + 48 }, fitText(axisTitle(chart.y), widthPixels - 2 * margin)),
    drawYAxis(y, box),
    marks,
    valuesOf(chart, 'y').length > 0 ? '' : drawNothing(box),
  ]
  return wrap(chart, widthPixels, heightPixels, parts)
}

function checkSize(name: string, value: number): void {
  const [min, max] = [200, 4000]
  if (!Number.isInteger(value) || value < min || value > max) throw chartErrors.bad_option({ name, value, min, max })
}

function wrap(chart: Chart, width: number, height: number, parts: readonly string[]): string {
  const content = [
    element('title', { id: `${idOf(chart)}-title` }, escapeXml(chart.title) || ' '),
    element('desc', { id: `${idOf(chart)}-desc` }, escapeXml(describeChart(chart))),
    styleSheet,
    ...parts.filter((part) => part !== ''),
  ]
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${px(width)} ${px(height)}`,
    width,
    height,
    class: 'orbit-chart',
    role: 'img',
    'aria-labelledby': `${idOf(chart)}-title ${idOf(chart)}-desc`,
  }
  return `${element('svg', attributes, `\n${content.join('\n')}\n`)}\n`
}

/** Several charts can stand in one page, so names within them come from what they show. */
function idOf(chart: Chart): string {
  let hash = 0
  for (const char of JSON.stringify(chart)) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0
  return `chart-${(hash >>> 0).toString(36)}`
}

/** One series is named by the title already. */
function drawLegend(chart: Chart, width: number): { markup: string; height: number } {
  if (chart.series.length < 2) return { markup: '', height: 0 }
  const parts: string[] = []
  let x = margin
  let y = 50
  for (const [index, { label }] of chart.series.entries()) {
    const shown = fitText(label, width - 2 * margin - 30)
    const entryWidth = 30 + textWidth(shown) + 16
    if (x > margin && x + entryWidth > width - margin) {
      x = margin
      y += legendRowHeight
    }
    const key =
      chart.kind === 'line'
        ? element('path', { class: `curve line${index}`, d: `M${px(x)} ${px(y - 4)}h24` })
        : element('rect', { class: `fill${index}`, x: x + 6, y: y - 10, width: 12, height: 12, rx: 2 })
    parts.push(key, text({ class: 'ink', x: x + 30, y }, shown))
    x += entryWidth
  }
  return { markup: parts.join('\n'), height: y - 50 + legendRowHeight }
}

function drawYAxis({ ticks }: Scale, box: Box): string {
  return ticks
    .map(({ place, label }) => {
      const y = yAt(box, place)
      const line = element('path', { class: 'grid', d: `M${px(box.left)} ${px(y)}H${px(box.right)}` })
      return line + text({ class: 'faint end', x: box.left - 8, y: y + 4 }, label)
    })
    .join('\n')
}

const xAt = (box: Box, place: number): number => box.left + place * (box.right - box.left)
const yAt = (box: Box, place: number): number => box.bottom - place * (box.bottom - box.top)

const baseLine = (box: Box, place: number): string =>
  element('path', { class: 'axis', d: `M${px(box.left)} ${px(yAt(box, place))}H${px(box.right)}` })

function drawNothing(box: Box): string {
  return text({ class: 'faint middle', x: xAt(box, 0.5), y: yAt(box, 0.5) }, 'no data')
}

function drawLines(chart: LineChart, box: Box, yScale: Scale): string {
  const values = valuesOf(chart, 'x')
  const tickCount = Math.max(2, Math.floor((box.right - box.left) / 90))
  const xScale = scaleFor({ axis: chart.x, values, tickCount, isBase: false, isTight: true })
  const ticks = xScale.ticks.map(({ place, label }) => {
    const x = xAt(box, place)
    const tick = element('path', { class: 'axis', d: `M${px(x)} ${px(box.bottom)}v5` })
    return tick + text({ class: 'faint middle', x, y: box.bottom + 18 }, label)
  })
  const middle = { class: 'faint middle', x: xAt(box, 0.5), y: box.bottom + 38 }
  const curves = chart.series.map(({ label, points }, index) => {
    const places = points.map(({ x, y }) => [xAt(box, xScale.place(x)), yAt(box, yScale.place(y))] as const)
    const path = places.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('')
    const curve = points.length < 2 ? '' : element('path', { class: `curve line${index}`, d: path })
    if (points.length > dottedPointsMax) return curve
    const dots = places.map(([cx, cy], i) => {
      const { x, y } = points[i]!
      const tip = `${label}: ${formatValue(y, chart.y.unit)} at ${formatValue(x, chart.x.unit)}`
      return element('circle', { class: `fill${index}`, cx, cy, r: 3 }, element('title', {}, escapeXml(tip)))
    })
    return curve + dots.join('')
  })
  return [baseLine(box, 0), ...ticks, text(middle, axisTitle(chart.x)), ...curves].join('\n')
}

function drawBars(chart: BarChart, box: Box, yScale: Scale, turned: boolean): string {
  const slot = (box.right - box.left) / Math.max(1, chart.groups.length)
  const barWidth = Math.min(48, (slot * 0.8) / Math.max(1, chart.series.length))
  const base = yAt(box, yScale.basePlace)
  const labelsTop = box.bottom + (hasNegative(chart) ? valueLabelHeight : 0)
  const labels = chart.groups.map((group, index) => {
    const x = box.left + (index + 0.5) * slot
    if (!turned) return text({ class: 'faint middle', x, y: labelsTop + 18 }, group)
    const [tx, ty] = [x + 4, labelsTop + 14]
    const transform = `rotate(-${turnDegrees} ${px(tx)} ${px(ty)})`
    return text(
      { class: 'faint end', x: tx, y: ty, transform },
      fitText(group, Math.min(turnedWidthMax, tx / Math.cos(turnRadians) - 4)),
    )
  })
  const bars = chart.series.flatMap(({ label, values }, index) =>
    values.map((value, group) => {
      if (value === undefined) return ''
      const start = box.left + (group + 0.5) * slot + (index - chart.series.length / 2) * barWidth
      const end = yAt(box, yScale.place(value))
      const shown = formatValue(value, chart.y.unit)
      const bar = element(
        'rect',
        {
          class: `fill${index}`,
          x: start + 0.5,
          y: Math.min(base, end),
          width: Math.max(0.5, barWidth - 1),
          // Zero is seen as a line.
          height: Math.max(1, Math.abs(base - end)),
        },
        element('title', {}, escapeXml(`${label}, ${chart.groups[group]}: ${shown}`)),
      )
      const room = chart.series.length === 1 ? slot : barWidth + 4
      if (textWidth(shown, 11) > room) return bar
      const y = end <= base ? end - 4 : end + 12
      return bar + text({ class: 'ink small middle', x: start + barWidth / 2, y }, shown)
    }),
  )
  return [...bars, baseLine(box, yScale.basePlace), ...labels].join('\n')
}

/** Judged by the width that is left without the labels of the y axis, which are not known yet. */
const areTurned = (groups: readonly string[], width: number): boolean =>
  groups.some((group) => textWidth(group) > (width - 100) / groups.length - 6)

const hasNegative = (chart: BarChart): boolean => valuesOf(chart, 'y').some((value) => value < 0)

function groupLabelsHeight(chart: BarChart, turned: boolean): number {
  const below = hasNegative(chart) ? valueLabelHeight : 0
  if (!turned) return 32 + below
  const longest = Math.max(...chart.groups.map((group) => Math.min(turnedWidthMax, textWidth(group))))
  return 28 + below + longest * Math.sin(turnRadians)
}
