/** What every kind of import tells at its end, and where it keeps what it passed over. */

import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { counted, thousands } from '../terminal/text.ts'
import type { ImportCounts } from '../transfer/progress-record.ts'

export const noCounts: ImportCounts = { stored: 0, replaced: 0, rejected: 0, expired: 0 }

export interface ImportSummary extends ImportCounts {
  readonly file: string
  readonly target: string
  readonly finished: boolean
  /** Records of the source so far, and how many an earlier run had done. */
  readonly records: number
  readonly resumed_at: number
  readonly rejects_file: string | null
  readonly seconds: number
}

/** Where rejects go; undefined: the first one ends the import. `name` is the source's. */
export function rejectsPathOf({ args, folder }: Context, name: string): string | undefined {
  if (args.text('on-error') === 'skip') return resolve(folder, args.text('rejects') ?? `${name}.rejects.ndjson`)
  if (args.text('rejects') !== undefined)
    throw cliErrors.flag_needs_flag({ flag: '--rejects', other: '--on-error skip' })
  return undefined
}

/** `unit` is what the source has: records of a file, keys of a server. */
export function summaryLines(summary: ImportSummary, unit: string): string[] {
  const { file, target, records, stored, replaced, rejected, expired, rejects_file, seconds } = summary
  const lines = [`imported ${thousands(stored)} of ${counted(records, unit)} of ${file} into ${target} in ${seconds} s`]
  if (replaced > 0) lines.push(`${thousands(replaced)} took the place of an earlier value of their key`)
  if (expired > 0) lines.push(`${thousands(expired)} had expired and were left out`)
  if (rejected > 0) lines.push(`${thousands(rejected)} were wrong; they are in ${rejects_file}`)
  return lines
}
