/** The format of a file: what --format says, else by the name. */

import { cliErrors } from '../errors.ts'
import type { Format } from './records.ts'

const endings: Readonly<Record<string, Format>> = { csv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson' }

export function formatOf(file: string, flag: string | undefined): Format {
  if (flag !== undefined) return flag as Format
  const ending = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''
  const format = Object.hasOwn(endings, ending) ? endings[ending] : undefined
  if (format === undefined) throw cliErrors.unknown_format({ file: file === '-' ? 'standard input or output' : file })
  return format
}
