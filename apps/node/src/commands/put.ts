/** `orbit put`: a value under a key, from the command line or from standard input. */

import { valueBytesMaxMax } from '@orbitkv/engine'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { bytesFromText, encodingOf, jsonFromBytes } from '../formats/encoding.ts'
import { withTarget } from '../targets/open-target.ts'
import { shortText } from '../terminal/text.ts'

export async function put(context: Context): Promise<number> {
  const { args, output, json } = context
  const encoding = encodingOf(args)
  const key = bytesFromText(args.operand(0) as string, encoding, 'KEY')
  const given = args.operands[1]
  const fromInput = given?.text === '-' && !given.literal
  const value = fromInput ? await readAll(context.input) : bytesFromText(args.operand(1) as string, encoding, 'VALUE')
  const revision = await withTarget(context, 'create', (target) => target.put(key, value, args.number('ttl')))
  if (json)
    await output.json({ key: jsonFromBytes(key), bytes: value.length, ...(revision === undefined ? {} : { revision }) })
  else await output.lines([`stored ${shortText(key)}`])
  return exitCodes.ok.code
}

/** All of standard input, up to what the largest value may have. */
async function readAll(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > valueBytesMaxMax) throw cliErrors.input_too_large({ bytesMax: valueBytesMaxMax })
  }
  return Buffer.concat(chunks)
}
