/** Numbers as a person reads them, by the unit of their axis. Pure; used by the axes and the labels of values. */

const binary: readonly [number, string][] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((prefix, power) => [
  1024 ** power,
  `${prefix}B`,
])

/** Of any unit; the name of the unit itself stands beside the axis. */
const thousands: readonly [number, string][] = ['', 'k', 'M', 'G', 'T', 'P'].map((prefix, power) => [
  1000 ** power,
  prefix,
])

const times: readonly [number, string][] = [
  [1e-9, 'ns'],
  [1e-6, 'µs'],
  [1e-3, 'ms'],
  [1, 's'],
  [60, 'min'],
  [3600, 'h'],
  [86_400, 'd'],
]

/** The step between two neighbours decides how many decimals are needed; without one, three digits are shown. */
export function formatValue(value: number, unit: string, step?: number): string {
  switch (unit) {
    case 'bytes':
      return withUnit(value, binary, ' ', step)
    case 'bytes/s':
      return `${withUnit(value, binary, ' ', step)}/s`
    case 'seconds':
      return withUnit(value, times, ' ', step)
    case 'share':
      return `${decimal(value * 100, step === undefined ? undefined : step * 100, shareDigits(value))}%`
    default:
      return value === 0 ? '0' : withUnit(value, thousands, '', step)
  }
}

/** 0.99993 must not become 100%: as many digits as show the distance to 1. */
function shareDigits(value: number): number {
  const distance = Math.abs(1 - value)
  return value > 0.5 && distance > 0 && distance < 0.05 ? Math.min(12, 1 + Math.ceil(-Math.log10(distance))) : 3
}

function withUnit(value: number, units: readonly [number, string][], gap: string, step: number | undefined): string {
  const [size, name] = value === 0 ? zeroUnit(units, step) : unitFor(Math.abs(value), units)
  return `${decimal(value / size, step === undefined ? undefined : step / size)}${gap}${name}`.trimEnd()
}

/** Judged as it will be written, so that no unit shows its own end (1000k). */
function unitFor(magnitude: number, units: readonly [number, string][]): [number, string] {
  const index = units.findIndex(([size], at) => {
    const next = units[at + 1]
    return next === undefined || rounded(magnitude / size) * (1 + 1e-9) < next[0] / size
  })
  return units[index] as [number, string]
}

/** Zero takes the unit of its neighbours. */
const zeroUnit = (units: readonly [number, string][], step = 1): [number, string] =>
  units.findLast(([least]) => step >= least) ?? (units[0] as [number, string])

function decimal(value: number, step: number | undefined, digits = 3): string {
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e7)) return exponent(value)
  if (step === undefined) return String(rounded(value, digits))
  // A step of 0.25 needs two decimals, of 0.2 one; ten are more than any axis has.
  for (let decimals = 0; decimals < 10; decimals++) {
    const scaled = step * 10 ** decimals
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return trimZeros(value.toFixed(decimals))
  }
  return trimZeros(value.toFixed(10))
}

/** Three digits, and all of those before the point. */
const rounded = (value: number, digits = 3): number =>
  Number(value.toPrecision(Math.max(digits, wholeDigits(Math.abs(value)))))

const wholeDigits = (magnitude: number): number =>
  magnitude < 1 ? 1 : Math.min(100, Math.floor(Math.log10(magnitude)) + 1)

const trimZeros = (text: string): string => {
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return trimmed === '-0' ? '0' : trimmed
}

const exponent = (value: number): string => value.toExponential(2).replace(/\.?0*e\+?/, 'e')
