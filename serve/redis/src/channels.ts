/**
 * Publish and subscribe: who listens to which channels and patterns.
 *
 * What must hold: a subscription is in the client's own sets and here, or in neither.
 */

import { compileGlob, type Glob } from '@orbitkv/bytes'
import type { Session } from './session.ts'

/** Names as latin1 text, so that any bytes are told apart. */
export interface Subscriptions {
  readonly channels: Set<string>
  readonly patterns: Set<string>
  /** Channels of shards: apart from the others, without patterns. */
  readonly shardChannels: Set<string>
}

interface Pattern {
  readonly glob: Glob
  readonly sessions: Set<Session>
}

/** Who gets a message; `pattern` where a pattern matched the channel. */
export interface Receiver {
  readonly session: Session
  readonly pattern: string | undefined
}

/** Names, and who listens to each. */
type Listeners = Map<string, Set<Session>>

export class Channels {
  readonly #channels: Listeners = new Map()
  readonly #shardChannels: Listeners = new Map()
  readonly #patterns = new Map<string, Pattern>()

  subscribe(session: Session, channel: string): void {
    subscriptionsOf(session).channels.add(channel)
    listen(this.#channels, channel, session)
  }

  unsubscribe(session: Session, channel: string): void {
    session.subscriptions?.channels.delete(channel)
    unlisten(this.#channels, channel, session)
    dropIfNone(session)
  }

  subscribeShard(session: Session, channel: string): void {
    subscriptionsOf(session).shardChannels.add(channel)
    listen(this.#shardChannels, channel, session)
  }

  unsubscribeShard(session: Session, channel: string): void {
    session.subscriptions?.shardChannels.delete(channel)
    unlisten(this.#shardChannels, channel, session)
    dropIfNone(session)
  }

  subscribePattern(session: Session, pattern: string): void {
    subscriptionsOf(session).patterns.add(pattern)
    const known = this.#patterns.get(pattern)
    if (known !== undefined) known.sessions.add(session)
    else {
      this.#patterns.set(pattern, {
        glob: compileGlob(Buffer.from(pattern, 'latin1')),
        sessions: new Set([session]),
      })
    }
  }

  unsubscribePattern(session: Session, pattern: string): void {
    session.subscriptions?.patterns.delete(pattern)
    const known = this.#patterns.get(pattern)
    known?.sessions.delete(session)
    if (known?.sessions.size === 0) this.#patterns.delete(pattern)
    dropIfNone(session)
  }

  /** The client listens to nothing any more. */
  forget(session: Session): void {
    const { subscriptions } = session
    if (subscriptions === undefined) return
    for (const channel of [...subscriptions.channels]) this.unsubscribe(session, channel)
    for (const channel of [...subscriptions.shardChannels]) this.unsubscribeShard(session, channel)
    for (const pattern of [...subscriptions.patterns]) this.unsubscribePattern(session, pattern)
  }

  /** Whether anybody listens to anything but channels of shards. */
  get hasListeners(): boolean {
    return this.#channels.size > 0 || this.#patterns.size > 0
  }

  receivers(channel: string): Receiver[] {
    const found: Receiver[] = []
    for (const session of this.#channels.get(channel) ?? []) found.push({ session, pattern: undefined })
    if (this.#patterns.size === 0) return found
    const bytes = Buffer.from(channel, 'latin1')
    for (const [pattern, { glob, sessions }] of this.#patterns) {
      if (!glob.matches(bytes, 0, bytes.length)) continue
      for (const session of sessions) found.push({ session, pattern })
    }
    return found
  }

  shardReceivers(channel: string): Receiver[] {
    return Array.from(this.#shardChannels.get(channel) ?? [], (session) => ({ session, pattern: undefined }))
  }

  listeners(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0
  }

  shardListeners(channel: string): number {
    return this.#shardChannels.get(channel)?.size ?? 0
  }

  names(): Iterable<string> {
    return this.#channels.keys()
  }

  shardNames(): Iterable<string> {
    return this.#shardChannels.keys()
  }

  get count(): number {
    return this.#channels.size
  }

  get shardCount(): number {
    return this.#shardChannels.size
  }

  get patternCount(): number {
    return this.#patterns.size
  }
}

/** How many subscriptions a client has: what the replies of SUBSCRIBE and its kin end with. */
export function subscriptionCount({ subscriptions }: Session): number {
  return subscriptions === undefined ? 0 : subscriptions.channels.size + subscriptions.patterns.size
}

function listen(listeners: Listeners, channel: string, session: Session): void {
  const sessions = listeners.get(channel)
  if (sessions === undefined) listeners.set(channel, new Set([session]))
  else sessions.add(session)
}

function unlisten(listeners: Listeners, channel: string, session: Session): void {
  const sessions = listeners.get(channel)
  sessions?.delete(session)
  if (sessions?.size === 0) listeners.delete(channel)
}

function subscriptionsOf(session: Session): Subscriptions {
  session.subscriptions ??= { channels: new Set(), patterns: new Set(), shardChannels: new Set() }
  return session.subscriptions
}

function dropIfNone(session: Session): void {
  const { subscriptions } = session
  if (subscriptions === undefined || subscriptionCount(session) > 0 || subscriptions.shardChannels.size > 0) return
  session.subscriptions = undefined
}
