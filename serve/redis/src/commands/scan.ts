/** Cursors as clients send them. */

import { type Call, CommandError } from './command.ts'

export function readCursor(call: Call, place: number): number {
  const text = call.arguments.text(place)
  if (text === '') return 0
  if (!/^[+-]?\d+$/.test(text) || BigInt(text) > 2n ** 64n - 1n) throw new CommandError('ERR invalid cursor')
  return Number(text)
}
