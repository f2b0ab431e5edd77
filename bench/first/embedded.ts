/**
 * Embedded: OrbitKV against LMDB in one process each, a million keys, everything in memory.
 *
 * Each round starts fresh processes on fresh folders; within it both sides do each step in turns, the side that
 * begins changing from round to round. Reading is measured over several passes of a round, of which the median counts, after one
 * pass that does not count. A side's memory is read right after its reads.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchOptions } from '../harness/bench.ts'
import { folderDiskBytes } from '../harness/folders.ts'
import type { ResidentMemory } from '../harness/process-facts.ts'
import type { Comparison, Figure, Findings } from '../harness/report.ts'
import { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { StepChild } from '../harness/steps.ts'
import type { LmdbWay } from './lmdb-contestant.ts'
import { batchRecords, durableGroupRecords, keyBytes, valueBytes, workloadSeed } from './workload.ts'

const part = 'embedded'
const other = 'lmdb'
const childFile = fileURLToPath(new URL('embedded-child.ts', import.meta.url))
const bars = { get: 1.5, view: 1.5, insert: 2, durable: 2 }
const passes = 2
const durableRecords = 50_000

type ChildName = 'orbit' | LmdbWay
interface Memory extends ResidentMemory {
  readonly indexBytes: number | undefined
}

export async function runEmbedded(options: BenchOptions): Promise<Findings> {
  const keys = options.keys ?? (options.quick ? 100_000 : 1_000_000)
  const rounds = options.rounds ?? (options.quick ? 2 : 5)
  const samples = new Samples()
  const settings = new Map<string, string>([
    ['keys', `${keys} of ${keyBytes} random bytes (seed ${workloadSeed}), values of ${valueBytes} bytes`],
    ['insert', `batches of ${batchRecords}, unsynced; the clock stops when a range returned every record`],
    [
      'reads',
      `all keys in one shuffled order, the key in a reused Buffer; median of ${passes} passes a round, the first one left out`,
    ],
    [
      'durable',
      `${durableRecords} new records in groups of ${durableGroupRecords}, one group after another, into the store of all keys, opened anew, and into an empty one; LMDB's better way of each round counts`,
    ],
  ])
  for (let round = 0; round < rounds; round++) {
    options.note(`embedded, round ${round + 1} of ${rounds}`)
    const folder = mkdtempSync(join(tmpdir(), 'orbit-bench-'))
    try {
      await runRound(new Round(folder, keys, round % 2 === 1), samples, settings)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return { settings: Object.fromEntries(settings), ...summarize(samples, keys) }
}

/** The processes of a round. */
class Round {
  readonly folder: string
  readonly #keys: number
  readonly #isReversed: boolean
  readonly #children = new Map<ChildName, StepChild>()

  constructor(folder: string, keys: number, isReversed: boolean) {
    this.folder = folder
    this.#keys = keys
    this.#isReversed = isReversed
  }

  /** The contestants in the order in which this round takes them. */
  inTurns<Name extends ChildName>(...names: Name[]): Name[] {
    return this.#isReversed ? names.reverse() : names
  }

  async start(name: ChildName, synced: boolean, folderName = name): Promise<void> {
    const child = new StepChild(childFile, [name, String(this.#keys)])
    this.#children.set(name, child)
    await child.run('open', { folder: join(this.folder, folderName), synced })
  }

  run<Result>(name: ChildName, step: string, argument?: unknown): Promise<Result> {
    const child = this.#children.get(name)
    if (child === undefined) throw new Error(`${name} was not started`)
    return child.run(step, argument)
  }

  async end(name: ChildName): Promise<void> {
    await this.run(name, 'close')
    await this.#children.get(name)?.end()
    this.#children.delete(name)
  }

  remove(name: ChildName): void {
    rmSync(join(this.folder, name), { recursive: true, force: true })
  }

  async endAll(): Promise<void> {
    for (const child of this.#children.values()) await child.end()
  }
}

async function runRound(round: Round, samples: Samples, settings: Map<string, string>): Promise<void> {
  try {
    await insertAndRead(round, samples, settings)
    await commitDurably(round, samples, settings, true)
    for (const name of ['orbit', 'no-write-map'] as const) round.remove(name)
    await commitDurably(round, samples, settings, false)
  } finally {
    await round.endAll()
  }
}

async function insertAndRead(round: Round, samples: Samples, settings: Map<string, string>): Promise<void> {
  for (const name of round.inTurns('orbit', 'write-map', 'no-write-map')) {
    await round.start(name, false)
    settings.set(name === 'orbit' ? 'orbitkv' : `lmdb, ${name}`, await round.run(name, 'settings'))
    samples.add(`insert ${name}`, await round.run(name, 'insert'))
    if (name === 'write-map') {
      await round.end(name)
      round.remove(name)
    }
  }
  // So that the disk's own work on what was written does not meet the reads of one side.
  execFileSync('sync', ['-f', round.folder])
  const readers = round.inTurns('orbit', 'no-write-map')
  for (const step of ['loop', 'get', 'view']) {
    const taken = new Samples()
    for (let pass = 0; pass <= passes; pass++) {
      for (const name of readers) {
        const nanoseconds = await round.run<number>(name, step)
        if (pass > 0) taken.add(name, nanoseconds)
      }
    }
    for (const name of readers) samples.add(`${step} ${name}`, median(taken.of(name)))
  }
  for (const name of readers) {
    const memory = await round.run<Memory>(name, 'memory')
    samples.add(`resident ${name}`, memory.allBytes)
    samples.add(`anonymous ${name}`, memory.anonymousBytes)
    if (memory.indexBytes !== undefined) samples.add(`index ${name}`, memory.indexBytes)
    samples.add(`disk ${name}`, folderDiskBytes(join(round.folder, name)))
    await round.end(name)
  }
}

/** `loaded`: into the stores that hold all keys; otherwise into empty ones. */
async function commitDurably(
  round: Round,
  samples: Samples,
  settings: Map<string, string>,
  loaded: boolean,
): Promise<void> {
  const what = loaded ? 'durable, loaded' : 'durable, empty'
  let lmdb = 0
  for (const name of round.inTurns('orbit', 'overlapping', 'waiting')) {
    await round.start(name, true, loaded ? loadedOf(name) : name)
    if (name !== 'orbit') settings.set(`lmdb, ${name}`, await round.run(name, 'settings'))
    const perSecond = await round.run<number>(name, 'durable', { records: durableRecords })
    await round.end(name)
    if (!loaded) round.remove(name)
    if (name === 'orbit') samples.add(`${what} orbit`, perSecond)
    else lmdb = Math.max(lmdb, perSecond)
  }
  samples.add(`${what} lmdb`, lmdb)
}

/** Where the keys of a contestant were inserted: LMDB's ways have one file format. */
function loadedOf(name: ChildName): ChildName {
  return name === 'orbit' ? name : 'no-write-map'
}

function summarize(samples: Samples, keys: number): Pick<Findings, 'comparisons' | 'figures'> {
  const compare = (
    name: string,
    of: { readonly unit: string; readonly lessIsBetter: boolean; readonly bar?: number },
    [ours, theirs]: readonly [string, string],
  ): Comparison => samples.compare({ part, name, other, ours, theirs, ...of })
  const rate = { unit: 'records/s', lessIsBetter: false }
  const time = { unit: 'ns/op', lessIsBetter: true }
  const comparisons = [
    compare('get, getBinary', { ...time, bar: bars.get }, ['get orbit', 'get no-write-map']),
    compare('view, getBinaryFast', { ...time, bar: bars.view }, ['view orbit', 'view no-write-map']),
    compare('insert', { ...rate, bar: bars.insert }, ['insert orbit', 'insert no-write-map']),
    compare('insert, LMDB with its write map', rate, ['insert orbit', 'insert write-map']),
    compare('durable, grouped by 100', { ...rate, bar: bars.durable }, [
      'durable, loaded orbit',
      'durable, loaded lmdb',
    ]),
    compare('durable, grouped by 100, into an empty store', { ...rate, bar: bars.durable }, [
      'durable, empty orbit',
      'durable, empty lmdb',
    ]),
  ]
  const figure = (name: string, unit: string, what: string, divisor: number): Figure => ({
    part,
    name,
    unit,
    ours: median(samples.of(`${what} orbit`)) / divisor,
    theirs: median(samples.of(`${what} no-write-map`)) / divisor,
    other,
  })
  const mebibyte = 2 ** 20
  const indexBytes = median(samples.of('index orbit')) / keys
  const figures = [
    figure('the loop of reads alone', 'ns/op', 'loop', 1),
    figure('resident memory', 'MiB', 'resident', mebibyte),
    figure('of it anonymous', 'MiB', 'anonymous', mebibyte),
    figure('disk', 'bytes a key', 'disk', keys),
    { part, name: 'index (LMDB: within its file)', unit: 'bytes a key', ours: indexBytes, theirs: 0, other },
  ]
  return { comparisons, figures }
}
