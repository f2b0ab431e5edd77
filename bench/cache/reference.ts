/** What a cache of so many entries could do with a trace: by exact LRU, and by who knows the future. Hits, counted. */

import type { Trace } from './traces.ts'

export function exactLruHits({ accesses }: Trace, entriesMax: number): number {
  // A map keeps the order in which its keys were put in: the first is the one used least lately.
  const entries = new Map<number, true>()
  let hits = 0
  for (const key of accesses) {
    if (entries.delete(key)) hits++
    else if (entries.size === entriesMax) entries.delete(entries.keys().next().value as number)
    entries.set(key, true)
  }
  return hits
}

/** The optimum (Belady 1966): what is asked for last goes first, and what is not asked for before all else that is there is not let in. */
export function optimalHits({ accesses, distinct }: Trace, entriesMax: number): number {
  const nextUse = nextUses(accesses, distinct)
  /** When each key that is there is asked for next; 0 for a key that is not. */
  const dueOf = new Float64Array(distinct)
  /** The keys that are there by their next use, latest first, and some that are there no more or have another by now. */
  const heap = new LatestFirst()
  let entries = 0
  let hits = 0
  for (let i = 0; i < accesses.length; i++) {
    const key = accesses[i] as number
    if ((dueOf[key] as number) > 0) hits++
    else entries++
    dueOf[key] = nextUse[i] as number
    heap.add(nextUse[i] as number, key)
    while (entries > entriesMax) {
      const { due, key: last } = heap.take()
      if (dueOf[last] !== due) continue
      dueOf[last] = 0
      entries--
    }
  }
  return hits
}

/** For each access when its key is asked for again; after the end, and each time another, where it is not. */
function nextUses(accesses: Uint32Array, distinct: number): Float64Array {
  const next = new Float64Array(accesses.length)
  const last = new Float64Array(distinct)
  for (let i = accesses.length - 1; i >= 0; i--) {
    const key = accesses[i] as number
    next[i] = (last[key] as number) > 0 ? (last[key] as number) : accesses.length + 1 + i
    last[key] = i
  }
  return next
}

class LatestFirst {
  readonly #dues: number[] = []
  readonly #keys: number[] = []

  add(due: number, key: number): void {
    let place = this.#dues.length
    while (place > 0) {
      const above = (place - 1) >>> 1
      if ((this.#dues[above] as number) >= due) break
      this.#put(place, this.#dues[above] as number, this.#keys[above] as number)
      place = above
    }
    this.#put(place, due, key)
  }

  take(): { due: number; key: number } {
    const first = { due: this.#dues[0] as number, key: this.#keys[0] as number }
    const due = this.#dues.pop() as number
    const key = this.#keys.pop() as number
    const { length } = this.#dues
    if (length === 0) return first
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= length) break
      if (below + 1 < length && (this.#dues[below + 1] as number) > (this.#dues[below] as number)) below++
      if ((this.#dues[below] as number) <= due) break
      this.#put(place, this.#dues[below] as number, this.#keys[below] as number)
      place = below
    }
    this.#put(place, due, key)
    return first
  }

  #put(place: number, due: number, key: number): void {
    this.#dues[place] = due
    this.#keys[place] = key
  }
}
