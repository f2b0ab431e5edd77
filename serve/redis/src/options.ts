/** What the front is started with, and what its starter has of it then. */

import type { Family } from '@orbitkv/metrics'
import type { Address, Clock, Connection, Network } from '@orbitkv/runtime'
import type { Owner, Snapshot } from '@orbitkv/store'
import type { Access, AccessSettings } from './access/access.ts'
import type { RedisLimits } from './config.ts'
import type { TlsDoor } from './doors.ts'
import type { MachineFacts } from './families.ts'
import type { Log } from './log.ts'
import type { CachedStore } from './memory-limit.ts'
import type { OpenWatcher } from './notifications/notifications.ts'
import type { RedisStats, ServerFacts } from './view.ts'
import type { Topology } from './workers/topology.ts'

export interface RedisOptions {
  readonly owner: Owner
  readonly network: Network
  readonly clock: Clock
  /** `127.0.0.1` if absent; one beyond this machine is refused without a password (`redis.not_loopback`). */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  /** What differs from the defaults in config.ts. */
  readonly limits?: Partial<RedisLimits>
  readonly tls?: TlsDoor
  readonly access?: AccessSettings
  /** What INFO tells about the store. */
  readonly info: () => ServerFacts
  /** `Store.snapshot`, for ORBIT.AT; without it that is refused. */
  readonly snapshot?: (at: number | Date) => Snapshot
  /** `Store.watcher`, by which keys whose time is over are told to who listens; without it they are not. */
  readonly watch?: OpenWatcher
  /** The store, for `maxmemory`; without it that is not changed. */
  readonly cache?: CachedStore
  readonly log?: Log
  /** Runs `run` at the end of the running turn of the event loop: `setImmediate` if absent; for simulation. */
  readonly endOfTurn?: (run: () => void) => void
  /** 40 hexadecimal digits that INFO shows; made from the time of the start if absent. */
  readonly runId?: string
  /** Where keys are dealt out over several shards. */
  readonly worker?: WorkerOptions
}

/** One shard of several, and how its worker reaches the others (workers/router.ts). */
export interface WorkerOptions {
  readonly shard: number
  /** Its addresses are known once all listen. */
  readonly topology: () => Topology
  /** A connection to a shard. */
  readonly connect: (shard: number) => Connection
}

export interface RedisServer {
  readonly address: Address
  /** Where it listens for TLS. */
  readonly tlsAddress: Address | undefined
  readonly access: Access
  /** Accepts clients; for a worker, whose `startRedis` does not. Errors: those of `startRedis`. */
  listen(sharedPort?: number): Promise<void>
  /** Where the workers listen together. */
  readonly sharedAddress: Address | undefined
  readonly stats: Readonly<RedisStats>
  readonly connections: number
  /** What the page of metrics tells of this front and its store. */
  families(machine: MachineFacts): Family[]
  /** Serves commands that another worker sends, or this one to itself. */
  acceptLane(connection: Connection): void
  /** Ends what goes to other shards; to be called once the workers have closed. */
  closeLanes(): void
  /**
   * Accepts no more, answers what was received, then closes every connection; what is not done after
   * `deadlineMs` (5,000 if absent) is cut. Resolves when all are closed.
   */
  close(deadlineMs?: number): Promise<void>
}
