/**
 * From values to places: the range of an axis, its ticks at numbers that people like, and where a value falls.
 *
 * Linear ticks are multiples of 1, 2 or 5 times a power of ten (Heckbert, Nice Numbers for Graph Labels, Graphics Gems,
 * 1990), or of what comes round in bytes and in time. Logarithmic ticks are powers of ten, or of two for bytes.
 */

import { assert } from '@orbitkv/base'
import type { Axis } from './chart.ts'
import { formatValue } from './format.ts'

/** Less is nothing, on a linear axis: so that no step is too small for arithmetic. */
const magnitudeMin = 1e-30

export interface Tick {
  /** 0 at the start of the axis, 1 at its end. */
  readonly place: number
  readonly label: string
}

export interface Scale {
  readonly ticks: readonly Tick[]
  /** Where a value falls, 0 to 1. */
  readonly place: (value: number) => number
  /** Where bars stand on. */
  readonly basePlace: number
}

export interface ScaleOptions {
  readonly axis: Axis
  readonly values: readonly number[]
  /** About how many ticks there is room for. */
  readonly tickCount: number
  /** Bars must begin at zero, or below the least on a logarithmic axis; lines need not. */
  readonly isBase: boolean
  /** Whether the axis ends at a tick: y axes do; x axes end with their data. */
  readonly isTight?: boolean
}

export function scaleFor(options: ScaleOptions): Scale {
  assert(options.tickCount >= 2, 'an axis has room for its two ends')
  return options.axis.scale === 'log' ? logScale(options) : linearScale(options)
}

function linearScale({ axis, values, tickCount, isBase, isTight }: ScaleOptions): Scale {
  let [low, high] = values.length === 0 ? [0, 0] : extremes(values)
  const size = Math.max(Math.abs(low), Math.abs(high))
  // Ticks so close together could not be told apart as numbers.
  const isOneValue = high - low <= 1e-10 * size
  // Zero belongs to the axis where it does not squeeze what is to be seen.
  const holdsZero = isBase || isOneValue || (!isTight && (low > 0 ? low <= high / 2 : high < 0 && high >= low / 2))
  if (holdsZero) [low, high] = [Math.min(low, 0), Math.max(high, 0)]
  if (size < magnitudeMin) [low, high] = [0, 1]
  const step = linearStep(axis.unit, (high - low) / tickCount)
  const first = isTight ? Math.ceil(low / step - 1e-9) : Math.floor(low / step + 1e-9)
  const last = isTight ? Math.floor(high / step + 1e-9) : Math.ceil(high / step - 1e-9)
  if (!isTight) [low, high] = [first * step, last * step]
  const place = (value: number) => clamp((value - low) / (high - low))
  const ticks: Tick[] = []
  for (let index = first; index <= last; index++) {
    // Multiples of a fraction such as 0.1 are a little off.
    const value = step >= 1 ? index * step : Number((index * step).toPrecision(14))
    ticks.push({ place: place(value), label: formatValue(value, axis.unit, step) })
  }
  return { ticks, place, basePlace: place(0) }
}

/** The smallest liked step of about this size or more: a few more ticks than asked for do no harm. */
function linearStep(unit: string, size: number): number {
  const least = 0.75 * size
  const isOfTime = unit === 'seconds' && least > 1
  if (unit.startsWith('bytes') && least > 1) return 2 ** Math.ceil(Math.log2(least) - 1e-9)
  if (isOfTime && least <= 43_200) {
    const round = [2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200]
    return round.find((step) => step >= least) as number
  }
  const scale = isOfTime ? 86_400 : 1
  const power = 10 ** Math.floor(Math.log10(least / scale) + 1e-9)
  const factor = [1, 2, 5, 10].find((liked) => liked * power * scale >= least * (1 - 1e-9)) ?? 10
  return factor * power * scale
}

function logScale({ axis, values, tickCount, isBase, isTight }: ScaleOptions): Scale {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...extremes(values)), Math.max(...extremes(values))]
  const base = axis.unit.startsWith('bytes') ? 2 : 10
  const isOneValue = most <= least * (1 + 1e-10)
  const powerOf = (value: number) => Math.log(value) / Math.log(base)
  let lowPower = Math.floor(powerOf(least) + 1e-9)
  let highPower = Math.ceil(powerOf(most) - 1e-9)
  // A bar at the very start of the axis would have no height, and a range of one value no width.
  if (lowPower === highPower || (isBase && least <= base ** lowPower * 1.000001)) lowPower--
  if (lowPower === highPower - 1 && isOneValue && !isBase) highPower++
  const low = isTight && !isOneValue ? powerOf(least) : lowPower
  const high = isTight && !isOneValue ? powerOf(most) : highPower
  const place = (value: number) => clamp((powerOf(value) - low) / (high - low))
  const ticks = logTicks(axis.unit, base, lowPower, highPower, tickCount)
    .filter((value) => powerOf(value) >= low - 1e-9 && powerOf(value) <= high + 1e-9)
    .map((value) => ({ place: place(value), label: formatValue(value, axis.unit) }))
  return { ticks, place, basePlace: 0 }
}

function logTicks(
  unit: string,
  base: number,
  lowPower: number,
  highPower: number,
  tickCount: number,
): readonly number[] {
  const powers = highPower - lowPower
  const every = Math.max(1, Math.ceil(powers / tickCount))
  const values: number[] = []
  for (let power = lowPower; power <= highPower; power++) {
    // Counted from zero, so that every tenth power of two is KiB, MiB, GiB.
    if (power % every === 0 || powers < every) values.push(Number((base ** power).toPrecision(12)))
    if (base === 10 && powers * 3 <= tickCount && power < highPower)
      values.push(...[2, 5].map((factor) => Number((factor * 10 ** power).toPrecision(12))))
  }
  return unit === 'seconds' && every === 1 ? roundTimes(values, base ** lowPower, base ** highPower) : values
}

/** Above ten seconds powers of ten mean nothing to anybody: minutes, hours and tens of days take their place. */
function roundTimes(values: readonly number[], low: number, high: number): readonly number[] {
  const times = [60, 600, 3600, 36_000]
  for (let days = 1; 86_400 * days <= high; days *= 10) times.push(86_400 * days)
  const round = [...values.filter((value) => value <= 10), ...times.filter((time) => time >= low && time <= high)]
  return round.length < 2 ? values : round
}

/** Spread arguments have a limit; a series may have more points. */
function extremes(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

const clamp = (place: number): number => Math.min(1, Math.max(0, place))
