/** Quantities for people: `33 TB`, `1.157 million op/s`, `$112,300/month`, `5.8 days`. Bytes are decimal, as disks are sold. */

import { type Unit, unitText } from './units.ts'

const byteScale: readonly Scale[] = [
  [1e18, 'EB'],
  [1e15, 'PB'],
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'KB'],
  [1, 'B'],
]
const countScale: readonly Scale[] = [
  [1e15, 'quadrillion'],
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
]
const timeScale: readonly Scale[] = [
  [86_400, 'days'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
]
/** Units that are words, by one and by many; the others are written as they are. */
const plurals: Readonly<Record<string, string>> = {
  key: 'keys',
  node: 'nodes',
  core: 'cores',
  conn: 'connections',
  client: 'clients',
  partition: 'partitions',
  failure: 'failures',
  upgrade: 'upgrades',
  engineer: 'people',
  day: 'days',
  month: 'months',
  year: 'years',
  op: 'operations',
}

type Scale = readonly [number, string]

export interface FormatOptions {
  /** Significant digits. */
  readonly digits?: number
  /** A ratio as a percentage. */
  readonly isShare?: boolean
}

export function formatQuantity(value: number, unit: Unit, { digits = 4, isShare = false }: FormatOptions = {}): string {
  if (!Number.isFinite(value)) return value > 0 ? 'without end' : 'none'
  const rest = new Map(unit)
  if (rest.size === 0) return isShare ? percentage(value, digits) : count(value, digits)
  if (rest.get('B') === 1) return scaled(value, byteScale, digits) + suffix(rest, 'B')
  if (rest.get('$') === 1) return money(value, digits, suffix(rest, '$'))
  if (rest.get('s') === 1) return scaled(value, timeScale, digits) + suffix(rest, 's')
  const [first] = [...rest].find(([, power]) => power === 1) ?? []
  if (first === undefined) return `${count(value, digits)} ${unitText(unit)}`
  const isAlone = rest.size === 1
  return `${count(value, digits)} ${isAlone && value !== 1 ? (plurals[first] ?? first) : first}${suffix(rest, first)}`
}

/** Whether a ratio with this id is a part of a whole, which people read as a percentage. */
export function isShareId(id: string): boolean {
  return /([._]share|_rate|_used|_fill|_busy|busy_\w+|discount)$/.test(id)
}

/** What follows the scaled number: `/s`, `·core/op`. */
function suffix(unit: Unit, but: string): string {
  const rest = new Map(unit)
  rest.delete(but)
  const above = [...rest].filter(([, power]) => power > 0).map(([name]) => `·${name}`)
  const below = [...rest].filter(([, power]) => power < 0).map(([name]) => `/${name}`)
  return [...above, ...below].join('')
}

function scaled(value: number, scale: readonly Scale[], digits: number): string {
  if (value === 0) return `0 ${scale.find(([size]) => size === 1)?.[1] ?? ''}`
  // Rounded as it will be written, so that no unit shows 1,000 of itself.
  const rounded = Math.abs(Number(value.toPrecision(digits)))
  const [size, name] = scale.find(([candidate]) => rounded >= candidate) ?? (scale.at(-1) as Scale)
  const shown = significant(value / size, digits)
  return `${shown} ${name === 'days' && shown === '1' ? 'day' : name}`
}

function count(value: number, digits: number): string {
  const rounded = Math.abs(Number(value.toPrecision(digits)))
  const found = countScale.find(([size]) => rounded >= size)
  return found === undefined ? significant(value, digits) : `${significant(value / found[0], digits)} ${found[1]}`
}

/** What is a tiny part of a cent is a price for a million or a thousand million. */
function money(value: number, digits: number, per: string): string {
  if (Math.abs(value) >= 1000) return `$${grouped(Math.round(value).toString())}${per}`
  if (value !== 0 && Math.abs(value) < 0.001 && per.startsWith('/')) {
    const [size, name] = Math.abs(value) < 1e-8 ? ([1e9, 'billion'] as const) : ([1e6, 'million'] as const)
    return `$${significant(value * size, digits)}/${name} ${per.slice(1)}`
  }
  return `$${significant(value, digits)}${per}`
}

function percentage(value: number, digits: number): string {
  // Below that its digits say nothing but that it is hardly anything.
  if (value > 0 && value < 1e-6) return '<0.0001%'
  return `${significant(value * 100, digits)}%`
}

/** 1234.5 → `1,235`, 12.3456 → `12.35`, 0.05 → `0.05`. */
export function significant(value: number, digits: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 10 ** (digits - 1)) return grouped(Math.round(value).toString())
  if (size < 1e-6) return Number(value.toPrecision(digits)).toExponential()
  const [whole = '', fraction] = Number(value.toPrecision(digits)).toString().split('.')
  return fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',')
}
