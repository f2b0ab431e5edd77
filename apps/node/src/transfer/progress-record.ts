/**
 * How far an import has come, kept in the store that it fills.
 *
 * The record is written in the same batch as the entries it counts, so the two can never disagree: not after a kill, not
 * after a power cut, not when the folder is removed. It stands under a key of orbit's own for each file (by its absolute
 * path), which scan and export leave out, and is removed when the import ends.
 */

import { createHash } from 'node:crypto'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { cliErrors } from '../errors.ts'
import { ownKeyPrefix } from '../targets/target.ts'
import type { Place } from './records.ts'

export interface ImportCounts {
  readonly stored: number
  readonly replaced: number
  readonly rejected: number
  readonly expired: number
}

export interface ProgressRecord extends Place, ImportCounts {
  readonly version: 1
  /** The file's absolute path. */
  readonly file: string
  /** sha256 of the file up to `offset`. */
  readonly digest: string
  /** The flags that decide what a record becomes. */
  readonly options: string
  /** Bytes of the file of rejects that belong to what is acknowledged. */
  readonly rejectsBytes: number
}

/** The key of the progress of a file's import. */
export function progressKey(file: string): Uint8Array {
  const id = createHash('sha256').update(file).digest('hex').slice(0, 32)
  return Buffer.concat([ownKeyPrefix, encodeText(`import\0${id}`)])
}

export function encodeProgress(record: ProgressRecord): Uint8Array {
  return encodeText(JSON.stringify(record))
}

/**
 * Reads a record back and checks that the options are the same (`cli.import_options_changed`). The caller compares the
 * digest with the file's.
 */
export function decodeProgress(value: Uint8Array, file: string, options: string): ProgressRecord {
  const record = JSON.parse(decodeText(value)) as ProgressRecord
  if (record.version !== 1)
    throw cliErrors.file_changed({ file, what: `its progress has version ${record.version}, written by a newer orbit` })
  if (record.options !== options) throw cliErrors.import_options_changed({ file, was: record.options })
  return record
}
