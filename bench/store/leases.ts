/**
 * What does a lease cost? Granting, renewing one of 100,000 leases at random (the bar: under 5 microseconds), a put with a lease
 * beside the same put without, and ending leases of 1, 100 and 10,000 keys; durability none, beside all the keys of the bench.
 * docs/decisions/leases.md goes by the answer.
 */

import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { open, type Store } from 'orbitkv'
import { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { Data } from './data.ts'
import { loadStore } from './load.ts'
import { type Part, type PartFindings, type PartOptions, timePerRun } from './part.ts'

const part = 'leases'
const leaseCount = 100_000
const renewals = 200_000
const puts = 20_000
const group = 100
const renewalUsMax = 5
const ttl = 3_600_000
const carried = [1, 100, 10_000]

export const leases: Part = { rounds: 5, quickRounds: 2, run }

async function run({ keys, rounds, folder }: PartOptions): Promise<PartFindings> {
  const data = new Data(keys)
  const store = await open(join(folder, 'store'), { durability: 'none' })
  await loadStore(store, data)
  const random = new Random(1)
  const samples = new Samples()
  const time = async (name: string, count: number, runOne: (i: number) => Promise<unknown>): Promise<void> => {
    samples.add(name, (await timePerRun(count, group, runOne)) / 1000)
  }
  await time('grant', leaseCount, (i) => store.leases.grant(ttl, { id: i + 1 }))
  for (let round = 0; round < rounds; round++) {
    const written = data.draw(random, puts)
    const put = (i: number, lease?: number): Promise<number> => {
      const index = written[i] as number
      return store.put(data.key(index), data.value(index + round), lease === undefined ? {} : { lease })
    }
    await time('renewal', renewals, () => store.leases.keepAlive(random.between(1, leaseCount)))
    await time('put', puts, (i) => put(i))
    await time('put with a lease', puts, (i) => put(i, (i % leaseCount) + 1))
    for (const count of carried) samples.add(`ending ${count}`, await revokeUs(store, data, count))
  }
  await store.close()
  const names = ['grant', 'renewal', 'put', 'put with a lease']
  const rows = [
    ...names.map((name) => ({ name, values: [median(samples.of(name))] })),
    ...carried.map((count) => ({
      name: `ending one of ${count} keys, a key`,
      values: [median(samples.of(`ending ${count}`)) / count],
    })),
  ]
  return {
    settings: { leases: `${leaseCount} held; ${renewals} renewals a round, in groups of ${group}` },
    limits: [
      {
        part,
        name: 'renewal, durability none',
        unit: 'µs',
        value: median(samples.of('renewal')),
        bound: renewalUsMax,
        isAtMost: true,
      },
    ],
    grids: [{ part, title: 'what a lease costs', columns: ['µs'], rows }],
  }
}

/** Microseconds that it takes to end a lease of so many keys. */
async function revokeUs(store: Store, data: Data, count: number): Promise<number> {
  const id = await store.leases.grant(ttl)
  const batch = store.batch()
  for (let i = 0; i < count; i++) batch.put(`carried:${i}`, data.value(i), { lease: id })
  await batch.commit()
  const startMs = performance.now()
  await store.leases.revoke(id)
  return (performance.now() - startMs) * 1000
}
