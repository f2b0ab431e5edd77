/**
 * A connection: what it received and has not been executed, and what it is owed and has not been sent.
 *
 * What must hold: replies leave in the order of their commands. Nothing is read, and no command runs, while more
 * than `outputPauseBytes` wait to be sent, so what one connection holds is bounded by that and one command's reply.
 */

import type { User } from '@orbitkv/access'
import type { Address, Connection } from '@orbitkv/runtime'
import { ourselves, stranger } from './access/people.ts'
import type { Subscriptions } from './channels.ts'
import type { Command } from './commands/command.ts'
import type { RedisLimits } from './config.ts'
import type { GateClient } from './gate.ts'
import type { SliceSource } from './protocol/output.ts'
import type { ParserLimits, RequestParser } from './protocol/parser.ts'
import type { ProtocolVersion } from './protocol/reply.ts'
import type { ReplyMode, Session } from './session.ts'
import type { Transaction, Watched } from './transaction.ts'
import type { HoleClient, ReplyOrder } from './workers/hole.ts'

/** What a client needs of its server. */
export interface ClientHost {
  readonly limits: RedisLimits
  /** What a client may send before it has logged in. */
  readonly strangerLimits: ParserLimits
  /** So much is on its way to other shards that clients wait with their commands. */
  readonly isCongested: boolean
  /** Runs what the client has to run; called with bytes in, and again later for a client that had to wait. */
  received(client: Client, bytes: Uint8Array, start: number, end: number): void
  /** The client waits with commands left; it is to be run again in the next turn. */
  runLater(client: Client): void
  sent(client: Client, bytes: number): void
  closed(client: Client, error: Error | undefined): void
}

interface Waiting {
  readonly chunk: SliceSource
  readonly start: number
  readonly end: number
}

export class Client implements Session, GateClient, HoleClient {
  readonly id: number
  readonly parser: RequestParser
  readonly createdMs: number
  lastActiveMs: number
  protocol: ProtocolVersion = 2
  outputBytes = 0
  /** Since when more waits for its reader than the soft limit of its class; undefined while less does. */
  overSoftSinceMs: number | undefined
  database = 0
  connectionName = ''
  libraryName = ''
  libraryVersion = ''
  replyMode: ReplyMode = 'on'
  isEvictionExempt = false
  lastCommand: Command | undefined
  transaction: Transaction | undefined
  watched: Watched | undefined
  subscriptions: Subscriptions | undefined
  /** It waits for an element: its further commands wait, too. */
  isBlocked = false
  /** It has commands that were not run yet: another turn, or when its replies are out. */
  isStalled = false
  /** No more commands; it closes when what it is owed is out. */
  isEnding = false
  /** Nothing more is read; it closes when what was received is answered. */
  isLeaving = false
  /** The stream is gone or given up. */
  isClosed = false
  /** Another worker's, which sends what its own clients ask of this shard. */
  readonly isLane: boolean
  /** Since a command of it went to another shard. */
  order: ReplyOrder | undefined

  #user: User
  readonly #connection: Connection
  readonly #host: ClientHost
  /** Released by the gate, behind bytes that the network has not taken. */
  readonly #backlog: Waiting[] = []
  /** Given to the network, which still reads it. */
  #pinned: Waiting | undefined
  #isDraining = false
  #isReadPaused = false

  constructor(
    id: number,
    connection: Connection,
    parser: RequestParser,
    nowMs: number,
    host: ClientHost,
    isLane = false,
  ) {
    this.id = id
    this.isLane = isLane
    this.#user = isLane ? ourselves : stranger
    this.parser = parser
    this.createdMs = nowMs
    this.lastActiveMs = nowMs
    this.#connection = connection
    this.#host = host
    connection.onData = (bytes, start, end) => host.received(this, bytes, start, end)
    connection.onDrain = () => this.#drained()
    connection.onClose = (error) => this.#gone(error)
  }

  get user(): User {
    return this.#user
  }

  /** Logging in also changes how much the client may send at once. */
  set user(user: User) {
    this.#user = user
    this.parser.limits = user === stranger ? this.#host.strangerLimits : this.#host.limits
  }

  get remote(): Address {
    return this.#connection.remote
  }

  get local(): Address {
    return this.#connection.local
  }

  get requestBytes(): number {
    return this.parser.heldBytes
  }

  /** Whether more commands may run, or first what waits has to go out. A lane's clients are bounded where they are. */
  get hasRoom(): boolean {
    if (this.order !== undefined) {
      return this.outputBytes + this.order.expectedBytes < this.#host.limits.outputPauseBytes && !this.#host.isCongested
    }
    return this.isLane || this.outputBytes < this.#host.limits.outputPauseBytes
  }

  deliver(chunk: SliceSource, start: number, end: number): void {
    if (this.order?.takes(chunk, start, end)) return
    this.emit(chunk, start, end)
    if (this.isStalled || this.isEnding) this.goOn()
  }

  emit(chunk: SliceSource, start: number, end: number): void {
    if (this.isClosed) this.#out(chunk, end - start)
    else if (this.#isDraining) this.#backlog.push({ chunk, start, end })
    else this.#send(chunk, start, end)
  }

  fail(): void {
    this.cut()
  }

  closeAfterReply(): void {
    this.isEnding = true
    this.pauseReading()
  }

  /** The server stops: answers what was received, then closes. */
  leave(): void {
    this.isLeaving = true
    this.pauseReading()
    if (!this.isStalled) this.closeAfterReply()
    this.endIfAnswered()
  }

  /** Ends the stream if nothing is owed any more. */
  endIfAnswered(): void {
    if (!this.isEnding || this.isStalled || this.isClosed || this.outputBytes > 0) return
    if (this.order !== undefined && this.order.open > 0) return
    this.isClosed = true
    this.#connection.end()
  }

  cut(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#connection.destroy()
    this.#dropBacklog()
  }

  pauseReading(): void {
    if (this.#isReadPaused || this.isClosed) return
    this.#isReadPaused = true
    this.#connection.pause()
  }

  resumeReading(): void {
    if (!this.#isReadPaused || this.isLeaving || this.isEnding || this.isClosed) return
    this.#isReadPaused = false
    this.#connection.resume()
  }

  #send(chunk: SliceSource, start: number, end: number): void {
    const isOut = this.#connection.send(chunk.bytes, start, end)
    this.#host.sent(this, end - start)
    if (isOut) this.#out(chunk, end - start)
    else this.#pinned = { chunk, start, end }
    this.#isDraining = !isOut || this.#connection.pendingBytes > 0
  }

  #drained(): void {
    this.#isDraining = false
    const pinned = this.#pinned
    this.#pinned = undefined
    if (pinned !== undefined) this.#out(pinned.chunk, pinned.end - pinned.start)
    let sent = 0
    while (sent < this.#backlog.length && !this.#isDraining && !this.isClosed) {
      const { chunk, start, end } = this.#backlog[sent++] as Waiting
      this.#send(chunk, start, end)
    }
    this.#backlog.splice(0, sent)
    this.goOn()
  }

  /** After something went out: the next commands, or the end. */
  goOn(): void {
    if (this.isStalled && this.hasRoom) this.#host.runLater(this)
    this.endIfAnswered()
  }

  #out(chunk: SliceSource, bytes: number): void {
    this.outputBytes -= bytes
    chunk.release()
  }

  #gone(error: Error | undefined): void {
    this.isClosed = true
    this.order?.drop()
    this.#dropBacklog()
    const pinned = this.#pinned
    this.#pinned = undefined
    if (pinned !== undefined) this.#out(pinned.chunk, pinned.end - pinned.start)
    this.parser.release()
    this.#host.closed(this, error)
  }

  /** Nobody will get these. What the network was given stays until it says that the stream is closed. */
  #dropBacklog(): void {
    for (const { chunk, start, end } of this.#backlog) this.#out(chunk, end - start)
    this.#backlog.length = 0
  }
}
