/**
 * The Redis protocol front: accepts connections, runs their commands on the owner's door of a store, and lets the
 * replies go when the store has settled (gate.ts).
 *
 * What must hold: everything runs on one event loop, a command at a time. All commands that arrive in one turn of the
 * loop run in it; at its end the store is asked once. No client, whatever it sends, ends the server or holds more
 * memory than config.ts says.
 */

import { Random } from '@orbitkv/base'
import { Change } from '@orbitkv/engine'
import type { Address, Clock, Connection, Listener, Network, Timer } from '@orbitkv/runtime'
import type { Owner } from '@orbitkv/store'
import { Blocking } from './blocking.ts'
import { Channels } from './channels.ts'
import { Client, type ClientHost } from './client.ts'
import { Collections } from './collections/collections.ts'
import { Reaper } from './collections/reaper.ts'
import { type Call, type Command, redisKeyspace } from './commands/command.ts'
import { allCommands } from './commands/index.ts'
import type { CommandTable } from './commands/table.ts'
import { type RedisLimits, redisConfig } from './config.ts'
import { redisErrors } from './errors.ts'
import { Exchange } from './exchange.ts'
import { Executor } from './executor.ts'
import { Gate } from './gate.ts'
import type { Log } from './log.ts'
import { nobody } from './nobody.ts'
import { Arguments } from './protocol/arguments.ts'
import { BufferPool, BuffersExhausted } from './protocol/buffers.ts'
import { RequestParser } from './protocol/parser.ts'
import { OutputLimitReached, type Reply, ReplyWriter } from './protocol/reply.ts'
import { ScanPositions } from './scan-positions.ts'
import { Scratch } from './scratch.ts'
import type { Session } from './session.ts'
import { newStats, type Rates, rateOf } from './stats.ts'
import type { RedisStats, ServerFacts, ServerView } from './view.ts'

export interface RedisOptions {
  readonly owner: Owner
  readonly network: Network
  readonly clock: Clock
  /** A loopback address; `127.0.0.1` if absent. Others are refused with `redis.not_loopback`. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  /** What differs from the defaults in config.ts. */
  readonly limits?: Partial<RedisLimits>
  /** What INFO tells about the store. */
  readonly info: () => ServerFacts
  readonly log?: Log
  /** Runs `run` at the end of the running turn of the event loop: `setImmediate` if absent; for simulation. */
  readonly endOfTurn?: (run: () => void) => void
  /** 40 hexadecimal digits that INFO shows; made from the time of the start if absent. */
  readonly runId?: string
}

export interface RedisServer {
  readonly address: Address
  readonly stats: Readonly<RedisStats>
  readonly connections: number
  /**
   * Accepts no more, answers what was received, then closes every connection; what is not done after
   * `deadlineMs` (5,000 if absent) is cut. Resolves when all are closed.
   */
  close(deadlineMs?: number): Promise<void>
}

/** Starts the front. Fails with `redis.not_loopback`, `config.invalid`, `network.address_in_use`, `network.address_refused`. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const host = options.host ?? '127.0.0.1'
  if (!isLoopback(host)) throw redisErrors.not_loopback({ host })
  const limits = redisConfig.parse({ ...options.limits })
  const server = new Server(options, limits)
  await server.listen({ host, port: options.port })
  return server
}

/** A name could resolve to anything, so the only one that is taken is `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

const closeDeadlineMsDefault = 5000
const ratesIntervalMs = 1000
/** Keys of a pipeline that the store is told of at once: enough to wait for memory together, few enough to stay in the cache. */
const keysAheadMax = 32
/** How often idle connections are looked for, at most. */
const idleCheckMsMax = 1000

class Server implements RedisServer, ClientHost, ServerView {
  readonly limits: RedisLimits
  readonly clock: Clock
  readonly startedMs: number
  readonly runId: string
  readonly stats: RedisStats = newStats()
  readonly sessions = new Map<number, Client>()
  readonly blocking: Blocking
  readonly channels = new Channels()
  address: Address = { host: '', port: 0 }

  readonly #options: RedisOptions
  readonly #log: Log
  readonly #endOfTurn: (run: () => void) => void
  readonly #pool: BufferPool
  readonly #arguments = new Arguments()
  readonly #reply: ReplyWriter<Client>
  readonly #gate: Gate<Client>
  readonly #table: CommandTable = allCommands()
  readonly #executor: Executor
  readonly #call: Call
  readonly #collections: Collections
  readonly #reaper: Reaper
  readonly #exchange: Exchange
  readonly #keySpans = new Uint32Array(2 * keysAheadMax)
  readonly #stalled = new Set<Client>()
  readonly #finishTurn = (): void => this.#endTurn()
  #listener: Listener | undefined
  #nextId = 1
  #isTurnOpen = false
  #turnMs = 0
  #rates: Rates
  #ratesTimer: Timer | undefined
  #idleTimer: Timer | undefined
  #closing: Promise<void> | undefined
  #allClosed: (() => void) | undefined

  constructor(options: RedisOptions, limits: RedisLimits) {
    const { clock, owner } = options
    this.limits = limits
    this.clock = clock
    this.startedMs = clock.now()
    this.runId = options.runId ?? runIdOf(this.startedMs)
    this.#options = options
    this.#log = options.log ?? (() => {})
    this.#endOfTurn = options.endOfTurn ?? setImmediate
    this.#pool = new BufferPool(limits.buffersBytesMax)
    this.#reply = new ReplyWriter(this.#pool, limits.outputBytesMax, this.stats)
    this.#gate = new Gate(owner, (error) => {
      this.#log(
        'error',
        'the store could not make what it was told durable: the connections that waited are closed',
        error,
      )
    })
    this.#executor = new Executor(this.#table, this.#log)
    this.#rates = rateOf(this.stats)
    this.#collections = new Collections(owner)
    this.#reaper = new Reaper(owner, clock)
    this.#collections.onGrave = (at) => this.#reaper.note(at)
    this.#collections.onReady = (key) => {
      if (this.blocking.note(key)) this.later(() => this.blocking.serveReady())
    }
    this.#call = {
      owner,
      reply: this.#reply,
      arguments: this.#arguments,
      session: nobody,
      server: this,
      limits,
      change: new Change(),
      scratch: new Scratch(),
      scans: new ScanPositions(this.startedMs),
      collections: this.#collections,
      random: new Random(this.startedMs),
      executor: this.#executor,
      isInTransaction: false,
    }
    this.#exchange = new Exchange({
      clock,
      executor: this.#executor,
      call: this.#call,
      reply: this.#reply,
      messageBytesMax: limits.messageBytesMax,
      openTurn: () => this.#openTurn(),
      runLater: (client) => this.runLater(client),
      giveUp: (client, error) => this.#giveUp(client, error),
    })
    this.blocking = new Blocking(this.#exchange)
  }

  async listen(address: Address): Promise<void> {
    this.#listener = await this.#options.network.listen(address, (connection) => this.#accept(connection))
    this.address = this.#listener.address
    this.#measureRates()
    if (this.limits.idleTimeoutMs > 0) this.#closeIdle()
  }

  // ---- what commands see

  get bufferBytes(): number {
    return this.#pool.takenBytes
  }

  get connections(): number {
    return this.sessions.size
  }

  facts(): ServerFacts {
    return this.#options.info()
  }

  *commands(): Iterable<Command> {
    for (const command of this.#table.values()) {
      yield command
      if (command.byName !== undefined) yield* command.byName.values()
    }
  }

  resetStats(): void {
    Object.assign(this.stats, newStats())
    this.#rates = rateOf(this.stats)
    for (const command of this.commands()) {
      command.calls = 0
      command.failures = 0
    }
  }

  // ---- connections

  #accept(connection: Connection): void {
    this.stats.connectionsReceived++
    if (this.sessions.size >= this.limits.clientsMax) {
      this.#turnAway(connection)
      return
    }
    const parser = new RequestParser(this.limits, this.#pool, this.#arguments)
    const client = new Client(this.#nextId++, connection, parser, this.clock.now(), this)
    this.sessions.set(client.id, client)
  }

  #turnAway(connection: Connection): void {
    this.stats.connectionsRejected++
    connection.onData = () => {}
    connection.onClose = () => {}
    connection.onDrain = () => {}
    connection.send(tooManyClients, 0, tooManyClients.length)
    connection.end()
  }

  closed(client: Client, error: Error | undefined): void {
    if (error !== undefined) this.#log('debug', `connection ${client.id} was lost`, error)
    this.#stalled.delete(client)
    this.blocking.forget(client)
    this.channels.forget(client)
    this.sessions.delete(client.id)
    if (this.sessions.size === 0) this.#allClosed?.()
  }

  sent(bytes: number): void {
    this.stats.outputBytes += bytes
  }

  // ---- turns

  received(client: Client, bytes: Uint8Array, start: number, end: number): void {
    if (client.isClosed || client.isEnding) return
    this.stats.inputBytes += end - start
    this.#openTurn()
    this.#run(client, bytes, start, end)
  }

  runLater(client: Client): void {
    this.#stalled.add(client)
    this.#openTurn()
  }

  #openTurn(): void {
    if (this.#isTurnOpen) return
    this.#isTurnOpen = true
    this.#endOfTurn(this.#finishTurn)
    try {
      this.#options.owner.beginTurn()
    } catch (error) {
      // A closed store: each command of the turn will say so.
      this.#log('error', 'the store cannot be used', error)
    }
    this.#turnMs = this.#options.owner.now()
  }

  #endTurn(): void {
    if (this.#stalled.size > 0) {
      const stalled = [...this.#stalled]
      this.#stalled.clear()
      for (const client of stalled) if (client.isStalled && !client.isClosed) this.#run(client, noBytes, 0, 0)
    }
    this.#isTurnOpen = false
    this.#call.scratch.trim()
    this.stats.turns++
    const { slices } = this.#reply
    if (slices.count > 0) {
      this.#reply.slices = this.#gate.endTurn(slices)
      if (this.#reply.slices !== slices) this.stats.turnsWithheld++
    }
    // Clients that had to wait for their turn, not for their reader.
    if (this.#stalled.size > 0) this.#openTurn()
  }

  /** Runs what a client has sent, as far as it may in this turn. */
  #run(client: Client, bytes: Uint8Array, start: number, end: number): void {
    const { parser } = client
    const reply = this.#reply
    client.lastActiveMs = this.#turnMs
    client.isStalled = false
    reply.begin(client)
    try {
      parser.begin(bytes, start, end)
      this.#runCommands(client)
      reply.end()
      if (!client.isClosed && !client.isEnding) parser.finish()
    } catch (error) {
      reply.end()
      this.#giveUp(client, error)
    }
    if (client.isLeaving && !client.isStalled) client.closeAfterReply()
    if (client.isClosed || client.isEnding) parser.release()
    // What a client sends while it waits is kept, up to a bound; only who reads notices that the other side is gone.
    else if (client.isBlocked && parser.heldBytes > this.limits.outputPauseBytes) client.pauseReading()
    else if (!client.isStalled) client.resumeReading()
    client.endIfAnswered()
  }

  #runCommands(client: Client): void {
    const { parser } = client
    const call = this.#call
    call.session = client
    // Not before the first: most clients send one command and wait.
    let untilPeek = 1
    for (let left = this.limits.commandsPerTurnMax; !client.isEnding && !client.isClosed; left--) {
      if (client.isBlocked) return
      if (left === 0 || !client.hasRoom) {
        this.#stall(client)
        return
      }
      if (untilPeek-- === 0) untilPeek = this.#prefetch(parser) - 1
      const result = parser.next()
      if (result === 'more') return
      if (result === 'error') {
        this.#reply.error(`ERR ${parser.error}`)
        this.#log('debug', `connection ${client.id} sent what is no command: ${parser.error}`)
        client.closeAfterReply()
        return
      }
      call.arguments = parser.arguments
      this.#executor.run(call)
      // Counts what was encoded, so that `hasRoom` knows of it.
      this.#reply.mark()
      if (!this.#exchange.isEmpty) this.#exchange.run(client)
    }
  }

  later(run: () => void): void {
    this.#exchange.add(run)
  }

  message(session: Session, encode: (reply: Reply) => void): void {
    this.#exchange.message(session, encode)
  }

  /** Tells the store which keys come next; returns for how many commands that holds. */
  #prefetch(parser: RequestParser): number {
    const spans = this.#keySpans
    const count = parser.peekKeys(spans)
    // One key alone has nothing to wait together with.
    if (count > 1) this.#options.owner.prefetch(redisKeyspace, parser.bytes, spans, count)
    return keysAheadMax
  }

  /** The rest waits: for the other clients, or until replies are out. */
  #stall(client: Client): void {
    client.isStalled = true
    client.pauseReading()
    if (client.hasRoom) this.#stalled.add(client)
  }

  /** A limit was reached in the middle of a reply, or something unforeseen happened: nothing sensible can follow. */
  #giveUp(client: Client, error: unknown): void {
    const isLimit = error instanceof OutputLimitReached || error instanceof BuffersExhausted
    this.stats.connectionsCut++
    if (isLimit) this.#log('warn', `connection ${client.id} wanted more memory than the limits allow: cut`, error)
    else this.#log('error', `connection ${client.id} made the server fail: cut`, error)
    client.cut()
  }

  // ---- timers

  #measureRates(): void {
    const last = this.#rates
    const now = rateOf(this.stats)
    this.stats.commandsPerSecond = Math.max(0, now.commands - last.commands)
    this.stats.inputBytesPerSecond = Math.max(0, now.inputBytes - last.inputBytes)
    this.stats.outputBytesPerSecond = Math.max(0, now.outputBytes - last.outputBytes)
    this.#rates = now
    this.#ratesTimer = this.clock.after(ratesIntervalMs, () => this.#measureRates())
  }

  #closeIdle(): void {
    const { idleTimeoutMs } = this.limits
    const nowMs = this.clock.now()
    for (const client of [...this.sessions.values()]) {
      if (nowMs - client.lastActiveMs >= idleTimeoutMs && client.outputBytes === 0 && !isWaiting(client)) {
        client.cut()
      }
    }
    this.#idleTimer = this.clock.after(Math.min(idleTimeoutMs, idleCheckMsMax), () => this.#closeIdle())
  }

  // ---- the end

  close(deadlineMs = closeDeadlineMsDefault): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#ratesTimer?.cancel()
    this.#idleTimer?.cancel()
    this.#reaper.stop()
    await this.#listener?.close()
    if (this.sessions.size === 0) return
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve
    })
    const deadline = this.clock.after(deadlineMs, () => {
      for (const client of [...this.sessions.values()]) client.cut()
    })
    for (const client of [...this.sessions.values()]) client.leave()
    await allClosed
    deadline.cancel()
  }
}

/** Who waits for an element or for messages is not idle. */
function isWaiting({ isBlocked, subscriptions }: Client): boolean {
  return isBlocked || subscriptions !== undefined
}

/** Tells one start from another; nothing depends on its being unpredictable. */
function runIdOf(startedMs: number): string {
  const random = new Random(startedMs)
  return Buffer.from(random.bytes(20)).toString('hex')
}

const noBytes = new Uint8Array(0)
const tooManyClients = Buffer.from('-ERR max number of clients reached\r\n')
