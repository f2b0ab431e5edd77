/** What a change of users means for connections that are open. */

import { bytesOf, type ChannelUse, type User, type Users } from '@orbitkv/access'
import type { Session } from '../session.ts'

/** What of the connections is looked at, and ended. */
export interface Consequences {
  readonly sessions: () => Iterable<Session>
  /** The session whose command runs: it gets its reply first. */
  readonly running: () => Session
  /** Whether it follows changes of keys, and its user may do that no more. */
  readonly followsInVain: (session: Session) => boolean
  /** A session waits for an element at another worker, which knows no users: it waits no more. */
  readonly endWait: (session: Session) => void
}

/**
 * Closes the connections of users that are gone, and of listeners whose channels or keys were taken away. Who waits for an
 * element here is asked again when there is one (executor.ts); a wait elsewhere ends.
 */
export function closeOnChange(users: Users, { sessions, running, followsInVain, endWait }: Consequences): void {
  const close = (session: Session): void => {
    if (session === running()) session.closeAfterReply()
    else session.cut()
  }
  users.onRemove = (user) => {
    for (const session of [...sessions()]) if (session.user === user) close(session)
  }
  users.onChange = (user) => {
    for (const session of [...sessions()]) {
      if (session.user !== user) continue
      if (!mayStillListen(user, session) || followsInVain(session)) close(session)
      else if (session.isBlocked && !user.allowsAll) endWait(session)
    }
  }
}

function mayStillListen(user: User, { subscriptions }: Session): boolean {
  if (subscriptions === undefined) return true
  const { channels, patterns, shardChannels } = subscriptions
  const allows = (name: string, isPattern: boolean): boolean => user.allowsChannel(useOf(name, isPattern))
  return (
    [...channels, ...shardChannels].every((name) => allows(name, false)) &&
    [...patterns].every((name) => allows(name, true))
  )
}

function useOf(name: string, isPattern: boolean): ChannelUse {
  const bytes = bytesOf(name)
  return { bytes, start: 0, end: bytes.length, isPattern }
}
