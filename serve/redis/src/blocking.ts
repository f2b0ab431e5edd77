/**
 * Clients that wait for an element: who waits for which key, and who is served when it comes.
 *
 * A command that finds nothing waits with a copy of its arguments. Once another command has written a list or sorted
 * set, and has its reply, those who wait for the key are served, first come first served, before any further command.
 *
 * What must hold: a client waits at most once; whoever is served, whose time is over, or whose connection is gone, waits
 * for no key any more; what is served to one is a command like any other, one batch.
 */

import type { Clock, Timer } from '@orbitkv/runtime'
import { type Call, type Command, CommandError } from './commands/command.ts'
import type { Arguments } from './protocol/arguments.ts'
import { latin1 } from './protocol/text.ts'
import type { Session } from './session.ts'

/** What a blocked command is to do once an element is there, and when its time is over. */
export interface Wait {
  readonly command: Command
  /** Of the caller's own. */
  readonly arguments: Arguments
  readonly session: Session
  /** Places of the keys among the arguments. */
  readonly keyPlaces: readonly number[]
  /** From now; 0: for ever. */
  readonly timeoutMs: number
  /** Takes from a key that was filled, and replies; false where there is nothing. */
  readonly take: (call: Call, name: string) => boolean
  /** Encodes what is replied when the time is over. */
  readonly giveUp: (call: Call) => void
}

/** How a wait ends other than by being served. */
export type End = 'timeout' | 'unblocked'

interface Waiting extends Wait {
  readonly names: readonly string[]
  timer: Timer | undefined
}

/** What the waits need of their server. */
export interface BlockingHost {
  readonly clock: Clock
  readonly blockedClientsMax: number
  /** Tries to serve one of the keys; false where there is nothing to take. */
  serve(wait: Wait, name: string): boolean
  /** Replies, and lets the client go on. */
  end(wait: Wait, how: End): void
  /** The client has its reply and goes on with its commands. */
  release(session: Session): void
}

const tooManyBlocked = 'ERR max number of blocked clients reached. Try again once some are served.'

export class Blocking {
  readonly #host: BlockingHost
  readonly #bySession = new Map<Session, Waiting>()
  /** By database and key, in the order in which they came. */
  readonly #byName = new Map<string, Set<Waiting>>()
  #ready = new Set<string>()

  constructor(host: BlockingHost) {
    this.#host = host
  }

  /** Clients that wait. */
  get count(): number {
    return this.#bySession.size
  }

  isWaiting(session: Session): boolean {
    return this.#bySession.has(session)
  }

  /** Throws where too many clients wait already. */
  add(wait: Wait): void {
    if (this.#bySession.size >= this.#host.blockedClientsMax) throw new CommandError(tooManyBlocked)
    const found = wait.arguments
    const { database } = wait.session
    const names = wait.keyPlaces.map((place) =>
      nameOf(database, latin1(found.bytes, found.start(place), found.end(place))),
    )
    const waiting: Waiting = { ...wait, names, timer: undefined }
    if (wait.timeoutMs > 0) {
      waiting.timer = this.#host.clock.after(wait.timeoutMs, () => this.end(wait.session, 'timeout'))
    }
    this.#bySession.set(wait.session, waiting)
    wait.session.isBlocked = true
    for (const name of names) {
      const others = this.#byName.get(name)
      if (others === undefined) this.#byName.set(name, new Set([waiting]))
      else others.add(waiting)
    }
  }

  /** Ends the wait of a client with a reply; false where it does not wait. */
  end(session: Session, how: End): boolean {
    const waiting = this.#remove(session)
    if (waiting === undefined) return false
    this.#host.end(waiting, how)
    return true
  }

  /** The connection is gone. */
  forget(session: Session): void {
    if (this.#bySession.size > 0) this.#remove(session)
  }

  /** A key has, or may have, something to take; returns whether anybody waits for it. */
  note(database: number, key: Uint8Array): boolean {
    if (this.#byName.size === 0) return false
    const name = nameOf(database, latin1(key, 0, key.length))
    if (!this.#byName.has(name)) return false
    this.#ready.add(name)
    return true
  }

  /** As `note` for every key of a database that anybody waits for: it has other contents now. */
  noteAll(database: number): boolean {
    const first = nameOf(database, '')
    for (const name of this.#byName.keys()) if (name.startsWith(first)) this.#ready.add(name)
    return this.#ready.size > 0
  }

  /** Serves the keys noted, and those that serving fills, until nothing can be served. */
  serveReady(): void {
    while (this.#ready.size > 0) {
      const ready = this.#ready
      this.#ready = new Set()
      for (const name of ready) this.#serveKey(name)
    }
  }

  #serveKey(name: string): void {
    for (const waiting of [...(this.#byName.get(name) ?? [])]) {
      if (!this.#host.serve(waiting, name.slice(1))) continue
      this.#remove(waiting.session)
      this.#host.release(waiting.session)
    }
  }

  #remove(session: Session): Waiting | undefined {
    const waiting = this.#bySession.get(session)
    if (waiting === undefined) return undefined
    this.#bySession.delete(session)
    waiting.timer?.cancel()
    for (const name of waiting.names) {
      const others = this.#byName.get(name)
      others?.delete(waiting)
      if (others?.size === 0) this.#byName.delete(name)
    }
    return waiting
  }
}

/** A database and a key in it; the database is one character. */
function nameOf(database: number, key: string): string {
  return String.fromCharCode(database) + key
}
