/** `orbit compact`: rewrites a folder in the order of keys, without garbage and without history. */

import { formatBytes } from '@orbitkv/base'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { openFolder } from '../targets/open-target.ts'

export async function compact(context: Context): Promise<number> {
  const { output, json } = context
  const store = await openFolder(context, 'refuse')
  try {
    const bytesBefore = store.stats().logBytes
    await store.compact()
    const bytesAfter = store.stats().logBytes
    if (json) await output.json({ path: store.path, bytesBefore, bytesAfter })
    else await output.lines([`${store.path}: ${formatBytes(bytesBefore)} before, ${formatBytes(bytesAfter)} now`])
    return exitCodes.ok.code
  } finally {
    await store.close()
  }
}
