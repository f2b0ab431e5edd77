/** `orbit get`: the value of a key. */

import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { bytesFromText, encodingOf, jsonFromBytes, textFromBytes } from '../formats/encoding.ts'
import { withTarget } from '../targets/open-target.ts'
import { shortText } from '../terminal/text.ts'

export async function get(context: Context): Promise<number> {
  const { args, output, json } = context
  const encoding = encodingOf(args)
  const key = bytesFromText(args.operand(0) as string, encoding, 'KEY')
  const value = await withTarget(context, 'refuse', (target) => target.get(key))
  if (json) {
    await output.json({
      key: jsonFromBytes(key),
      found: value !== undefined,
      ...(value === undefined ? {} : { value: jsonFromBytes(value) }),
    })
    return value === undefined ? exitCodes.notFound.code : exitCodes.ok.code
  }
  if (value === undefined) throw cliErrors.not_found({ key: shortText(key) })
  if (args.on('raw') || (encoding === 'text' && !output.isTerminal)) await output.bytes(value)
  else await output.lines([textFromBytes(value, encoding, true)])
  return exitCodes.ok.code
}
