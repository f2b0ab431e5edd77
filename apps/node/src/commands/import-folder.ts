/** `orbit import` of a folder of another store, LevelDB or LMDB. The work is in transfer/. */

import { basename } from 'node:path'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { jsonFromBytes } from '../formats/encoding.ts'
import { stoppedError } from '../interrupts.ts'
import { withTarget } from '../targets/open-target.ts'
import type { Target } from '../targets/target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted, shortText, thousands } from '../terminal/text.ts'
import { type FolderPlace, FolderRecords, type KeyFault } from '../transfer/folder-records.ts'
import type { FolderSource } from '../transfer/folder-source.ts'
import { runImport } from '../transfer/import.ts'
import { isThere } from '../transfer/is-there.ts'
import { openLevel } from '../transfer/level-source.ts'
import { openLmdb } from '../transfer/lmdb-source.ts'
import {
  decodeProgress,
  encodeProgress,
  type ImportCounts,
  type ProgressRecord,
  progressKey,
} from '../transfer/progress-record.ts'
import { Rejects } from '../transfer/rejects.ts'
import { type ImportSummary, noCounts, rejectsPathOf, summaryLines } from './import-summary.ts'

interface FolderProgress extends ProgressRecord {
  /** The folder's absolute path. */
  readonly folder: string
  /** What the source said of its state. */
  readonly state: string
  /** base64; of the last record that is stored or passed over. */
  readonly lastKey: string
  readonly rejectsBytes: number
}

interface Plan {
  readonly name: string
  readonly path: string
  readonly database: string | undefined
  readonly options: string
  readonly rejects: string | undefined
}

export async function importFolder(context: Context, format: 'level' | 'lmdb', path: string): Promise<number> {
  const { args, notes, output, json, interrupts } = context
  const name = args.operand(0) as string
  const database = args.text('database')
  if (!(await isThere(path))) throw cliErrors.file_missing({ file: name, reason: 'ENOENT' })
  const source = format === 'level' ? await openLevel(name, path) : await openLmdb(name, path, database)
  try {
    if (!json) for (const left of source.passedOver) notes.line(`${name}: left out ${left}`)
    const onError = args.text('on-error') ?? 'stop'
    const options = [`--format ${format}`, ...(database === undefined ? [] : [`--database ${database}`])]
    const rejects = rejectsPathOf(context, name)
    const plan = { name, path, database, options: [...options, `--on-error ${onError}`].join(' '), rejects }
    const summary = await withTarget(context, 'create', (target) => importInto(context, plan, source, target))
    if (json) await output.json(summary)
    else if (summary.finished) await output.lines(summaryLines(summary, 'record'))
    if (summary.finished) return exitCodes.ok.code
    throw stoppedError(
      interrupts,
      `${counted(summary.records, 'record')} of ${name} in the store, the same command continues it`,
    )
  } finally {
    await source.close()
  }
}

async function importInto(context: Context, plan: Plan, source: FolderSource, target: Target): Promise<ImportSummary> {
  const { clock, interrupts } = context
  const startedAt = clock.monotonic()
  const key = progressKey(`${plan.path}\0${plan.database ?? ''}`)
  const earlier = await earlierProgress(context, plan, source, target, key)
  const place: FolderPlace = {
    records: earlier?.records ?? 0,
    lastKey: earlier === undefined ? undefined : Buffer.from(earlier.lastKey, 'base64'),
    done: 0,
  }
  const reader = new FolderRecords(source, target.valueBytesMax, place)
  const rejects =
    plan.rejects === undefined
      ? undefined
      : await Rejects.open<KeyFault>(
          plan.rejects,
          ({ key: faulty, problem }) => ({ file: plan.name, key: jsonFromBytes(faulty), problem }),
          earlier?.rejectsBytes ?? 0,
        )
  const doneBefore = place.lastKey === undefined ? 0 : await source.donePast(place.lastKey, place.records)
  const progress = new Progress({
    surface: context.progress,
    clock,
    label: `importing ${basename(plan.name)}`,
    unit: 'records',
    total: source.total,
    countBefore: place.records,
    doneBefore,
  })
  try {
    const result = await runImport<FolderPlace, KeyFault>({
      reader,
      refuse: ({ key: faulty, problem }) => cliErrors.bad_entry({ source: plan.name, key: shortText(faulty), problem }),
      target,
      clock,
      signal: interrupts.signal,
      rejects,
      counts: earlier === undefined ? noCounts : countsOf(earlier),
      progressEntry: ({ records, lastKey = new Uint8Array(0) }, counts, rejectsBytes) => ({
        key,
        value: encodeProgress<FolderProgress>({
          version: 1,
          folder: plan.path,
          state: source.state,
          options: plan.options,
          records,
          lastKey: Buffer.from(lastKey).toString('base64'),
          rejectsBytes,
          ...counts,
        }),
        expiresAt: 0,
      }),
      report: ({ records, done }) => progress.update(records, done),
    })
    if (result.finished) await target.delete([key])
    return {
      file: plan.name,
      target: target.label,
      finished: result.finished,
      records: result.place.records,
      resumed_at: place.records,
      ...result.counts,
      rejects_file: result.counts.rejected > 0 ? (rejects?.path ?? null) : null,
      seconds: Math.round(clock.monotonic() - startedAt) / 1000,
    }
  } finally {
    progress.finish()
    await rejects?.close()
    await reader.close()
  }
}

/** What an interrupted import of this folder left, after making sure that it may go on. */
async function earlierProgress(
  { args, notes, json }: Context,
  { name, options }: Plan,
  source: FolderSource,
  target: Target,
  key: Uint8Array,
): Promise<FolderProgress | undefined> {
  if (args.on('restart')) return undefined
  const value = await target.get(key)
  if (value === undefined) return undefined
  const record = decodeProgress<FolderProgress>(value, name, options)
  if (record.state !== source.state)
    throw cliErrors.file_changed({ file: name, what: `it is at ${source.state}, was at ${record.state}` })
  if (!json) notes.line(`continuing ${name} after record ${thousands(record.records)}`)
  return record
}

function countsOf({ stored, replaced, rejected, expired }: FolderProgress): ImportCounts {
  return { stored, replaced, rejected, expired }
}
