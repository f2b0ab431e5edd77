/**
 * How well does a store in cache mode choose what goes? `node tools/run.mjs bench/questions/cache.ts [trace …]`
 *
 * The hit rate of each policy on each recorded trace, for caches of 1, 5, 20 and 50 % of the trace's distinct keys, beside exact LRU and the
 * optimum of who knows the future. The bar: `lru` is at most one point below exact LRU. docs/cache.md has the table.
 * `ttl` is given keys that all live equally long, so it is first in, first out.
 */

import { exactLruHits, optimalHits } from '../cache/reference.ts'
import { replay } from '../cache/replay.ts'
import { readTrace, traceFiles } from '../cache/traces.ts'
import { formatTable } from '../harness/table.ts'

const shares = [0.01, 0.05, 0.2, 0.5]
const policies = ['lru', 'w-tinylfu', 'lfu', 'ttl'] as const
const barPoints = 1

const wanted = process.argv.slice(2)
const files = traceFiles().filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
if (files.length === 0) console.log('there are no traces beside the repository')
const rows: string[][] = []
let worstPoints = Number.NEGATIVE_INFINITY
for (const file of files) {
  const trace = readTrace(file)
  const { accesses, distinct, name } = trace
  const rate = (hits: number): string => ((100 * hits) / accesses.length).toFixed(1)
  for (const share of shares) {
    const entriesMax = Math.max(Math.round(share * distinct), 1)
    const exact = exactLruHits(trace, entriesMax)
    const hits: number[] = []
    for (const policy of policies) hits.push(await replay(trace, policy, entriesMax))
    worstPoints = Math.max(worstPoints, (100 * (exact - (hits[0] as number))) / accesses.length)
    const size = `${100 * share} %`
    rows.push([name, size, String(entriesMax), rate(exact), ...hits.map(rate), rate(optimalHits(trace, entriesMax))])
  }
}
const columns = ['trace', 'cache', 'entries', 'exact LRU', ...policies, 'optimum']
console.log(formatTable({ columns, numeric: columns.map((_, column) => column > 0), rows }))
console.log(
  `lru is at most ${worstPoints.toFixed(2)} points below exact LRU: the bar of ${barPoints} ${worstPoints <= barPoints ? 'holds' : 'does not hold'}`,
)
if (worstPoints > barPoints) process.exitCode = 1
