/**
 * A trial: some contestants, one workload, and the steps that all of them do in turns, in rounds of fresh processes on fresh folders.
 *
 * Who begins changes from round to round. Reading steps run in slices of the order of access, none of which comes twice in a
 * round, so that no contestant reads what its last pass brought near; the first slice does not count. What steps added up must be the
 * same for everybody: a contestant that answers with other data ends the bench.
 */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderDiskBytes } from '../harness/folders.ts'
import { LineChild } from '../harness/line-child.ts'
import { residentMemory } from '../harness/process-facts.ts'
import { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { StepChild } from '../harness/steps.ts'
import type { Way } from './contestants/contestant.ts'
import { contestants, type Roster } from './contestants/registry.ts'
import { type WorkloadPlan, writeWorkload } from './data/workload.ts'

const childFile = fileURLToPath(new URL('child.ts', import.meta.url))
/** Ten million strings and their Map need more than Node's own limit. */
const nodeFlags = ['--max-old-space-size=8192']
/** Of the slice that does not count, at least: code is compiled by then, also where there are few keys. */
const warmUpReads = 40_000
const stepDeadlineMs = 20 * 60_000

/** Steps that read and change nothing. Lengths are of one slice; all are of the plan's `reads`. */
const readSteps = {
  loop: { share: 1 },
  has: { share: 1 },
  get: { share: 1 },
  view: { share: 1 },
  'get-fresh': { share: 1 },
  'get-text': { share: 1 },
  'zipf-get': { share: 1 },
  'zipf-view': { share: 1 },
  seek: { share: 0.2 },
  scan10: { share: 0.1, limit: 10 },
  scan1000: { share: 0.002, limit: 1000 },
} as const satisfies Record<string, { readonly share: number; readonly limit?: number }>
export type ReadStep = keyof typeof readSteps

export interface TrialPlan {
  readonly name: string
  readonly workload: WorkloadPlan
  readonly contestants: readonly string[]
  readonly rounds: number
  /** Reads in a slice. */
  readonly reads: number
  readonly slices: number
  readonly steps: readonly ReadStep[]
  /** Read again after compaction, by those that compact. */
  readonly compactedSteps?: readonly ReadStep[]
  /** Operations of each mix. */
  readonly mixed?: number
  /** The same with each write on the disk. */
  readonly mixedSynced?: number
  /** Commits of a single record, and of a hundred. */
  readonly durableCommits?: number
  readonly memory?: boolean
  readonly reopen?: boolean
  /** A contestant's insert ends after this long; its rate is of what is in by then, and it takes no further part. */
  readonly insertSecondsMax?: number
}

/** What a contestant cannot do, or is not asked to. */
function takesPart(name: string, step: string): boolean {
  if (name === 'lmdb-write-map') return step === 'insert'
  if (name === 'lmdb-overlapping') return step === 'durable1' || step === 'durable100'
  const isNative = contestants[name]?.program !== undefined
  switch (step) {
    case 'has':
      return name === 'orbit'
    case 'loop':
      return name === 'orbit' || name === 'lmdb-c'
    case 'view':
    case 'zipf-view':
      return !['level', 'sqlite', 'rocksdb-js'].includes(name)
    case 'get-fresh':
      return !isNative
    case 'get-text':
      return !isNative && name !== 'engine-log'
    case 'seek':
    case 'scan10':
    case 'scan1000':
    case 'disk':
    case 'reopen':
    case 'mixed synced':
    case 'durable1':
    case 'durable100':
      return name !== 'map'
    case 'compact':
      return ['orbit', 'rocksdb-cpp', 'level'].includes(name)
    default:
      return true
  }
}

/** One contestant's process, whatever its language. */
export interface Runner {
  readonly pid: number
  run(step: string, ...args: (string | number)[]): Promise<number[]>
  settings(): Promise<string>
  end(): Promise<void>
}

export function startRunner(roster: Roster, name: string, workloadFolder: string): Runner {
  const program = roster.programs[name]
  if (program !== undefined) {
    const child = new LineChild(program, [workloadFolder])
    return {
      pid: child.pid,
      run: (step, ...args) => child.run(step, args, stepDeadlineMs),
      settings: async () => roster.settings[name] ?? '',
      end: () => child.end(),
    }
  }
  const child = new StepChild(childFile, [name, workloadFolder], nodeFlags)
  return {
    pid: child.pid,
    run: (step, ...args) => child.run<number[]>(step, args, stepDeadlineMs),
    settings: () => child.run<string>('settings'),
    end: () => child.end(),
  }
}

export interface TrialResult {
  readonly samples: Samples
  readonly settings: Readonly<Record<string, string>>
  /** Who did not get everything in, in the time there was. */
  readonly unfinished: ReadonlySet<string>
}

export async function runTrial(plan: TrialPlan, roster: Roster, note: (text: string) => void): Promise<TrialResult> {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-bench-'))
  const trial = new Trial(plan, roster, folder)
  try {
    const workloadFolder = join(folder, 'workload')
    mkdirSync(workloadFolder)
    writeWorkload(workloadFolder, plan.workload)
    for (let round = 0; round < plan.rounds; round++) {
      await trial.round(round, note)
    }
    return trial
  } finally {
    await trial.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

class Trial implements TrialResult {
  readonly samples = new Samples()
  readonly settings: Record<string, string> = {}
  readonly unfinished = new Set<string>()
  readonly #plan: TrialPlan
  readonly #roster: Roster
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #runners = new Map<string, Runner>()
  #round = 0
  /** The next place in the order of access. */
  #place = 0
  #version = 0

  constructor(plan: TrialPlan, roster: Roster, folder: string) {
    this.#plan = plan
    this.#roster = roster
    this.#folder = folder
    this.#names = plan.contestants.filter((name) => roster.names.includes(name))
  }

  async round(round: number, note: (text: string) => void): Promise<void> {
    this.#round = round
    this.#place = 0
    this.#version = 0
    const { mixed, mixedSynced, durableCommits, memory, reopen, compactedSteps = [] } = this.#plan
    const tell = (what: string): void => note(`${this.#plan.name}, round ${round + 1} of ${this.#plan.rounds}: ${what}`)
    tell('insert')
    await this.#insert()
    for (const step of this.#plan.steps) {
      tell(step)
      await this.#read(step, step, this.#alive(step))
    }
    if (memory === true) await this.#measureSizes()
    if (mixed !== undefined) {
      tell('mixed')
      await this.#mix('mixed 80/20', mixed, 5)
      await this.#mix('mixed 50/50', mixed, 2)
    }
    if (compactedSteps.length > 0) {
      tell('compaction, and reads after it')
      await this.#readCompacted(compactedSteps)
    }
    if (reopen === true || mixedSynced !== undefined)
      await this.#reopen(mixedSynced === undefined ? 'unsynced' : 'synced')
    if (mixedSynced !== undefined) {
      tell('mixed, synced')
      await this.#mix('mixed synced', mixedSynced, 5)
    }
    if (durableCommits !== undefined) {
      tell('durable writes into the loaded stores')
      const names = this.#alive('durable100')
      for (const name of names) await this.#commitDurably(name, 'durable', durableCommits)
    }
    await this.end()
    this.#clear()
    if (durableCommits !== undefined) {
      tell('durable writes into empty stores')
      for (const name of this.#inTurns(this.#names.filter((name) => takesPart(name, 'durable1')))) {
        await this.#start(name, 'synced')
        await this.#commitDurably(name, 'empty durable', durableCommits)
        await this.#drop(name)
      }
    }
  }

  async end(): Promise<void> {
    for (const [name, runner] of this.#runners) {
      this.#runners.delete(name)
      await runner.end()
    }
  }

  #clear(): void {
    for (const name of this.#names) rmSync(this.#folderOf(name), { recursive: true, force: true })
  }

  #folderOf(name: string): string {
    return join(this.#folder, name)
  }

  /** In the order in which this round takes them. */
  #inTurns(names: readonly string[]): readonly string[] {
    return this.#round % 2 === 0 ? names : names.toReversed()
  }

  /** Those that are running, have everything in, and take part. */
  #alive(step: string): readonly string[] {
    const names = this.#names.filter((name) => this.#runners.has(name) && !this.unfinished.has(name))
    return this.#inTurns(names.filter((name) => takesPart(name, step)))
  }

  async #start(name: string, way: Way): Promise<Runner> {
    const runner = startRunner(this.#roster, name, join(this.#folder, 'workload'))
    this.#runners.set(name, runner)
    const path = this.#folderOf(name)
    mkdirSync(path, { recursive: true })
    await runner.run('open', path, way)
    this.settings[name] ??= await runner.settings()
    return runner
  }

  #runner(name: string): Runner {
    const runner = this.#runners.get(name)
    if (runner === undefined) throw new Error(`${name} was not started`)
    return runner
  }

  async #insert(): Promise<void> {
    const { workload, insertSecondsMax = 3600 } = this.#plan
    for (const name of this.#inTurns(this.#names.filter((one) => takesPart(one, 'insert')))) {
      const runner = await this.#start(name, 'unsynced')
      const [seconds = 0, records = 0, stallMs = 0] = await runner.run('insert', 0, workload.count, insertSecondsMax, 0)
      this.samples.add(`insert ${name}`, records / seconds)
      this.samples.add(`stall ${name}`, stallMs)
      if (records < workload.count) this.unfinished.add(name)
      if (records < workload.count || !takesPart(name, 'get')) await this.#drop(name)
    }
    // So that the disk's own work on what was written does not meet the reads of one side.
    execFileSync('sync', ['-f', this.#folder])
  }

  async #drop(name: string): Promise<void> {
    await this.#runner(name).end()
    this.#runners.delete(name)
    rmSync(this.#folderOf(name), { recursive: true, force: true })
  }

  /** Adds each contestant's median over the slices as `label NAME`. */
  async #read(step: ReadStep, label: string, names: readonly string[]): Promise<void> {
    const { reads, slices, workload } = this.#plan
    const { share, limit } = readSteps[step] as { share: number; limit?: number }
    const count = Math.max(1, Math.min(Math.round(reads * share), Math.floor(workload.count / (slices + 1))))
    const taken = new Samples()
    const asked = limit === undefined ? step : 'scan'
    for (let slice = 0; slice <= slices; slice++) {
      const length = slice === 0 ? Math.max(count, Math.round(warmUpReads * share)) : count
      const args = [this.#place, length, ...(limit === undefined ? [] : [limit])]
      this.#place = (this.#place + length) % workload.count
      const sums = new Map<string, number>()
      for (const name of names) {
        const [figure = 0, sum = 0] = await this.#runner(name).run(asked, ...args)
        sums.set(name, sum)
        if (slice > 0) taken.add(name, figure)
      }
      if (step !== 'has') assertSame(step, sums)
    }
    for (const name of names) this.samples.add(`${label} ${name}`, median(taken.of(name)))
  }

  async #measureSizes(): Promise<void> {
    for (const name of this.#alive('memory')) {
      const { allBytes, anonymousBytes } = residentMemory(this.#runner(name).pid)
      this.samples.add(`resident ${name}`, allBytes)
      this.samples.add(`anonymous ${name}`, anonymousBytes)
      if (takesPart(name, 'disk')) this.samples.add(`disk ${name}`, folderDiskBytes(this.#folderOf(name)))
    }
    for (const name of this.#alive('index')) {
      if (contestants[name]?.make === undefined) continue
      const [bytes = 0] = await this.#runner(name).run('index')
      if (bytes > 0) this.samples.add(`index ${name}`, bytes)
    }
  }

  async #mix(label: string, count: number, every: number): Promise<void> {
    const { workload } = this.#plan
    const version = ++this.#version
    const from = this.#place
    this.#place = (this.#place + count) % workload.count
    const sums = new Map<string, number>()
    for (const name of this.#alive(label)) {
      const [nanoseconds = 0, sum = 0] = await this.#runner(name).run('mixed', from, count, every, version)
      sums.set(name, sum)
      this.samples.add(`${label} ${name}`, nanoseconds)
    }
    assertSame(label, sums)
  }

  async #readCompacted(steps: readonly ReadStep[]): Promise<void> {
    const compacted: string[] = []
    for (const name of this.#alive('compact')) {
      const [isDone = 0, seconds = 0] = await this.#runner(name).run('compact')
      if (isDone === 0) continue
      compacted.push(name)
      this.samples.add(`compacting ${name}`, seconds)
      this.samples.add(`compacted disk ${name}`, folderDiskBytes(this.#folderOf(name)))
    }
    for (const step of steps) {
      // Who does not compact reads along as it is, so that every ratio is of one moment.
      const readers = this.#alive(step).filter((name) => name === 'orbit' || compacted.includes(name))
      await this.#read(step, `compacted ${step}`, readers)
    }
    this.samples.add('orbit compacts', compacted.includes('orbit') ? 1 : 0)
  }

  /** Closes and opens again, warm, in the same process. */
  async #reopen(way: Way): Promise<void> {
    for (const name of this.#alive('reopen')) {
      await this.#runner(name).run('close')
      const [seconds = 0] = await this.#runner(name).run('reopen', this.#folderOf(name), way)
      this.samples.add(`reopen ${name}`, seconds)
    }
    // A Map keeps nothing: it is not there any more.
    await this.#dropWhere((name) => !takesPart(name, 'reopen'))
  }

  async #dropWhere(isGone: (name: string) => boolean): Promise<void> {
    for (const name of [...this.#runners.keys()]) if (isGone(name)) await this.#drop(name)
  }

  /** A hundred at a time and one at a time, each commit awaited before the next. */
  async #commitDurably(name: string, what: string, commits: number): Promise<void> {
    const runner = this.#runner(name)
    const grouped = await runner.run('durable', 0, commits * 100, 100, ++this.#version)
    this.samples.add(`${what}100 ${name}`, grouped[0] as number)
    const alone = await runner.run('durable', 0, commits, 1, ++this.#version)
    this.samples.add(`${what}1 ${name}`, alone[0] as number)
  }
}

function assertSame(step: string, sums: ReadonlyMap<string, number>): void {
  if (new Set(sums.values()).size > 1) {
    throw new Error(`${step}: contestants read different data: ${JSON.stringify(Object.fromEntries(sums))}`)
  }
}
