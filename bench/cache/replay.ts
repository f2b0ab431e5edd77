/** A trace asked of a store in cache mode, as a program would: read, and put what is missing. */

import { assert } from '@orbitkv/base'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { type CachePolicy, cachedBytes, open } from 'orbitkv'
import type { Trace } from './traces.ts'

const keyBytes = 8
const value = new Uint8Array(8)
/** So long that no key expires, and short enough that a cache tells when each would. */
const ttl = 365 * 86_400_000
/** Between two accesses, so that no two keys expire in the same moment. */
const accessMs = 16

/** The hits of a store that may have so many entries, all alike. */
export async function replay({ accesses }: Trace, cachePolicy: CachePolicy, entriesMax: number): Promise<number> {
  const clock = new SimulatedClock()
  const cacheBytesMax = entriesMax * cachedBytes(keyBytes, value.length)
  const store = await open('/trace', {
    backend: 'memory',
    durability: 'none',
    historyMs: 0,
    cacheBytesMax,
    cachePolicy,
    clock,
  })
  const options = cachePolicy === 'ttl' ? { ttl } : {}
  const key = new Uint8Array(keyBytes)
  const words = new Uint32Array(key.buffer)
  try {
    for (const number of accesses) {
      clock.advance(accessMs)
      words[0] = number
      if (!store.has(key)) await store.put(key, value, options)
    }
    const { cache, keysLive } = store.stats()
    assert(cache !== undefined && cache.bytes <= cacheBytesMax, 'the cap holds')
    assert(keysLive === cache.entries + (cachePolicy === 'ttl' ? cache.entries : 0), 'every key is counted')
    return cache.hits
  } finally {
    await store.close()
  }
}
