/** SQLite through better-sqlite3: one table without rowids, WAL, prepared statements, as its documentation advises for speed. */

import type { Workload } from '../data/workload.ts'
import { requirePeer } from '../peers.ts'
import { type Contestant, ends, entrySum, type Way } from './contestant.ts'

interface Statement {
  run(...parameters: unknown[]): unknown
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  pluck(): Statement
  raw(): Statement
}
/** As much of better-sqlite3 as is used here. */
interface Sqlite {
  pragma(text: string): unknown
  exec(text: string): void
  prepare(text: string): Statement
  close(): void
}

const pragmas = ['journal_mode = WAL', 'cache_size = -524288', 'mmap_size = 17179869184', 'temp_store = MEMORY']
const levels = { unsynced: 'synchronous = OFF', synced: 'synchronous = FULL' }

export class SqliteContestant implements Contestant {
  readonly settings =
    `${pragmas.join('; ')}; ${levels.unsynced}, or ${levels.synced} where synced; table (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID`
  readonly #workload: Workload
  #sqlite!: Sqlite
  #statements!: Record<'put' | 'get' | 'seek' | 'scan' | 'count' | 'begin' | 'commit', Statement>

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(folder: string, way: Way): Promise<void> {
    const Database = requirePeer('better-sqlite3') as new (path: string) => Sqlite
    const sqlite = new Database(`${folder}/data.sqlite`)
    for (const pragma of [...pragmas, levels[way]]) sqlite.pragma(pragma)
    sqlite.exec('CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID')
    this.#sqlite = sqlite
    this.#statements = {
      put: sqlite.prepare('INSERT INTO kv (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v'),
      get: sqlite.prepare('SELECT v FROM kv WHERE k = ?').pluck(),
      seek: sqlite.prepare('SELECT k FROM kv WHERE k >= ? ORDER BY k LIMIT 1').pluck(),
      scan: sqlite.prepare('SELECT k, v FROM kv WHERE k >= ? ORDER BY k LIMIT ?').raw(),
      count: sqlite.prepare('SELECT count(*) FROM kv WHERE length(k) > 0 AND length(v) > 0').pluck(),
      begin: sqlite.prepare('BEGIN'),
      commit: sqlite.prepare('COMMIT'),
    }
  }

  async close(): Promise<void> {
    this.#sqlite.close()
  }

  insert(from: number, to: number, version: number): void {
    const { inserted } = this.#workload
    const { begin, put, commit } = this.#statements
    begin.run()
    for (let place = from; place < to; place++) put.run(inserted.fill(place), this.#workload.value(place, version))
    commit.run()
  }

  /** Within SQLite, which is quicker than to hand every row out. */
  count(): number {
    return this.#statements.count.get() as number
  }

  get(key: Buffer): number {
    return ends(this.#statements.get.get(key) as Buffer | undefined)
  }

  getText(key: string): number {
    return this.get(Buffer.from(key))
  }

  put(key: Buffer, value: Buffer): void {
    this.#statements.put.run(key, value)
  }

  seek(key: Buffer): number {
    const found = this.#statements.seek.get(key) as Buffer
    return found[found.length - 1] as number
  }

  scan(key: Buffer, limit: number): number {
    let sum = 0
    for (const [found, value] of this.#statements.scan.all(key, limit) as [Buffer, Buffer][])
      sum += entrySum(found, value)
    return sum
  }
}
