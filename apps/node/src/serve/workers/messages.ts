/** What the supervisor and the threads of its workers tell one another. */

import type { MessagePort } from 'node:worker_threads'
import type { Family } from '@orbitkv/metrics'
import type { LogLevel, MachineFacts, Rings, Topology } from '@orbitkv/redis'
import type { Address } from '@orbitkv/runtime'
import type { Origin } from '../../config/load.ts'
import type { Env } from '../../context.ts'
import type { Facts } from '../log.ts'

/** What a thread is given when it starts. */
export interface WorkerSetup {
  readonly worker: number
  /** Shards of every worker. */
  readonly dealt: readonly (readonly number[])[]
  readonly shardCount: number
  /** The configuration by its keys' paths, as its values cross to another thread. */
  readonly values: readonly (readonly [path: string, value: unknown, origin: Origin])[]
  readonly configFile: string | undefined
  readonly env: Env
  readonly rings: Rings
  /** To each other worker. */
  readonly doorbells: readonly (MessagePort | undefined)[]
  /** Of its own port; 0 takes a free one. */
  readonly port: number
}

/** An error as it crosses to another thread. */
export interface PlainError {
  readonly code: string
  readonly retry: string
  readonly message: string
}

export type ToWorker =
  | { readonly kind: 'listen'; readonly sharedPort: number }
  | { readonly kind: 'topology'; readonly topology: Topology }
  /** Accepts no more, and answers what is under way. */
  | { readonly kind: 'drain'; readonly deadlineMs: number }
  /** All have drained: closes the stores. */
  | { readonly kind: 'stop' }
  /** Asks for a report. */
  | { readonly kind: 'report' }
  /** Asks what the page of metrics is to tell. */
  | { readonly kind: 'measure'; readonly machine: MachineFacts }

export type FromWorker =
  | { readonly kind: 'recovering'; readonly bytesDone: number; readonly bytesTotal: number }
  | { readonly kind: 'opened' }
  | { readonly kind: 'listening'; readonly address: Address; readonly shared: Address }
  | { readonly kind: 'joined' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'measured'; readonly families: readonly Family[] }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly facts: Facts }

export interface WorkerReport {
  readonly keysLive: number
  readonly connections: number
}
