/**
 * Reads an amount as people write it, in the unit of its input: `33TB`, `100 billion`, `70%`, `1/3`, `0.1ms`, `$500`,
 * `2000/s`. Numbers are taken as they are. What is not an amount gives a sentence that says what would be one.
 */

import { type Unit, unit } from '../model/units.ts'

const byteNames: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  pb: 1e15,
  eb: 1e18,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  pib: 1024 ** 5,
  mbit: 1e6 / 8,
  gbit: 1e9 / 8,
}
const timeNames: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
}
const countNames: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  million: 1e6,
  b: 1e9,
  g: 1e9,
  bn: 1e9,
  billion: 1e9,
  t: 1e12,
  trillion: 1e12,
}

export type Amount = { readonly value: number } | { readonly fault: string }

export function readAmount(raw: unknown, unitText: string): Amount {
  const wanted = unit(unitText)
  const fault = { fault: `is not an amount; write a number${example(wanted, unitText)}` }
  if (typeof raw === 'bigint') return { value: Number(raw) }
  if (typeof raw === 'number') {
    return Number.isFinite(raw) ? { value: raw } : { fault: 'is no finite number; write one' }
  }
  if (typeof raw !== 'string') return fault
  const text = raw.trim().toLowerCase()
  const fraction = /^(\d+(?:\.\d+)?)\s*\/\s*(\d+(?:\.\d+)?)$/.exec(text)
  if (fraction !== null) return finite(Number(fraction[1]) / Number(fraction[2]), fault)
  const match = /^(-?)\$?\s*(-?(?:\d[\d,_]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?)\s*(%|[a-zµ]*)(\/[a-z/]+)?$/.exec(text)
  if (match === null) return fault
  const [, minus, digits = '', name = '', rate = ''] = match
  const number = Number(`${minus}${digits.replaceAll(/[,_]/g, '')}`)
  const factor = factorOf(name, wanted)
  if (factor === undefined) return fault
  // A rate of operations is asked for a day, and most people know it for a second.
  const perDay = rate === '/s' && unitText === 'op/day' ? 86_400 : 1
  // 15 digits: 70% is 0.7, not 0.7000000000000001.
  return finite(Number((number * factor * perDay).toPrecision(15)), fault)
}

function finite(value: number, fault: { readonly fault: string }): Amount {
  return Number.isFinite(value) ? { value } : fault
}

function factorOf(name: string, wanted: Unit): number | undefined {
  if (name === '') return 1
  const names = namesFor(wanted)
  return Object.hasOwn(names, name) ? names[name] : undefined
}

function namesFor(wanted: Unit): Readonly<Record<string, number>> {
  if (wanted.size === 0) return { '%': 0.01, x: 1 }
  if (wanted.get('B') === 1) return byteNames
  if (wanted.get('s') === 1) return timeNames
  if (wanted.get('day') === 1) return { d: 1, day: 1, days: 1, h: 1 / 24, y: 365, year: 365, years: 365 }
  if (wanted.get('year') === 1) return { y: 1, year: 1, years: 1, d: 1 / 365, day: 1 / 365, days: 1 / 365 }
  return countNames
}

function example(wanted: Unit, unitText: string): string {
  if (wanted.size === 0) return ', a percentage such as 70% or a fraction such as 1/3'
  if (wanted.get('B') === 1) return ' of bytes, or an amount such as 1KB or 33TB'
  if (wanted.get('s') === 1) return ' of seconds, or a time such as 0.1ms or 1h'
  if (unitText === 'op/day') return ' a day, or an amount such as 100 billion or 2000/s'
  return ' or an amount such as 5M or 10 billion'
}
