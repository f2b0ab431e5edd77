/** `orbit restore`: makes a store of a backup, and opens it once, so that it is known to be one. */

import { type Moment, restore as restoreBackup } from '@orbitkv/backup'
import { formatBytes } from '@orbitkv/base'
import { realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { openVault } from '../backup/place.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { openFolder } from '../targets/open-target.ts'
import { counted, thousands } from '../terminal/text.ts'
import { byteProgress, staysAlive } from './backup.ts'

export async function restore(context: Context): Promise<number> {
  const { args, config, clock, output, json } = context
  if (config.text('persistence.backend') === 'memory') throw cliErrors.memory_backend()
  const path = config.text('persistence.mmap.data_dir')
  const moment = momentOf(args.text('at'))
  const vault = await openVault(context, '--from')
  const startedMs = clock.monotonic()
  try {
    const storeId = args.text('store')
    const progress = byteProgress(context, `restoring ${path}`)
    const report = await staysAlive(() =>
      restoreBackup({
        vault,
        disk: realDisk(),
        clock,
        randomUint32: realRandomUint32,
        path,
        moment,
        ...(storeId === undefined ? {} : { storeId }),
        progress: (done, total) => progress.update(done, total),
      }),
    )
    progress.finish()
    const keys = await countKeys(context)
    const { revision, time, revisionNext, bytes, files } = report
    const at = time === 0 ? null : new Date(time).toISOString()
    if (json) {
      const seconds = (clock.monotonic() - startedMs) / 1000
      const stores = { from: report.sourceId, store: report.storeId }
      await output.json({
        path,
        target: vault.where,
        ...stores,
        revision,
        time: at,
        revisionNext,
        keys,
        bytes,
        files,
        seconds,
      })
    } else {
      const state = `revision ${thousands(revision)}${at === null ? '' : ` of ${at}`}`
      await output.lines([
        `${output.styles.good('restored')}: ${path} from ${vault.where}, ${state}, ${counted(keys, 'key')}, ${formatBytes(bytes)}; it goes on from revision ${thousands(revisionNext)}`,
      ])
    }
    return exitCodes.ok.code
  } finally {
    vault.objects.close()
  }
}

/** Opening reads and checks all of it. */
async function countKeys(context: Context): Promise<number> {
  const store = await openFolder(context, 'refuse')
  try {
    const { keysLive, details } = store.stats()
    const { readOnly = '' } = details
    if (readOnly !== '') throw cliErrors.restored_damaged({ path: store.path, reason: String(readOnly) })
    return keysLive
  } finally {
    await store.close()
  }
}

/** A revision is a number; a time says its zone, since a guess would restore the wrong state. */
function momentOf(given: string | undefined): Moment {
  if (given === undefined) return undefined
  if (/^\d{1,15}$/.test(given)) return { revision: Number(given) }
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(given)
  const time = isTime ? Date.parse(given) : Number.NaN
  if (Number.isNaN(time)) throw cliErrors.bad_moment({ given })
  return { time }
}
