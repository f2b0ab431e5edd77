/** What kind of thing is imported or exported: what --format says, else by the name or by what stands there. */

import { join } from 'node:path'
import { cliErrors } from '../errors.ts'
import { isThere } from './is-there.ts'
import type { Format } from './records.ts'

export const importFormats = ['csv', 'ndjson', 'level', 'lmdb', 'redis'] as const
export type ImportFormat = (typeof importFormats)[number]

export const exportFormats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

const lineEndings: Readonly<Record<string, Format>> = { csv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson' }
const importEndings: Readonly<Record<string, ImportFormat>> = { ...lineEndings, mdb: 'lmdb', lmdb: 'lmdb' }
const exportEndings: Readonly<Record<string, ExportFormat>> = { ...lineEndings, parquet: 'parquet' }

/** Errors: `cli.unknown_format`. */
export async function importFormatOf(name: string, path: string, flag: string | undefined): Promise<ImportFormat> {
  const found =
    flag ?? (/^rediss?:\/\//.test(name) ? 'redis' : ((await folderFormat(path)) ?? byEnding(name, importEndings)))
  if (found === undefined) throw unknown(name, importFormats)
  return found as ImportFormat
}

/** Errors: `cli.unknown_format`. */
export function exportFormatOf(name: string, flag: string | undefined): ExportFormat {
  const found = flag ?? byEnding(name, exportEndings)
  if (found === undefined) throw unknown(name, exportFormats)
  return found as ExportFormat
}

async function folderFormat(path: string): Promise<ImportFormat | undefined> {
  for (const [file, format] of [
    ['CURRENT', 'level'],
    ['data.mdb', 'lmdb'],
  ] as const) {
    if (await isThere(join(path, file))) return format
  }
  return undefined
}

function byEnding<Found>(name: string, endings: Readonly<Record<string, Found>>): Found | undefined {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(endings, ending) ? endings[ending] : undefined
}

function unknown(name: string, formats: readonly string[]): Error {
  return cliErrors.unknown_format({
    file: name === '-' ? 'standard input or output' : name,
    formats: formats.map((format) => `--format ${format}`).join(', '),
  })
}
