/**
 * How far an import has come, kept in the store that it fills.
 *
 * The record is written in the same batch as the entries it counts, so the two can never disagree: not after a kill, not
 * after a power cut, not when the folder is removed. It stands under a key of orbit's own for each source, which scan and export leave out, and is removed when the import ends.
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

/** What every kind of source keeps; each adds where it goes on. */
export interface ProgressRecord extends ImportCounts {
  readonly version: 1
  readonly records: number
  /** The flags that decide what a record becomes. */
  readonly options: string
}

export interface FileProgress extends ProgressRecord, Place {
  /** The file's absolute path. */
  readonly file: string
  /** sha256 of the file up to `offset`. */
  readonly digest: string
  /** Bytes of the file of rejects that belong to what is acknowledged. */
  readonly rejectsBytes: number
}

/** The key of the progress of the import of one source: a file by its absolute path, a server by its address. */
export function progressKey(source: string): Uint8Array {
  const id = createHash('sha256').update(source).digest('hex').slice(0, 32)
  return Buffer.concat([ownKeyPrefix, encodeText(`import\0${id}`)])
}

export function encodeProgress<Record extends ProgressRecord>(record: Record): Uint8Array {
  return encodeText(JSON.stringify(record))
}

/**
 * Reads a record back and checks that the options are the same (`cli.import_options_changed`). The caller, who knows the
 * kind of source, checks that this still is what it was.
 */
export function decodeProgress<Record extends ProgressRecord>(
  value: Uint8Array,
  file: string,
  options: string,
): Record {
  const record = JSON.parse(decodeText(value)) as Record
  if (record.version !== 1)
    throw cliErrors.file_changed({ file, what: `its progress has version ${record.version}, written by a newer orbit` })
  if (record.options !== options) throw cliErrors.import_options_changed({ file, was: record.options })
  return record
}
