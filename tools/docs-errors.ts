/**
 * Writes docs/errors.md from the error tables of all packages: `npm run docs:errors`. A tidy test compares.
 *
 * A table is found by its call of defineErrors in a package's source, and read by importing that file, so that what
 * is documented is what runs. Every table must be exported; an area belongs to one package.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ErrorSpec } from '@orbitkv/base'
import { isTest, layers, packageFolderOf, repositoryFiles, root, withoutComments } from './tidy/repository.ts'

export const pagePath = 'docs/errors.md'

export interface DocumentedTable {
  readonly folder: string
  readonly area: string
  readonly specs: Readonly<Record<string, ErrorSpec>>
}

/** The error tables of every package, lowest layer first, then by package and area. */
export async function collectTables(): Promise<DocumentedTable[]> {
  const tables: DocumentedTable[] = []
  for (const { path, text } of repositoryFiles()) {
    if (packageFolderOf(path) === undefined || !path.endsWith('.ts') || isTest(path) || countTables(text) === 0)
      continue
    const module: Record<string, unknown> = await import(pathToFileURL(join(root, path)).href)
    tables.push(...tablesIn(path, text, module))
  }
  const place = ({ folder, area }: DocumentedTable) => {
    const depth = layers.length - layers.findIndex((layer) => folder.startsWith(`${layer}/`))
    return `${depth} ${folder} ${area}`
  }
  return tables.sort((one, other) => (place(one) < place(other) ? -1 : 1))
}

/** The tables that a module exports; fails if its source declares one that it does not export. */
export function tablesIn(path: string, text: string, module: Record<string, unknown>): DocumentedTable[] {
  const folder = packageFolderOf(path) ?? path
  const exported = Object.values(module).filter(isTable)
  const count = countTables(text)
  if (exported.length !== count)
    throw new Error(`${path} exports ${exported.length} of ${count} error tables; export all`)
  return exported.map(({ area, specs }) => ({ folder, area, specs }))
}

function countTables(text: string): number {
  return [...withoutComments(text).matchAll(/=\s*defineErrors\(\s*'/g)].length
}

function isTable(value: unknown): value is { area: string; specs: Record<string, ErrorSpec> } {
  return typeof value === 'object' && value !== null && 'area' in value && 'specs' in value
}

export function errorsPage(tables: readonly DocumentedTable[]): string {
  const areas = tables.map((table) => table.area)
  const twice = areas.find((area, index) => areas.indexOf(area) !== index)
  if (twice !== undefined) throw new Error(`the error area ${twice} is declared twice; give one another name`)
  return `${[intro, ...tables.map(section)].join('\n\n')}\n`
}

const intro = `# Errors

Every error that OrbitKV gives on purpose has a code, \`area.name\`, which stays the same for ever: compare
\`error.code\`, not the text. \`{names}\` in a text are filled in and stand in \`error.details\`. \`error.retry\` says
whether trying again can help: \`no\`, \`later\` (once something outside has changed) or \`now\`.

This page is written by \`npm run docs:errors\` from the tables in the code.`

function section({ folder, area, specs }: DocumentedTable): string {
  const rows = Object.entries(specs).map(([name, { retry, text }]) => {
    return `| \`${area}.${name}\` | ${retry} | ${text.replaceAll('|', '\\|')} |`
  })
  return [`## ${area} (${folder})`, '', '| code | retry | text |', '|---|---|---|', ...rows].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, pagePath), errorsPage(await collectTables()))
  console.log(`wrote ${pagePath}`)
}
