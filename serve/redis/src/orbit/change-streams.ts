/**
 * Changes of keys as they are published, sent to clients that asked: ORBIT.WATCH. Each is a watch of the store, so that none is
 * missed and none comes twice; a client that reads too slowly is cut, as with messages of channels.
 *
 * What must hold: a stream ends with its connection; of each client there are at most `streamsMax`.
 */

import type { Clock } from '@orbitkv/runtime'
import type { WatchEvent, Watcher, WatchOptions } from '@orbitkv/store'
import { CommandError, stringTag } from '../commands/command.ts'
import type { OpenWatcher } from '../notifications/notifications.ts'
import type { Reply } from '../protocol/reply.ts'
import type { Session } from '../session.ts'
import type { ServerView } from '../view.ts'

export interface ChangeStreamsOptions {
  readonly server: ServerView
  readonly clock: Clock
  readonly watch: OpenWatcher | undefined
  /** Runs something outside of commands, as a turn of its own or within the one that is open. */
  readonly inTurn: (run: () => void) => void
}

export const streamsMax = 100

export class ChangeStreams {
  readonly #options: ChangeStreamsOptions
  readonly #bySession = new Map<Session, Map<number, Watcher>>()
  #nextId = 1

  constructor(options: ChangeStreamsOptions) {
    this.#options = options
  }

  /** Follows changes for a client; returns the number of the stream. Errors: `engine.compacted` and those of `Store.watcher`. */
  open(session: Session, keyspace: number, interest: WatchOptions): number {
    const { watch } = this.#options
    if (watch === undefined) throw new CommandError('ERR changes cannot be followed here')
    const own = this.#bySession.get(session) ?? new Map<number, Watcher>()
    if (own.size >= streamsMax) throw new CommandError(`ERR a client may follow at most ${streamsMax} of them`)
    const id = this.#nextId++
    own.set(
      id,
      watch(keyspace, interest, () => this.#wake(session, id)),
    )
    this.#bySession.set(session, own)
    // What has come since the revision that it is to begin with.
    this.#wake(session, id)
    return id
  }

  isFollowing(session: Session): boolean {
    return (this.#bySession.get(session)?.size ?? 0) > 0
  }

  close(session: Session, id: number): boolean {
    const watcher = this.#bySession.get(session)?.get(id)
    watcher?.close()
    this.#bySession.get(session)?.delete(id)
    return watcher !== undefined
  }

  /** The connection is gone. */
  forget(session: Session): void {
    for (const watcher of this.#bySession.get(session)?.values() ?? []) watcher.close()
    this.#bySession.delete(session)
  }

  stop(): void {
    for (const session of [...this.#bySession.keys()]) this.forget(session)
  }

  /** In a turn of its own: a batch may be published in the middle of one. */
  #wake(session: Session, id: number): void {
    const { clock, inTurn } = this.#options
    clock.after(0, () => inTurn(() => this.#take(session, id)))
  }

  #take(session: Session, id: number): void {
    const watcher = this.#bySession.get(session)?.get(id)
    if (watcher === undefined) return
    const { server } = this.#options
    try {
      for (let event = watcher.take(); event !== undefined; event = watcher.take()) {
        const taken = event
        server.message(session, (reply) => replyEvent(reply, id, taken))
      }
    } catch (error) {
      // It ended, as too slow or with the store: who follows must learn it.
      this.close(session, id)
      const text = error instanceof Error ? error.message : String(error)
      server.message(session, (reply) => {
        reply.push(3)
        reply.bulkText('orbit.end')
        reply.integer(id)
        reply.bulkText(text)
      })
    }
  }
}

function replyEvent(reply: Reply, id: number, event: WatchEvent): void {
  if (event.kind === 'progress') return
  const { key, kind, revision } = event
  reply.push(6)
  reply.bulkText('orbit.change')
  reply.integer(id)
  reply.bulkText(kind)
  reply.bulk(key, 0, key.length)
  reply.integer(revision)
  if (event.kind === 'put' && event.tag === stringTag) reply.bulk(event.value, 0, event.value.length)
  else reply.null()
}
