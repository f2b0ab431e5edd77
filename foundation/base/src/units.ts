/** Byte and time units, and their spelling for people. */

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

const byteUnits: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: KiB,
  m: MiB,
  g: GiB,
  kib: KiB,
  mib: MiB,
  gib: GiB,
  tib: 1024 * GiB,
}

const durationUnits: Record<string, number> = { '': 1, ms: 1, s: second, m: minute, min: minute, h: hour, d: day }

/** `64MiB`, `1 GB`, `4096` → bytes; undefined when it is not an amount. */
export function parseBytes(text: string): number | undefined {
  return parseAmount(text, byteUnits)
}

/** `100ms`, `5 s`, `1h`, `250` (ms) → milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parseAmount(text, durationUnits)
}

function parseAmount(text: string, units: Record<string, number>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  if (match === null) return undefined
  const unit = (match[2] as string).toLowerCase()
  return Object.hasOwn(units, unit) ? Math.round(Number(match[1]) * (units[unit] as number)) : undefined
}

/** 1536 → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  // Rounded as it will be written, so that no unit shows 1024.
  while (Math.round(value) >= 1024 && unit < names.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${names[unit]}`
}

/** 90500 → `1m 31s`; below a second in ms. */
export function formatDuration(ms: number): string {
  // Rounded as it will be written, so that no unit shows its own end.
  if (Math.round(ms) < second) return `${Math.round(ms)} ms`
  if (Math.round(ms / 100) < 600) return `${(ms / second).toFixed(1)} s`
  const seconds = Math.round(ms / second)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .map(([count, name]) => `${count}${name}`)
    .join(' ')
}
