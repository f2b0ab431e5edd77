/**
 * Changes that are not written yet, seen as if they were: an owner's door over another one.
 *
 * A command on a collection makes its changes here, element by element, reads what it has made, and then writes all as
 * one batch, so that a crash leaves all of it or nothing. A transaction does the same over the store, with its commands'
 * own pending changes over that.
 *
 * What must hold: nothing here reaches the owner below before `commit`; after `commit` or `drop` there is nothing left.
 * A record handed out is valid until the next call, as the owner's own.
 */

import { assert } from '@orbitkv/base'
import { compareBytes, copyBytes } from '@orbitkv/bytes'
import { Change, deleteRangeChange, type Keyspace, type Range, type RecordView } from '@orbitkv/engine'
import type { Owner } from '@orbitkv/store'
import { latin1 } from '../protocol/text.ts'
import { mergeRanges, PendingIndex } from './pending-index.ts'
import { PendingRecord } from './pending-record.ts'

/** Up to so many are searched one after the other; more by their text. */
const searchedMax = 8
/** Random picks that meet a deleted key try this often before they take the first in order. */
const randomTriesMax = 100
const nothing = new Uint8Array(0)

export class PendingChanges implements Owner {
  /** The owner that all is read from and written to. */
  base: Owner
  readonly #changes: Change[] = []
  readonly #byText = new Map<string, Change>()
  readonly #emptied = new Set<Keyspace>()
  readonly #index = new PendingIndex(this.#changes)
  readonly #record: PendingRecord

  constructor(base: Owner) {
    this.base = base
    this.#record = new PendingRecord()
  }

  get size(): number {
    return this.#changes.length + this.#emptied.size
  }

  // ---- the owner's door

  beginTurn(): void {
    this.base.beginTurn()
  }

  now(): number {
    return this.base.now()
  }

  get settled(): boolean {
    return this.base.settled
  }

  settle(done: (error?: Error) => void): void {
    this.base.settle(done)
  }

  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    this.base.prefetch(keyspace, bytes, spans, count)
  }

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    const change = this.#find(keyspace, key, start, end)
    if (change === undefined) {
      return this.#emptied.has(keyspace) ? undefined : this.base.get(keyspace, key, start, end)
    }
    return this.#seen(change)
  }

  range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    return this.size === 0 ? this.base.range(keyspace, range) : this.#merged(keyspace, range)
  }

  *#merged(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    const { limit = Number.POSITIVE_INFINITY, ...bounds } = range
    const below = this.#emptied.has(keyspace) ? [] : this.base.range(keyspace, bounds)
    let left = limit
    for (const entry of mergeRanges(below, this.#index.within(keyspace, bounds), bounds.reverse === true)) {
      if (left <= 0) return
      const record = entry instanceof Change ? this.#seen(entry) : entry
      if (record === undefined) continue
      yield record
      left--
    }
  }

  count(keyspace: Keyspace, range: Range = {}): number {
    const isEmptied = this.#emptied.has(keyspace)
    let count = isEmptied ? 0 : this.base.count(keyspace, range)
    for (const { kind, key, keyStart, keyEnd } of this.#index.within(keyspace, range)) {
      const isBelow = !isEmptied && this.base.get(keyspace, key, keyStart, keyEnd) !== undefined
      if (kind === 'put' && !isBelow) count++
      else if (kind === 'delete' && isBelow) count--
    }
    return count
  }

  random(keyspace: Keyspace): RecordView | undefined {
    if (this.size === 0) return this.base.random(keyspace)
    for (let tries = 0; tries < randomTriesMax && !this.#emptied.has(keyspace); tries++) {
      const record = this.base.random(keyspace)
      if (record === undefined) break
      const { bytes, keyStart, keyBytes } = record
      const change = this.#find(keyspace, bytes, keyStart, keyStart + keyBytes)
      if (change === undefined) return record
      if (change.kind === 'put') return this.#seen(change)
    }
    for (const record of this.range(keyspace, { limit: 1 })) return record
    return undefined
  }

  /** Takes the changes of a command as its own; their bytes are copied. */
  write(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'delete-range') this.empty(change.keyspace)
      else this.#take(change)
    }
  }

  // ---- making changes

  /** Puts `value[valueStart, valueEnd)` under `key[keyStart, keyEnd)`; both are copied. */
  put(
    keyspace: Keyspace,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    tag = 0,
    expiresAt = 0,
  ): void {
    const change = this.#changeOf(keyspace, key, keyStart, keyEnd)
    change.kind = 'put'
    change.value = value.slice(valueStart, valueEnd)
    change.valueEnd = valueEnd - valueStart
    change.tag = tag
    change.expiresAt = expiresAt
  }

  delete(keyspace: Keyspace, key: Uint8Array, start: number, end: number): void {
    const change = this.#changeOf(keyspace, key, start, end)
    change.kind = 'delete'
    change.value = nothing
    change.valueEnd = 0
    change.tag = 0
    change.expiresAt = 0
  }

  /** Deletes every key of a keyspace. */
  empty(keyspace: Keyspace): void {
    this.#emptied.add(keyspace)
    const kept = this.#changes.filter((change) => change.keyspace !== keyspace)
    this.#forget()
    for (const change of kept) this.#add(change)
  }

  /** Writes everything as one batch. Throws with nothing changed, and nothing left here. */
  commit(): void {
    if (this.size === 0) return
    const emptied = Array.from(this.#emptied, (keyspace) => deleteRangeChange(keyspace, nothing))
    const changes = emptied.length === 0 ? this.#changes.slice() : [...emptied, ...this.#changes]
    this.drop()
    this.base.write(changes)
  }

  drop(): void {
    this.#emptied.clear()
    this.#forget()
  }

  #forget(): void {
    this.#changes.length = 0
    if (this.#byText.size > 0) this.#byText.clear()
    this.#index.clear()
  }

  #take(change: Change): void {
    const { keyspace, key, keyStart, keyEnd, value, valueStart, valueEnd, tag, expiresAt } = change
    if (change.kind === 'delete') this.delete(keyspace, key, keyStart, keyEnd)
    else this.put(keyspace, key, keyStart, keyEnd, value, valueStart, valueEnd, tag, expiresAt)
  }

  /** The change of a key, made where there is none. */
  #changeOf(keyspace: Keyspace, key: Uint8Array, start: number, end: number): Change {
    const known = this.#find(keyspace, key, start, end)
    if (known !== undefined) return known
    const change = new Change()
    change.keyspace = keyspace
    change.key = new Uint8Array(end - start)
    copyBytes(change.key, 0, key, start, end)
    change.keyEnd = end - start
    this.#add(change)
    return change
  }

  #add(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length <= searchedMax) return
    if (this.#byText.size === 0) for (const each of this.#changes) this.#byText.set(textOf(each), each)
    else this.#byText.set(textOf(change), change)
  }

  #find(keyspace: Keyspace, key: Uint8Array, start: number, end: number): Change | undefined {
    const { length } = this.#changes
    if (length === 0) return undefined
    if (length > searchedMax) return this.#byText.get(`${keyspace} ${latin1(key, start, end)}`)
    for (let i = 0; i < length; i++) {
      const change = this.#changes[i] as Change
      if (change.keyspace !== keyspace || change.keyEnd !== end - start) continue
      if (compareBytes(change.key, 0, change.keyEnd, key, start, end) === 0) return change
    }
    return undefined
  }

  #seen(change: Change): RecordView | undefined {
    assert(change.kind !== 'delete-range', 'ranges are kept apart from single changes')
    if (change.kind === 'delete') return undefined
    const isOver = change.expiresAt !== 0 && change.expiresAt <= this.now()
    return isOver ? undefined : this.#record.moveTo(change)
  }
}

function textOf({ keyspace, key, keyStart, keyEnd }: Change): string {
  return `${keyspace} ${latin1(key, keyStart, keyEnd)}`
}
