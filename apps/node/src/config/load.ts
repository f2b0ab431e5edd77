/**
 * The effective configuration: defaults, then orbit.toml, then ORBIT_* variables, then flags; the later wins.
 *
 * Everything is read and checked before anything starts, and every fault is reported at once with its origin. Nothing
 * is dropped silently: an unknown key is a fault, a key of a later version is a note. Reads the one file, changes nothing.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { assert, nearest } from '@orbitkv/base'
import { parse as parseToml, TomlError } from 'smol-toml'
import type { Arguments } from '../args/parse.ts'
import { cliErrors } from '../errors.ts'
import type { ConfigKey } from './key.ts'
import { configKeys, otherVariables, relationFaults } from './keys.ts'

export const defaultConfigFile = 'orbit.toml'

export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag'
  /** For people: `orbit.toml:12`, `ORBIT_DATA_DIR`, `--data`, `default`. */
  readonly label: string
}

export interface ConfigFault {
  /** A key's path; for the unknown, what was written. */
  readonly key: string
  readonly value: unknown
  readonly origin: Origin
  readonly fault: string
}

export interface ConfigNote {
  readonly key: string
  readonly origin: Origin
  readonly note: string
}

export interface EffectiveValue {
  readonly key: ConfigKey
  readonly value: unknown
  readonly origin: Origin
}

const fromDefault: Origin = { kind: 'default', label: 'default' }

export class Configuration {
  /** The file that was read; undefined where there is none. */
  readonly file: string | undefined
  readonly faults: readonly ConfigFault[]
  readonly notes: readonly ConfigNote[]
  readonly values: ReadonlyMap<string, EffectiveValue>

  constructor(
    file: string | undefined,
    faults: readonly ConfigFault[],
    notes: readonly ConfigNote[],
    values: ReadonlyMap<string, EffectiveValue>,
  ) {
    this.file = file
    this.faults = faults
    this.notes = notes
    this.values = values
  }

  /** The value of a key of the table, in its type. */
  get(path: string): unknown {
    return this.effective(path).value
  }

  text(path: string): string {
    const value = this.get(path)
    assert(typeof value === 'string', `${path} is text`)
    return value
  }

  number(path: string): number {
    const value = this.get(path)
    assert(typeof value === 'number', `${path} is a number`)
    return value
  }

  effective(path: string): EffectiveValue {
    const found = this.values.get(path)
    assert(found !== undefined, `${path} is in the table of keys`)
    return found
  }
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
  readonly args: Arguments
}

/** Reads everything; throws only where the file itself cannot be read (`cli.no_config_file`, `cli.config_syntax`). */
export function loadConfig({ env, folder, args }: ConfigInput): Configuration {
  const reading = new Reading()
  const file = readFile(args.text('config'), folder)
  if (file !== undefined)
    readTable(reading, file.table, '', (path) => ({ kind: 'file', label: labelInFile(file.path, file.text, path) }))
  readEnvironment(reading, env)
  for (const { flag, raw } of args.overrides())
    reading.set(flag.configKey, raw, { kind: 'flag', label: `--${flag.name}` })
  return reading.finish(file?.path)
}

/** `a is wrong: because; b …`, one line for the error that a command gives. */
export function faultsLine(faults: readonly ConfigFault[]): string {
  return faults.map(faultLine).join('; ')
}

export function faultLine({ key, value, origin, fault }: ConfigFault): string {
  const given = value === undefined ? '' : ` = ${JSON.stringify(value)}`
  return `${origin.label}: ${key}${given}: ${fault}`
}

class Reading {
  readonly #keys = new Map(configKeys.map((key) => [key.path, key]))
  readonly #values = new Map<string, EffectiveValue>(
    configKeys.map((key) => [key.path, { key, value: key.setting.default, origin: fromDefault }]),
  )
  readonly #faults: ConfigFault[] = []

  knows(path: string): boolean {
    return this.#keys.has(path)
  }

  fault(fault: ConfigFault): void {
    this.#faults.push(fault)
  }

  set(path: string, raw: unknown, origin: Origin): void {
    const key = this.#keys.get(path)
    assert(key !== undefined, `${path} is in the table of keys`)
    const parsed = key.setting.parse(raw)
    const shown = key.isSecret ? undefined : raw
    if ('fault' in parsed) this.fault({ key: path, value: shown, origin, fault: parsed.fault })
    else this.#values.set(path, { key, value: parsed.value, origin })
  }

  finish(file: string | undefined): Configuration {
    // Where a value is wrong by itself its default stands in, so that every other fault is told, too.
    const wrong = new Set(this.#faults.map(({ key }) => key))
    for (const { path, fault } of relationFaults((wanted) => this.#values.get(wanted)?.value)) {
      if (wrong.has(path)) continue
      const { value, origin } = this.#values.get(path) as EffectiveValue
      this.fault({ key: path, value, origin, fault })
    }
    const notes = [...this.#values.values()]
      .filter(({ key, origin }) => key.later !== undefined && origin.kind !== 'default')
      .map(({ key, origin }) => ({
        key: key.path,
        origin,
        note: `this version does not act upon it; it waits for ${key.later}`,
      }))
    return new Configuration(file, this.#faults, notes, this.#values)
  }
}

interface ConfigFile {
  readonly path: string
  readonly text: string
  readonly table: Readonly<Record<string, unknown>>
}

/** The file that is named must be there; the standard one may be missing. */
function readFile(named: string | undefined, folder: string): ConfigFile | undefined {
  const path = named ?? defaultConfigFile
  let text: string
  try {
    text = readFileSync(resolve(folder, path), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (named === undefined && code === 'ENOENT') return undefined
    throw cliErrors.no_config_file({ path, reason: code ?? message }, error)
  }
  try {
    return { path, text, table: parseToml(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The parser's message goes on with a picture of the line; its first line says it all.
    const problem = (error.message.split('\n', 1)[0] as string).replace('Invalid TOML document: ', '')
    throw cliErrors.config_syntax({ path, line: error.line, column: error.column, problem }, error)
  }
}

function readTable(
  reading: Reading,
  table: Readonly<Record<string, unknown>>,
  prefix: string,
  originOf: (path: string) => Origin,
): void {
  for (const [name, value] of Object.entries(table)) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (reading.knows(path)) {
      reading.set(path, value, originOf(path))
    } else if (isTable(value) && configKeys.some((key) => key.path.startsWith(`${path}.`))) {
      readTable(reading, value, path, originOf)
    } else {
      const what = isTable(value) ? 'section' : 'key'
      reading.fault({
        key: path,
        value: isTable(value) ? undefined : value,
        origin: originOf(path),
        fault: unknown(what, what === 'section' ? nearestSection(path) : nearestKey(path)),
      })
    }
  }
}

function unknown(what: 'section' | 'key' | 'variable', near: string | undefined): string {
  return `unknown ${what}; ${near === undefined ? '`orbit config show` lists all keys' : `did you mean ${near}?`}`
}

function nearestSection(path: string): string | undefined {
  return nearest(path, [...new Set(configKeys.map((key) => splitPath(key.path).section))])
}

/** By the last word: the section is a known one, and would make any two of its keys look alike. Its own keys come first. */
function nearestKey(path: string): string | undefined {
  const { section, name } = splitPath(path)
  const keys = configKeys.map((key) => ({ path: key.path, ...splitPath(key.path) }))
  for (const among of [keys.filter((key) => key.section === section), keys]) {
    const names = among.map((key) => key.name)
    const near = nearest(name, names)
    if (near !== undefined) return among[names.indexOf(near)]?.path
  }
  return undefined
}

function splitPath(path: string): { section: string; name: string } {
  const dot = path.lastIndexOf('.')
  return { section: path.slice(0, Math.max(0, dot)), name: path.slice(dot + 1) }
}

/**
 * Variables of the services of a Kubernetes namespace (`ORBIT_RS_SERVICE_HOST`, `ORBIT_PORT_8080_TCP=tcp://…`): the
 * platform sets them by itself for any service whose name begins with "orbit".
 */
const serviceLink = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)/

const variablePrefix = 'ORBIT_'

function readEnvironment(reading: Reading, env: Readonly<Record<string, string | undefined>>): void {
  const seen = new Set<string>()
  for (const key of configKeys) {
    const given = [...key.aliases, key.env].filter((name) => nonEmpty(env[name]) !== undefined)
    for (const name of [key.env, ...key.aliases]) seen.add(name)
    const [first, ...others] = given
    if (first === undefined) continue
    const origin: Origin = { kind: 'environment', label: first }
    const different = others.find((name) => env[name] !== env[first])
    if (different === undefined) reading.set(key.path, env[first], origin)
    else
      reading.fault({
        key: key.path,
        value: env[first],
        origin,
        fault: `${different} says ${JSON.stringify(env[different])}; keep one of the two`,
      })
  }
  const known = [...seen, ...Object.keys(otherVariables)].map((name) => name.slice(variablePrefix.length))
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(variablePrefix) || seen.has(name) || value === undefined || name in otherVariables) continue
    if (serviceLink.test(name) || value.startsWith('tcp://') || value.startsWith('udp://')) continue
    const near = nearest(name.slice(variablePrefix.length), known)
    reading.fault({
      key: name,
      value,
      origin: { kind: 'environment', label: 'environment' },
      fault: unknown('variable', near === undefined ? undefined : variablePrefix + near),
    })
  }
}

/** `orbit.toml:12`, as far as the line of a key can be found by its section and name. */
function labelInFile(file: string, text: string, path: string): string {
  let sectionPath = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)
    if (header !== null) {
      sectionPath = (header[1] as string).replaceAll(/["'\s]/g, '')
      if (sectionPath === path) return `${file}:${index + 1}`
      continue
    }
    const name = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1]?.replaceAll(/["']/g, '')
    if (name !== undefined && (sectionPath === '' ? name : `${sectionPath}.${name}`) === path)
      return `${file}:${index + 1}`
  }
  return file
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
