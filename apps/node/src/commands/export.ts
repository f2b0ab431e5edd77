/** `orbit export`: entries into a CSV, NDJSON or Parquet file. The work is in transfer/export.ts. */

import { access } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { prefixEnd } from '@orbitkv/bytes'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { encodingOf } from '../formats/encoding.ts'
import { stoppedError } from '../interrupts.ts'
import { withTarget } from '../targets/open-target.ts'
import type { ScanRange, Target } from '../targets/target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted } from '../terminal/text.ts'
import { findEnd, type Kept } from '../transfer/export.ts'
import { type ExportSink, openLines, openParquet } from '../transfer/export-sink.ts'
import { exportFormatOf } from '../transfer/format.ts'
import type { Format } from '../transfer/records.ts'
import { fileSource } from '../transfer/source.ts'
import { rangeOf } from './range-flags.ts'

const nothingKept: Kept = { bytes: 0, records: 0, lastKey: undefined }

export async function exportFile(context: Context): Promise<number> {
  const { args, output, notes, json, interrupts, clock } = context
  const file = args.operand(0) as string
  const toOutput = file === '-'
  const format = exportFormatOf(file, args.text('format'))
  const range = { ...rangeOf(args, encodingOf(args)), withExpiry: true }
  if (toOutput && args.on('resume')) throw cliErrors.resume_needs_file({ flag: '--resume' })
  if (args.on('resume') && args.on('force')) throw cliErrors.flags_conflict({ first: '--resume', second: '--force' })
  const startedAt = clock.monotonic()
  const path = resolve(context.folder, file)
  if (format === 'parquet' && args.on('resume')) {
    throw cliErrors.flag_not_here({ flag: '--resume', what: 'the format parquet, whose files cannot be continued' })
  }
  const kept = args.on('resume') && format !== 'parquet' ? await keptOf(file, path, format) : undefined
  const plan = { file, path, output, replaces: args.on('force') }
  const summary = await withTarget(context, 'refuse', async (target) => {
    const sink = format === 'parquet' ? await openParquet(plan) : await openLines(plan, format, kept)
    try {
      const { records, finished } = await exportInto(context, { file, range, kept: kept ?? nothingKept }, target, sink)
      await sink.finish(finished)
      return { target: target.label, records, finished, left_out: target.keysLeftOut }
    } finally {
      await sink.close()
    }
  })
  const seconds = Math.round(clock.monotonic() - startedAt) / 1000
  // Standard output belongs to the records: the summary goes where notes go.
  const document = { file, format, ...summary, resumed_at: kept?.records ?? 0, seconds }
  if (json) await (toOutput ? notes.line(JSON.stringify(document)) : output.json(document))
  else if (summary.finished) {
    notes.line(
      `exported ${counted(summary.records, 'record')} of ${summary.target} to ${toOutput ? 'standard output' : file} in ${seconds} s`,
    )
    if (summary.left_out > 0) notes.line(`${counted(summary.left_out, 'key')} without a plain value left out`)
  }
  if (summary.finished) return exitCodes.ok.code
  if (format === 'parquet') throw stoppedError(interrupts, `nothing is in ${file}, run the same command again`)
  const next = toOutput ? 'standard output cannot be continued' : 'the same command with --resume continues it'
  throw stoppedError(interrupts, `${counted(summary.records, 'record')} in ${file}, ${next}`)
}

interface ExportPlan {
  readonly file: string
  readonly range: ScanRange
  readonly kept: Kept
}

async function exportInto(
  context: Context,
  plan: ExportPlan,
  target: Target,
  sink: ExportSink,
): Promise<{ records: number; finished: boolean }> {
  const { clock, interrupts } = context
  const { file, range, kept } = plan
  const progress = new Progress({
    surface: context.progress,
    clock,
    label: `exporting ${file === '-' ? 'to standard output' : basename(file)}`,
    unit: 'records',
    total: await totalOf(target, range),
    countBefore: kept.records,
    doneBefore: kept.records,
  })
  let records = kept.records
  let finished = true
  try {
    for await (const page of target.pages(rangeAfter(range, kept))) {
      await sink.add(page)
      records += page.length
      progress.update(records, records)
      finished = !interrupts.signal.aborted
      if (!finished) break
    }
  } finally {
    progress.finish()
  }
  return { records, finished }
}

/** How many records there will be, where nothing narrows the range. */
async function totalOf(target: Target, { prefix, gt, gte, lt, lte, limit }: ScanRange): Promise<number | undefined> {
  if ([prefix, gt, gte, lt, lte].some((bound) => bound !== undefined)) return undefined
  return Math.min(await target.count(), limit ?? Number.POSITIVE_INFINITY)
}

async function keptOf(file: string, path: string, format: Format): Promise<Kept> {
  try {
    await access(path)
  } catch {
    // Nothing to continue is no fault: a script may give --resume always.
    return nothingKept
  }
  const source = await fileSource(file, path)
  try {
    return await findEnd(source, format)
  } finally {
    await source.close()
  }
}

/** The part of the range behind what is kept. */
function rangeAfter(range: ScanRange, { lastKey, records }: Kept): ScanRange {
  if (lastKey === undefined) return range
  const { prefix, gte: _gte, gt: _gt, limit, ...rest } = range
  const end = prefix === undefined ? undefined : prefixEnd(prefix)
  return {
    ...rest,
    gt: lastKey,
    ...(end === undefined ? {} : { lt: end }),
    ...(limit === undefined ? {} : { limit: Math.max(limit - records, 0) }),
  }
}
