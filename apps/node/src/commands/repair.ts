/** `orbit repair`: makes a sound store of a damaged folder, in another folder. */

import { formatBytes, hasCode } from '@orbitkv/base'
import { realDisk } from '@orbitkv/runtime'
import { type Lost, type RepairReport, repairStore } from 'orbitkv'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { jsonFromBytes } from '../formats/encoding.ts'
import { counted, shortText } from '../terminal/text.ts'

export async function repair(context: Context): Promise<number> {
  const { args, config, output, json, clock } = context
  if (config.text('persistence.backend') === 'memory') throw cliErrors.memory_backend()
  const path = config.text('persistence.mmap.data_dir')
  const target = args.text('to') ?? `${path.replace(/\/+$/, '')}.repaired`
  const dryRun = args.on('dry-run')
  const report = await run(path, () => repairStore(path, { disk: realDisk(), clock, target, dryRun }))
  const isSound = report.faults.length === 0
  if (json) await output.json(document(path, target, report))
  else await tell(context, path, target, report)
  return isSound || report.isWritten ? exitCodes.ok.code : exitCodes.damage.code
}

async function run(path: string, work: () => Promise<RepairReport>): Promise<RepairReport> {
  try {
    return await work()
  } catch (error) {
    if (hasCode(error, 'disk.not_found')) throw cliErrors.no_store({ path }, error)
    if (hasCode(error, 'disk.locked')) throw cliErrors.folder_in_use({ path }, error)
    throw error
  }
}

function document(path: string, target: string, report: RepairReport): object {
  const { faults, lost, batchesKept, recordsKept, isWritten } = report
  return {
    path,
    ok: faults.length === 0,
    ...(isWritten ? { repaired: target } : {}),
    faults,
    lost: lost.map((stretch) => ({
      file: stretch.file,
      offset: stretch.offset,
      bytes: stretch.bytes,
      ...(stretch.positions === undefined ? {} : { positions: stretch.positions }),
      ...(stretch.recordsSaved === undefined ? {} : { recordsSaved: stretch.recordsSaved }),
      ...(stretch.records === undefined ? {} : { records: stretch.records }),
      ...(stretch.keys?.after === undefined ? {} : { keyAfter: jsonFromBytes(stretch.keys.after) }),
      ...(stretch.keys?.before === undefined ? {} : { keyBefore: jsonFromBytes(stretch.keys.before) }),
    })),
    batchesKept,
    recordsKept,
  }
}

async function tell({ output, args }: Context, path: string, target: string, report: RepairReport): Promise<void> {
  const { faults, lost, recordsKept, isWritten } = report
  if (faults.length === 0) {
    await output.lines([
      `${output.styles.good('sound')}: ${path}, ${counted(recordsKept, 'record')}; nothing to repair`,
    ])
    return
  }
  const lines = faults.map(({ file, offset, problem }) => `${file}: damaged at byte ${offset}: ${problem}`)
  lines.push(...lost.map((stretch) => `lost: ${describe(stretch)}`))
  const kept = `${counted(recordsKept, 'record')} kept`
  if (isWritten) {
    lines.push(`repaired: ${target}, ${kept}; ${path} is as it was: move it away and ${target} into its place`)
  } else if (args.on('dry-run')) lines.push(`${kept} by a repair; nothing was written`)
  await output.lines(lines)
}

function describe({ file, offset, bytes, positions, recordsSaved, records, keys }: Lost): string {
  const parts = [`${file}, ${formatBytes(bytes)} from byte ${offset} on`]
  if (positions !== undefined) {
    parts.push(
      positions.first === positions.last
        ? `position ${positions.first}`
        : `positions ${positions.first} to ${positions.last}`,
    )
  }
  if (recordsSaved !== undefined && recordsSaved > 0) parts.push(`but for ${counted(recordsSaved, 'record')}`)
  if (records !== undefined) parts.push(counted(records, 'record'))
  if (keys?.after !== undefined) parts.push(`after the key ${shortText(keys.after)}`)
  if (keys?.before !== undefined) parts.push(`before the key ${shortText(keys.before)}`)
  return parts.join(', ')
}
