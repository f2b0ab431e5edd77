/**
 * `maxmemory` and `maxmemory-policy`: the store's cache mode, by the names of Redis.
 *
 * What counts is what the store counts (docs/cache.md): keys and values of database 0 and what is kept of each, and of a collection its key.
 * While nothing more fits, since the policy is `noeviction` or nothing may go, commands that need room are refused.
 * With several shards each has its part of the bytes.
 */

import type { CacheSettings, Store } from '@orbitkv/store'

export const outOfMemory = "OOM command not allowed when used memory > 'maxmemory'."

export type CachedStore = Pick<Store, 'changeCache' | 'isCacheFull'>

const noEviction = 'noeviction'

export class MemoryLimit {
  readonly #store: CachedStore | undefined
  readonly #shardCount: number
  /** Of all shards; 0: no limit. */
  #bytesMax: number
  #policy: string

  /** `settings` are those that the store was opened with. */
  constructor(store: CachedStore | undefined, settings: CacheSettings | undefined, shardCount: number) {
    this.#store = store
    this.#shardCount = shardCount
    this.#bytesMax = (settings?.bytesMax ?? 0) * shardCount
    this.#policy = settings === undefined || settings.policy === 'none' ? noEviction : nameOf(settings)
  }

  get bytesMax(): number {
    return this.#bytesMax
  }

  /** As Redis names it. */
  get policy(): string {
    return this.#policy
  }

  get isExceeded(): boolean {
    return this.#bytesMax > 0 && this.#store?.isCacheFull === true
  }

  /** What puts another limit into force, or what is wrong with it. */
  changeBytes(text: string): (() => void) | string {
    const bytes = memoryBytes(text)
    if (bytes === undefined) return 'argument must be a memory value'
    return this.#change(() => {
      this.#bytesMax = bytes
    })
  }

  changePolicy(text: string): (() => void) | string {
    const name = text.toLowerCase()
    if (name.endsWith('-random')) return `${name} is not supported: the policies are ${policyNames.join(', ')}`
    if (!policyNames.includes(name)) return `argument must be one of the following: ${policyNames.join(', ')}`
    return this.#change(() => {
      this.#policy = name
    })
  }

  #change(change: () => void): (() => void) | string {
    const store = this.#store
    if (store === undefined) return "can't be changed: this server was started without its store's cache"
    return () => {
      const { bytesMax, policy } = this
      change()
      // The counting begins anew, so what is the same already is left alone.
      if (bytesMax === this.bytesMax && policy === this.policy) return
      if (bytesMax > 0 || this.bytesMax > 0) store.changeCache(this.#settings())
    }
  }

  #settings(): CacheSettings {
    const settings = policies.get(this.#policy) ?? { policy: 'none', keys: 'all' }
    // A part of no bytes would be no limit.
    const bytesMax = this.#bytesMax === 0 ? 0 : Math.max(1, Math.floor(this.#bytesMax / this.#shardCount))
    return { ...settings, bytesMax }
  }
}

type Choice = Pick<CacheSettings, 'policy' | 'keys'>

/** Those of Redis, and the store's others by names of the same kind. */
const policies: ReadonlyMap<string, Choice> = new Map(
  (['all', 'expiring'] as const).flatMap((keys) =>
    (['lru', 'lfu', 'ttl', 'w-tinylfu'] as const).map(
      (policy) => [nameOf({ policy, keys }), { policy, keys }] as const,
    ),
  ),
)
const policyNames: readonly string[] = [noEviction, ...policies.keys()]

function nameOf({ policy, keys }: Choice): string {
  return `${keys === 'all' ? 'allkeys' : 'volatile'}-${policy}`
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
}

/** The most that the store takes as a cap. */
const bytesMaxMost: number = 1024 ** 5

/** Bytes as Redis writes them in settings: `100mb`. Undefined where it is no such text, or more than can be. */
export function memoryBytes(text: string): number | undefined {
  const match = /^(\d{1,15})([a-z]{0,2})$/i.exec(text)
  const unit = units[match?.[2]?.toLowerCase() ?? 'none']
  const bytes = match === null || unit === undefined ? undefined : Number(match[1]) * unit
  return bytes === undefined || bytes > bytesMaxMost ? undefined : bytes
}
