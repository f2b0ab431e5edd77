/**
 * Reads the inputs of a plan from tables as TOML and JSON hold them, the later over the earlier: a preset or a file,
 * measured figures, flags. Under all of them lie the table's defaults, then those of the backend and of the node kind.
 *
 * Everything is read and every fault gathered; where there is one, there is no plan.
 */

import { nearest } from '@orbitkv/base'
import { graph } from '../figures/index.ts'
import { unitText } from '../model/units.ts'
import { readAmount } from './amounts.ts'
import { backends } from './backends.ts'
import type { InputFault } from './fault.ts'
import type { NodeKind } from './kinds.ts'
import { relationFaults } from './relations.ts'
import { inputById, inputSpecs, shownInput } from './table.ts'
import { readValueClasses, valueClassesText } from './value-classes.ts'

export interface Source {
  /** `plan.toml`, `preset kv-100b-ops`, `the command line`. */
  readonly origin: string
  /** Nested as in a file, or by whole ids: `{ data: { keys: 1 } }` and `{ 'data.keys': 1 }` are the same. */
  readonly table: Readonly<Record<string, unknown>>
  /** Where single entries come from, by id, where that says more: `--keys`. */
  readonly origins?: Readonly<Record<string, string>>
}

export interface Inputs {
  readonly title: string
  readonly backend: string
  readonly kind: string
  /** Every input that formulas read. */
  readonly values: ReadonlyMap<string, number>
  /** Where each came from: an origin, `default`, `backend lsm`, `kind i3en.2xlarge`. */
  readonly origins: ReadonlyMap<string, string>
  /** What somebody believes of figures, by id; to be held against them. */
  readonly stated: ReadonlyMap<string, number>
  /** Changes of these inputs to be seen side by side, by name. */
  readonly scenarios: ReadonlyMap<string, Readonly<Record<string, unknown>>>
}

export interface ReadResult {
  readonly inputs: Inputs | undefined
  readonly faults: readonly InputFault[]
}

export const defaultBackend = 'mmap'
export const defaultKind = 'nvme-16c-128g'

/** Not numbers, so not in the table. */
export const wordInputs: Readonly<Record<string, string>> = {
  title: 'what the plan is called',
  'node.kind': 'the node kind, of node-kinds.toml or --kinds',
  'storage.backend': 'the backend: mmap, lsm, rocksdb or objects',
}
/** Other spellings of inputs, with what turns their value into the input's. */
const aliases: Readonly<Record<string, { readonly id: string; readonly factor: number }>> = {
  'workload.operations_per_second': { id: 'workload.operations_per_day', factor: 86_400 },
}

interface Entry {
  readonly value: number
  readonly origin: string
}

export function readInputs(sources: readonly Source[], kinds: readonly NodeKind[]): ReadResult {
  const reading = new Reading()
  for (const source of sources) reading.source(source)
  return reading.finish(kinds)
}

class Reading {
  readonly #given = new Map<string, Entry>()
  readonly #words = new Map<string, { readonly text: string; readonly origin: string }>()
  readonly #stated = new Map<string, number>()
  readonly #scenarios = new Map<string, Record<string, unknown>>()
  readonly #faults: InputFault[] = []
  /** Inputs that were given and could not be read: they are not missing too. */
  readonly #unreadable = new Set<string>()

  source({ origin: whole, table, origins = {} }: Source): void {
    const entries = [...entriesOf(table, '')]
    this.#dropComplement(new Set(entries.map(([path]) => path)))
    const here = new Set<string>()
    for (const [path, value] of entries) {
      const origin = origins[path] ?? whole
      if (path.startsWith('stated.')) this.#readStated(path.slice('stated.'.length), value, origin)
      else if (path.startsWith('scenarios.')) this.#readScenario(path.slice('scenarios.'.length), value, origin)
      else if (path === 'data.values') this.#readValueClasses(value, origin, here)
      else if (Object.hasOwn(wordInputs, path)) this.#readWord(path, value, origin)
      else this.#readNumber(path, value, origin, here)
    }
  }

  /** A later source that gives one share of the work moves the other: `--reads 90%` over a file with both. */
  #dropComplement(paths: ReadonlySet<string>): void {
    const [reads, writes] = ['workload.read_share', 'workload.write_share'] as const
    if (paths.has(reads) === paths.has(writes)) return
    this.#given.delete(paths.has(reads) ? writes : reads)
  }

  /** Of reads and writes, the one that nobody gave is what the other and the scans leave. */
  #completeShares(): void {
    const share = (id: string) => this.#given.get(id)?.value
    const [read, write] = [share('workload.read_share'), share('workload.write_share')]
    const scan = share('workload.scan_share') ?? 0
    const fill = (id: string, other: number) => {
      const value = Number((1 - other - scan).toPrecision(12))
      if (value >= 0 && !this.#unreadable.has(id)) this.#given.set(id, { value, origin: 'what the other shares leave' })
    }
    if (read !== undefined && write === undefined) fill('workload.write_share', read)
    else if (read === undefined && write !== undefined) fill('workload.read_share', write)
    else if (read === undefined && scan <= 0.7) fill('workload.write_share', 0.7)
  }

  #readNumber(path: string, raw: unknown, origin: string, here: Set<string>): void {
    const alias = Object.hasOwn(aliases, path) ? aliases[path] : undefined
    const spec = inputById.get(alias?.id ?? path)
    const fault = (text: string) => this.#faults.push({ field: path, value: raw, origin, fault: text })
    if (spec === undefined) {
      fault(unknownInput(path))
      return
    }
    this.#unreadable.add(spec.id)
    this.#onlyOnce(spec.id, path, raw, origin, here)
    const amount = readAmount(raw, spec.unit)
    if ('fault' in amount) {
      fault(amount.fault)
      return
    }
    const value = amount.value * (alias?.factor ?? 1)
    if (value < spec.min) fault(`must be at least ${shownInput(spec.id, spec.min)}`)
    else if (value > spec.max) fault(`must be at most ${shownInput(spec.id, spec.max)}`)
    else if (spec.isWhole === true && !Number.isInteger(value)) fault('must be a whole number')
    else {
      this.#unreadable.delete(spec.id)
      this.#given.set(spec.id, { value, origin })
    }
  }

  /** One source must not say the same thing twice, such as operations a day and a second. */
  #onlyOnce(id: string, path: string, value: unknown, origin: string, here: Set<string>): void {
    if (here.has(id))
      this.#faults.push({ field: path, value, origin, fault: 'is said by another key too; keep one of the two' })
    here.add(id)
  }

  #readWord(path: string, raw: unknown, origin: string): void {
    if (typeof raw === 'string') this.#words.set(path, { text: raw, origin })
    else this.#faults.push({ field: path, value: raw, origin, fault: `is no text; it is ${wordInputs[path]}` })
  }

  #readValueClasses(raw: unknown, origin: string, here: Set<string>): void {
    this.#onlyOnce('data.value_bytes', 'data.values', raw, origin, here)
    const { classes, mean, faults } = readValueClasses(raw, origin)
    this.#faults.push(...faults)
    if (faults.length > 0) this.#unreadable.add('data.value_bytes')
    else this.#given.set('data.value_bytes', { value: mean, origin: `${origin}, ${valueClassesText(classes)}` })
  }

  #readStated(path: string, raw: unknown, origin: string): void {
    const figure = graph.byId.get(path)
    const fault = (text: string) => this.#faults.push({ field: `stated.${path}`, value: raw, origin, fault: text })
    if (figure === undefined) {
      const near = nearest(path, [...graph.byId.keys()])
      fault(
        `is no figure of a plan; ${near === undefined ? '`orbit plan --json` lists them' : `did you mean ${near}?`}`,
      )
      return
    }
    const amount = readAmount(raw, unitText(figure.unit))
    if ('fault' in amount) fault(amount.fault)
    else this.#stated.set(path, amount.value)
  }

  #readScenario(name: string, raw: unknown, origin: string): void {
    if (isTable(raw)) this.#scenarios.set(name, raw)
    else
      this.#faults.push({
        field: `scenarios.${name}`,
        value: raw,
        origin,
        fault: 'is no table; write the inputs that it changes',
      })
  }

  finish(kinds: readonly NodeKind[]): ReadResult {
    const backend = this.#word('storage.backend', defaultBackend)
    const kind = this.#word('node.kind', defaultKind)
    const foundBackend = backends.find(({ name }) => name === backend.text)
    const foundKind = kinds.find(({ name }) => name === kind.text)
    if (foundBackend === undefined) this.#unknownWord('storage.backend', backend, backends)
    if (foundKind === undefined) this.#unknownWord('node.kind', kind, kinds)

    this.#completeShares()
    const values = new Map<string, number>()
    const origins = new Map<string, string>()
    for (const { id, default: standard, isCheckOnly } of inputSpecs) {
      const entry =
        this.#given.get(id) ??
        layer(foundKind?.inputs, id, `kind ${kind.text}`) ??
        layer(foundBackend?.inputs, id, `backend ${backend.text}`) ??
        (standard === undefined ? undefined : { value: standard, origin: 'default' })
      if (entry !== undefined) {
        values.set(id, entry.value)
        origins.set(id, entry.origin)
      } else if (isCheckOnly !== true && !this.#unreadable.has(id)) this.#missing(id, foundBackend, foundKind)
    }
    const read = (id: string) => (this.#unreadable.has(id) ? undefined : values.get(id))
    for (const { field, value, fault } of relationFaults(read))
      this.#faults.push({ field, value, origin: origins.get(field) ?? 'default', fault })
    if (this.#faults.length > 0) return { inputs: undefined, faults: this.#faults }
    const inputs: Inputs = {
      title: this.#words.get('title')?.text ?? '',
      backend: backend.text,
      kind: kind.text,
      values,
      origins,
      stated: this.#stated,
      scenarios: this.#scenarios,
    }
    return { inputs, faults: [] }
  }

  #word(path: string, standard: string) {
    return this.#words.get(path) ?? { text: standard, origin: 'default' }
  }

  #unknownWord(
    field: string,
    { text, origin }: { readonly text: string; readonly origin: string },
    known: readonly { readonly name: string }[],
  ): void {
    const names = known.map(({ name }) => name)
    const near = nearest(text, names)
    const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`
    this.#faults.push({ field, value: text, origin, fault: `is unknown; ${hint}` })
  }

  /** Inputs of an unknown kind or backend are not missing: the kind is. */
  #missing(id: string, backend: unknown, kind: unknown): void {
    const comesFrom = id.startsWith('node.') ? kind : backend
    if (comesFrom === undefined && !isAsked(id)) return
    const spec = inputById.get(id)
    const flag = spec?.flag === undefined ? '' : `, or give --${spec.flag}`
    this.#faults.push({
      field: id,
      value: undefined,
      origin: 'plan',
      fault: `is missing (${spec?.label}); set it${flag}`,
    })
  }
}

/** Inputs that only the user knows. */
function isAsked(id: string): boolean {
  return inputById.get(id)?.question !== undefined
}

function layer(inputs: Readonly<Record<string, number>> | undefined, id: string, origin: string): Entry | undefined {
  const value = inputs?.[id]
  return value === undefined ? undefined : { value, origin }
}

function unknownInput(path: string): string {
  const known = [...inputById.keys(), ...Object.keys(wordInputs), ...Object.keys(aliases), 'data.values']
  const last = path.split('.').at(-1) as string
  const near = nearest(path, known) ?? known.find((id) => id.endsWith(`.${last}`))
  return `is no input of a plan; ${near === undefined ? 'docs/operating/planner.md lists them' : `did you mean ${near}?`}`
}

/** The single entries of a table by their ids; a scenario is one entry. */
function* entriesOf(
  table: Readonly<Record<string, unknown>>,
  prefix: string,
): Generator<readonly [path: string, value: unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const path = `${prefix}${name}`
    if (isTable(value) && !path.startsWith('scenarios.')) yield* entriesOf(value, `${path}.`)
    else yield [path, value]
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
