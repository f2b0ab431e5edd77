/**
 * The bench of the store: transactions, watches, leases and backup, each against its bar under "Speed" of the plan for the store. The
 * parts run one after the other, each in a process of its own, so that none has the heap and the compiled code of another.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchOptions } from '../harness/bench.ts'
import type { Findings } from '../harness/report.ts'
import { StepChild } from '../harness/steps.ts'
import { keyBytes, seed, valueBytes } from './data.ts'
import type { Part, PartFindings, PartOptions } from './part.ts'
import { parts } from './parts.ts'

const keysStandard = 1_000_000
const keysQuick = 50_000
/** No part takes half of it on the machine of docs/performance.md. */
const partDeadlineMs = 300_000
const childFile = fileURLToPath(new URL('part-child.ts', import.meta.url))

export const store: Bench = {
  name: 'store',
  question: 'transactions against SQLite and LMDB; what the store costs over its engine; watches, leases, backup',
  parts: Object.keys(parts),
  keysMin: 20_000,
  async run(options: BenchOptions): Promise<Findings> {
    const keys = options.keys ?? (options.quick ? keysQuick : keysStandard)
    const found: PartFindings[] = []
    for (const [name, part] of Object.entries<Part>(parts)) {
      if (options.part !== undefined && options.part !== name) continue
      options.note(`store, ${name}`)
      const rounds = options.rounds ?? (options.quick ? part.quickRounds : part.rounds)
      found.push(await runApart(name, { keys, rounds }))
    }
    return {
      settings: Object.assign(
        { keys: `${keys} of ${keyBytes} random bytes (seed ${seed}), values of ${valueBytes} bytes` },
        ...found.map(({ settings }) => settings),
      ),
      comparisons: found.flatMap(({ comparisons = [] }) => comparisons),
      figures: [],
      limits: found.flatMap(({ limits = [] }) => limits),
      grids: found.flatMap(({ grids = [] }) => grids),
    }
  },
}

async function runApart(name: string, options: Omit<PartOptions, 'folder'>): Promise<PartFindings> {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-store-'))
  const child = new StepChild(childFile, [name], ['--expose-gc'])
  try {
    return await child.run<PartFindings>('run', { ...options, folder }, partDeadlineMs)
  } finally {
    await child.end()
    rmSync(folder, { recursive: true, force: true })
  }
}
