/** The server as commands see it, and what its starter tells about the store behind it. */

import type { Address, Clock } from '@orbitkv/runtime'
import type { StoreStats } from '@orbitkv/store'
import type { Access } from './access/access.ts'
import type { Blocking } from './blocking.ts'
import type { Channels } from './channels.ts'
import type { Command } from './commands/command.ts'
import type { Saves } from './commands/saving.ts'
import type { TlsDoor } from './doors.ts'
import type { MemoryLimit } from './memory-limit.ts'
import type { Message } from './messages.ts'
import type { Notifications } from './notifications/notifications.ts'
import type { RedisOptions } from './options.ts'
import type { ChangeStreams } from './orbit/change-streams.ts'
import type { Pauses } from './pauses.ts'
import type { Reply } from './protocol/reply.ts'
import type { Scripts } from './scripts/scripts.ts'
import type { Session } from './session.ts'
import type { Settings } from './settings.ts'
import type { Timings } from './timings.ts'

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
  /** Those that may change keys. */
  writes: number
  errorReplies: number
  /** By their first word; others than the first 128 are not told apart. */
  readonly errors: Map<string, number>
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
  /** What `~` cuts off a stream is whole multiples of this; 0: any number of entries is one node. */
  streamNodeEntries: number
  readonly stats: RedisStats
  readonly access: Access
  /** Undefined without a port for TLS. */
  readonly tls: TlsDoor | undefined
  readonly tlsAddress: Address | undefined
  readonly clock: Clock
  readonly address: Address
  readonly startedMs: number
  /** 40 hexadecimal digits, new at each start. */
  readonly runId: string
  readonly sessions: ReadonlyMap<number, Session>
  /** Bytes of the buffers in use for requests and replies. */
  readonly bufferBytes: number
  /** How long the oldest reply that waits for the disk has waited; 0 where none does. */
  readonly repliesWaitMs: number
  facts(): ServerFacts
  /** Every command and subcommand. */
  commands(): Iterable<Command>
  resetStats(): void
  /** Of the store, for ORBIT.AT and ORBIT.WATCH: see RedisOptions. */
  readonly snapshot: RedisOptions['snapshot']
  readonly changes: ChangeStreams
  readonly timings: Timings
  readonly notifications: Notifications
  /** By name, as CONFIG knows them. */
  readonly settings: Settings
  readonly blocking: Blocking
  readonly pauses: Pauses
  readonly channels: Channels
  readonly scripts: Scripts
  readonly memoryLimit: MemoryLimit
  readonly saves: Saves
  /** Lets the other workers give a message to who listens there. */
  tellOtherWorkers(message: Message): void
  /** Ends the wait of the connection with this number, by an error or as if its time were over; false if it does not wait. */
  unblock(id: number, isError: boolean): boolean
  /** Runs once the command at hand has its reply, before any other command. */
  later(run: () => void): void
  /** Encodes a message for a client, behind the replies that it has; a client with too many of them is cut. */
  message(session: Session, encode: (reply: Reply) => void): void
}
