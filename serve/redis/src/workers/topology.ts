/** Which worker has which shards and listens where: what CLUSTER tells, and what every worker knows of the others. */

import { assert } from '@orbitkv/base'
import type { Address } from '@orbitkv/runtime'
import { type SlotRange, slotsOfShard } from './slots.ts'

export interface WorkerPlace {
  /** The first is the one whose server accepts the worker's connections. */
  readonly shards: readonly number[]
  /** Of its own port. */
  readonly address: Address
  /** 40 hexadecimal digits, the same after a restart. */
  readonly id: string
}

export interface Topology {
  readonly shardCount: number
  /** Those that have shards. */
  readonly workers: readonly WorkerPlace[]
}

/** Shards dealt out: those of worker 0, of worker 1 … A worker's are side by side, so that it has one run of slots. */
export function dealShards(shardCount: number, workerCount: number): number[][] {
  assert(workerCount <= shardCount, 'every worker has a shard')
  return Array.from({ length: workerCount }, (_, worker) => {
    const first = Math.ceil((worker * shardCount) / workerCount)
    const next = Math.ceil(((worker + 1) * shardCount) / workerCount)
    return Array.from({ length: next - first }, (_, i) => first + i)
  })
}

/** The slots of a worker: one run, since its shards are side by side. */
export function slotsOfWorker({ shardCount }: Topology, { shards }: WorkerPlace): SlotRange {
  const first = slotsOfShard(shards[0] as number, shardCount)
  const last = slotsOfShard(shards.at(-1) as number, shardCount)
  return { first: first.first, last: last.last }
}
