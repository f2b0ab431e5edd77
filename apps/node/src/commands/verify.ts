/** `orbit verify`: checks every byte of a folder. */

import { formatBytes } from '@orbitkv/base'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { openFolder } from '../targets/open-target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted, thousands } from '../terminal/text.ts'

export async function verify(context: Context): Promise<number> {
  const { output, json, clock } = context
  const store = await openFolder(context, 'refuse')
  try {
    const progress = new Progress({
      surface: context.progress,
      clock,
      label: `checking ${store.path}`,
      unit: 'bytes',
      total: store.stats().logBytes,
    })
    const report = await store.verify((bytesDone) => progress.update(bytesDone, bytesDone))
    progress.finish()
    const { faults, batchesChecked, recordsChecked, bytesChecked } = report
    if (json) {
      await output.json({
        path: store.path,
        ok: faults.length === 0,
        faults,
        batchesChecked,
        recordsChecked,
        bytesChecked,
      })
      return faults.length === 0 ? exitCodes.ok.code : exitCodes.damage.code
    }
    for (const { file, offset, problem } of faults) output.add(`${file}: damaged at byte ${offset}: ${problem}\n`)
    const checked = `${counted(recordsChecked, 'record')} in ${thousands(batchesChecked)} ${batchesChecked === 1 ? 'batch' : 'batches'}, ${formatBytes(bytesChecked)}`
    if (faults.length > 0) {
      await output.flush()
      throw cliErrors.damage_found({ faults: faults.length, path: store.path })
    }
    await output.lines([`${output.styles.good('sound')}: ${store.path}, ${checked}`])
    return exitCodes.ok.code
  } finally {
    await store.close()
  }
}
