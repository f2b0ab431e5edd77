/** `orbit import` of a CSV or NDJSON file. The work is in transfer/. */

import { basename, resolve } from 'node:path'
import type { Arguments } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import type { MappingFlags } from '../formats/mapping.ts'
import { stoppedError } from '../interrupts.ts'
import { withTarget } from '../targets/open-target.ts'
import type { Target } from '../targets/target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted, escapeBytes, exactText, thousands } from '../terminal/text.ts'
import { type ImportResult, runImport } from '../transfer/import.ts'
import { decodeProgress, encodeProgress, type FileProgress, progressKey } from '../transfer/progress-record.ts'
import { type Format, type Place, type RecordFault, RecordReader, type Resumption } from '../transfer/records.ts'
import { Rejects } from '../transfer/rejects.ts'
import { FileSource, fileSource, inputSource, type Source } from '../transfer/source.ts'
import { type ImportSummary, noCounts, rejectsPathOf, summaryLines } from './import-summary.ts'

const rowHint = '; {row} in the key keeps such records apart'

function fileLines(summary: ImportSummary): string[] {
  return summaryLines(summary, 'record').map((line) =>
    line.includes(' took the place of ') ? `${line}${rowHint}` : line,
  )
}

interface Plan {
  readonly file: string
  readonly path: string
  readonly format: Format
  readonly delimiter: string
  readonly mapping: MappingFlags
  /** The flags that decide what a record becomes, as one text. */
  readonly options: string
  /** Where rejects go; undefined: stop at the first. */
  readonly rejects: string | undefined
}

export async function importFile(context: Context, format: Format): Promise<number> {
  const { args, output, json, interrupts } = context
  const plan = planOf(context, format)
  const fromInput = plan.file === '-'
  if (fromInput && args.on('restart')) throw cliErrors.resume_needs_file({ flag: '--restart' })
  const source = fromInput ? inputSource(context.input) : await fileSource(plan.file, plan.path)
  try {
    const summary = await withTarget(context, 'create', (target) => importInto(context, plan, source, target))
    if (json) await output.json(summary)
    else if (summary.finished) await output.lines(fileLines(summary))
    if (summary.finished) return exitCodes.ok.code
    const next = fromInput ? 'standard input cannot be continued' : 'the same command continues it'
    throw stoppedError(interrupts, `${counted(summary.records, 'record')} of ${plan.file} in the store, ${next}`)
  } finally {
    await source.close()
  }
}

async function importInto(context: Context, plan: Plan, source: Source, target: Target): Promise<ImportSummary> {
  const { clock, interrupts } = context
  const startedAt = clock.monotonic()
  const key = source instanceof FileSource ? progressKey(plan.path) : undefined
  const earlier = await earlierProgress(context, plan, source, target)
  const reader = await RecordReader.open(
    {
      file: plan.file,
      format: plan.format,
      delimiter: plan.delimiter,
      mapping: plan.mapping,
      valueBytesMax: target.valueBytesMax,
    },
    (offset) => source.blocks(offset),
    earlier?.resumption,
  )
  const counts = earlier?.record ?? noCounts
  const rejects =
    plan.rejects === undefined
      ? undefined
      : await Rejects.open(plan.rejects, rejectOf(plan.file), earlier?.record.rejectsBytes ?? 0)
  const before = reader.place
  const progress = new Progress({
    surface: context.progress,
    clock,
    label: `importing ${basename(source.name)}`,
    unit: 'records',
    total: source.bytes,
    countBefore: before.records,
    doneBefore: before.offset,
  })
  let result: ImportResult<Place>
  try {
    result = await runImport({
      reader,
      refuse: ({ line, column, problem }) => cliErrors.bad_record({ file: plan.file, line, column, problem }),
      target,
      clock,
      signal: interrupts.signal,
      rejects,
      counts: { stored: counts.stored, replaced: counts.replaced, rejected: counts.rejected, expired: counts.expired },
      progressEntry:
        key === undefined
          ? undefined
          : (place, now, rejectsBytes) => {
              const { options, path } = plan
              const digest = reader.digest(place)
              return {
                key,
                value: encodeProgress<FileProgress>({
                  version: 1,
                  file: path,
                  ...place,
                  ...now,
                  digest,
                  options,
                  rejectsBytes,
                }),
                expiresAt: 0,
              }
            },
      report: (place) => progress.update(place.records, place.offset),
    })
    if (result.finished && key !== undefined) await target.delete([key])
  } finally {
    progress.finish()
    await rejects?.close()
    await reader.close()
  }
  return {
    file: plan.file,
    target: target.label,
    finished: result.finished,
    records: result.place.records,
    resumed_at: before.records,
    ...result.counts,
    rejects_file: result.counts.rejected > 0 ? (rejects?.path ?? null) : null,
    seconds: Math.round(clock.monotonic() - startedAt) / 1000,
  }
}

/** What the file of rejects says of a record. */
function rejectOf(file: string): (fault: RecordFault) => Readonly<Record<string, unknown>> {
  return ({ line, column, problem, raw }) => ({
    file,
    line,
    column,
    problem,
    record: exactText(raw) ?? escapeBytes(raw),
  })
}

/** What an interrupted import of this file left, after making sure that the file is still the same up to there. */
async function earlierProgress(
  { args, notes, json }: Context,
  { path, file, options }: Plan,
  source: Source,
  target: Target,
): Promise<{ record: FileProgress; resumption: Resumption } | undefined> {
  if (!(source instanceof FileSource) || args.on('restart')) return undefined
  const value = await target.get(progressKey(path))
  if (value === undefined) return undefined
  const record = decodeProgress<FileProgress>(value, file, options)
  const { offset, line, records, digest } = record
  if (source.bytes < offset)
    throw cliErrors.file_changed({ file, what: `it has ${source.bytes} bytes, ${offset} were imported` })
  const hash = await source.hash(offset)
  if (hash.copy().digest('hex') !== digest)
    throw cliErrors.file_changed({ file, what: `its first ${counted(records, 'record')} differ` })
  if (!json) notes.line(`continuing ${file} after record ${thousands(records)}`)
  return { record, resumption: { place: { offset, line, records }, hash } }
}

function planOf(context: Context, format: Format): Plan {
  const { args, folder } = context
  const file = args.operand(0) as string
  const path = resolve(folder, file)
  const delimiter = delimiterOf(args)
  const mapping = {
    key: args.text('key'),
    keyTemplate: args.text('key-template'),
    separator: args.text('separator') ?? ':',
    value: args.text('value'),
  }
  if (mapping.value !== undefined && mapping.key === undefined && mapping.keyTemplate === undefined) {
    throw cliErrors.flag_needs_flag({ flag: '--value', other: '--key' })
  }
  const rejects = rejectsPathOf(context, file === '-' ? 'standard-input' : file)
  const deciding = ['key', 'key-template', 'separator', 'value', 'delimiter', 'on-error'] as const
  const options = [
    `--format ${format}`,
    ...deciding.flatMap((name) => (args.text(name) === undefined ? [] : [`--${name} ${args.text(name)}`])),
  ].join(' ')
  return { file, path, format, delimiter, mapping, options, rejects }
}

function delimiterOf(args: Arguments): string {
  const given = args.text('delimiter') ?? ','
  const delimiter = given === 'tab' ? '\t' : given
  if (delimiter.length !== 1 || delimiter.charCodeAt(0) > 0x7f || '"\r\n'.includes(delimiter)) {
    throw cliErrors.flag_invalid({
      flag: '--delimiter',
      given,
      fault: 'must be one ASCII character, or tab',
      command: 'import',
    })
  }
  return delimiter
}
