/**
 * Units of measure as products of powers of base units: `B`, `op/s`, `core*s/op`, `$/GB/month`, `1` for a plain ratio.
 *
 * No unit turns into another by itself: a day is not 86,400 s here until a formula multiplies by `86400 [s/day]`. So a
 * price a month never adds to one a year, and a formula whose units do not fit is refused when it is declared.
 */

import { assert } from '@orbitkv/base'

/** Every base unit, with its meaning. A misspelt unit is an error, not a new unit. */
export const baseUnits: Readonly<Record<string, string>> = {
  B: 'bytes',
  GB: 'thousand million bytes, as prices count them',
  s: 'seconds',
  day: 'days',
  month: 'months of 30 days',
  year: 'years of 365 days, or 12 months of money',
  $: 'US dollars',
  op: 'operations of a client: one read, write or scan',
  request: 'messages of a client: one operation, or a batch of them',
  key: 'keys',
  node: 'machines',
  core: 'processor cores',
  conn: 'connections',
  client: 'client programs',
  io: 'disk operations',
  partition: 'partitions of the key space',
  failure: 'failures of a machine',
  upgrade: 'rolling upgrades, each of all machines',
  engineer: 'people',
}

/** Powers of base units; none is zero. Frozen by convention: made here, only read elsewhere. */
export type Unit = ReadonlyMap<string, number>

export const ratio: Unit = new Map()

/** Parses `B`, `op/s`, `core*s/op`; `1` and the empty text are the plain ratio. */
export function unit(text: string): Unit {
  const powers = new Map<string, number>()
  for (const [, sign, name] of text.matchAll(/([*/]?)\s*([^*/\s]+)/g)) {
    if (name === '1') continue
    assert(name !== undefined && Object.hasOwn(baseUnits, name), `${name} of ${text} is a base unit`)
    raise(powers, name, sign === '/' ? -1 : 1)
  }
  return powers
}

export function times(a: Unit, b: Unit): Unit {
  return combine(a, b, 1)
}

export function per(a: Unit, b: Unit): Unit {
  return combine(a, b, -1)
}

export function sameUnit(a: Unit, b: Unit): boolean {
  return a.size === b.size && [...a].every(([name, power]) => b.get(name) === power)
}

/** As `unit` reads it: `$/GB/month`. */
export function unitText(one: Unit): string {
  const spell = (sign: 1 | -1) =>
    [...one].flatMap(([name, power]) => Array.from({ length: Math.max(0, power * sign) }, () => name))
  const above = spell(1).join('*')
  const below = spell(-1).map((name) => `/${name}`)
  return above === '' && below.length === 0 ? '1' : `${above === '' ? '1' : above}${below.join('')}`
}

function combine(a: Unit, b: Unit, sign: 1 | -1): Unit {
  const powers = new Map(a)
  for (const [name, power] of b) raise(powers, name, power * sign)
  return powers
}

function raise(powers: Map<string, number>, name: string, by: number): void {
  const power = (powers.get(name) ?? 0) + by
  if (power === 0) powers.delete(name)
  else powers.set(name, power)
}
