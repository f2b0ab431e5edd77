/**
 * A folder, opened in this process. The process is its owner meanwhile, so reads and writes go through the owner's
 * door: it tells expiry times, and nobody else writes between two pages of a scan.
 */

import { assert } from '@orbitkv/base'
import { prefixEnd } from '@orbitkv/bytes'
import { type Change, copyKey, copyValue, deleteChange, putChange, type Range } from '@orbitkv/engine'
import type { Store } from 'orbitkv'
import type { Entry } from '../formats/mapping.ts'
import { isOwnKey, pageBytesMax, pageEntriesMax, type ScanRange, type Target, type WriteReport } from './target.ts'

/** Raw keys and the Redis front share it. */
const defaultKeyspace = 0
/** The tag of what is a value by itself; others are headers of collections. */
const plainTag = 0
const noBytes = new Uint8Array(0)

export class FolderTarget implements Target {
  readonly label: string
  readonly valueBytesMax: number
  readonly store: Store
  keysLeftOut = 0

  constructor(store: Store, valueBytesMax: number) {
    this.store = store
    this.label = store.path
    this.valueBytesMax = valueBytesMax
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.store.get(key)
  }

  async put(key: Uint8Array, value: Uint8Array, ttlMs?: number): Promise<number> {
    return this.store.put(key, value, ttlMs === undefined ? {} : { ttl: ttlMs })
  }

  async delete(keys: readonly Uint8Array[]): Promise<boolean[]> {
    const { owner } = this.store
    owner.beginTurn()
    const seen = new Set<string>()
    const there = keys.map((key) => {
      const name = Buffer.from(key).toString('latin1')
      const first = !seen.has(name)
      seen.add(name)
      return first && owner.get(defaultKeyspace, key, 0, key.length) !== undefined
    })
    const changes = keys.filter((_, index) => there[index]).map((key) => deleteChange(defaultKeyspace, key))
    if (changes.length > 0) await this.#commit(changes)
    return there
  }

  async *pages(range: ScanRange): AsyncGenerator<readonly Entry[]> {
    const { limit = Number.POSITIVE_INFINITY, keysOnly = false } = range
    let page: Entry[] = []
    let pageBytes = 0
    let entries = 0
    if (limit === 0) return
    this.store.owner.beginTurn()
    for (const record of this.store.owner.range(defaultKeyspace, engineRange(range))) {
      const key = copyKey(record)
      if (isOwnKey(key)) continue
      if (record.tag !== plainTag && !keysOnly) {
        this.keysLeftOut++
        continue
      }
      const value = keysOnly ? noBytes : copyValue(record)
      page.push({ key, value, expiresAt: record.expiresAt, revision: record.revision })
      pageBytes += key.length + value.length
      entries++
      if (entries >= limit) break
      if (page.length < pageEntriesMax && pageBytes < pageBytesMax) continue
      yield page
      page = []
      pageBytes = 0
    }
    if (page.length > 0) yield page
  }

  async count(): Promise<number> {
    return this.store.stats().keysLive
  }

  async write(entries: readonly Entry[]): Promise<WriteReport> {
    const { owner } = this.store
    owner.beginTurn()
    const keys = new Set<string>()
    let replaced = 0
    const changes = entries.map(({ key, value, expiresAt }) => {
      if (!isOwnKey(key)) {
        const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
        if (keys.has(name) || owner.get(defaultKeyspace, key, 0, key.length) !== undefined) replaced++
        keys.add(name)
      }
      return putChange(defaultKeyspace, key, value, { expiresAt })
    })
    await this.#commit(changes)
    return { replaced }
  }

  async stats(): Promise<Readonly<Record<string, unknown>>> {
    return { ...this.store.stats() }
  }

  async close(): Promise<void> {
    await this.store.close()
  }

  #commit(changes: readonly Change[]): Promise<void> {
    assert(changes.length > 0, 'a batch has changes')
    this.store.owner.write(changes)
    return new Promise((resolve, reject) => {
      this.store.owner.settle((error) => (error === undefined ? resolve() : reject(error)))
    })
  }
}

function engineRange({ prefix, gt, gte, lt, lte, reverse }: ScanRange): Range {
  const range: { -readonly [Name in keyof Range]: Range[Name] } = {}
  if (prefix !== undefined) {
    range.gte = prefix
    const end = prefixEnd(prefix)
    if (end !== undefined) range.lt = end
  }
  if (gt !== undefined) range.gt = gt
  if (gte !== undefined) range.gte = gte
  if (lt !== undefined) range.lt = lt
  if (lte !== undefined) range.lte = lte
  if (reverse === true) range.reverse = true
  return range
}
