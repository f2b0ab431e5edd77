/** The range that --prefix and the bounds ask for; scan and export share it. */

import type { Arguments } from '../args/parse.ts'
import { cliErrors } from '../errors.ts'
import { bytesFromText, type Encoding } from '../formats/encoding.ts'
import type { ScanRange } from '../targets/target.ts'

const bounds = ['gt', 'gte', 'lt', 'lte'] as const

/** Errors: `cli.flags_conflict` for a prefix with bounds, or two bounds at the same end. */
export function rangeOf(args: Arguments, encoding: Encoding): ScanRange {
  const given = bounds.filter((name) => args.text(name) !== undefined)
  const conflict =
    args.text('prefix') !== undefined && given[0] !== undefined ? (['prefix', given[0]] as const) : sameEnd(given)
  if (conflict !== undefined) throw cliErrors.flags_conflict({ first: `--${conflict[0]}`, second: `--${conflict[1]}` })
  const range: {
    prefix?: Uint8Array
    gt?: Uint8Array
    gte?: Uint8Array
    lt?: Uint8Array
    lte?: Uint8Array
    limit?: number
  } = {}
  for (const name of ['prefix', ...bounds] as const) {
    const text = args.text(name)
    if (text !== undefined) range[name] = bytesFromText(text, encoding, `--${name}`)
  }
  const limit = args.number('limit')
  if (limit !== undefined) range.limit = limit
  return range
}

function sameEnd(given: readonly string[]): readonly [string, string] | undefined {
  if (given.includes('gt') && given.includes('gte')) return ['gt', 'gte']
  return given.includes('lt') && given.includes('lte') ? ['lt', 'lte'] : undefined
}
