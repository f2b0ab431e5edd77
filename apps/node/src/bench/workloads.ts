/**
 * What `orbit bench` measures, one function for each line of its table.
 *
 * Keys are 16 hexadecimal digits of a mixed counter: random in order, and known without a table of them. Reads of a
 * microsecond are too short to be timed one by one without the clock in the result, so their rate comes from untimed
 * runs, and their latencies from a sample that is timed one by one after it.
 */

import { Random } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import type { Store } from 'orbitkv'
import { Histogram } from './histogram.ts'

export interface Settings {
  readonly keys: number
  readonly valueBytes: number
  readonly seconds: number
  readonly seed: number
}

export interface Measurement {
  readonly operations: number
  readonly seconds: number
  readonly latencies: Histogram
}

export interface Bench {
  readonly store: Store
  readonly settings: Settings
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface Workload {
  readonly name: string
  readonly does: string
  run(bench: Bench): Promise<Measurement>
}

/** Timed one by one, at most: about 20 ms of reads. */
const samplesMax = 20_000
/** Operations between two looks at the clock in an untimed run. */
const operationsPerLook = 64
const batchEntries = 1000
const rangeEntries = 100
const writersAtOnce = 100

/** In this order: the first fills the store. */
export const workloads: readonly Workload[] = [
  { name: 'put_batch', does: 'puts in batches of 1,000 (one operation is one put), durability none', run: putBatch },
  { name: 'put', does: 'single puts, each awaited, durability none', run: (bench) => putAlone(bench, 'none') },
  {
    name: 'put_durable',
    does: 'single puts, each awaited until it is on the disk',
    run: (bench) => putAlone(bench, 'always'),
  },
  { name: 'put_durable_100', does: 'durable puts, a hundred at a time', run: putTogether },
  { name: 'get', does: 'reads of random keys, copied', run: (bench) => read(bench, (key) => bench.store.get(key)) },
  {
    name: 'view',
    does: 'reads of random keys in place',
    run: (bench) => read(bench, (key) => bench.store.view(key, lengthOf)),
  },
  {
    name: 'range_100',
    does: 'ranges of 100 entries from a random key on (one operation is one range)',
    run: (bench) => read(bench, (key) => readRange(bench.store, key)),
  },
]

function lengthOf(_bytes: Uint8Array, _offset: number, length: number): number {
  return length
}

function readRange(store: Store, from: Uint8Array): number {
  let bytes = 0
  for (const { value } of store.range({ gte: from, limit: rangeEntries })) bytes += value.length
  return bytes
}

/** Fills the store with all its keys, however long that takes, and goes on over them until the time is up. */
async function putBatch({ store, settings, clock, signal }: Bench): Promise<Measurement> {
  const { keys, seconds } = settings
  const values = new Values(settings)
  const latencies = new Histogram()
  const start = clock.monotonic()
  let operations = 0
  while (!signal.aborted && (operations < keys || clock.monotonic() - start < seconds * 1000)) {
    const began = clock.monotonic()
    const batch = store.batch()
    const entries = Math.min(batchEntries, operations < keys ? keys - operations : keys)
    for (let i = 0; i < entries; i++) batch.put(keyOf((operations + i) % keys), values.next())
    await batch.commit({ durability: 'none' })
    operations += entries
    latencies.record((clock.monotonic() - began) * 1000)
  }
  return { operations, seconds: (clock.monotonic() - start) / 1000, latencies }
}

async function putAlone(bench: Bench, durability: 'none' | 'always'): Promise<Measurement> {
  const { store, settings, clock, signal } = bench
  const values = new Values(settings)
  const random = new Random(settings.seed + 1)
  const latencies = new Histogram()
  const start = clock.monotonic()
  const end = start + settings.seconds * 1000
  let operations = 0
  for (let now = start; now < end && !signal.aborted; operations++) {
    await store.put(keyOf(random.below(settings.keys)), values.next(), { durability })
    const after = clock.monotonic()
    latencies.record((after - now) * 1000)
    now = after
  }
  return { operations, seconds: (clock.monotonic() - start) / 1000, latencies }
}

/** So many writers, each of which puts as soon as its last put is on the disk. */
async function putTogether(bench: Bench): Promise<Measurement> {
  const { store, settings, clock, signal } = bench
  const latencies = new Histogram()
  const random = new Random(settings.seed + 2)
  const values = new Values(settings)
  const start = clock.monotonic()
  const end = start + settings.seconds * 1000
  let operations = 0
  const writer = async (): Promise<void> => {
    for (let now = clock.monotonic(); now < end && !signal.aborted; operations++) {
      await store.put(keyOf(random.below(settings.keys)), values.next(), { durability: 'always' })
      const after = clock.monotonic()
      latencies.record((after - now) * 1000)
      now = after
    }
  }
  await Promise.all(Array.from({ length: writersAtOnce }, writer))
  return { operations, seconds: (clock.monotonic() - start) / 1000, latencies }
}

async function read({ settings, clock, signal }: Bench, operation: (key: Uint8Array) => unknown): Promise<Measurement> {
  const random = new Random(settings.seed + 3)
  // Keys are made beforehand: making them costs more than a read.
  const keys = Array.from({ length: Math.min(settings.keys, samplesMax) }, () => keyOf(random.below(settings.keys)))
  const start = clock.monotonic()
  const end = start + settings.seconds * 1000
  let operations = 0
  for (let now = start; now < end && !signal.aborted; now = clock.monotonic()) {
    for (let i = 0; i < operationsPerLook; i++) operation(keys[(operations + i) % keys.length] as Uint8Array)
    operations += operationsPerLook
    // Interrupts come in between: a loop without a pause would never see one.
    if (operations % (operationsPerLook * 256) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const seconds = (clock.monotonic() - start) / 1000
  const latencies = new Histogram()
  const sampleEnd = clock.monotonic() + settings.seconds * 1000
  for (const key of keys) {
    const began = clock.monotonic()
    operation(key)
    const after = clock.monotonic()
    latencies.record((after - began) * 1000)
    if (after > sampleEnd) break
  }
  return { operations, seconds, latencies }
}

/** The key of a number: the number mixed, so that neighbours lie far apart, then the number, so that none is there twice. */
export function keyOf(number: number): Uint8Array {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  mixed = (mixed ^ (mixed >>> 16)) >>> 0
  return Buffer.from(mixed.toString(16).padStart(8, '0') + number.toString(16).padStart(8, '0'))
}

/** Values of random bytes: windows on one block, so that making them takes no time. */
class Values {
  readonly #block: Uint8Array
  readonly #valueBytes: number
  #place = 0

  constructor({ valueBytes, seed }: Settings) {
    this.#block = new Random(seed).bytes(valueBytes + 4096)
    this.#valueBytes = valueBytes
  }

  next(): Uint8Array {
    this.#place = (this.#place + 1) % 4096
    return this.#block.subarray(this.#place, this.#place + this.#valueBytes)
  }
}
