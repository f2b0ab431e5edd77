/** `orbit scan`: entries in key order, a line each. */

import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { encodingOf, jsonFromBytes, textFromBytes } from '../formats/encoding.ts'
import { withTarget } from '../targets/open-target.ts'
import { rangeOf } from './range-flags.ts'

export async function scan(context: Context): Promise<number> {
  const { args, output, json } = context
  const encoding = encodingOf(args)
  const keysOnly = args.on('keys-only')
  const range = { ...rangeOf(args, encoding), reverse: args.on('reverse'), keysOnly }
  await withTarget(context, 'refuse', async (target) => {
    for await (const page of target.pages(range)) {
      for (const { key, value } of page) {
        const line = json
          ? JSON.stringify({ key: jsonFromBytes(key), ...(keysOnly ? {} : { value: jsonFromBytes(value) }) })
          : keysOnly
            ? textFromBytes(key, encoding)
            : `${textFromBytes(key, encoding)}\t${textFromBytes(value, encoding)}`
        if (output.add(`${line}\n`)) await output.flush()
      }
    }
    await output.flush()
  })
  return exitCodes.ok.code
}
