/**
 * How many transactions a second? `node tools/run.mjs bench/questions/transactions.ts [keys] [rounds] [way]`
 *
 * One reads two random keys and writes both of them (8-byte keys, 100-byte values). OrbitKV runs its `transact`; better-sqlite3
 * and lmdb-js run in every way that their authors advise for it, and the best of each counts. Rounds of all contestants take
 * turns, in one process; ratios are taken round by round.
 *
 *   none     each transaction is committed, and visible, before the next begins; nobody waits for the disk
 *   flight   the same durability, a hundred begun before the first is awaited
 *   grouped  a hundred transactions share a sync of the disk, and all are on it before the next hundred
 *
 * In a group the peers pay for one transaction and hold a hundred bodies in it: none can be rolled back by itself, which is
 * more than they give elsewhere and less than OrbitKV does.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { type Database, open as openLmdb } from 'lmdb'
import { open as openOrbit, type Store, type Transaction } from 'orbitkv'
import { installPeers, peerProblem, requirePeer } from '../engines/peers.ts'
import { describeMachine } from '../harness/machine.ts'
import { median } from '../harness/statistics.ts'
import { formatTable } from '../harness/table.ts'

const keyBytes = 8
const valueBytes = 100
const valueCount = 1024
const groupSize = 100
const loadBatch = 1000

type Way = 'none' | 'flight' | 'grouped'
const transactionsPerRound: Readonly<Record<Way, number>> = { none: 20_000, flight: 20_000, grouped: 10_000 }

/** Keys by number, values, and the pairs of a round. */
class Data {
  readonly count: number
  readonly keys: Buffer
  readonly values: Buffer[]

  constructor(count: number) {
    const random = new Random(42)
    this.count = count
    this.keys = Buffer.from(random.bytes(count * keyBytes))
    this.values = Array.from({ length: valueCount }, () => Buffer.from(random.bytes(valueBytes)))
  }

  fill(key: Buffer, index: number): Buffer {
    this.keys.copy(key, 0, index * keyBytes, (index + 1) * keyBytes)
    return key
  }

  value(index: number): Buffer {
    return this.values[index & (valueCount - 1)] as Buffer
  }

  pairs(random: Random, transactions: number): Uint32Array {
    return Uint32Array.from({ length: 2 * transactions }, () => random.below(this.count))
  }
}

interface Contestant {
  readonly name: string
  open(folder: string, way: Way): void | Promise<void>
  load(data: Data): void | Promise<void>
  /** Runs transactions over pairs of keys; `version` picks the values. */
  run(data: Data, pairs: Uint32Array, version: number): void | Promise<void>
  close(): void | Promise<void>
}

const one = Buffer.alloc(keyBytes)
const other = Buffer.alloc(keyBytes)

function missing(): never {
  throw new Error('a key was not found')
}

const lengthOf = (_bytes: Uint8Array, _offset: number, length: number): number => length

class Orbit implements Contestant {
  readonly name = 'OrbitKV'
  #store!: Store
  #way: Way = 'none'

  async open(folder: string, way: Way): Promise<void> {
    this.#way = way
    this.#store = await openOrbit(folder, { durability: way === 'grouped' ? 'always' : 'none' })
  }

  async load(data: Data): Promise<void> {
    for (let from = 0; from < data.count; from += loadBatch) {
      const batch = this.#store.batch()
      for (let i = from; i < Math.min(from + loadBatch, data.count); i++) {
        batch.put(data.keys.subarray(i * keyBytes, (i + 1) * keyBytes), data.value(i))
      }
      await batch.commit()
    }
  }

  async run(data: Data, pairs: Uint32Array, version: number): Promise<void> {
    let at = 0
    const body = (tx: Transaction): void => {
      data.fill(one, pairs[at] as number)
      data.fill(other, pairs[at + 1] as number)
      if (tx.view(one, lengthOf) === undefined || tx.view(other, lengthOf) === undefined) missing()
      tx.put(one, data.value((pairs[at] as number) + version))
      tx.put(other, data.value((pairs[at + 1] as number) + version))
    }
    if (this.#way === 'none') {
      for (; at < pairs.length; at += 2) await this.#store.transact(body)
      return
    }
    const group: Promise<void>[] = []
    for (; at < pairs.length; at += 2) {
      group.push(this.#store.transact(body))
      if (group.length < groupSize) continue
      await Promise.all(group)
      group.length = 0
    }
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

interface Statement {
  run(...parameters: unknown[]): unknown
  get(...parameters: unknown[]): unknown
  pluck(): Statement
}
/** As much of better-sqlite3 as is used here. */
interface Sqlite {
  pragma(text: string): unknown
  exec(text: string): void
  prepare(text: string): Statement
  close(): void
}

class BetterSqlite implements Contestant {
  readonly name = 'better-sqlite3'
  #sqlite!: Sqlite
  #statements!: Record<'begin' | 'commit' | 'get' | 'put', Statement>
  #perCommit = 1

  open(folder: string, way: Way): void {
    this.#perCommit = way === 'grouped' ? groupSize : 1
    const sqlite = new (requirePeer('better-sqlite3') as new (path: string) => Sqlite)(join(folder, 'data.sqlite'))
    const level = way === 'grouped' ? 'FULL' : 'OFF'
    const sizes = ['cache_size = -524288', 'mmap_size = 17179869184', 'temp_store = MEMORY']
    for (const pragma of ['journal_mode = WAL', `synchronous = ${level}`, ...sizes]) sqlite.pragma(pragma)
    sqlite.exec('CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID')
    this.#sqlite = sqlite
    this.#statements = {
      begin: sqlite.prepare('BEGIN IMMEDIATE'),
      commit: sqlite.prepare('COMMIT'),
      get: sqlite.prepare('SELECT v FROM kv WHERE k = ?').pluck(),
      put: sqlite.prepare('INSERT INTO kv (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v'),
    }
  }

  load(data: Data): void {
    const { begin, commit, put } = this.#statements
    for (let from = 0; from < data.count; from += loadBatch) {
      begin.run()
      for (let i = from; i < Math.min(from + loadBatch, data.count); i++) put.run(data.fill(one, i), data.value(i))
      commit.run()
    }
  }

  run(data: Data, pairs: Uint32Array, version: number): void {
    const { begin, commit, get, put } = this.#statements
    const step = 2 * this.#perCommit
    for (let from = 0; from < pairs.length; from += step) {
      begin.run()
      for (let at = from; at < Math.min(from + step, pairs.length); at += 2) {
        data.fill(one, pairs[at] as number)
        data.fill(other, pairs[at + 1] as number)
        if (get.get(one) === undefined || get.get(other) === undefined) missing()
        put.run(one, data.value((pairs[at] as number) + version))
        put.run(other, data.value((pairs[at + 1] as number) + version))
      }
      commit.run()
    }
  }

  close(): void {
    this.#sqlite.close()
  }
}

/** `sync` runs transactions on the calling thread, `async` hands them to lmdb-js's own batching. */
type LmdbForm = 'sync' | 'sync, overlapping' | 'async'

class Lmdb implements Contestant {
  readonly name: string
  readonly #form: LmdbForm
  #database!: Database<Buffer, Buffer>
  #way: Way = 'none'

  constructor(form: LmdbForm) {
    this.name = `lmdb-js, ${form}`
    this.#form = form
  }

  open(folder: string, way: Way): void {
    this.#way = way
    const overlappingSync = way === 'grouped' && this.#form !== 'sync'
    this.#database = openLmdb<Buffer, Buffer>({
      path: join(folder, 'data.mdb'),
      keyEncoding: 'binary',
      encoding: 'binary',
      compression: false,
      noMemInit: true,
      mapSize: 16 * 2 ** 30,
      overlappingSync,
      ...(way === 'grouped' ? {} : { noSync: true, noMetaSync: true }),
    })
  }

  load(data: Data): void {
    for (let from = 0; from < data.count; from += loadBatch) {
      this.#database.transactionSync(() => {
        for (let i = from; i < Math.min(from + loadBatch, data.count); i++) {
          this.#database.putSync(data.fill(one, i), data.value(i))
        }
      })
    }
  }

  #body(data: Data, pairs: Uint32Array, at: number, version: number): void {
    const database = this.#database
    data.fill(one, pairs[at] as number)
    data.fill(other, pairs[at + 1] as number)
    if (database.getBinaryFast(one) === undefined || database.getBinaryFast(other) === undefined) missing()
    database.putSync(one, data.value((pairs[at] as number) + version))
    database.putSync(other, data.value((pairs[at + 1] as number) + version))
  }

  async run(data: Data, pairs: Uint32Array, version: number): Promise<void> {
    const database = this.#database
    if (this.#form === 'async') {
      const size = this.#way === 'none' ? 1 : groupSize
      for (let from = 0; from < pairs.length; from += 2 * size) {
        const group: Promise<void>[] = []
        for (let at = from; at < Math.min(from + 2 * size, pairs.length); at += 2) {
          group.push(database.transaction(() => this.#body(data, pairs, at, version)))
        }
        await Promise.all(group)
        if (this.#way === 'grouped') await database.flushed
      }
      return
    }
    const step = 2 * (this.#way === 'grouped' ? groupSize : 1)
    for (let from = 0; from < pairs.length; from += step) {
      database.transactionSync(() => {
        for (let at = from; at < Math.min(from + step, pairs.length); at += 2) this.#body(data, pairs, at, version)
      })
      if (this.#way === 'grouped' && this.#form !== 'sync') await database.flushed
    }
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

async function measure(way: Way, data: Data, rounds: number, contestants: readonly Contestant[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-transactions-'))
  const rates = new Map(contestants.map((contestant) => [contestant, [] as number[]]))
  try {
    for (const [index, contestant] of contestants.entries()) {
      mkdirSync(join(folder, String(index)))
      await contestant.open(join(folder, String(index)), way)
      await contestant.load(data)
    }
    const random = new Random(7)
    const count = transactionsPerRound[way]
    for (let round = 0; round <= rounds; round++) {
      const pairs = data.pairs(random, count)
      for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
        const startMs = performance.now()
        await contestant.run(data, pairs, round)
        // The first round warms up.
        if (round > 0) rates.get(contestant)?.push((count * 1000) / (performance.now() - startMs))
      }
    }
    for (const contestant of contestants) await contestant.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const ours = [...rates.values()][0] as number[]
  const rows = contestants.map((contestant) => {
    const theirs = rates.get(contestant) as number[]
    const ratio = median(ours.map((rate, round) => rate / (theirs[round] as number)))
    const least = Math.min(...ours.map((rate, round) => rate / (theirs[round] as number)))
    return [contestant.name, Math.round(median(theirs)).toLocaleString('en'), ratio.toFixed(2), least.toFixed(2)]
  })
  console.log(`\n${way}: ${data.count} keys, ${rounds} rounds of ${transactionsPerRound[way]} transactions`)
  console.log(
    formatTable({
      columns: ['', 'a second', 'ours is', 'in the worst round'],
      numeric: [false, true, true, true],
      rows,
    }),
  )
}

const [keys = '1000000', rounds = '9', only] = process.argv.slice(2)
const failure = installPeers((text) => console.error(text))
const problem = failure ?? peerProblem('better-sqlite3')
if (problem !== undefined) console.error(`without better-sqlite3: ${problem}`)
const machine = describeMachine()
console.log(`${machine.cpu}; ${machine.memory}; Node ${machine.node}; ${machine.disk}; load ${machine.load}`)
const data = new Data(Number(keys))
for (const way of Object.keys(transactionsPerRound) as Way[]) {
  if (only !== undefined && only !== way) continue
  const lmdb = [new Lmdb('sync'), new Lmdb('async'), ...(way === 'grouped' ? [new Lmdb('sync, overlapping')] : [])]
  await measure(way, data, Number(rounds), [
    new Orbit(),
    ...(problem === undefined ? [new BetterSqlite()] : []),
    ...lmdb,
  ])
}
