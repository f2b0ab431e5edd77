/**
 * What would gets cost through the ordered index, and what would that save? `node tools/run.mjs bench/questions/learned-only.ts [keys]`
 *
 * The point index and the learned index hold the same keys of the same log, and take turns in looking up keys that are there and
 * keys that are not. `docs/decisions/point-index.md` goes by the answer.
 */

import { Random } from '@orbitkv/base'
import { LearnedIndex, PointIndex, type PointKeys } from '@orbitkv/engine-log'
import { formatTable } from '../harness/table.ts'
import { KeyLog, keyKinds } from '../ordered/keys.ts'
import { Probes } from '../ordered/probes.ts'

const kinds = ['random', 'sequential', 'uuid', 'composite']
const count = Number(process.argv[2] ?? 1_000_000)
const rounds = 16
const probesARound = 50_000
/** Segments that the log of keys may have. */
const segmentsMax = 64

class PointLog extends KeyLog implements PointKeys {
  equalsAt(segment: number, offset8: number, _keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    return this.compareKeyAt(segment, offset8, key, start, end) === 0
  }
}

function threadNanoseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) * 1000
}

let kept = 0

function measure(kindName: string): string[] {
  const kind = keyKinds.find(({ name }) => name === kindName)
  if (kind === undefined) throw new Error(`no kind ${kindName}`)
  // Every 16th is left out, to be sought.
  const keys = Probes.made(count, kind.make(count))
  const log = new PointLog()
  const random = new Random(7)
  const point = new PointIndex(log, () => random.uint32())
  const learned = new LearnedIndex(log)
  for (let segment = 1; segment <= segmentsMax; segment++) point.admit(segment, log.segmentBytes)
  const isAbsent = (i: number): boolean => i % 16 === 15
  let entries = 0
  for (let i = 0; i < count; i++) {
    if (isAbsent(i)) continue
    const [start, end] = [keys.ends[i] as number, keys.ends[i + 1] as number]
    log.add(keys.bytes, start, end)
    point.find(0, keys.bytes, start, end)
    point.insert(log.segment, log.offset8)
    learned.find(keys.bytes, start, end)
    learned.insert(keys.bytes, start, end, log.segment, log.offset8)
    entries++
  }
  const pick = (absent: boolean): Probes =>
    Probes.of(keys, rounds * probesARound, () => {
      const i = random.below(count - 16)
      return absent ? i | 15 : isAbsent(i) ? i - 1 : i
    })
  const times: number[] = []
  for (const { bytes, ends } of [pick(false), pick(true)]) {
    let [throughPoint, throughLearned] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const [from, to] = [round * probesARound, (round + 1) * probesARound]
      const turns = [
        () => {
          const start = threadNanoseconds()
          for (let i = from; i < to; i++) if (point.find(0, bytes, ends[i] as number, ends[i + 1] as number)) kept++
          throughPoint += threadNanoseconds() - start
        },
        () => {
          const start = threadNanoseconds()
          for (let i = from; i < to; i++) if (learned.find(bytes, ends[i] as number, ends[i + 1] as number)) kept++
          throughLearned += threadNanoseconds() - start
        },
      ]
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) turn()
    }
    times.push(throughPoint / rounds / probesARound, throughLearned / rounds / probesARound)
  }
  const [pointFind = 0, learnedFind = 0, pointAbsent = 0, learnedAbsent = 0] = times
  const figures = [pointFind, learnedFind, pointAbsent, learnedAbsent].map((nanoseconds) => nanoseconds.toFixed(0))
  return [kindName, ...figures, (point.bytes / entries).toFixed(1), (learned.bytes / entries).toFixed(1)]
}

const columns = [
  'kind',
  'get, point',
  'get, learned',
  'absent, point',
  'absent, learned',
  'B/key, point',
  'B/key, learned',
]
console.log(formatTable({ columns, numeric: columns.map((_, i) => i > 0), rows: kinds.map(measure) }))
if (kept === 0) throw new Error('nothing was found')
