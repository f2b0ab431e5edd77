/** One contestant of the embedded comparison in a process of its own: `embedded-child.ts CONTESTANT KEYS`. */

import { mkdirSync } from 'node:fs'
import { residentMemory } from '../harness/process-facts.ts'
import { serveSteps } from '../harness/steps.ts'
import type { Contestant } from './contestant.ts'
import { LmdbContestant, type LmdbWay } from './lmdb-contestant.ts'
import { OrbitContestant } from './orbit-contestant.ts'
import { fillKey, freshSeed, keyBytes, makeWorkload } from './workload.ts'

const [name = '', keysText = ''] = process.argv.slice(2)
const workload = makeWorkload(Number(keysText))
const key = Buffer.alloc(keyBytes)
const contestant: Contestant = name === 'orbit' ? new OrbitContestant() : new LmdbContestant(name as LmdbWay)

/** Nanoseconds for each read of all keys in the shuffled order; throws where a read came back with another record. */
function timeReads(read: (key: Buffer) => number): number {
  const { accessed, keyCount, checkSum } = workload
  let sum = 0
  const startMs = performance.now()
  for (let place = 0; place < keyCount; place++) {
    fillKey(key, accessed, place)
    sum += read(key)
  }
  const tookMs = performance.now() - startMs
  if (sum !== checkSum) throw new Error(`reads of ${name} added up to ${sum}, not to ${checkSum}`)
  return (tookMs * 1e6) / keyCount
}

serveSteps({
  settings: () => contestant.settings,

  async open({ folder, synced }: { folder: string; synced: boolean }) {
    mkdirSync(folder, { recursive: true })
    await contestant.open(folder, synced)
  },

  /** Records a second, from the first insert until a range has returned all of them. */
  async insert() {
    const startMs = performance.now()
    await contestant.insert(workload)
    const count = contestant.countByRange()
    const tookMs = performance.now() - startMs
    if (count !== workload.keyCount)
      throw new Error(`a range of ${name} returned ${count} of ${workload.keyCount} records`)
    return (workload.keyCount * 1000) / tookMs
  },

  loop: () => timeReads((filled) => filled[0] as number),
  get: () => timeReads((filled) => contestant.readOwned(filled)),
  view: () => timeReads((filled) => contestant.readLent(filled)),

  memory() {
    globalThis.gc?.()
    return { ...residentMemory(process.pid), indexBytes: contestant.indexBytes() }
  },

  /** Records a second; they are new to the store. */
  async durable({ records }: { records: number }) {
    const fresh = makeWorkload(records, freshSeed)
    const startMs = performance.now()
    await contestant.commitDurably(fresh, records)
    return (records * 1000) / (performance.now() - startMs)
  },

  async close() {
    await contestant.close()
  },
})
