/** `orbit completion`: the script for a shell. */

import { completionScript, type Shell } from '../args/completion.ts'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { commands } from './catalogue.ts'

export async function completion({ args, output }: Context): Promise<number> {
  await output.text(completionScript(args.operand(0) as Shell, commands))
  return exitCodes.ok.code
}
