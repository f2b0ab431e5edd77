/** The cache mode as its users see it: what goes when the store is full, and how well that does. cache.ts does it. */

/**
 * Which key goes first: `lru` the one used least lately, `lfu` the one used least often (what was long ago counts less), `ttl` the
 * one that would expire first, `w-tinylfu` what a window of recent use and the frequency of use say together; `none`: no key goes,
 * and a write that does not fit is refused.
 */
export const cachePolicies = ['lru', 'lfu', 'ttl', 'w-tinylfu', 'none'] as const
export type CachePolicy = (typeof cachePolicies)[number]

/** Which keys may go: every key, or only those with an expiry. */
export const cacheKeys = ['all', 'expiring'] as const
export type CacheKeys = (typeof cacheKeys)[number]

/** What a store's cache may be told anew while it is used. */
export interface CacheSettings {
  /** 0: no cache. */
  readonly bytesMax: number
  readonly policy: CachePolicy
  readonly keys: CacheKeys
}

/** Counted since the store was opened. */
export interface CacheTotals {
  hits: number
  misses: number
  evictions: number
  refusals: number
}

export interface CacheStats {
  readonly policy: CachePolicy
  readonly keys: CacheKeys
  readonly bytesMax: number
  /** What the keys take, as `cachedBytes` counts it. */
  readonly bytes: number
  /** Of these, bytes of keys that may go. */
  readonly evictableBytes: number
  readonly entries: number
  /** Reads of the newest state that found something, and that did not. */
  readonly hits: number
  readonly misses: number
  /** Of 1; 0 before the first read. */
  readonly hitRate: number
  readonly evictions: number
  /** Writes refused with `store.cache_full`. */
  readonly refusals: number
  /** Whether everything that was there when the store was opened is counted by now. */
  readonly isCounted: boolean
  /** Why counting or evicting does not get on; empty while they do. */
  readonly failure: string
}

/** What one entry takes beside its key and value: the head of its record, its places in the indexes, and what the cache notes of it. */
const overheadBytes = 128

/** What a key with its value takes of `cacheBytesMax`. */
export function cachedBytes(keyBytes: number, valueBytes: number): number {
  return keyBytes + valueBytes + overheadBytes
}

/** The tag of a delete that is an eviction. */
export const evictedTag = 255
