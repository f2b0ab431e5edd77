/**
 * CLIENT PAUSE: commands of clients are kept until the pause is over, all or those that write.
 *
 * What must hold: a client has at most one command here, and runs no other before it; they go on in the order in which they came.
 * What is kept takes at most `buffersBytesMax`. CLIENT UNPAUSE always runs, or nobody could end the pause; so does what other workers
 * send, since each keeps the commands of its own connections.
 */

import type { Clock, Timer } from '@orbitkv/runtime'
import type { Command } from './commands/command.ts'
import type { RedisLimits } from './config.ts'
import type { Arguments } from './protocol/arguments.ts'
import type { Session } from './session.ts'
import { keepArguments } from './transaction.ts'

export type PauseScope = 'write' | 'all'

/** A command that waits, as the client sent it. */
export interface Held {
  readonly session: Session
  readonly arguments: Arguments
}

export interface PausesOptions {
  readonly clock: Clock
  readonly limits: RedisLimits
  /** Runs what waited, in order, and lets the clients go on; what is held anew is a call of `hold`. */
  readonly resume: (held: readonly Held[]) => void
}

/** Timers take no longer waits: a longer pause takes several of them. */
const timerMsMax = 24 * 3600 * 1000
/** Beside those that write: what a script does is not known before, and messages reach others. */
const mayChange = new Set(['eval', 'evalsha', 'publish', 'spublish', 'pfcount'])

export class Pauses {
  /** While it is false nothing else here need be asked. */
  isOn = false
  readonly #options: PausesOptions
  #scope: PauseScope = 'write'
  /** As the clock's `monotonic` says it. */
  #endsAtMs = 0
  #timer: Timer | undefined
  #heldBytes = 0
  readonly #held = new Map<Session, Arguments>()

  constructor(options: PausesOptions) {
    this.#options = options
  }

  /** Clients that wait. */
  get count(): number {
    return this.#held.size
  }

  /** Begins a pause; of two that overlap the later end holds, and the wider scope. */
  begin(durationMs: number, scope: PauseScope): void {
    const endsAtMs = this.#options.clock.monotonic() + durationMs
    if (!this.isOn || scope === 'all') this.#scope = scope
    this.#endsAtMs = this.isOn ? Math.max(this.#endsAtMs, endsAtMs) : endsAtMs
    this.isOn = true
    this.#wait()
  }

  end(): void {
    this.#timer?.cancel()
    this.isOn = false
    const held = [...this.#held].map(([session, found]) => ({ session, arguments: found }))
    this.#held.clear()
    this.#heldBytes = 0
    if (held.length > 0) this.#options.resume(held)
  }

  /** The server stops. */
  stop(): void {
    this.#timer?.cancel()
  }

  /** Whether a command has to wait now. */
  concerns(command: Command, { isLane, transaction }: Session): boolean {
    if (isLane || command.fullName === 'client|unpause') return false
    if (this.#scope === 'all' || changes(command)) return true
    return command.name === 'exec' && transaction?.commands.some((queued) => changes(queued.command)) === true
  }

  /** Keeps a command; false where no more can be kept. */
  hold(session: Session, found: Arguments): boolean {
    const bytes = bytesOf(found)
    if (this.#heldBytes + bytes > this.#options.limits.buffersBytesMax) return false
    this.#heldBytes += bytes
    this.#held.set(session, keepArguments(found))
    session.isBlocked = true
    return true
  }

  /** The connection is gone. */
  forget(session: Session): void {
    const found = this.#held.get(session)
    if (found === undefined) return
    this.#held.delete(session)
    this.#heldBytes -= bytesOf(found)
  }

  #wait(): void {
    const { clock } = this.#options
    this.#timer?.cancel()
    const leftMs = Math.max(0, this.#endsAtMs - clock.monotonic())
    this.#timer = clock.after(Math.min(leftMs, timerMsMax), () => {
      if (clock.monotonic() < this.#endsAtMs) this.#wait()
      else this.end()
    })
  }
}

function changes({ isWrite, name }: Command): boolean {
  return isWrite || mayChange.has(name)
}

function bytesOf(found: Arguments): number {
  return found.end(found.count - 1) - found.start(0)
}
