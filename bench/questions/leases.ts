/**
 * What does a lease cost? `node tools/run.mjs bench/questions/leases.ts`
 *
 * With durability none: granting, renewing one of 100,000 leases at random (the bar: under 5 microseconds), a put with a lease beside
 * the same put without, and ending leases of 1, 100 and 10,000 keys. Medians over rounds, the two kinds of put in turn.
 * docs/decisions/leases.md goes by the answer.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { open, type Store } from 'orbitkv'
import { median } from '../harness/statistics.ts'
import { formatTable } from '../harness/table.ts'

const leases = 100_000
const renewals = 200_000
const puts = 20_000
const rounds = 9
const ttl = 3_600_000
const value = new Uint8Array(100).fill(7)

/** Microseconds of each of `count` runs, some hundred of them awaited together. */
async function microseconds(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  let pending: Promise<unknown>[] = []
  for (let i = 0; i < count; i++) {
    pending.push(run(i))
    if (pending.length < 100) continue
    await Promise.all(pending)
    pending = []
  }
  await Promise.all(pending)
  return ((performance.now() - startMs) * 1000) / count
}

async function revokeUs(store: Store, keys: number): Promise<number> {
  const id = await store.leases.grant(ttl)
  const batch = store.batch()
  for (let i = 0; i < keys; i++) batch.put(`carried:${i}`, value, { lease: id })
  await batch.commit()
  const startMs = performance.now()
  await store.leases.revoke(id)
  return (performance.now() - startMs) * 1000
}

const folder = mkdtempSync(join(tmpdir(), 'orbit-leases-'))
try {
  await using store = await open(join(folder, 'store'), { durability: 'none' })
  const random = new Random(1)
  const rows: string[][] = []
  const add = (what: string, us: number): void => void rows.push([what, us.toFixed(2)])
  add(`grant, ${leases} of them`, await microseconds(leases, (i) => store.leases.grant(ttl, { id: i + 1 })))
  const taken: Record<'renewals' | 'plain' | 'leased', number[]> = { renewals: [], plain: [], leased: [] }
  for (let round = 0; round < rounds; round++) {
    taken.renewals.push(await microseconds(renewals, () => store.leases.keepAlive(random.between(1, leases))))
    taken.plain.push(await microseconds(puts, (i) => store.put(`plain:${round}:${i}`, value)))
    const leased = (i: number): Promise<number> => store.put(`leased:${round}:${i}`, value, { lease: (i % leases) + 1 })
    taken.leased.push(await microseconds(puts, leased))
  }
  add('renewal', median(taken.renewals))
  add('put', median(taken.plain))
  add('put with a lease', median(taken.leased))
  for (const keys of [1, 100, 10_000]) {
    const us: number[] = []
    for (let round = 0; round < rounds; round++) us.push(await revokeUs(store, keys))
    add(`ending one of ${keys} keys, a key`, median(us) / keys)
  }
  console.log(formatTable({ columns: ['what', 'µs'], numeric: [false, true], rows }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
