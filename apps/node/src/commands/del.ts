/** `orbit del`: deletes keys. */

import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { bytesFromText, encodingOf, jsonFromBytes } from '../formats/encoding.ts'
import { withTarget } from '../targets/open-target.ts'
import { thousands } from '../terminal/text.ts'

export async function del(context: Context): Promise<number> {
  const { args, output, json } = context
  const encoding = encodingOf(args)
  const keys = args.operands.map(({ text }) => bytesFromText(text, encoding, 'KEY'))
  const deleted = await withTarget(context, 'refuse', (target) => target.delete(keys))
  const count = deleted.filter(Boolean).length
  if (json) {
    await output.json({
      deleted: count,
      keys: keys.map((key, index) => ({ key: jsonFromBytes(key), deleted: deleted[index] })),
    })
  } else {
    await output.lines([`deleted ${thousands(count)} of ${thousands(keys.length)}`])
  }
  return exitCodes.ok.code
}
