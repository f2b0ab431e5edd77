/**
 * What concerns other clients than the one whose command runs: messages for those who listen, elements for those who wait.
 *
 * What must hold: it happens once the command at hand has its reply, and before any other command; replies of two
 * clients never mix, so the part of the one is closed before that of another is begun.
 */

import type { Clock } from '@orbitkv/runtime'
import type { BlockingHost, End, Wait } from './blocking.ts'
import type { Client } from './client.ts'
import type { Call } from './commands/command.ts'
import type { RedisLimits } from './config.ts'
import type { Executor } from './executor.ts'
import type { Held } from './pauses.ts'
import { OutputLimitReached, type Reply, type ReplyWriter } from './protocol/reply.ts'
import type { Session } from './session.ts'

/** What the exchange needs of its server. */
export interface ExchangeHost {
  readonly clock: Clock
  readonly executor: Executor
  readonly call: Call
  readonly reply: ReplyWriter<Client>
  readonly limits: RedisLimits
  openTurn(): void
  /** Lets a client go on with its commands. */
  runLater(client: Client): void
  giveUp(client: Client, error: unknown): void
}

export class Exchange implements BlockingHost {
  readonly clock: Clock
  readonly #host: ExchangeHost
  readonly #later: (() => void)[] = []

  constructor(host: ExchangeHost) {
    this.#host = host
    this.clock = host.clock
  }

  get blockedClientsMax(): number {
    return this.#host.limits.blockedClientsMax
  }

  get isEmpty(): boolean {
    return this.#later.length === 0
  }

  add(run: () => void): void {
    this.#later.push(run)
  }

  /** Does what has been added, in the middle of a client's commands. */
  run(client: Client): void {
    const { call, reply } = this.#host
    reply.end()
    const { arguments: found } = call
    this.#runLater()
    call.arguments = found
    call.databases.enter(call, client)
    reply.begin(client)
  }

  /** Runs commands that had to wait (pauses.ts), where no other is at hand, and lets their clients go on. */
  resume(held: readonly Held[]): void {
    const { call, executor } = this.#host
    this.#host.openTurn()
    for (const { session, arguments: found } of held) {
      const client = session as Client
      if (client.isClosed || client.isEnding) continue
      client.isBlocked = false
      this.#encodeFor(client, () => {
        call.databases.enter(call, client)
        call.arguments = found
        executor.run(call)
      })
      this.#runLater()
      // It may wait again: for an element, or in another pause.
      if (!client.isBlocked) this.release(client)
    }
  }

  message(session: Session, encode: (reply: Reply) => void): void {
    const client = session as Client
    if (client.isClosed) return
    if (client.outputBytes > this.#host.limits.messageBytesMax) this.#host.giveUp(client, new OutputLimitReached())
    else this.#encodeFor(client, () => encode(this.#host.reply))
  }

  serve(wait: Wait, name: string): boolean {
    const client = wait.session as Client
    const { call, executor } = this.#host
    let isServed = true
    this.#encodeFor(client, () => {
      call.databases.enter(call, client)
      call.arguments = wait.arguments
      isServed = executor.runServed(wait, call, name)
    })
    return isServed
  }

  end(wait: Wait, how: End): void {
    const { call, reply } = this.#host
    this.#host.openTurn()
    this.#encodeFor(wait.session as Client, () => {
      if (how === 'timeout') wait.giveUp(call)
      else reply.error('UNBLOCKED client unblocked via CLIENT UNBLOCK')
    })
    this.release(wait.session)
  }

  release(session: Session): void {
    const client = session as Client
    client.isBlocked = false
    client.isStalled = true
    this.#host.runLater(client)
  }

  #runLater(): void {
    while (this.#later.length > 0) for (const run of this.#later.splice(0)) run()
  }

  #encodeFor(client: Client, encode: () => void): void {
    const { reply } = this.#host
    reply.begin(client)
    try {
      encode()
      reply.end()
    } catch (error) {
      reply.end()
      this.#host.giveUp(client, error)
    }
  }
}
