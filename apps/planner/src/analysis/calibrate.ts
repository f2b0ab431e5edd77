/**
 * What `orbit bench --json` measured, as inputs of a plan: the CPU time of a read, a write and a scanned key. The bench
 * is one process without a network, so a server's work for its protocol is not in these figures. It measures how long a
 * sync takes, not how many operations a disk can do at a time: the limits of disks and networks stay those of the kind.
 */

import type { InputFault } from '../inputs/fault.ts'
import type { Source } from '../inputs/read.ts'
import { formatQuantity } from '../model/format.ts'
import { unit } from '../model/units.ts'
import { sourceOf } from './plan.ts'

/** One event loop does the work, so an operation's CPU time is one over their rate. */
const measured: readonly { readonly input: string; readonly result: string; readonly perOperation: number }[] = [
  { input: 'cpu.seconds_per_read', result: 'get', perOperation: 1 },
  { input: 'cpu.seconds_per_write', result: 'put', perOperation: 1 },
  { input: 'cpu.seconds_per_scanned_key', result: 'range_100', perOperation: 100 },
]

export function calibration(
  document: unknown,
  origin: string,
): { readonly source: Source; readonly faults: readonly InputFault[] } {
  const results = (document as { results?: unknown } | null)?.results
  if (!Array.isArray(results)) {
    const fault = 'is not what `orbit bench --json` writes; run `orbit bench --json > bench.json`'
    return { source: sourceOf(origin, {}), faults: [{ field: 'results', value: undefined, origin, fault }] }
  }
  const faults: InputFault[] = []
  const entries: Record<string, number> = {}
  for (const { input, result, perOperation } of measured) {
    const found = results.find((one) => (one as { name?: unknown } | null)?.name === result)
    const rate = (found as { operations_per_second?: unknown } | undefined)?.operations_per_second
    if (typeof rate === 'number' && Number.isFinite(rate) && rate > 0) entries[input] = 1 / (rate * perOperation)
    else
      faults.push({
        field: `${result}.operations_per_second`,
        value: rate,
        origin,
        fault: found === undefined ? 'is missing; measure again with `orbit bench --json`' : 'must be a rate above 0',
      })
  }
  return { source: sourceOf(`${origin}${settingsText(document)}`, entries), faults }
}

/** What it was measured with, since an operation takes longer on larger values and more keys. */
function settingsText(document: unknown): string {
  const { keys, value_bytes: valueBytes } = ((document as { settings?: unknown }).settings ?? {}) as Record<
    string,
    unknown
  >
  if (typeof keys !== 'number' || typeof valueBytes !== 'number') return ''
  return ` (${formatQuantity(keys, unit('key'))}, values of ${formatQuantity(valueBytes, unit('B'))})`
}
