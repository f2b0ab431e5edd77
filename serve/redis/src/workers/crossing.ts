/**
 * How a worker reaches every shard: its own ones in its thread, those of other workers over a link to each of them.
 *
 * What must hold: all servers of all workers are added before any of them accepts clients, so that whoever connects finds them.
 */

import { assert } from '@orbitkv/base'
import type { Connection } from '@orbitkv/runtime'
import { type Doorbell, Link } from './link.ts'
import { loopback } from './loopback.ts'
import { newRing, type RingMemory } from './ring.ts'

/** The memory between each two workers: `rings[from][to]`. */
export type Rings = readonly (readonly (RingMemory | undefined)[])[]

/** One direction between two workers: a turn's commands and replies, many times over. */
const ringBytes = 1024 * 1024

export function newRings(workerCount: number, bytes: number = ringBytes): Rings {
  return Array.from({ length: workerCount }, (_, from) =>
    Array.from({ length: workerCount }, (_, to) => (from === to ? undefined : newRing(bytes))),
  )
}

/** What accepts lanes: a server of a shard. */
interface LaneServer {
  acceptLane(connection: Connection): void
}

export interface CrossingOptions {
  readonly worker: number
  /** By worker. */
  readonly shards: readonly (readonly number[])[]
  readonly rings: Rings
  /** To each other worker. */
  readonly doorbell: (worker: number) => Doorbell
  /** Runs `run` soon, with other work between. */
  readonly later: (run: () => void) => void
}

export class Crossing {
  readonly #servers = new Map<number, LaneServer>()
  readonly #links: (Link | undefined)[]
  readonly #workerOf: number[] = []
  readonly #worker: number

  constructor({ worker, shards, rings, doorbell, later }: CrossingOptions) {
    this.#worker = worker
    shards.forEach((owned, its) => {
      for (const shard of owned) this.#workerOf[shard] = its
    })
    this.#links = shards.map((_, other) => {
      const incoming = rings[other]?.[worker]
      const outgoing = rings[worker]?.[other]
      if (incoming === undefined || outgoing === undefined) return undefined
      return new Link({
        incoming,
        outgoing,
        doorbell: doorbell(other),
        isFirst: worker < other,
        onConnection: (shard, connection) => this.#server(shard).acceptLane(connection),
        later,
      })
    })
  }

  addServer(shard: number, server: LaneServer): void {
    this.#servers.set(shard, server)
  }

  connect(shard: number): Connection {
    const worker = this.#workerOf[shard]
    if (worker === this.#worker) {
      const [ours, theirs] = loopback()
      this.#server(shard).acceptLane(theirs)
      return ours
    }
    const link = this.#links[worker as number]
    assert(link !== undefined, 'every other worker has a link')
    return link.connect(shard)
  }

  #server(shard: number): LaneServer {
    const server = this.#servers.get(shard)
    assert(server !== undefined, 'a shard of this worker has its server')
    return server
  }
}
