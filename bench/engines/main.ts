/**
 * The comparison of engines: is OrbitKV the store that a Node user would choose over LMDB, RocksDB, LevelDB and SQLite? Its bars
 * are those of the plan for the log engine.
 *
 * Parts: `core` (1 M keys, everybody does everything; most bars), `small` (100 K) and `large` (10 M) the same with less, `kinds` and
 * `sizes` other keys and values, `ordered` the index against a B+tree, then OrbitKV alone: `memory`, `reopen`, `overwrites`, `cold`.
 */

import type { Bench, BenchOptions } from '../harness/bench.ts'
import type { Findings } from '../harness/report.ts'
import { drawCharts } from './charts.ts'
import { callRoster, contestants } from './contestants/registry.ts'
import { keySeed } from './data/keys.ts'
import { documentTables } from './document.ts'
import type { PartFindings } from './findings.ts'
import { runOrdered } from './ordered.ts'
import { relateScales, runScale, type ScaleRun, type ScaleSize } from './scale.ts'
import { runCold, runMemory, runOverwrites, runReopen } from './solo.ts'
import { runKinds, runSizes } from './variety.ts'

const scales = { core: 1_000_000, small: 100_000, large: 10_000_000 } as const
const solos = {
  memory: { run: runMemory, keys: 1_000_000 },
  reopen: { run: runReopen, keys: 10_000_000 },
  overwrites: { run: runOverwrites, keys: 10_000_000 },
  // Node itself needs its part of a quarter of the data, so there is no quick way to be short of memory.
  cold: { run: runCold, keys: 3_000_000, keysMin: 2_000_000 },
} as const
const varieties = { kinds: runKinds, sizes: runSizes } as const
const orderedKeys = 1_000_000
const varietyKeys = 100_000
/** By how much a quick run is smaller, and how small it gets. */
const quickDivisor = 20
const quickKeysMin = 10_000

export const engines: Bench = {
  name: 'engines',
  question: 'the engine against LMDB, RocksDB, LevelDB and SQLite: rates, latencies, space, restart, stalls?',
  parts: [...Object.keys(scales), 'ordered', ...Object.keys(varieties), ...Object.keys(solos)],
  peers: Object.keys(contestants).filter((name) => name !== 'orbit'),
  keysMin: 5000,
  run,
  draw: drawCharts,
}

async function run(options: BenchOptions): Promise<Findings> {
  const { note, part, peers } = options
  const keysFor = (standard: number): number =>
    options.keys ?? (options.quick ? Math.max(quickKeysMin, standard / quickDivisor) : standard)
  const roundsFor = (standard: number): number => options.rounds ?? (options.quick ? 1 : standard)
  const asked = (name: string): boolean => part === undefined || part === name
  const found: PartFindings[] = []
  const needsPeers = Object.keys({ ...scales, ...varieties }).some(asked)
  const roster = needsPeers ? callRoster(peers, note) : { names: [], missing: {}, programs: {}, settings: {} }

  const runs: Partial<Record<ScaleSize['part'], ScaleRun>> = {}
  for (const [name, keys] of Object.entries(scales) as [ScaleSize['part'], number][]) {
    if (!asked(name)) continue
    const rounds = roundsFor(name === 'large' ? 1 : 3)
    runs[name] = await runScale({ part: name, keys: keysFor(keys), rounds }, roster, note)
  }
  if (runs.large !== undefined) relateScales(runs.core, runs.large)
  for (const one of Object.values(runs)) found.push(one.findings)
  found.push(documentTables(runs))
  if (asked('ordered')) {
    found.push(await runOrdered({ keys: keysFor(orderedKeys), rounds: roundsFor(1), note }))
  }
  for (const [name, runVariety] of Object.entries(varieties)) {
    if (!asked(name)) continue
    found.push(await runVariety({ keys: keysFor(varietyKeys), rounds: roundsFor(3), roster, note }))
  }
  for (const [name, solo] of Object.entries(solos)) {
    if (!asked(name)) continue
    const { keysMin = 0 } = solo as { keysMin?: number }
    found.push(await solo.run({ keys: Math.max(keysFor(solo.keys), keysMin), note }))
  }
  return {
    settings: {
      keys: `8 random bytes (seed ${keySeed}) where nothing else is said, values of 100 random bytes`,
      insert: 'batches of 1,000, unsynced; the clock stops when a range has returned every record',
      reads:
        'in one shuffled order, the key in a reused Buffer; medians of slices of which none comes twice, the first left out',
      mixed: 'single records, each write committed before the next operation; every fifth (second) operation writes',
      durable: 'one commit after another, each awaited, over keys of the loaded stores; and into empty ones',
      scans: 'from a random key on, keys and values handed out; ours and those in JavaScript as Buffers of the caller',
      ...Object.fromEntries(Object.entries(roster.settings).filter(([name]) => name.endsWith(', package'))),
      ...Object.fromEntries(Object.entries(roster.missing).map(([name, why]) => [`left out: ${name}`, why])),
      ...Object.assign({}, ...found.map(({ settings }) => settings)),
    },
    comparisons: found.flatMap(({ comparisons }) => comparisons),
    figures: [],
    limits: found.flatMap(({ limits }) => limits),
    grids: found.flatMap(({ grids }) => grids),
  }
}
