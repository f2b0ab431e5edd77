/**
 * The first bench: does a store that runs also run fast? Its bars are the ones under "Speed and memory" of the plan for the
 * first release: embedded against LMDB, served against Redis.
 */

import type { Bench } from '../harness/bench.ts'
import type { Findings } from '../harness/report.ts'
import { runEmbedded } from './embedded.ts'
import { runRedis } from './redis.ts'

const parts = { embedded: runEmbedded, redis: runRedis }

export const first: Bench = {
  name: 'first',
  question: 'embedded against LMDB and served against Redis: how fast, at what memory?',
  parts: Object.keys(parts),
  keysMin: 10_000,
  async run(options): Promise<Findings> {
    const found: Findings[] = []
    for (const [name, run] of Object.entries(parts)) {
      if (options.part === undefined || options.part === name) found.push(await run(options))
    }
    return {
      settings: Object.assign({}, ...found.map(({ settings }) => settings)),
      comparisons: found.flatMap(({ comparisons }) => comparisons),
      figures: found.flatMap(({ figures }) => figures),
    }
  },
}
