/** The server as commands see it, and what its starter tells about the store behind it. */

import type { Address, Clock } from '@orbitkv/runtime'
import type { StoreStats } from '@orbitkv/store'
import type { Blocking } from './blocking.ts'
import type { Channels } from './channels.ts'
import type { Command } from './commands/command.ts'
import type { Reply } from './protocol/reply.ts'
import type { Session } from './session.ts'

/** What the front cannot know by itself. */
export interface ServerFacts {
  /** Of OrbitKV. */
  readonly version: string
  readonly store: StoreStats
}

export interface RedisStats {
  connectionsReceived: number
  connectionsRejected: number
  /** Cut for output over the limit, or for memory. */
  connectionsCut: number
  commandsProcessed: number
  errorReplies: number
  keyspaceHits: number
  keyspaceMisses: number
  inputBytes: number
  outputBytes: number
  /** Of the last whole second. */
  commandsPerSecond: number
  inputBytesPerSecond: number
  outputBytesPerSecond: number
  turns: number
  /** Turns whose replies were withheld until the store had settled. */
  turnsWithheld: number
}

export interface ServerView {
  readonly stats: RedisStats
  readonly clock: Clock
  readonly address: Address
  readonly startedMs: number
  /** 40 hexadecimal digits, new at each start. */
  readonly runId: string
  readonly sessions: ReadonlyMap<number, Session>
  /** Bytes of the buffers in use for requests and replies. */
  readonly bufferBytes: number
  facts(): ServerFacts
  /** Every command and subcommand. */
  commands(): Iterable<Command>
  resetStats(): void
  readonly blocking: Blocking
  readonly channels: Channels
  /** Runs once the command at hand has its reply, before any other command. */
  later(run: () => void): void
  /** Encodes a message for a client, behind the replies that it has; a client with too many of them is cut. */
  message(session: Session, encode: (reply: Reply) => void): void
}
