/** A connection as commands see it. */

import type { User } from '@orbitkv/access'
import type { Address } from '@orbitkv/runtime'
import type { Subscriptions } from './channels.ts'
import type { Command } from './commands/command.ts'
import type { ReplyOwner } from './protocol/reply.ts'
import type { Transaction, Watched } from './transaction.ts'

/** Whether replies are sent: CLIENT REPLY. `skip-next` becomes `skip` for one command, then `on`. */
export type ReplyMode = 'on' | 'off' | 'skip' | 'skip-next'

export interface Session extends ReplyOwner {
  readonly id: number
  readonly remote: Address
  readonly local: Address
  readonly createdMs: number
  readonly lastActiveMs: number
  /** Who may run what: as whom it logged in, or `stranger` (access/people.ts). */
  user: User
  /** Chosen by SELECT. Who changes it calls `Databases.enter`. */
  database: number
  /** Given by CLIENT SETNAME; empty for none. */
  connectionName: string
  libraryName: string
  libraryVersion: string
  replyMode: ReplyMode
  /** CLIENT NO-EVICT; kept to be shown, since clients are never evicted. */
  isEvictionExempt: boolean
  lastCommand: Command | undefined
  /** Since MULTI. */
  transaction: Transaction | undefined
  watched: Watched | undefined
  /** What it sends runs here, as another worker decided. */
  readonly isLane: boolean
  /** It waits for an element (blocking.ts). */
  isBlocked: boolean
  /** Undefined while it listens to nothing. */
  subscriptions: Subscriptions | undefined
  /** Bytes of requests that are not whole yet. */
  readonly requestBytes: number
  /** Answers what came before, then closes. */
  closeAfterReply(): void
  /** Closes at once. */
  cut(): void
}
