/**
 * The iterator of OrbitLevel: a walk over a snapshot. abstract-level makes its iterators of keys and values from it.
 *
 * What must hold: it sees the state as it was when it was made, or that of an explicit snapshot; and it lets the event loop
 * turn every few hundred entries, since reading them waits for nothing.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { compareBytes } from '@orbitkv/bytes'
import { AbstractIterator, type AbstractIteratorOptions } from 'abstract-level'
import type { Bytes, RangeOptions, Reader, Entry as StoreEntry } from 'orbitkv'
import { type Format, fromBytes, toBytes } from './formats.ts'
import type { OrbitLevel } from './orbit-level.ts'
import type { OrbitSnapshot } from './snapshot.ts'

/** Entries read between two turns of the event loop. */
const entriesPerTurn = 512

export interface IteratorOptions extends RangeOptions {
  readonly keyEncoding: Format
  readonly valueEncoding: Format
  readonly keys: boolean
  readonly values: boolean
  readonly snapshot?: OrbitSnapshot
}

type Bounds = Pick<RangeOptions, 'gt' | 'gte' | 'lt' | 'lte'>
type Entry = [key: Uint8Array | string | undefined, value: Uint8Array | string | undefined]

export class OrbitIterator<Key, Value> extends AbstractIterator<OrbitLevel<Key, Value>, Key, Value> {
  readonly #options: IteratorOptions
  readonly #bounds: Bounds
  readonly #reader: Reader
  /** The implicit snapshot, which is closed with the iterator. */
  readonly #own: { close(): void } | undefined
  /** Where the next read begins; undefined where it was sought outside of the bounds. */
  #rest: Bounds | undefined
  /** What is left; undefined until the first read, so that a closed snapshot is abstract-level's to refuse. */
  #entries: Iterator<StoreEntry> | undefined
  #entriesSinceTurn = 0

  constructor(db: OrbitLevel<Key, Value>, options: IteratorOptions) {
    // The bounds are encoded by now, which the public type of these options does not know.
    super(db, options as unknown as AbstractIteratorOptions<Key, Value>)
    const snapshot = options.snapshot?.reader ?? db.store.snapshot()
    this.#own = options.snapshot === undefined ? snapshot : undefined
    this.#reader = snapshot
    this.#options = options
    this.#bounds = this.#rest = boundsOf(options)
  }

  #from(bounds: Bounds): Iterator<StoreEntry> {
    return this.#reader.range({ ...bounds, reverse: this.#options.reverse === true })[Symbol.iterator]()
  }

  async _next(): Promise<Entry | undefined> {
    const [entry] = await this._nextv(1)
    return entry
  }

  async _nextv(size: number): Promise<Entry[]> {
    const { keys, values, keyEncoding, valueEncoding } = this.#options
    if (this.#rest === undefined) return []
    this.#entries ??= this.#from(this.#rest)
    const entries: Entry[] = []
    while (entries.length < size) {
      if (++this.#entriesSinceTurn > entriesPerTurn) {
        this.#entriesSinceTurn = 0
        await nextTurn()
      }
      const { done, value: entry } = this.#entries.next()
      if (done === true) break
      entries.push([
        keys ? fromBytes(entry.key, keyEncoding) : undefined,
        values ? fromBytes(entry.value, valueEncoding) : undefined,
      ])
    }
    return entries
  }

  _seek(target: Bytes): void {
    this.#entries?.return?.()
    this.#entries = undefined
    const { gt, gte, lt, lte } = this.#bounds
    const key = toBytes(target)
    if (!isWithin(key, this.#bounds)) this.#rest = undefined
    else if (this.#options.reverse === true) this.#rest = boundsOf({ gt, gte, lte: key })
    else this.#rest = boundsOf({ gte: key, lt, lte })
  }

  async _close(): Promise<void> {
    this.#entries?.return?.()
    this.#own?.close()
  }
}

interface MaybeBounds {
  readonly gt?: Bytes | undefined
  readonly gte?: Bytes | undefined
  readonly lt?: Bytes | undefined
  readonly lte?: Bytes | undefined
}

/** The bounds as the store takes them: of two for one side abstract-level lets the inclusive one count. */
export function boundsOf({ gt, gte, lt, lte }: MaybeBounds): Bounds {
  return {
    ...(gte !== undefined ? { gte } : gt !== undefined ? { gt } : {}),
    ...(lte !== undefined ? { lte } : lt !== undefined ? { lt } : {}),
  }
}

function isWithin(key: Uint8Array, { gt, gte, lt, lte }: Bounds): boolean {
  const order = (bound: Bytes): number => {
    const bytes = toBytes(bound)
    return compareBytes(key, 0, key.length, bytes, 0, bytes.length)
  }
  if (gte !== undefined && order(gte) < 0) return false
  if (gt !== undefined && order(gt) <= 0) return false
  if (lte !== undefined && order(lte) > 0) return false
  return lt === undefined || order(lt) < 0
}
