/**
 * Config tables: every setting of a package in one table, with its default, its range and the reason for it.
 *
 * A table is read whole: `read` collects every fault, also how settings relate, before anything starts. Values may
 * arrive as text (a flag, an environment variable) or already typed (a TOML file, an options object).
 */

import { defineErrors, type ErrorTable } from './errors.ts'
import { parseBytes, parseDuration } from './units.ts'

export const configErrors: ErrorTable<'invalid'> = defineErrors('config', {
  invalid: { retry: 'no', text: '{faults}' },
})

export interface Setting<Value> {
  readonly kind: 'bytes' | 'count' | 'duration' | 'flag' | 'text' | 'choice'
  readonly default: Value
  /** Why the setting exists or why this default; printed by `orbit config check` and in the docs. */
  readonly why: string
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** Parses a raw value, or returns what is wrong with it. */
  readonly parse: (raw: unknown) => { value: Value } | { fault: string }
}

export interface ConfigFault {
  /** The setting's name, as in the table. */
  readonly field: string
  readonly value: unknown
  /** What is wrong and what would be right. */
  readonly fault: string
}

type Table = Record<string, Setting<unknown>>
export type Values<T extends Table> = { -readonly [Name in keyof T]: T[Name] extends Setting<infer V> ? V : never }

export interface ConfigTable<T extends Table> {
  readonly settings: T
  readonly defaults: Values<T>
  /** Reads raw values; unknown names are faults that suggest the nearest known one. */
  read(raw: Readonly<Record<string, unknown>>): { values: Values<T>; faults: ConfigFault[] }
  /** As `read`, but throws one `config.invalid` error that lists every fault. */
  parse(raw: Readonly<Record<string, unknown>>): Values<T>
}

/** Declares a table; `relate` returns a sentence for each relation between settings that does not hold. */
export function config<T extends Table>(
  settings: T,
  relate: (values: Values<T>) => string[] = () => [],
): ConfigTable<T> {
  const names = Object.keys(settings)
  const defaults = Object.fromEntries(names.map((name) => [name, settings[name]?.default])) as Values<T>
  const table: ConfigTable<T> = {
    settings,
    defaults,
    read(raw) {
      const faults: ConfigFault[] = []
      const values: Record<string, unknown> = { ...defaults }
      for (const [name, value] of Object.entries(raw)) {
        const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
        if (setting === undefined) {
          const near = nearest(name, names)
          faults.push({ field: name, value, fault: `unknown setting${near ? `; did you mean ${near}?` : ''}` })
          continue
        }
        if (value === undefined) continue
        const parsed = setting.parse(value)
        if ('fault' in parsed) faults.push({ field: name, value, fault: parsed.fault })
        else values[name] = parsed.value
      }
      if (faults.length === 0) {
        for (const fault of relate(values as Values<T>))
          faults.push({ field: fault.split(' ', 1)[0] as string, value: undefined, fault })
      }
      return { values: values as Values<T>, faults }
    },
    parse(raw) {
      const { values, faults } = table.read(raw)
      if (faults.length > 0) {
        const lines = faults.map(({ field, value, fault }) =>
          value === undefined ? fault : `${field} = ${JSON.stringify(value)}: ${fault}`,
        )
        throw configErrors.invalid({ faults: lines.join('; '), count: faults.length })
      }
      return values
    },
  }
  return table
}

interface NumberSpec {
  default: number
  min: number
  max: number
  why: string
}

export function count(spec: NumberSpec): Setting<number> {
  return numeric('count', spec, (text) => (/^-?\d+$/.test(text) ? Number(text) : undefined), 'a whole number')
}

/** An amount of bytes: a number, or text such as `64MiB`. */
export function bytes(spec: NumberSpec): Setting<number> {
  return numeric('bytes', spec, parseBytes, 'an amount of bytes such as 64MiB')
}

/** A time in milliseconds: a number, or text such as `100ms` or `1h`. */
export function duration(spec: NumberSpec): Setting<number> {
  return numeric('duration', spec, parseDuration, 'a duration such as 100ms, 5s or 1h')
}

function numeric(
  kind: 'count' | 'bytes' | 'duration',
  spec: NumberSpec,
  fromText: (text: string) => number | undefined,
  expected: string,
): Setting<number> {
  return {
    kind,
    ...spec,
    parse(raw) {
      const value = typeof raw === 'string' ? fromText(raw) : raw
      if (typeof value !== 'number' || !Number.isFinite(value) || !Number.isInteger(value))
        return { fault: `must be ${expected}` }
      if (value < spec.min) return { fault: `must be at least ${spec.min}` }
      if (value > spec.max) return { fault: `must be at most ${spec.max}` }
      return { value }
    },
  }
}

export function flag(spec: { default: boolean; why: string }): Setting<boolean> {
  const words: Record<string, boolean> = {
    true: true,
    yes: true,
    on: true,
    '1': true,
    false: false,
    no: false,
    off: false,
    '0': false,
  }
  return {
    kind: 'flag',
    ...spec,
    parse(raw) {
      const value = typeof raw === 'string' ? words[raw.toLowerCase()] : raw
      return typeof value === 'boolean' ? { value } : { fault: 'must be true or false' }
    },
  }
}

export function text(spec: { default: string; why: string }): Setting<string> {
  return {
    kind: 'text',
    ...spec,
    parse: (raw) => (typeof raw === 'string' ? { value: raw } : { fault: 'must be text' }),
  }
}

export function choice<const Choice extends string>(spec: {
  default: Choice
  choices: readonly Choice[]
  why: string
}): Setting<Choice> {
  return {
    kind: 'choice',
    ...spec,
    parse(raw) {
      if (spec.choices.includes(raw as Choice)) return { value: raw as Choice }
      const near = typeof raw === 'string' ? nearest(raw, spec.choices) : undefined
      return { fault: `must be one of ${spec.choices.join(', ')}${near ? `; did you mean ${near}?` : ''}` }
    },
  }
}

/** The known word closest to `word` by edit distance, if one is close enough to be what was meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
