/**
 * Pending changes in the order of their keys, for ranges that go over them and over what is stored (pending.ts).
 *
 * Changes are sorted only when a range asks, and then merged into those sorted before, so that a command that makes
 * many changes and reads no range pays nothing.
 */

import { compareBytes } from '@orbitkv/bytes'
import type { Change, Keyspace, Range, RecordView } from '@orbitkv/engine'

export class PendingIndex {
  /** Changes in the order of their making, which their owner adds to. */
  readonly #changes: readonly Change[]
  /** How many of them are in `#added` or `#sorted`. */
  #taken = 0
  readonly #added = new Map<Keyspace, Change[]>()
  readonly #sorted = new Map<Keyspace, readonly Change[]>()

  constructor(changes: readonly Change[]) {
    this.#changes = changes
  }

  /** The changes are made anew. */
  clear(): void {
    if (this.#taken === 0) return
    this.#taken = 0
    this.#added.clear()
    this.#sorted.clear()
  }

  /** Changes whose keys are in the range, in its order; deletes included. */
  within(keyspace: Keyspace, { gt, gte, lt, lte, reverse }: Range): readonly Change[] {
    const sorted = this.#sort(keyspace)
    if (sorted.length === 0) return sorted
    const low = gt ?? gte
    const high = lt ?? lte
    const first = low === undefined ? 0 : placeOf(sorted, low, gt !== undefined)
    const end = high === undefined ? sorted.length : placeOf(sorted, high, lt === undefined)
    const found = first === 0 && end === sorted.length ? sorted : sorted.slice(first, Math.max(first, end))
    return reverse === true ? found.toReversed() : found
  }

  #take(): void {
    for (; this.#taken < this.#changes.length; this.#taken++) {
      const change = this.#changes[this.#taken] as Change
      const added = this.#added.get(change.keyspace)
      if (added === undefined) this.#added.set(change.keyspace, [change])
      else added.push(change)
    }
  }

  #sort(keyspace: Keyspace): readonly Change[] {
    this.#take()
    const before = this.#sorted.get(keyspace) ?? []
    const added = this.#added.get(keyspace)
    if (added === undefined || added.length === 0) return before
    this.#added.delete(keyspace)
    const sorted = merge(before, added.sort(compareChanges))
    this.#sorted.set(keyspace, sorted)
    return sorted
  }
}

/** What is stored and what is pending, one sequence in order; of the same key only the change. */
export function* mergeRanges(
  records: Iterable<RecordView>,
  changes: readonly Change[],
  isReverse: boolean,
): Iterable<RecordView | Change> {
  let place = 0
  for (const record of records) {
    let isReplaced = false
    for (; place < changes.length; place++) {
      const change = changes[place] as Change
      const order = compareToRecord(change, record)
      if (isReverse ? order < 0 : order > 0) break
      isReplaced ||= order === 0
      yield change
    }
    if (!isReplaced) yield record
  }
  for (; place < changes.length; place++) yield changes[place] as Change
}

function compareToRecord(change: Change, { bytes, keyStart, keyBytes }: RecordView): number {
  return compareBytes(change.key, change.keyStart, change.keyEnd, bytes, keyStart, keyStart + keyBytes)
}

function compareChanges(a: Change, b: Change): number {
  return compareBytes(a.key, a.keyStart, a.keyEnd, b.key, b.keyStart, b.keyEnd)
}

/** How many of the sorted changes lie before a key, itself included where asked. */
function placeOf(sorted: readonly Change[], key: Uint8Array, isIncluded: boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    const change = sorted[middle] as Change
    const order = compareBytes(change.key, change.keyStart, change.keyEnd, key, 0, key.length)
    if (order < 0 || (isIncluded && order === 0)) low = middle + 1
    else high = middle
  }
  return low
}

function merge(a: readonly Change[], b: readonly Change[]): readonly Change[] {
  if (a.length === 0) return b
  const merged: Change[] = []
  let placeB = 0
  for (const change of a) {
    while (placeB < b.length && compareChanges(b[placeB] as Change, change) < 0) merged.push(b[placeB++] as Change)
    merged.push(change)
  }
  while (placeB < b.length) merged.push(b[placeB++] as Change)
  return merged
}
