/**
 * What does the store cost over its engine? The same reads and the same puts, at durability none: through `store.get`, `store.view` and
 * `store.put`, and by the calls of the engine that these come down to.
 *
 * A put of the engine is a batch of its own, as it is of the store; a group of a hundred goes to the system in one write, and is
 * published, as the store does at the end of a turn. Rounds take turns, in one process.
 */

import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { copyValue, type Engine, published, putChange } from '@orbitkv/engine'
import { openLogEngine } from '@orbitkv/engine-log'
import { realDisk } from '@orbitkv/runtime'
import { open, type Store } from 'orbitkv'
import { Samples } from '../harness/samples.ts'
import { Data, keyBytes, loadBatch } from './data.ts'
import { loadStore } from './load.ts'
import { type Part, type PartFindings, type PartOptions, timePerRun } from './part.ts'

const part = 'layer'
const readsPerRound = 300_000
const putsPerRound = 100_000
const group = 100
/** As ratios with ours on top: at most 1.3 and 1.5 times the engine's time. */
const bars = { get: 0.77, put: 0.67 }
/** Whose records these are: what raw keys live in. */
const keyspace = 0

export const layer: Part = { rounds: 7, quickRounds: 3, run }

async function run({ keys, rounds, folder }: PartOptions): Promise<PartFindings> {
  const data = new Data(keys)
  const store = await open(join(folder, 'store'), { durability: 'none' })
  await loadStore(store, data)
  const engine = await openLogEngine(join(folder, 'engine'), { disk: realDisk(), config: { zeroAhead: false } })
  loadEngine(engine, data)
  const samples = new Samples()
  const random = new Random(7)
  for (let round = 0; round <= rounds; round++) {
    const read = data.draw(random, readsPerRound)
    const written = data.draw(random, putsPerRound)
    const steps: [string, () => number | Promise<number>][] = [
      ['get store', () => readAll(data, read, (key) => (store.get(key) as Uint8Array).length)],
      ['get engine', () => readAll(data, read, (key) => copyOf(engine, key))],
      ['view store', () => readAll(data, read, (key) => store.view(key, lengthOf) as number)],
      ['view engine', () => readAll(data, read, (key) => lengthIn(engine, key))],
      ['put store', () => putToStore(store, data, written, round)],
      ['put engine', () => putToEngine(engine, data, written, round)],
    ]
    for (let i = 0; i < steps.length; i += 2) {
      const pair = steps.slice(i, i + 2)
      for (const [name, step] of round % 2 === 0 ? pair : pair.toReversed()) {
        const nanoseconds = await step()
        // The first round warms up.
        if (round > 0) samples.add(name, nanoseconds)
      }
    }
  }
  await store.close()
  await engine.close()
  const compare = (name: string, step: string, bar?: number) =>
    samples.compare({
      part,
      name,
      unit: 'ns/op',
      lessIsBetter: true,
      other: 'engine',
      ours: `${step} store`,
      theirs: `${step} engine`,
      ...(bar === undefined ? {} : { bar }),
    })
  return {
    settings: {
      layer: `${readsPerRound} reads and ${putsPerRound} puts a round, keys drawn at random from ${keys}; puts in groups of ${group}; at most 1.3 times the engine's time for get is a ratio of ${bars.get}, 1.5 for put ${bars.put}`,
    },
    comparisons: [
      compare('get, as bytes of the caller', 'get', bars.get),
      compare('view, lent', 'view', bars.get),
      compare('put', 'put', bars.put),
    ],
  }
}

const lengthOf = (_bytes: Uint8Array, _offset: number, length: number): number => length

function copyOf(engine: Engine, key: Uint8Array): number {
  const record = engine.get(keyspace, key, 0, key.length, published)
  return record === undefined ? missing() : copyValue(record).length
}

function lengthIn(engine: Engine, key: Uint8Array): number {
  const record = engine.get(keyspace, key, 0, key.length, published)
  return record === undefined ? missing() : record.valueBytes
}

function missing(): never {
  throw new Error('a key was not found')
}

function loadEngine(engine: Engine, data: Data): void {
  for (let from = 0; from < data.count; from += loadBatch) {
    const length = Math.min(loadBatch, data.count - from)
    const changes = Array.from({ length }, (_, i) => putChange(keyspace, data.key(from + i), data.value(from + i)))
    engine.append({ changes, revision: engine.appendedRevision + 1, time: Date.now() })
    engine.publish(engine.write())
  }
}

/** Nanoseconds a read, the key in a reused Buffer. */
function readAll(data: Data, indexes: Uint32Array, read: (key: Buffer) => number): number {
  const key = Buffer.alloc(keyBytes)
  let bytes = 0
  const startMs = performance.now()
  for (let i = 0; i < indexes.length; i++) bytes += read(data.fill(key, indexes[i] as number))
  const tookMs = performance.now() - startMs
  if (bytes !== indexes.length * data.value(0).length) throw new Error('a read gave another value')
  return (tookMs * 1e6) / indexes.length
}

function putToStore(store: Store, data: Data, indexes: Uint32Array, version: number): Promise<number> {
  return timePerRun(indexes.length, group, (i) => {
    const index = indexes[i] as number
    return store.put(data.key(index), data.value(index + version))
  })
}

function putToEngine(engine: Engine, data: Data, indexes: Uint32Array, version: number): number {
  const startMs = performance.now()
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number
    const change = putChange(keyspace, data.key(index), data.value(index + version))
    engine.append({ changes: [change], revision: engine.appendedRevision + 1, time: Date.now() })
    if (i % group === group - 1) engine.publish(engine.write())
  }
  engine.publish(engine.write())
  return ((performance.now() - startMs) * 1e6) / indexes.length
}
