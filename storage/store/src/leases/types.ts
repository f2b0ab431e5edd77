/** Leases as their users see them; leases.ts implements `Store.leases` with them. */

import type { Keyspace } from '@orbitkv/engine'
import type { WriteOptions } from '../types.ts'

export interface GrantOptions extends WriteOptions {
  /** A whole number from 1 on that no lease has; a random one if absent. */
  readonly id?: number
}

/**
 * Leases: keys that are put with one go when it ends, all of them. It ends when it was not renewed for its time to live, and when
 * it is revoked. Granting and renewing take no revision.
 */
export interface Leases {
  /** A lease that ends in `ttl` milliseconds unless it is renewed; resolves to its id. `store.lease_exists` where the id is taken. */
  grant(ttl: number, options?: GrantOptions): Promise<number>
  /** The whole time to live begins anew; resolves to it. Fails with `store.no_such_lease` where the lease has ended. */
  keepAlive(id: number): Promise<number>
  /** Ends it: resolves once its keys are gone. Fails with `store.no_such_lease`. */
  revoke(id: number): Promise<void>
  /** Milliseconds until it ends; undefined where it has. */
  timeLeft(id: number): number | undefined
  /** The time to live that it was granted for; undefined where it has ended. */
  ttl(id: number): number | undefined
  /** The keys that it carries, in their order; of the default keyspace if none is named. */
  keys(id: number, keyspace?: Keyspace): Uint8Array[]
  /** Those that have not ended, ascending. */
  ids(): number[]
}
