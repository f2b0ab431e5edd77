/**
 * Which watchers of keys and prefixes a key concerns, found by hashing: the hash of its first n bytes, for each n that some prefix
 * has, and of all of it. One pass over the key, and a look-up for each length: however many watchers there are.
 */

import { compareBytes } from '@orbitkv/bytes'
import type { Interest } from './interest.ts'

/** Whoever is interested in something. */
export interface Interested {
  readonly interest: Interest
}

/** Watchers of one key, or of one prefix. */
interface Bucket<Watcher> {
  readonly bytes: Uint8Array
  readonly watchers: Set<Watcher>
}

type Buckets<Watcher> = Map<number, Bucket<Watcher>[]>

/** FNV-1a, in 32 bits. */
const hashSeed = 0x811c9dc5 | 0
const hashPrime = 0x01000193
/** A power of two; with 10,000 prefixes one key in thirteen passes for nothing. */
const filterSlots = 131_072
/** A count that has come so far is no longer kept, and its slot passes whatever falls to it. */
const slotCountMax = 0xffff

export class HashedIndex<Watcher extends Interested> {
  readonly #keys: Buckets<Watcher> = new Map()
  readonly #prefixes: Buckets<Watcher> = new Map()
  /** Whether a hash of a prefix falls to a slot: most keys concern nobody, and one load says so where a look-up takes several. */
  readonly #filter = new Uint32Array(filterSlots / 32)
  /** How many do. Apart, since the bits alone stay in the processor's cache. */
  readonly #slotCounts = new Uint16Array(filterSlots)
  /** Lengths that prefixes have, ascending, and how many prefixes have each. */
  #lengths: number[] = []
  readonly #countOf = new Map<number, number>()

  add(watcher: Watcher): void {
    const { kind, start } = watcher.interest
    const buckets = kind === 'key' ? this.#keys : this.#prefixes
    const hash = hashOf(start)
    const found = buckets.get(hash) ?? []
    buckets.set(hash, found)
    const bucket = found.find(({ bytes }) => isSame(bytes, start))
    if (bucket !== undefined) {
      bucket.watchers.add(watcher)
      return
    }
    found.push({ bytes: start, watchers: new Set([watcher]) })
    if (kind === 'prefix') this.#count(start.length, hash, 1)
  }

  remove(watcher: Watcher): void {
    const { kind, start } = watcher.interest
    const buckets = kind === 'key' ? this.#keys : this.#prefixes
    const hash = hashOf(start)
    const found = buckets.get(hash) ?? []
    const place = found.findIndex(({ bytes }) => isSame(bytes, start))
    const bucket = found[place]
    if (bucket === undefined || !bucket.watchers.delete(watcher) || bucket.watchers.size > 0) return
    found.splice(place, 1)
    if (found.length === 0) buckets.delete(hash)
    if (kind === 'prefix') this.#count(start.length, hash, -1)
  }

  /** Whether the key `bytes[start, end)` concerns a watcher. Adds those that it does to `into`; without that it stops at the first. */
  match(bytes: Uint8Array, start: number, end: number, into?: Watcher[]): boolean {
    let isFound = false
    let hash = hashSeed
    let at = start
    for (const length of this.#lengths) {
      const stop = start + length
      if (stop > end) break
      for (; at < stop; at++) hash = Math.imul(hash ^ (bytes[at] as number), hashPrime)
      const slot = slotOf(hash)
      if ((((this.#filter[slot >>> 5] as number) >>> (slot & 31)) & 1) === 0) continue
      const found = this.#prefixes.get(hash)
      if (found === undefined || !collect(found, bytes, start, stop, into)) continue
      if (into === undefined) return true
      isFound = true
    }
    if (this.#keys.size === 0) return isFound
    for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), hashPrime)
    const found = this.#keys.get(hash)
    return (found !== undefined && collect(found, bytes, start, end, into)) || isFound
  }

  /** Counts a prefix in or out, by its length and hash. */
  #count(length: number, hash: number, more: 1 | -1): void {
    const slot = slotOf(hash)
    const inSlot = this.#slotCounts[slot] as number
    if (inSlot < slotCountMax) {
      this.#slotCounts[slot] = inSlot + more
      const bit = 1 << (slot & 31)
      const bits = this.#filter[slot >>> 5] as number
      this.#filter[slot >>> 5] = inSlot + more === 0 ? bits & ~bit : bits | bit
    }
    const count = (this.#countOf.get(length) ?? 0) + more
    if (count === 0) this.#countOf.delete(length)
    else this.#countOf.set(length, count)
    if (count === 0 || (count === 1 && more === 1)) this.#lengths = [...this.#countOf.keys()].sort((a, b) => a - b)
  }
}

function collect<Watcher>(
  found: readonly Bucket<Watcher>[],
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Watcher[] | undefined,
): boolean {
  for (const bucket of found) {
    if (compareBytes(bucket.bytes, 0, bucket.bytes.length, bytes, start, end) !== 0) continue
    if (into !== undefined) for (const watcher of bucket.watchers) into.push(watcher)
    // No other bucket has the same bytes.
    return true
  }
  return false
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 16)) & (filterSlots - 1)
}

function hashOf(bytes: Uint8Array): number {
  let hash = hashSeed
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), hashPrime)
  return hash
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, 0, a.length, b, 0, b.length) === 0
}
