/**
 * What does the point index cost and gain against a plain table of 12-byte slots that doubles? `node tools/run.mjs bench/questions/point.ts [keys]`
 *
 * Both are filled with the same random keys of 8 bytes, whose records stand in buffers as in the log, so that each look-up
 * pays its trip to a record. A pass runs first on the one and then on the other, the next pass the other way round.
 * `docs/decisions/point-index.md` goes by the answer.
 */

import { MiB, Random } from '@orbitkv/base'
import { largeBuffer } from '@orbitkv/bytes'
import { PointIndex, type PointKeys } from '@orbitkv/engine-log'
import { formatTable } from '../harness/table.ts'
import { DoublingIndex } from '../point/doubling.ts'

const recordBytes = 128
const segmentBytes = 64 * MiB
const recordsPerSegment = segmentBytes / recordBytes
const keyAt = 32
const passes = 25
const fillsTimed = 4
const lookupsPerPass = 100_000

/** Records as in the log: lengths, keyspace, key. Segments are numbered from 1, and offset 0 has a header. */
class Records implements PointKeys {
  readonly bytes: Uint8Array[] = [new Uint8Array(0)]
  readonly words: Uint32Array[] = [new Uint32Array(0)]
  readonly #random = new Random(42)

  add(id: number): void {
    const segment = segmentOf(id)
    if (segment === this.bytes.length) {
      const buffer = largeBuffer(segmentBytes)
      this.bytes.push(new Uint8Array(buffer))
      this.words.push(new Uint32Array(buffer))
    }
    const word = offset8Of(id) << 1
    const words = this.words[segment] as Uint32Array
    words[word + 2] = 8
    words[word + keyAt / 4] = this.#random.uint32()
    words[word + keyAt / 4 + 1] = this.#random.uint32()
  }

  equalsAt(segment: number, offset8: number, keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    const words = this.words[segment] as Uint32Array
    const word = offset8 << 1
    if ((words[word + 2] as number) !== end - start || words[word + 3] !== keyspace) return false
    const bytes = this.bytes[segment] as Uint8Array
    for (let i = start, at = (offset8 << 3) + keyAt; i < end; i++, at++) if (bytes[at] !== key[i]) return false
    return true
  }
}

function segmentOf(id: number): number {
  return Math.floor(id / recordsPerSegment) + 1
}

function offset8Of(id: number): number {
  // A record never begins at 0.
  return (id % recordsPerSegment) * (recordBytes / 8) + 1
}

type Index = Pick<PointIndex, 'find' | 'replace' | 'insert' | 'remove' | 'bytes' | 'size' | 'segment' | 'offset8'>

type Load = (id: number, flip: number) => void

interface Side {
  readonly name: string
  readonly make: (records: Records) => Index
  index: Index | undefined
  readonly times: Map<string, number[]>
}

function sideOf(name: string, make: Side['make']): Side {
  return { name, make, index: undefined, times: new Map() }
}

function timed(side: Side, what: string, operations: number, run: (index: Index) => void): void {
  const startMs = performance.now()
  run(side.index as Index)
  const times = side.times.get(what) ?? []
  times.push(((performance.now() - startMs) * 1e6) / operations)
  side.times.set(what, times)
}

const key = new Uint8Array(8)
const keyWords = new Uint32Array(key.buffer)

function measure(keys: number): void {
  const records = new Records()
  for (let id = 0; id < keys; id++) records.add(id)
  const keysOf = new Uint32Array(2 * keys)
  for (let id = 0; id < keys; id++) {
    const words = records.words[segmentOf(id)] as Uint32Array
    keysOf[2 * id] = words[(offset8Of(id) << 1) + keyAt / 4] as number
    keysOf[2 * id + 1] = words[(offset8Of(id) << 1) + keyAt / 4 + 1] as number
  }
  const random = new Random(7)
  const order = new Uint32Array(lookupsPerPass)
  const seeded = () => {
    const numbers = new Random(3)
    return () => numbers.uint32()
  }
  const sides = [
    sideOf('doubling', (keysIn) => new DoublingIndex(keysIn, seeded())),
    sideOf('gradual', (keysIn) => new PointIndex(keysIn, seeded())),
  ]
  const load: Load = (id, flip) => {
    keyWords[0] = keysOf[2 * id] as number
    keyWords[1] = (keysOf[2 * id + 1] as number) ^ flip
  }
  const fill = (index: Index) => {
    for (let id = 0; id < keys; id++) {
      load(id, 0)
      if (!index.find(0, key, 0, 8)) index.insert(segmentOf(id), offset8Of(id))
    }
  }
  const fills = Math.max(3, Math.min(30, 6_000_000 / keys))
  for (let pass = 0; pass < fills; pass++) {
    for (const side of pass % 2 === 0 ? sides : sides.toReversed()) {
      side.index = side.make(records)
      timed(side, 'insert', keys, fill)
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < order.length; i++) order[i] = random.below(keys)
    // New locations are all in one segment, that which is appended to.
    const width = Math.min(keys, recordsPerSegment)
    const first = Math.floor(random.below(keys) / width) * width
    for (const side of pass % 2 === 0 ? sides : sides.toReversed()) {
      timed(side, 'find', order.length, (index) => {
        let wrong = 0
        for (let i = 0; i < order.length; i++) {
          load(order[i] as number, 0)
          if (!index.find(0, key, 0, 8)) wrong++
        }
        if (wrong > 0) throw new Error('a key was not found')
      })
      timed(side, 'find, absent', order.length, (index) => {
        let wrong = 0
        for (let i = 0; i < order.length; i++) {
          load(order[i] as number, 0x5a5a5a5a)
          if (index.find(0, key, 0, 8)) wrong++
        }
        if (wrong > order.length / 1000) throw new Error('absent keys were found')
      })
      timed(side, 'overwrite', order.length, (index) => {
        for (let i = 0; i < order.length; i++) {
          load(Math.min(first + ((order[i] as number) % width), keys - 1), 0)
          if (index.find(0, key, 0, 8)) index.replace(index.segment, index.offset8)
        }
      })
    }
  }
  const [before, after] = sides as [Side, Side]
  const rows = [...before.times].map(([what, times]) => {
    const others = after.times.get(what) as number[]
    const ratio = medianOf(times.map((time, pass) => time / (others[pass] as number)))
    return [what, Math.min(...times).toFixed(0), Math.min(...others).toFixed(0), ratio.toFixed(2)]
  })
  console.log(`${keys} keys: nanoseconds an operation in the fastest pass, and the median of the passes' ratios`)
  console.log(
    formatTable({ columns: ['', before.name, after.name, 'ratio'], numeric: [false, true, true, true], rows }),
  )
  const grown = sides.map((side) => growthOf(side, records, keys, load))
  console.log(formatTable({ columns: growthColumns, numeric: growthColumns.map((_, i) => i > 0), rows: grown }))
}

const growthColumns = ['while growing', 'bytes a key', 'least', 'most', 'longest five, us']

/**
 * What fills show key by key: bytes a key from half of the keys on, and the longest single inserts. The same fill is made
 * several times, and the shortest time of each insert counts: what the machine or a collection took, it hardly takes at
 * the same key again.
 */
function growthOf(side: Side, records: Records, keys: number, load: Load): string[] {
  let most = 0
  let least = Number.POSITIVE_INFINITY
  let bytesPerKey = 0
  const times = new Float64Array(keys).fill(Number.POSITIVE_INFINITY)
  for (let pass = 0; pass < fillsTimed; pass++) {
    side.index = undefined
    const index = side.make(records)
    for (let id = 0; id < keys; id++) {
      load(id, 0)
      const startMs = performance.now()
      if (!index.find(0, key, 0, 8)) index.insert(segmentOf(id), offset8Of(id))
      times[id] = Math.min(times[id] as number, performance.now() - startMs)
      if (id < keys / 2 || id % 1000 !== 0) continue
      bytesPerKey = index.bytes / index.size
      most = Math.max(most, bytesPerKey)
      least = Math.min(least, bytesPerKey)
    }
  }
  return [side.name, bytesPerKey.toFixed(1), least.toFixed(1), most.toFixed(1), longestOf(times)]
}

function longestOf(timesMs: Float64Array): string {
  return Array.from(timesMs.toSorted().slice(-5), (timeMs) => (timeMs * 1000).toFixed(0)).join(' ')
}

function medianOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >>> 1] as number
}

const asked = process.argv[2]
for (const keys of asked === undefined ? [100_000, 1_000_000, 10_000_000] : [Number(asked)]) measure(keys)
