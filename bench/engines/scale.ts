/**
 * The parts in which everybody does everything at one number of keys: `small` (100 K), `core` (1 M, where most bars are) and `large` (10 M).
 * Keys of 8 random bytes, values of 100 that do not compress.
 */

import type { Comparison } from '../harness/report.ts'
import type { Samples } from '../harness/samples.ts'
import { contestants, type Roster } from './contestants/registry.ts'
import { medianGrid, medianOf, PartFindings } from './findings.ts'
import { type ReadStep, runTrial, type TrialPlan, type TrialResult } from './trial.ts'

export interface ScaleRun {
  readonly findings: PartFindings
  readonly samples: Samples
  readonly keys: number
  /** Ratios to peers by what was compared, for the bars that relate two scales. */
  readonly ratios: ReadonlyMap<string, number>
}

export interface ScaleSize {
  readonly part: 'small' | 'core' | 'large'
  readonly keys: number
  readonly rounds: number
}

const values = { valueBytes: 100, compressible: false }
const readSteps: readonly ReadStep[] = [
  'loop',
  'has',
  'get',
  'view',
  'get-fresh',
  'zipf-get',
  'zipf-view',
  'seek',
  'scan10',
  'scan1000',
]
/** Beyond this an insert of the largest data set ends: its rate is then what it was until there, which favours a peer. */
const insertSecondsMax = 80

export async function runScale(size: ScaleSize, roster: Roster, note: (text: string) => void): Promise<ScaleRun> {
  const { part, keys, rounds } = size
  const isLarge = part === 'large'
  const plan: TrialPlan = {
    name: part,
    workload: { kind: 'random', count: keys, ...values },
    contestants: isLarge
      ? roster.names.filter((name) => !['map', 'engine-log', 'lmdb-write-map'].includes(name))
      : roster.names,
    rounds,
    reads: Math.min(isLarge ? 400_000 : 150_000, Math.floor(keys / 5)),
    slices: isLarge ? 4 : 3,
    steps: isLarge ? ['get', 'view', 'zipf-get', 'seek', 'scan1000'] : readSteps,
    mixed: Math.min(100_000, Math.floor(keys / 5)),
    memory: true,
    ...(isLarge ? { insertSecondsMax } : {}),
    ...(part === 'core'
      ? {
          compactedSteps: ['get', 'view', 'scan1000'] as const,
          reopen: true,
          mixedSynced: Math.min(10_000, Math.floor(keys / 20)),
          durableCommits: Math.min(500, Math.floor(keys / 200)),
        }
      : {}),
  }
  const trial = await runTrial(plan, roster, note)
  const findings = new PartFindings(part)
  const ratios = compareAll(part, trial, findings, roster)
  show(plan, trial, findings)
  return { findings, samples: trial.samples, keys, ratios }
}

function peersOf(roster: Roster, ...besides: string[]): string[] {
  return Object.keys(contestants).filter((name) => {
    const isWanted = roster.names.includes(name) || roster.missing[name] !== undefined
    return contestants[name]?.isPeer === true && isWanted && !besides.includes(name)
  })
}

/** All comparisons of the part, bars first where it has them. */
function compareAll(
  part: ScaleSize['part'],
  { samples }: TrialResult,
  findings: PartFindings,
  roster: Roster,
): ReadonlyMap<string, number> {
  const ratios = new Map<string, number>()
  const compare = (
    what: string,
    unit: string,
    step: string,
    peer: string,
    more: { bar?: number; ours?: string; why?: string } = {},
  ): void => {
    const found: Comparison | undefined = findings.compare(samples, roster, { what, unit, step, peer, ...more })
    if (found !== undefined) ratios.set(`${what}, ${contestants[peer]?.title}`, found.ratio.median)
  }
  const isCore = part === 'core'
  const barOf = (bar: number): { bar?: number } => (isCore ? { bar } : {})
  const time = 'ns/op'
  const rate = 'records/s'

  compare('get', time, 'get', 'lmdb', barOf(2))
  compare('view', time, 'view', 'lmdb', barOf(2))
  compare('view', time, 'view', 'lmdb-c', barOf(1))
  compare('view', time, 'view', 'rocksdb-cpp', barOf(6))
  if (isCore) compare('view, RocksDB compacted', time, 'compacted view', 'rocksdb-cpp', { bar: 4 })
  compare('view, its get', time, 'get', 'sqlite', { ours: 'view', ...barOf(8) })
  for (const peer of peersOf(roster, 'lmdb-overlapping')) {
    compare('bulk insert', rate, 'insert', peer, isCore ? { bar: 2.5 } : part === 'large' ? { bar: 1.5 } : {})
  }
  for (const peer of peersOf(roster, 'lmdb-overlapping')) compare('mixed 80/20', time, 'mixed 80/20', peer, barOf(4))
  if (isCore) {
    for (const peer of peersOf(roster, 'lmdb-overlapping')) {
      compare('mixed 80/20, each write synced', time, 'mixed synced', peer, { bar: 1.3 })
    }
  }
  compare('scan of 1,000', 'entries/s', 'scan1000', 'lmdb', barOf(3))
  if (isCore) {
    const flareDb = 3_420_800
    limitOf(findings, samples, 'scan of 1,000, FlareDB of [3]', 'entries/s', 'scan1000 orbit', flareDb)
    const compacts = medianOf(samples, 'orbit compacts') === 1
    const notYet = 'the engine does not compact yet'
    if (compacts) {
      compare('scan of 1,000, both compacted', 'entries/s', 'compacted scan1000', 'rocksdb-cpp', { bar: 1 })
    } else {
      const name = 'scan of 1,000, both compacted, RocksDB from C++'
      findings.limit({ name, unit: 'ratio', bound: 1, isAtMost: false, why: notYet })
    }
    for (const peer of ['lmdb', 'lmdb-c']) {
      if (peersOf(roster).includes(peer)) compare('durable, by 100', rate, 'durable100', peer, { bar: 4 })
    }
    for (const peer of ['rocksdb-js', 'rocksdb-cpp']) {
      if (peersOf(roster).includes(peer)) compare('durable, by 100', rate, 'durable100', peer, { bar: 2 })
    }
  }
  return ratios
}

function limitOf(
  findings: PartFindings,
  samples: Samples,
  name: string,
  unit: string,
  sample: string,
  bound: number,
): void {
  const value = medianOf(samples, sample)
  findings.limit({ name, unit, bound, isAtMost: false, ...(value === undefined ? {} : { value }) })
}

function show(plan: TrialPlan, trial: TrialResult, findings: PartFindings): void {
  const { samples } = trial
  const { count } = plan.workload
  const mebibyte = 2 ** 20
  const names = plan.contestants
  const put = (title: string, rows: Parameters<typeof medianGrid>[2]): void => {
    const grid = medianGrid(samples, names, rows)
    if (grid.columns.length > 0) findings.grid(title, grid.columns, grid.rows)
  }
  put(`${count.toLocaleString('en-US')} random keys, nanoseconds an operation`, [
    { label: 'the loop alone', step: 'loop' },
    { label: 'has', step: 'has' },
    { label: 'get (copy)', step: 'get' },
    { label: 'view', step: 'view' },
    { label: 'get, key in a fresh Buffer', step: 'get-fresh' },
    { label: 'get, Zipf', step: 'zipf-get' },
    { label: 'view, Zipf', step: 'zipf-view' },
    { label: 'get, compacted', step: 'compacted get' },
    { label: 'view, compacted', step: 'compacted view' },
    { label: 'range seek', step: 'seek' },
    { label: 'mixed 80/20', step: 'mixed 80/20' },
    { label: 'mixed 50/50', step: 'mixed 50/50' },
    { label: 'mixed 80/20, each write synced', step: 'mixed synced' },
  ])
  put('Records or entries a second', [
    { label: 'bulk insert', step: 'insert' },
    { label: 'scan of 10', step: 'scan10' },
    { label: 'scan of 1,000', step: 'scan1000' },
    { label: 'scan of 1,000, compacted', step: 'compacted scan1000' },
    { label: 'durable, alone', step: 'durable1' },
    { label: 'durable, by 100', step: 'durable100' },
    { label: 'durable into an empty store, alone', step: 'empty durable1' },
    { label: 'durable into an empty store, by 100', step: 'empty durable100' },
  ])
  put('Space and waiting', [
    { label: 'disk, bytes a key', step: 'disk', divisor: count },
    { label: 'disk, compacted, bytes a key', step: 'compacted disk', divisor: count },
    { label: 'resident, MiB', step: 'resident', divisor: mebibyte },
    { label: 'of it anonymous, MiB', step: 'anonymous', divisor: mebibyte },
    { label: 'index, bytes a key', step: 'index', divisor: count },
    { label: 'reopen warm, s', step: 'reopen' },
    { label: 'longest stall of the bulk insert, ms', step: 'stall' },
  ])
  for (const [name, text] of Object.entries(trial.settings)) findings.settings[name] = text
  for (const name of trial.unfinished) {
    findings.settings[`${plan.name}, ${name}`] =
      `not everything was in after ${insertSecondsMax} s: its insert rate is of what was, and it took no further part`
  }
}

/** Bars that relate ten million keys to one million. */
export function relateScales(core: ScaleRun | undefined, large: ScaleRun): void {
  const { findings } = large
  if (core === undefined) {
    const why = 'needs the part core in the same run'
    findings.limit({
      name: 'ratios to peers, of those at 1 M',
      unit: 'least part kept',
      bound: 0.7,
      isAtMost: false,
      why,
    })
    findings.limit({ name: 'get, of that at 1 M', unit: 'ratio', bound: 2.5, isAtMost: true, why })
    return
  }
  for (const [what, ratio] of large.ratios) {
    const before = core.ratios.get(what)
    // Inserts at ten million have a bar of their own.
    if (before === undefined || what.startsWith('bulk insert')) continue
    findings.limit({
      name: `${what}: of its ratio at 1 M`,
      unit: 'ratio',
      value: ratio / before,
      bound: 0.7,
      isAtMost: false,
    })
  }
  for (const step of ['get', 'view']) {
    const [small, big] = [core, large].map(({ samples }) => medianOf(samples, `${step} orbit`))
    if (small === undefined || big === undefined) continue
    findings.limit({ name: `${step}, of that at 1 M`, unit: 'ratio', value: big / small, bound: 2.5, isAtMost: true })
  }
}
