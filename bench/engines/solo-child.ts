/**
 * OrbitKV alone, in a process of its own, for what has no counterpart on the other side: `solo-child.ts`. The parts of solo.ts
 * drive it. Keys are 8 bytes made from their number, each number its own key, in no order.
 */

import { readFileSync } from 'node:fs'
import { Random } from '@orbitkv/base'
import { type OpenOptions, open, type Store } from 'orbitkv'
import { folderDiskBytes } from '../harness/folders.ts'
import { StallWatch } from '../harness/stalls.ts'
import { serveSteps } from '../harness/steps.ts'
import { compactWhole } from './contestants/orbit.ts'

const batchRecords = 1000
/** Batches between two looks at what the disk holds. */
const batchesPerLook = 500
let store: Store
let folder = ''

/** Spreads numbers over all 8-byte keys; two numbers never meet (each half is a bijection of 32 bits). */
function fillKey(key: Buffer, number: number): void {
  let mixed = Math.imul(number ^ 0x5bd1e995, 0x9e3779b1)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  key.writeUInt32BE(mixed >>> 0, 0)
  key.writeUInt32BE(Math.imul(mixed, 0xc2b2ae35) >>> 0, 4)
}

/** Bytes that tell which key and version they belong to, beside others that do not compress. */
function valueOf(number: number, version: number, noise: Buffer, valueBytes: number): Buffer {
  const from = (number * 64 + version * 8) % (noise.length - valueBytes)
  const value = Buffer.from(noise.subarray(from, from + valueBytes))
  value.writeUInt32LE(number, 0)
  value.writeUInt32LE(version, 4)
  return value
}

const noise = Buffer.from(new Random(7).bytes(1 << 20))

interface Fill {
  readonly from: number
  readonly to: number
  readonly valueBytes: number
  readonly version: number
  /** Numbers at random between from and to, as many; otherwise each once. */
  readonly atRandom?: boolean
  /** Compact meanwhile, one pass after another. */
  readonly compact?: boolean
}

async function fill({ from, to, valueBytes, version, atRandom = false, compact = false }: Fill) {
  const random = new Random(version + 1)
  const watch = new StallWatch()
  const writtenBefore = writtenBytes()
  let compacting: Promise<unknown> | undefined
  let failure: unknown
  let diskBytesMost = 0
  const startMs = performance.now()
  for (let first = from, batches = 0; first < to; first += batchRecords, batches++) {
    const batch = store.batch()
    for (let i = first; i < Math.min(first + batchRecords, to); i++) {
      const number = atRandom ? from + random.below(to - from) : i
      const key = Buffer.allocUnsafe(8)
      fillKey(key, number)
      batch.put(key, valueOf(number, version, noise, valueBytes))
    }
    await batch.commit()
    if (compact && compacting === undefined) {
      compacting = compactWhole(store).then(
        () => {
          compacting = undefined
        },
        (error: unknown) => {
          failure = error
        },
      )
    }
    if (failure !== undefined) throw failure
    if (batches % batchesPerLook === 0) diskBytesMost = Math.max(diskBytesMost, folderDiskBytes(folder))
    await watch.turn()
  }
  const seconds = (performance.now() - startMs) / 1000
  await compacting
  const { longestMs, apartMs, collectionMs } = await watch.end()
  diskBytesMost = Math.max(diskBytesMost, folderDiskBytes(folder))
  return { seconds, longestMs, apartMs, collectionMs, diskBytesMost, writtenBytes: writtenBytes() - writtenBefore }
}

/** Bytes that this process has handed to the system so far. */
function writtenBytes(): number {
  return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
}

serveSteps({
  async open({ path, options }: { path: string; options: OpenOptions }) {
    folder = path
    const startMs = performance.now()
    store = await open(path, options)
    return { seconds: (performance.now() - startMs) / 1000, ...state() }
  },

  fill,

  state,

  /** Whether it compacts. */
  async compacts() {
    try {
      await compactWhole(store)
      return true
    } catch (error) {
      if ((error as { code?: string }).code === 'engine.not_supported') return false
      throw error
    }
  },

  /** Inserts up to a count and looks at the index on the way: the most bytes a key from some count on. */
  async growIndex({ from, to, every, watchFrom }: { from: number; to: number; every: number; watchFrom: number }) {
    let most = 0
    let mostAt = 0
    for (let done = from; done < to; done += every) {
      await fill({ from: done, to: done + every, valueBytes: 100, version: 0 })
      const count = done + every
      const bytes = store.stats().indexBytes / count
      if (count >= watchFrom && bytes > most) {
        most = bytes
        mostAt = count
      }
    }
    return { most, mostAt, end: store.stats().indexBytes / to }
  },

  /** Reads at random through getAsync, some at a time, and checks every value. Latencies in ns. */
  async readCold({
    keys,
    valueBytes,
    reads,
    together,
  }: {
    keys: number
    valueBytes: number
    reads: number
    together: number
  }) {
    const random = new Random(together + 11)
    const watch = new StallWatch()
    const took: number[] = []
    let running = true
    const ticking = (async () => {
      while (running) await watch.turn()
    })()
    const one = async (): Promise<void> => {
      const number = random.below(keys)
      const key = Buffer.allocUnsafe(8)
      fillKey(key, number)
      const startMs = performance.now()
      const value = await store.getAsync(key)
      took.push((performance.now() - startMs) * 1e6)
      const expected = valueOf(number, 0, noise, valueBytes)
      if (value === undefined || expected.compare(value) !== 0) throw new Error(`key ${number} has another value`)
    }
    const startMs = performance.now()
    for (let done = 0; done < reads; done += together) await Promise.all(Array.from({ length: together }, one))
    const seconds = (performance.now() - startMs) / 1000
    running = false
    await ticking
    const { apartMs, collectionMs } = await watch.end()
    took.sort((a, b) => a - b)
    const at = (share: number) => took[Math.floor((took.length - 1) * share)] as number
    return { median: at(0.5), p99: at(0.99), perSecond: reads / seconds, stallMs: apartMs, collectionMs }
  },

  async close() {
    await store.close()
  },
})

function state() {
  const { indexBytes, logBytes, diskBytes, versionsRetained, keysLive, details } = store.stats()
  return { indexBytes, logBytes, diskBytes, versionsRetained, keysLive, details }
}
