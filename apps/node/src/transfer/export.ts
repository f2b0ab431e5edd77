/**
 * Entries as lines of a file, and where an interrupted export of them may go on.
 *
 * What must hold: `orbit import` reads every line back to the same entry. A file cut off anywhere is continued after its
 * last whole record; only a tail that can be the beginning of a record is ever cut away, so that a file that is no
 * export is refused and left as it is.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { cliErrors } from '../errors.ts'
import { csvLine } from '../formats/csv.ts'
import { jsonFromBytes, textFromBytes } from '../formats/encoding.ts'
import type { Entry } from '../formats/mapping.ts'
import { recordBytesMax } from '../formats/window.ts'
import { exactText } from '../terminal/text.ts'
import { type Format, RecordReader } from './records.ts'
import type { FileSource } from './source.ts'

const csvColumns = ['key', 'value', 'encoding', 'expires_at']

/** The line before the first record; empty for NDJSON. */
export function headerLine(format: Format): string {
  return format === 'csv' ? csvLine(csvColumns) : ''
}

export function exportLine(format: Format, { key, value, expiresAt }: Entry): string {
  if (format === 'ndjson') {
    const expiry = expiresAt > 0 ? { expires_at: expiresAt } : {}
    return `${JSON.stringify({ key: jsonFromBytes(key), value: jsonFromBytes(value), ...expiry })}\n`
  }
  const expiry = expiresAt > 0 ? String(expiresAt) : ''
  const keyText = exactText(key)
  const valueText = exactText(value)
  if (keyText !== undefined && valueText !== undefined) return csvLine([keyText, valueText, 'utf8', expiry])
  return csvLine([textFromBytes(key, 'base64'), textFromBytes(value, 'base64'), 'base64', expiry])
}

/** What of an existing file stays: so many bytes and records, the last of which has this key. */
export interface Kept {
  readonly bytes: number
  readonly records: number
  readonly lastKey: Uint8Array | undefined
}

/** Reads an interrupted export through. Errors: `cli.bad_record`, `cli.key_needed` where it is none. */
export async function findEnd(source: FileSource, format: Format): Promise<Kept> {
  const header = headerLine(format)
  if (source.bytes < header.length && header.startsWith(await textOf(source, 0, source.bytes)))
    return { bytes: 0, records: 0, lastKey: undefined }
  const mapping = { key: undefined, keyTemplate: undefined, separator: ':', value: undefined }
  const reader = await RecordReader.open(
    { file: source.name, format, delimiter: ',', mapping, valueBytesMax: undefined },
    (offset) => source.blocks(offset),
  )
  let kept: Kept = { bytes: reader.place.offset, records: 0, lastKey: undefined }
  try {
    for (;;) {
      const step = reader.next()
      if (step === undefined) {
        if (!(await reader.more())) return kept
        continue
      }
      const { offset, records } = reader.place
      if ('entry' in step && (offset < source.bytes || (await textOf(source, offset - 1, 1)) === '\n')) {
        kept = { bytes: offset, records, lastKey: step.entry.key }
        continue
      }
      if (await isBeginning(source, format, kept.bytes)) return kept
      if ('entry' in step) return kept
      throw cliErrors.bad_record({ file: source.name, line: step.line, column: step.column, problem: step.problem })
    }
  } finally {
    await reader.close()
  }
}

/** Whether what follows `offset` can be the beginning of one record that was cut off. */
async function isBeginning(source: FileSource, format: Format, offset: number): Promise<boolean> {
  const bytes = source.bytes - offset
  if (bytes > recordBytesMax) return false
  const tail = await textOf(source, offset, bytes)
  return !tail.includes('\n') || (format === 'csv' && tail.split('"').length % 2 === 0)
}

async function textOf(source: FileSource, offset: number, bytes: number): Promise<string> {
  const parts: Buffer[] = []
  let left = bytes
  if (left === 0) return ''
  for await (const block of source.blocks(offset)) {
    const part = Buffer.from(block).subarray(0, left)
    parts.push(part)
    left -= part.length
    if (left === 0) break
  }
  return Buffer.concat(parts).toString('latin1')
}

/** The file that an export writes: every write waits for the disk's system before the next is made. */
export class ExportFile {
  readonly #name: string
  readonly #handle: FileHandle

  private constructor(name: string, handle: FileHandle) {
    this.#name = name
    this.#handle = handle
  }

  /** `keep` bytes stay, undefined: the file must not exist yet, 0: whatever there is goes. */
  static async open(name: string, path: string, keep: number | undefined): Promise<ExportFile> {
    try {
      if (keep !== undefined && keep > 0) {
        const cut = await open(path, 'r+')
        await cut.truncate(keep).finally(() => cut.close())
        return new ExportFile(name, await open(path, 'a'))
      }
      return new ExportFile(name, await open(path, keep === undefined ? 'wx' : 'w'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw cliErrors.file_exists({ file: name }, error)
      throw failed(name, error)
    }
  }

  async write(data: string | Uint8Array): Promise<void> {
    try {
      await this.#handle.appendFile(data)
    } catch (error) {
      throw failed(this.#name, error)
    }
  }

  /** Puts everything on the disk, where it is a file of a disk. */
  async finish(): Promise<void> {
    try {
      if ((await this.#handle.stat()).isFile()) await this.#handle.datasync()
    } catch (error) {
      throw failed(this.#name, error)
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function failed(file: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  return cliErrors.file_failed({ file, reason: code ?? message }, error)
}
