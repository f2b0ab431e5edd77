/** The files of `orbit plan`: plans, presets, node kinds and bench documents, read from disk into tables. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InputFault, type NodeKind, readKinds, type Source } from '@orbitkv/planner'
import { parse as parseToml, TomlError } from 'smol-toml'
import { cliErrors } from '../errors.ts'

type Table = Readonly<Record<string, unknown>>

/** A plan file; JSON by its name, else TOML. */
export function readPlanFile(path: string, folder: string): Source {
  return { origin: path, table: readTable(path, folder) }
}

export function readPreset(name: string): Source {
  const file = fileURLToPath(import.meta.resolve(`@orbitkv/planner/presets/${name}.toml`))
  return { origin: `preset ${name}`, table: readTable(file, '') }
}

/** The kinds that come along, and those of a file of the user, which win. */
export function readKindFiles(
  own: string | undefined,
  folder: string,
): { readonly kinds: readonly NodeKind[]; readonly faults: readonly InputFault[] } {
  const shipped = fileURLToPath(import.meta.resolve('@orbitkv/planner/node-kinds.toml'))
  const standard = readKinds(readTable(shipped, ''), 'node-kinds.toml')
  if (own === undefined) return standard
  const { kinds, faults } = readKinds(readTable(own, folder), own)
  const names = new Set(kinds.map(({ name }) => name))
  return { kinds: [...standard.kinds.filter(({ name }) => !names.has(name)), ...kinds], faults }
}

export function readJsonFile(path: string, folder: string): unknown {
  return parseJson(path, readText(path, folder))
}

/** To be told before somebody has answered all questions, not after. */
export function mustBeNew(path: string, folder: string): void {
  if (existsSync(resolve(folder, path))) throw cliErrors.plan_exists({ file: path })
}

/** Writes a new file; one that is there only with `force`. */
export function writeNewFile(path: string, folder: string, text: string, force: boolean): void {
  try {
    writeFileSync(resolve(folder, path), text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw cliErrors.plan_exists({ file: path }, error)
    throw cliErrors.file_failed({ file: path, reason: code ?? message }, error)
  }
}

function readTable(path: string, folder: string): Table {
  const text = readText(path, folder)
  const isJson = path.toLowerCase().endsWith('.json')
  const table = isJson ? parseJson(path, text) : parseTomlFile(path, text)
  if (typeof table === 'object' && table !== null && !Array.isArray(table)) return table as Table
  throw cliErrors.plan_syntax({ file: path, language: 'a table', problem: 'its value is none' })
}

function readText(path: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, path), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw cliErrors.file_missing({ file: path, reason: code ?? message }, error)
  }
}

function parseTomlFile(path: string, text: string): unknown {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const problem = (error.message.split('\n', 1)[0] as string).replace('Invalid TOML document: ', '')
    const file = `${path}:${error.line}:${error.column}`
    throw cliErrors.plan_syntax({ file, language: 'TOML', problem }, error)
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw cliErrors.plan_syntax({ file: path, language: 'JSON', problem: error.message }, error)
  }
}
