/**
 * What does cache mode cost? `node tools/run.mjs bench/questions/cache-cost.ts [keys]`
 *
 * The same work by stores with each policy and by one that is no cache: reads of random keys, overwriting, and puts of new keys, of which each
 * takes the place of another once the cache is full. In each round every store does each part once, in turns, and what is told is the
 * median of its time as a multiple of the plain store's in the same round. docs/cache.md goes by the answer.
 */

import { Random } from '@orbitkv/base'
import { deleteRangeChange } from '@orbitkv/engine'
import { cachedBytes, type OpenOptions, open, type Store } from 'orbitkv'
import { formatTable } from '../harness/table.ts'

const keys = Number(process.argv[2] ?? 300_000)
const keyBytes = 8
const value = new Uint8Array(100)
const rounds = 7
const readsPerRound = 300_000
const putsPerRound = 60_000
const putsAtOnce = 500
const policies = ['lru', 'lfu', 'ttl', 'w-tinylfu'] as const

const random = new Random(1)
const key = new Uint8Array(keyBytes)
const words = new Uint32Array(key.buffer)

/** The key with a number, in the order of no other's. */
function keyOf(number: number): Uint8Array {
  words[0] = Math.imul(number, 0x9e3779b1)
  words[1] = number
  return key
}

async function putAll(store: Store, count: number, numberOf: (i: number) => number): Promise<void> {
  for (let from = 0; from < count; from += putsAtOnce) {
    const puts: Promise<number>[] = []
    for (let i = from; i < Math.min(from + putsAtOnce, count); i++) puts.push(store.put(keyOf(numberOf(i)), value))
    await Promise.all(puts)
  }
}

interface Side {
  readonly name: string
  readonly store: Store
  nextKey: number
}

async function sideOf(name: string, settings: OpenOptions): Promise<Side> {
  const store = await open('/cost', { backend: 'memory', durability: 'none', historyMs: 0, ...settings })
  await putAll(store, keys, (i) => i)
  return { name, store, nextKey: keys }
}

const cacheBytesMax = keys * cachedBytes(keyBytes, value.length)
const sides = [await sideOf('no cache', {})]
for (const cachePolicy of policies) sides.push(await sideOf(cachePolicy, { cacheBytesMax, cachePolicy }))

const parts: Record<string, (side: Side) => Promise<void> | void> = {
  read: ({ store, nextKey }) => {
    for (let i = 0; i < readsPerRound; i++) store.get(keyOf(nextKey - 1 - random.below(keys)))
  },
  overwrite: ({ store, nextKey }) => putAll(store, putsPerRound, () => nextKey - 1 - random.below(keys)),
  'put of a new key': async (side) => {
    await putAll(side.store, putsPerRound, (i) => side.nextKey + i)
    side.nextKey += putsPerRound
  },
  'delete of a range of one key': ({ store, nextKey }) => {
    const first = keyOf(nextKey - 1)
    store.owner.beginTurn()
    store.owner.write([deleteRangeChange(0, first.slice(), Uint8Array.of(...first, 0))])
  },
}

const rows: string[][] = []
for (const [name, run] of Object.entries(parts)) {
  const times = sides.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const at = (turn + round) % sides.length
      const side = sides[at] as Side
      const startMs = performance.now()
      await run(side)
      times[at]?.push(performance.now() - startMs)
      await side.store.flush()
    }
  }
  const plain = times[0] as number[]
  const ratios = times.map((own) => medianOf(own.map((ms, round) => ms / (plain[round] as number))))
  const cells = ratios.slice(1).map((ratio) => `${ratio.toFixed(2)} x`)
  rows.push([name, `${medianOf(plain).toFixed(3)} ms`, ...cells, `${medianOf(times[1] as number[]).toFixed(3)} ms`])
}
const columns = ['part', 'no cache', ...policies, 'lru']
console.log(formatTable({ columns, numeric: columns.map((_, column) => column > 0), rows }))
console.log(`${keys} keys, ${readsPerRound} reads or ${putsPerRound} puts a round, medians of ${rounds} rounds`)
for (const { store } of sides) await store.close()

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[sorted.length >>> 1] as number
}
