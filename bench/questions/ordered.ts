/**
 * Is the learned index at least as fast as a B+tree on the same arrays, on every kind of key?
 * `node tools/run.mjs bench/questions/ordered.ts [--keys 100000,1000000] [--kinds random,uuid] [--memory]`
 *
 * Both hold the same keys of the same log and take turns within one process, a process for each kind and size. Times are
 * nanoseconds an operation; a ratio above 1 means that the learned index is faster. insert is a find that fails and the
 * insert; find is of keys that are there, seek of keys that are not; scan is 100 entries from a place. `--memory` follows
 * bytes a key while random keys grow from 1 to 2 million, and the longest single insert.
 */

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Random } from '@orbitkv/base'
import { LearnedIndex } from '@orbitkv/engine-log'
import { formatTable } from '../harness/table.ts'
import { BPlusTree } from '../ordered/btree.ts'
import { KeyLog, type KeySource, keyKinds } from '../ordered/keys.ts'
import { type Contestant, scanEntries } from '../ordered/loops.ts'
import { Probes } from '../ordered/probes.ts'

/** The loops of each contestant: the learned index and the B+tree. */
const loops = (await Promise.all(
  ['learned', 'btree'].map((contestant) => import(`../ordered/loops.ts?${contestant}`)),
)) as typeof import('../ordered/loops.ts')[]

const work = ['insert', 'find', 'seek', 'scan'] as const
type Work = (typeof work)[number]

interface Cell {
  readonly kind: string
  readonly keys: number
  /** Nanoseconds an operation of the learned index and of the B+tree. */
  readonly times: Readonly<Record<Work, readonly number[]>>
  readonly bytes: readonly [number, number]
  readonly shape: string
}

const probesARound = 50_000
const rounds = 16
/** Inserted into indexes of their own beforehand, so that nothing is measured while it is being compiled. */
const warmKeys = 300_000
/** Keys that one inserts before it is the other's turn: some milliseconds, which the system's clock of a thread can tell. */
const slice = 20_000
const insertionsMin = 2_000_000

let kept = 0

/** Nanoseconds of this thread, which what else the machine does is no part of. */
function timed(run: () => number): number {
  const start = process.threadCpuUsage()
  kept += run()
  const { user, system } = process.threadCpuUsage(start)
  return (user + system) * 1000
}

function measure(kindName: string, countWanted: number): Cell {
  const kind = keyKinds.find(({ name }) => name === kindName)
  if (kind === undefined) throw new Error(`no kind ${kindName}`)
  const made = Math.min(countWanted + (countWanted >>> 4), kind.keysMax ?? Number.POSITIVE_INFINITY)
  const count = made - Math.ceil(made / 17)
  const all = Probes.made(made, kind.make(made))
  const order = new Uint32Array(made).map((_, i) => i)
  const random = new Random(7)
  if (!kind.inOrder) for (let i = order.length - 1; i > 0; i--) swap(order, i, random.below(i + 1))
  // Of keys in order every 17th is left out, to be sought.
  const isAbsent = (place: number): boolean => (kind.inOrder ? place % 17 === 16 : place >= count)
  const present = order.filter((_, place) => !isAbsent(place))
  const absent = order.filter((_, place) => isAbsent(place))

  const keys = Probes.of(all, present.length, (i) => present[i] as number)
  for (let warmed = 0; warmed < warmKeys; warmed += keys.count) insertBoth(keys, Math.min(keys.count, warmKeys))
  const { contestants, inserted } = insertBoth(keys, keys.count)
  let insertions = keys.count
  // A few keys are inserted in no time: once more, into indexes of their own, until the time says something.
  for (; insertions < insertionsMin; insertions += keys.count) {
    insertBoth(keys, keys.count).inserted.forEach((nanoseconds, i) => {
      inserted[i] = (inserted[i] as number) + nanoseconds
    })
  }
  const pickFrom = (from: Uint32Array): Probes =>
    Probes.of(all, 2 * rounds * probesARound, () => from[random.below(from.length)] as number)
  const probed = pickFrom(present)
  const sought = pickFrom(absent)
  const times = { find: [0, 0], seek: [0, 0], scan: [0, 0] }
  for (const [name, probes, run, share] of [
    ['find', probed, 'findAll', 1],
    ['seek', sought, 'findAll', 1],
    ['scan', sought, 'scanAll', 4],
  ] as const) {
    const operations = probesARound / share
    for (let round = 0; round < rounds; round++) {
      for (const turn of [round & 1, 1 - (round & 1)] as const) {
        const from = (2 * round + turn) * probesARound
        const runAll = (loops[turn] as (typeof loops)[number])[run]
        const nanoseconds = timed(() => runAll(contestants[turn as 0 | 1], probes, from, operations))
        const perOperation = nanoseconds / operations / rounds / (name === 'scan' ? scanEntries : 1)
        times[name][turn] = (times[name][turn] as number) + perOperation
      }
    }
  }
  return {
    kind: kindName,
    keys: keys.count,
    times: {
      insert: [(inserted[0] as number) / insertions, (inserted[1] as number) / insertions],
      ...times,
    },
    bytes: [contestants[0].bytes / keys.count, contestants[1].bytes / keys.count],
    shape: JSON.stringify(contestants[0].shape(Number.POSITIVE_INFINITY)),
  }
}

/** Inserts the first keys into one index of each kind, a slice at a time in turns. */
function insertBoth(keys: Probes, count: number): { contestants: [LearnedIndex, BPlusTree]; inserted: number[] } {
  const log = new KeyLog()
  const places = new Uint32Array(2 * count)
  for (let i = 0; i < count; i++) {
    log.add(keys.bytes, keys.ends[i] as number, keys.ends[i + 1] as number)
    places[2 * i] = log.segment
    places[2 * i + 1] = log.offset8
  }
  const contestants: [LearnedIndex, BPlusTree] = [new LearnedIndex(log), new BPlusTree(log)]
  const inserted = [0, 0]
  for (let from = 0; from < count; from += slice) {
    const to = Math.min(from + slice, count)
    const first = (from / slice) & 1
    for (const turn of [first, 1 - first] as const) {
      const { insertAll } = loops[turn] as (typeof loops)[number]
      const nanoseconds = timed(() => insertAll(contestants[turn as 0 | 1], keys, places, from, to))
      inserted[turn] = (inserted[turn] as number) + nanoseconds
    }
  }
  return { contestants, inserted }
}

function swap(array: Uint32Array, a: number, b: number): void {
  const kept = array[a] as number
  array[a] = array[b] as number
  array[b] = kept
}

function memory(): void {
  const million = 1_000_000
  for (const [name, make] of [
    ['learned', (keys: KeySource) => new LearnedIndex(keys)],
    ['B+tree', (keys: KeySource) => new BPlusTree(keys)],
  ] as const) {
    const random = new Random(42)
    const log = new KeyLog()
    const index: Contestant = make(log)
    let worst = 0
    let sum = 0
    let samples = 0
    const longestMs: number[] = []
    for (let i = 1; i <= 2 * million; i++) {
      const key = random.bytes(8)
      log.add(key, 0, key.length)
      const startMs = performance.now()
      if (!index.find(key, 0, 8)) index.insert(key, 0, 8, log.segment, log.offset8)
      const ms = performance.now() - startMs
      if (ms > 0.2) longestMs.push(ms)
      if (i >= million && i % 5000 === 0) {
        worst = Math.max(worst, index.bytes / i)
        sum += index.bytes / i
        samples++
      }
    }
    longestMs.sort((a, b) => b - a)
    const longest = longestMs.slice(0, 8).map((ms) => ms.toFixed(2))
    console.log(`${name}: bytes a key, 1 to 2 million: worst ${worst.toFixed(1)}, mean ${(sum / samples).toFixed(1)}`)
    console.log(`  inserts longer than 0.2 ms: ${longestMs.length}; the longest, ms: ${longest.join(' ')}`)
  }
}

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000,1000000' },
    kinds: { type: 'string' },
    memory: { type: 'boolean', default: false },
    cell: { type: 'string' },
  },
})
if (values.memory) memory()
else if (values.cell !== undefined) {
  const [kind = '', count] = values.cell.split(':')
  console.log(JSON.stringify(measure(kind, Number(count))))
  console.error(kept === 0 ? 'nothing found' : '')
} else {
  const columns = ['kind', 'keys', ...work.flatMap((name) => [name, 'B+tree', 'ratio']), 'B/key', 'B+tree', 'shape']
  const rows: string[][] = []
  const there = keyKinds.filter(({ keysMax }) => keysMax !== 0).map(({ name }) => name)
  for (const keys of values.keys.split(',')) {
    for (const kind of values.kinds?.split(',') ?? there) {
      const flags = [...process.execArgv, process.argv[1] as string, '--cell', `${kind}:${keys}`]
      const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
      if (!stdout.startsWith('{')) throw new Error(stderr)
      const cell: Cell = JSON.parse(stdout)
      const figures = work.flatMap((name) => {
        const [ours = 0, theirs = 0] = cell.times[name]
        const places = name === 'scan' ? 1 : 0
        return [ours.toFixed(places), theirs.toFixed(places), (theirs / ours).toFixed(2)]
      })
      rows.push([kind, String(cell.keys), ...figures, ...cell.bytes.map((bytes) => bytes.toFixed(1)), cell.shape])
    }
  }
  console.log(formatTable({ columns, numeric: columns.map((_, i) => i > 0 && i < columns.length - 1), rows }))
}
