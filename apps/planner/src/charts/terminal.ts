/**
 * A chart as lines of text for a terminal of a given width: bars lie on their side, a single line is drawn in braille
 * dots, several with a sign for each. ASCII alone where asked for. Labels lose their control characters, so that no
 * label can give orders to a terminal. Pure.
 */

import { axisTitle, type BarChart, type Chart, checkChart, type LineChart, valuesOf } from './chart.ts'
import { chartErrors } from './errors.ts'
import { formatValue } from './format.ts'
import { type Scale, scaleFor } from './scale.ts'

export interface TerminalOptions {
  /** No line is longer. */
  readonly widthColumns?: number
  /** Of the plot of a line chart, without title and axes. */
  readonly heightRows?: number
  readonly isAscii?: boolean
}

interface Glyphs {
  readonly signs: string
  readonly vertical: string
  readonly tickMark: string
  readonly horizontal: string
  readonly corner: string
  readonly cut: string
}

const unicode: Glyphs = { signs: '●○■□▲△◆◇', vertical: '│', tickMark: '┤', horizontal: '─', corner: '└', cut: '…' }
const ascii: Glyphs = { signs: '*o+x#@%&', vertical: '|', tickMark: '+', horizontal: '-', corner: '+', cut: '~' }

export function chartToText(chart: Chart, options: TerminalOptions = {}): string {
  const { widthColumns = 80, heightRows = 12, isAscii = false } = options
  checkChart(chart)
  checkOption('widthColumns', widthColumns, 30, 500)
  checkOption('heightRows', heightRows, 3, 200)
  const glyphs = isAscii ? ascii : unicode
  const plain = (text: string) => plainText(text, isAscii)
  const head = [plain(chart.title), plain(axisTitle(chart.y))]
  const isEmpty = valuesOf(chart, 'y').length === 0
  const body = isEmpty
    ? ['(no data)']
    : chart.kind === 'bars'
      ? barRows(chart, widthColumns, isAscii, plain)
      : lineRows(chart, widthColumns, heightRows, isAscii, plain)
  const lines = [...head, ...body].map((line) => fit(line.trimEnd(), widthColumns, glyphs))
  return `${lines.join('\n')}\n`
}

function checkOption(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) throw chartErrors.bad_option({ name, value, min, max })
}

/** One row, and nothing but what has a shape: controls become spaces; without Unicode all else becomes `?`. */
function plainText(text: string, isAscii: boolean): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ')
  return isAscii ? shown.replaceAll('µ', 'u').replace(/[^ -~]/gu, '?') : shown
}

function fit(text: string, width: number, { cut }: Glyphs): string {
  const chars = [...text]
  return chars.length <= width ? text : chars.slice(0, width - 1).join('') + cut
}

const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - [...text].length))
const padFrom = (text: string, width: number): string => ' '.repeat(Math.max(0, width - [...text].length)) + text

function barRows(chart: BarChart, width: number, isAscii: boolean, plain: (text: string) => string): string[] {
  const glyphs = isAscii ? ascii : unicode
  const isSingle = chart.series.length === 1
  // No ticks are drawn, so the longest bar may take all the room; the least on a logarithmic axis still needs some.
  const isTight = chart.y.scale !== 'log'
  const scale = scaleFor({ axis: chart.y, values: valuesOf(chart, 'y'), tickCount: 5, isBase: true, isTight })
  const labels = isSingle ? chart.groups : chart.series.map(({ label }) => `  ${label}`)
  const labelWidth = Math.min(Math.floor(width * 0.4), Math.max(...labels.map((label) => [...plain(label)].length)))
  const shown = (value: number) => plain(formatValue(value, chart.y.unit))
  const valueWidth = Math.max(...valuesOf(chart, 'y').map((value) => shown(value).length))
  const barWidth = Math.max(4, width - labelWidth - valueWidth - 3)
  const row = (label: string, value: number | undefined) => {
    const bar = value === undefined ? '' : drawBar(scale, value, barWidth, isAscii)
    const head = `${padTo(fit(plain(label), labelWidth, glyphs), labelWidth)} ${glyphs.vertical}`
    return `${head}${padTo(bar, barWidth)} ${padFrom(value === undefined ? '-' : shown(value), valueWidth)}`
  }
  return chart.groups.flatMap((group, index) => {
    if (isSingle) return [row(group, chart.series[0]!.values[index])]
    return [plain(group), ...chart.series.map(({ values }, one) => row(labels[one]!, values[index]))]
  })
}

/** From the base to the value; a value that is not the base itself is never without a sign. */
function drawBar({ place, basePlace }: Scale, value: number, width: number, isAscii: boolean): string {
  const parts = isAscii ? 1 : 8
  const base = Math.round(basePlace * width)
  const end = Math.round(place(value) * width * parts) / parts
  if (end >= base) {
    const length = value === 0 ? 0 : Math.max(1 / parts, end - base)
    const full = Math.floor(length)
    const rest = Math.round((length - full) * parts)
    const bar = (isAscii ? '#' : '█').repeat(full) + (rest === 0 ? '' : ' ▏▎▍▌▋▊▉'.charAt(rest))
    return ' '.repeat(base) + bar
  }
  const start = Math.min(base - 1, Math.round(end))
  return ' '.repeat(start) + (isAscii ? '#' : '█').repeat(base - start)
}

function lineRows(
  chart: LineChart,
  width: number,
  height: number,
  isAscii: boolean,
  plain: (text: string) => string,
): string[] {
  const glyphs = isAscii ? ascii : unicode
  const tickCount = Math.max(2, Math.floor(height / 3))
  const yScale = scaleFor({ axis: chart.y, values: valuesOf(chart, 'y'), tickCount, isBase: false })
  const labels = new Map(yScale.ticks.map(({ place, label }) => [rowOf(place, height), plain(label)]))
  const labelWidth = Math.max(...[...labels.values()].map((label) => label.length))
  const plotWidth = width - labelWidth - 2
  const xTickCount = Math.max(2, Math.floor(plotWidth / 14))
  const xValues = valuesOf(chart, 'x')
  const xScale = scaleFor({ axis: chart.x, values: xValues, tickCount: xTickCount, isBase: false, isTight: true })
  const plot =
    chart.series.length === 1 && !isAscii
      ? braillePlot(chart, xScale, yScale, plotWidth, height)
      : signPlot(chart, xScale, yScale, plotWidth, height, glyphs.signs)
  const rows = plot.map((row, index) => {
    const label = labels.get(index)
    const mark = label === undefined ? glyphs.vertical : glyphs.tickMark
    return `${padFrom(label ?? '', labelWidth)} ${mark}${row}`
  })
  const indent = ' '.repeat(labelWidth + 1)
  const legend = chart.series.map(({ label }, index) => `${[...glyphs.signs][index]} ${plain(label)}`)
  return [
    ...(chart.series.length > 1 ? wrapWords(legend, width) : []),
    ...rows,
    indent + glyphs.corner + glyphs.horizontal.repeat(plotWidth),
    `${indent} ${xLabels(xScale, plotWidth, plain)}`,
    `${indent} ${plain(axisTitle(chart.x))}`,
  ]
}

const rowOf = (place: number, height: number): number => Math.round((1 - place) * (height - 1))

/** Labels under their places, leaving out those that would touch the one before. */
function xLabels({ ticks }: Scale, width: number, plain: (text: string) => string): string {
  let line = ''
  for (const tick of ticks) {
    const label = plain(tick.label)
    const start = Math.min(width - label.length, Math.max(0, Math.round(tick.place * (width - 1) - label.length / 2)))
    if (line === '' ? start >= 0 : start >= line.length + 2) line = padTo(line, start) + label
  }
  return line
}

/** Visits the cells on the way between neighbouring points, and single points. */
function eachStep(points: readonly (readonly [number, number])[], visit: (x: number, y: number) => void): void {
  for (const [index, [x, y]] of points.entries()) {
    const [fromX, fromY] = points[index - 1] ?? [x, y]
    const steps = Math.max(1, Math.abs(x - fromX), Math.abs(y - fromY))
    for (let step = 0; step <= steps; step++)
      visit(Math.round(fromX + ((x - fromX) * step) / steps), Math.round(fromY + ((y - fromY) * step) / steps))
  }
}

function signPlot(chart: LineChart, x: Scale, y: Scale, width: number, height: number, signs: string): string[] {
  const cells = Array.from({ length: height }, () => new Array<string>(width).fill(' '))
  for (const [index, { points }] of chart.series.entries()) {
    const places = points.map(
      (one) => [Math.round(x.place(one.x) * (width - 1)), rowOf(y.place(one.y), height)] as const,
    )
    eachStep(places, (column, row) => {
      cells[row]![column] = [...signs][index]!
    })
  }
  return cells.map((row) => row.join(''))
}

/** Each cell has two by four dots, whose bits Unicode numbers so. */
const brailleBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const

function braillePlot(chart: LineChart, x: Scale, y: Scale, width: number, height: number): string[] {
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0))
  const places = chart.series[0]!.points.map(
    (one) => [Math.round(x.place(one.x) * (width * 2 - 1)), rowOf(y.place(one.y), height * 4)] as const,
  )
  eachStep(places, (dotX, dotY) => {
    cells[dotY >> 2]![dotX >> 1]! |= brailleBits[dotY & 3]![dotX & 1]!
  })
  return cells.map((row) => row.map((bits) => (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits))).join(''))
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && [...last].length + 3 + [...word].length <= width)
      lines[lines.length - 1] = `${last}   ${word}`
    else lines.push(word)
  }
  return lines
}
