/**
 * One contestant in a process of its own: `child.ts NAME FOLDER`, the folder that of the workload. Steps answer with numbers, the
 * figure first and then what was added up, by which all contestants are held to the same data. native/steps.h does the
 * same steps for C and C++.
 */

import { mkdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { serveSteps } from '../harness/steps.ts'
import type { Contestant, Way } from './contestants/contestant.ts'
import { contestants } from './contestants/registry.ts'
import { type Accesses, batchRecords, Workload } from './data/workload.ts'

const [name = '', folder = ''] = process.argv.slice(2)
const make = contestants[name]?.make
if (make === undefined) throw new Error(`there is no contestant ${name} in JavaScript`)
const workload = new Workload(folder)
const contestant: Contestant = make(workload)

/** Nanoseconds a read, and the sum of what was read. */
function timeReads(accesses: Accesses, from: number, count: number, read: (key: Buffer) => number): number[] {
  const { count: all } = accesses
  let sum = 0
  const startMs = performance.now()
  for (let i = from; i < from + count; i++) sum += read(accesses.fill(i % all))
  return [((performance.now() - startMs) * 1e6) / count, sum]
}

/** Lets timers and input run between two batches, as a program would; what it costs is nothing beside a batch. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const view = (key: Buffer): number => (contestant.view === undefined ? absent() : contestant.view(key))
const has = (key: Buffer): number => (contestant.has === undefined ? absent() : contestant.has(key))
const getText = (key: string): number => (contestant.getText === undefined ? absent() : contestant.getText(key))

const reading = {
  loop: ([from = 0, count = 0]: number[]) => timeReads(workload.accessed, from, count, (key) => key[0] as number),
  get: ([from = 0, count = 0]: number[]) => timeReads(workload.accessed, from, count, (key) => contestant.get(key)),
  view: ([from = 0, count = 0]: number[]) => timeReads(workload.accessed, from, count, view),
  has: ([from = 0, count = 0]: number[]) => timeReads(workload.accessed, from, count, has),
  'zipf-get': ([from = 0, count = 0]: number[]) => timeReads(workload.zipf, from, count, (key) => contestant.get(key)),
  'zipf-view': ([from = 0, count = 0]: number[]) => timeReads(workload.zipf, from, count, view),

  /** A Buffer of its own for each read, made on the clock. */
  'get-fresh'([from = 0, count = 0]: number[]): number[] {
    const { accessed } = workload
    let sum = 0
    const startMs = performance.now()
    for (let i = from; i < from + count; i++) sum += contestant.get(accessed.fresh(i % accessed.count))
    return [((performance.now() - startMs) * 1e6) / count, sum]
  },

  /** Text that was there before. */
  'get-text'([from = 0, count = 0]: number[]): number[] {
    const { accessed } = workload
    const keys = Array.from({ length: count }, (_, i) => accessed.text((from + i) % accessed.count))
    let sum = 0
    const startMs = performance.now()
    for (const key of keys) sum += getText(key)
    return [((performance.now() - startMs) * 1e6) / count, sum]
  },

  async seek([from = 0, count = 0]: number[]): Promise<number[]> {
    const { accessed } = workload
    const seek = contestant.seek?.bind(contestant) ?? absent
    let sum = 0
    const startMs = performance.now()
    for (let i = from; i < from + count; i++) {
      const found = seek(accessed.fill(i % accessed.count))
      sum += typeof found === 'number' ? found : await found
    }
    return [((performance.now() - startMs) * 1e6) / count, sum]
  },

  /** Entries a second. */
  async scan([from = 0, count = 0, limit = 0]: number[]): Promise<number[]> {
    const { accessed } = workload
    const scan = contestant.scan?.bind(contestant) ?? absent
    let sum = 0
    const startMs = performance.now()
    for (let i = from; i < from + count; i++) {
      const found = scan(accessed.fill(i % accessed.count), limit)
      sum += typeof found === 'number' ? found : await found
    }
    // Ranges that begin near the end are shorter; the same ones for everybody.
    return [(count * limit * 1000) / (performance.now() - startMs), sum]
  },
}

function absent(): never {
  throw new Error(`${name} has no such way`)
}

serveSteps({
  settings: () => contestant.settings,

  async open([path, way]: [string, Way]): Promise<number[]> {
    mkdirSync(path, { recursive: true })
    await contestant.open(path, way)
    return []
  },

  /** Seconds from opening until a first read has answered. */
  async reopen([path, way]: [string, Way]): Promise<number[]> {
    const startMs = performance.now()
    await contestant.open(path, way)
    contestant.get(workload.inserted.fill(0))
    return [(performance.now() - startMs) / 1000]
  },

  /**
   * Inserts from a place up to another, but stops after some seconds. Answers with seconds, records, and the longest stall of the
   * loop in ms. Once everything is in, the clock runs until a range has returned all of it.
   */
  async insert([from = 0, to = 0, secondsMax = 0, version = 0]: number[]): Promise<number[]> {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const startMs = performance.now()
    let done = from
    while (done < to && performance.now() - startMs < secondsMax * 1000) {
      const end = Math.min(done + batchRecords, to)
      await contestant.insert(done, end, version)
      done = end
      await turn()
    }
    delay.disable()
    if (done === workload.count) {
      const count = await contestant.count()
      if (count !== done) throw new Error(`a range returned ${count} of ${done} records`)
    }
    return [(performance.now() - startMs) / 1000, done - from, delay.max / 1e6]
  },

  ...reading,

  /** Every n-th operation commits a record, the others read one. Nanoseconds an operation. */
  async mixed([from = 0, count = 0, every = 1, version = 0]: number[]): Promise<number[]> {
    const { accessed } = workload
    let sum = 0
    const startMs = performance.now()
    for (let n = 0; n < count; n++) {
      const i = (from + n) % accessed.count
      const key = accessed.fill(i)
      if (n % every === 0) {
        const written = contestant.put(key, workload.accessedValue(i, version))
        if (written !== undefined) await written
      } else sum += contestant.get(key)
    }
    return [((performance.now() - startMs) * 1e6) / count, sum]
  },

  /** Records a second, in groups of some size, one group after another. */
  async durable([from = 0, records = 0, group = 1, version = 0]: number[]): Promise<number[]> {
    const startMs = performance.now()
    for (let place = from; place < from + records; place += group) {
      const written =
        group === 1
          ? contestant.put(workload.inserted.fill(place), workload.value(place, version))
          : contestant.insert(place, place + group, version)
      if (written !== undefined) await written
    }
    return [(records * 1000) / (performance.now() - startMs), 0]
  },

  async compact(): Promise<number[]> {
    const startMs = performance.now()
    const isDone = (await contestant.compact?.()) ?? false
    return [isDone ? 1 : 0, (performance.now() - startMs) / 1000]
  },

  index: () => [contestant.indexBytes?.() ?? 0],

  async close(): Promise<number[]> {
    await contestant.close()
    return []
  },
})
