/** Who is to hear of a key: the watchers of every keyspace, found by hashing where they watch keys and prefixes, else by interval. */

import type { Keyspace } from '@orbitkv/engine'
import { HashedIndex, type Interested } from './hashed-index.ts'
import { IntervalIndex } from './interval-index.ts'

interface Space<Watcher extends Interested> {
  readonly keyspace: Keyspace
  readonly watchers: Set<Watcher>
  readonly hashed: HashedIndex<Watcher>
  readonly intervals: IntervalIndex<Watcher>
}

const none: readonly never[] = []

export class Interests<Watcher extends Interested> {
  readonly #spaces = new Map<Keyspace, Space<Watcher>>()
  readonly #matched: Watcher[] = []
  /** The space that was asked for last: most records of a batch share theirs. */
  #newest: Space<Watcher> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  add(watcher: Watcher): void {
    const { keyspace } = watcher.interest
    let space = this.#spaces.get(keyspace)
    if (space === undefined) {
      space = { keyspace, watchers: new Set(), hashed: new HashedIndex(), intervals: new IntervalIndex() }
      this.#spaces.set(keyspace, space)
    }
    space.watchers.add(watcher)
    indexOf(space, watcher).add(watcher)
    this.#size++
  }

  remove(watcher: Watcher): void {
    const space = this.#spaces.get(watcher.interest.keyspace)
    if (space === undefined || !space.watchers.delete(watcher)) return
    indexOf(space, watcher).remove(watcher)
    this.#size--
    if (space.watchers.size > 0) return
    this.#spaces.delete(space.keyspace)
    if (this.#newest === space) this.#newest = undefined
  }

  /** Whether the key `bytes[start, end)` concerns anybody. */
  concerns(keyspace: Keyspace, bytes: Uint8Array, start: number, end: number): boolean {
    const space = this.#space(keyspace)
    return space !== undefined && (space.hashed.match(bytes, start, end) || space.intervals.match(bytes, start, end))
  }

  /** The watchers that it concerns. Valid until the next call. */
  match(keyspace: Keyspace, bytes: Uint8Array, start: number, end: number): readonly Watcher[] {
    const space = this.#space(keyspace)
    if (space === undefined) return none
    const matched = this.#matched
    // An array that is emptied gives its memory back, and takes some anew.
    if (matched.length > 0) matched.length = 0
    space.hashed.match(bytes, start, end, matched)
    space.intervals.match(bytes, start, end, matched)
    return matched
  }

  /** Every watcher of a keyspace, as a list of the caller's own. */
  of(keyspace: Keyspace): readonly Watcher[] {
    const space = this.#space(keyspace)
    return space === undefined ? none : [...space.watchers]
  }

  #space(keyspace: Keyspace): Space<Watcher> | undefined {
    if (this.#newest?.keyspace === keyspace) return this.#newest
    const space = this.#spaces.get(keyspace)
    if (space !== undefined) this.#newest = space
    return space
  }
}

function indexOf<Watcher extends Interested>(space: Space<Watcher>, { interest }: Watcher) {
  return interest.kind === 'range' ? space.intervals : space.hashed
}
