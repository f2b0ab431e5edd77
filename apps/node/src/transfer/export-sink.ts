/**
 * Where an export's entries go: lines of a file that can be continued, or a Parquet file that gets its name once it is
 * whole; either to standard output as well.
 */

import { rename, rm } from 'node:fs/promises'
import { KiB } from '@orbitkv/base'
import { cliErrors } from '../errors.ts'
import type { Entry } from '../formats/mapping.ts'
import { ParquetEncoder } from '../formats/parquet.ts'
import type { Output } from '../terminal/output.ts'
import { version } from '../version.ts'
import { ExportFile, exportLine, headerLine, type Kept } from './export.ts'
import { isThere } from './is-there.ts'
import type { Format } from './records.ts'

const blockChars = 256 * KiB

export interface ExportSink {
  add(entries: readonly Entry[]): Promise<void>
  /** Everything there is to write is written, though what there was to read may not have come to its end. */
  finish(isWhole: boolean): Promise<void>
  close(): Promise<void>
}

export interface SinkPlan {
  /** As the command line names it; `-` for standard output. */
  readonly file: string
  readonly path: string
  readonly output: Output
  /** Whether a file that exists is replaced. */
  readonly replaces: boolean
}

/** `kept` is what stays of the file; undefined where it must not exist. Errors: `cli.file_exists`, `cli.file_failed`. */
export async function openLines(plan: SinkPlan, format: Format, kept: Kept | undefined): Promise<ExportSink> {
  const file =
    plan.file === '-'
      ? undefined
      : await ExportFile.open(plan.file, plan.path, kept?.bytes ?? (plan.replaces ? 0 : undefined))
  const write = (text: string) => (file === undefined ? plan.output.text(text) : file.write(text))
  let block = (kept?.bytes ?? 0) > 0 ? '' : headerLine(format)
  return {
    async add(entries) {
      for (const entry of entries) {
        block += exportLine(format, entry)
        if (block.length < blockChars) continue
        await write(block)
        block = ''
      }
    },
    async finish() {
      if (block !== '') await write(block)
      await file?.finish()
    },
    close: async () => file?.close(),
  }
}

/** Errors: `cli.file_exists`, `cli.file_failed`, `cli.peer_missing`. */
export async function openParquet(plan: SinkPlan): Promise<ExportSink> {
  const { file, path, output, replaces } = plan
  const createdBy = `OrbitKV ${version}`
  if (file === '-') {
    const encoder = await ParquetEncoder.open((bytes) => output.bytes(bytes), createdBy)
    return {
      add: (entries) => encoder.add(entries),
      // Cut short, it must not pass for whole.
      finish: async (isWhole) => (isWhole ? encoder.finish() : undefined),
      close: async () => undefined,
    }
  }
  if (!replaces && (await isThere(path))) throw cliErrors.file_exists({ file })
  const partialPath = `${path}.partial`
  const encoder = await ParquetEncoder.open((bytes) => partial.write(bytes), createdBy)
  const partial = await ExportFile.open(`${file}.partial`, partialPath, 0)
  let isNamed = false
  return {
    add: (entries) => encoder.add(entries),
    async finish(isWhole) {
      if (!isWhole) return
      await encoder.finish()
      await partial.finish()
      await rename(partialPath, path)
      isNamed = true
    },
    async close() {
      await partial.close()
      if (!isNamed) await rm(partialPath, { force: true })
    },
  }
}
