/**
 * Who takes part in the comparison of transactions: each reads two keys and writes both of them, over and over.
 *
 * better-sqlite3 and lmdb-js run in every way that their authors advise for it. In a group the peers pay for one transaction and hold
 * a hundred bodies in it: none can be rolled back by itself, which is more than they give elsewhere and less than OrbitKV does.
 */

import { join } from 'node:path'
import { type Database, open as openLmdb } from 'lmdb'
import { open as openOrbit, type Store, type Transaction } from 'orbitkv'
import { requirePeer } from '../engines/peers.ts'
import { type Data, keyBytes, loadBatch } from './data.ts'
import { loadStore } from './load.ts'

/**
 *   none     each transaction is committed, and visible, before the next begins; nobody waits for the disk
 *   flight   the same durability, a hundred begun before the first is awaited
 *   grouped  a hundred transactions share a sync of the disk, and all are on it before the next hundred
 */
export type Way = 'none' | 'flight' | 'grouped'

export const groupSize = 100

export interface Contestant {
  readonly name: string
  /** Those of one product begin with the same files. */
  readonly product: 'orbit' | 'better-sqlite3' | 'lmdb'
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

export class Orbit implements Contestant {
  readonly name = 'OrbitKV'
  readonly product = 'orbit'
  #store!: Store
  #way: Way = 'none'

  async open(folder: string, way: Way): Promise<void> {
    this.#way = way
    this.#store = await openOrbit(folder, { durability: way === 'grouped' ? 'always' : 'none' })
  }

  load(data: Data): Promise<void> {
    return loadStore(this.#store, data)
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
    await Promise.all(group)
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

export class BetterSqlite implements Contestant {
  readonly name = 'better-sqlite3'
  readonly product = 'better-sqlite3'
  #sqlite!: Sqlite
  #statements!: Record<'begin' | 'commit' | 'get' | 'put', Statement>
  #perCommit = 1

  open(folder: string, way: Way): void {
    this.#perCommit = way === 'grouped' ? groupSize : 1
    const sqlite = new (requirePeer('better-sqlite3') as new (path: string) => Sqlite)(join(folder, 'data.sqlite'))
    const level = way === 'grouped' ? 'FULL' : 'OFF'
    const sizes = ['cache_size = -524288', 'mmap_size = 17179869184', 'temp_store = MEMORY']
    for (const pragma of ['journal_mode = WAL', `synchronous = ${level}`, ...sizes]) sqlite.pragma(pragma)
    sqlite.exec('CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID')
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
export type LmdbForm = 'sync' | 'sync, overlapping' | 'async'

export class Lmdb implements Contestant {
  readonly name: string
  readonly product = 'lmdb'
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
