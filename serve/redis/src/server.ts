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
import type { Family } from '@orbitkv/metrics'
import type { Address, Clock, Connection } from '@orbitkv/runtime'
import { Access } from './access/access.ts'
import { closeOnChange } from './access/consequences.ts'
import { Blocking } from './blocking.ts'
import { Channels } from './channels.ts'
import { Client, type ClientHost } from './client.ts'
import { type Call, type Command, redisKeyspace } from './commands/command.ts'
import { allCommands } from './commands/index.ts'
import { Saves } from './commands/saving.ts'
import type { CommandTable } from './commands/table.ts'
import { type RedisLimits, redisConfig, strangerLimitsOf } from './config.ts'
import { Databases } from './databases.ts'
import { Doors, type TlsDoor } from './doors.ts'
import { Exchange } from './exchange.ts'
import { Executor } from './executor.ts'
import { type MachineFacts, redisFamilies } from './families.ts'
import { Gate } from './gate.ts'
import type { Log } from './log.ts'
import { MemoryLimit } from './memory-limit.ts'
import type { Message } from './messages.ts'
import { nobody } from './nobody.ts'
import { Notifications } from './notifications/notifications.ts'
import type { RedisOptions, RedisServer } from './options.ts'
import { ChangeStreams } from './orbit/change-streams.ts'
import { Pauses } from './pauses.ts'
import { Arguments } from './protocol/arguments.ts'
import { BufferPool, BuffersExhausted } from './protocol/buffers.ts'
import { type ParserLimits, RequestParser } from './protocol/parser.ts'
import { OutputLimitReached, type Reply, ReplyWriter } from './protocol/reply.ts'
import { ScanPositions } from './scan-positions.ts'
import { Scratch } from './scratch.ts'
import { luaModule } from './scripts/lua-module.ts'
import { Scripts } from './scripts/scripts.ts'
import type { WasmModule } from './scripts/wasm.ts'
import type { Session } from './session.ts'
import { type Settings, settingsOf } from './settings.ts'
import { newStats, RateMeter } from './stats.ts'
import { Sweeper } from './sweeper.ts'
import { Timings } from './timings.ts'
import type { RedisStats, ServerFacts, ServerView } from './view.ts'
import { Inbox } from './workers/inbox.ts'
import { Router } from './workers/router.ts'

/**
 * Starts the front. Fails with `redis.not_loopback`, `config.invalid`, `access.bad_file`, `network.address_in_use`,
 * `network.address_refused`.
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const server = new Server(options, redisConfig.parse({ ...options.limits }), await luaModule())
  if (options.worker === undefined) await server.listen()
  return server
}

const closeDeadlineMsDefault = 5000
/** Keys of a pipeline that the store is told of at once: enough to wait for memory together, few enough to stay in the cache. */
const keysAheadMax = 32

class Server implements RedisServer, ClientHost, ServerView {
  readonly limits: RedisLimits
  readonly clock: Clock
  readonly startedMs: number
  readonly runId: string
  readonly stats: RedisStats = newStats()
  readonly sessions = new Map<number, Client>()
  readonly lanes = new Map<number, Client>()
  readonly router: Router | undefined
  readonly blocking: Blocking
  readonly pauses: Pauses
  readonly channels = new Channels()
  readonly scripts: Scripts
  readonly saves: Saves
  readonly memoryLimit: MemoryLimit
  readonly timings: Timings
  readonly settings: Settings
  streamNodeEntries = 100
  readonly notifications: Notifications
  readonly snapshot: RedisOptions['snapshot']
  readonly changes: ChangeStreams
  readonly access: Access
  readonly strangerLimits: ParserLimits

  readonly #options: RedisOptions
  readonly #log: Log
  readonly #endOfTurn: (run: () => void) => void
  readonly #doors: Doors
  readonly #sweeper: Sweeper
  readonly #pool: BufferPool
  readonly #arguments = new Arguments()
  readonly #reply: ReplyWriter<Client>
  readonly #gate: Gate<Client>
  readonly #table: CommandTable = allCommands()
  readonly #executor: Executor
  readonly #call: Call
  readonly #databases: Databases
  readonly #exchange: Exchange
  readonly #keySpans = new Uint32Array(2 * keysAheadMax)
  readonly #stalled = new Set<Client>()
  readonly #finishTurn = (): void => this.#endTurn()
  /** Numbers of connections: no two servers of a node give the same. */
  #nextId: number
  readonly #idStep: number
  #isTurnOpen = false
  #turnMs = 0
  #turnStartedMs = 0
  readonly #rates: RateMeter
  #closing: Promise<void> | undefined
  #allClosed: (() => void) | undefined

  constructor(options: RedisOptions, limits: RedisLimits, lua: WasmModule) {
    const { clock, owner, worker } = options
    const shard = worker?.shard ?? 0
    const shardCount = worker?.topology().shardCount ?? 1
    this.#nextId = shard + 1
    this.#idStep = shardCount
    this.limits = limits
    this.clock = clock
    this.startedMs = clock.now()
    this.saves = new Saves(this.startedMs)
    this.timings = new Timings(clock)
    this.runId = options.runId ?? runIdOf(this.startedMs)
    this.#options = options
    this.#log = options.log ?? (() => {})
    this.#endOfTurn = options.endOfTurn ?? setImmediate
    this.memoryLimit = new MemoryLimit(options.cache, options.info().store.cache, shardCount)
    this.scripts = new Scripts(lua, limits, this.#log)
    this.#pool = new BufferPool(limits.buffersBytesMax)
    this.#reply = new ReplyWriter(this.#pool, limits, this.stats)
    this.#gate = new Gate(owner, (error) => {
      this.#log(
        'error',
        'the store could not make what it was told durable: the connections that waited are closed',
        error,
      )
    })
    this.#gate.onReleased = (facts) => this.timings.released(facts)
    this.#executor = new Executor(this.#table, this.#log)
    this.access = new Access({ ...options.access, commands: this.commands(), clock, log: this.#log })
    closeOnChange(this.access.users, {
      sessions: () => this.sessions.values(),
      running: () => this.#call.session,
      followsInVain: (session) =>
        this.changes.isFollowing(session) && !this.access.allowsAlways(session.user, 'orbit.watch'),
      endWait: (session) => {
        if (!this.blocking.isWaiting(session)) this.router?.unblock(session as Client, true)
      },
    })
    this.strangerLimits = strangerLimitsOf(limits)
    this.settings = settingsOf(this, limits)
    this.#doors = new Doors({
      network: options.network,
      address: { host: options.host ?? '127.0.0.1', port: options.port },
      tls: options.tls,
      limits,
      stats: this.stats,
      access: this.access,
      clientCount: () => this.sessions.size,
      welcome: (connection) => this.#welcome(connection),
    })
    this.#sweeper = new Sweeper({
      clock,
      limits,
      clients: this.sessions,
      onCut: (client, reason) => {
        this.stats.connectionsCut++
        this.#log('debug', `connection ${client.id} ${reason}: cut`)
      },
    })
    this.#rates = new RateMeter(clock, this.stats)
    this.#databases = new Databases(owner, clock)
    this.#databases.onReady = (database, key) => {
      if (this.blocking.note(database, key)) this.later(() => this.blocking.serveReady())
    }
    this.#databases.onOver = (database, key) => {
      if (!this.blocking.note(database, key)) return
      this.#openTurn()
      this.blocking.serveReady()
    }
    this.notifications = new Notifications({
      server: this,
      databases: this.#databases,
      clock,
      log: this.#log,
      watch: options.watch,
      inTurn: (run) => {
        this.#openTurn()
        run()
      },
    })
    this.snapshot = options.snapshot
    this.changes = new ChangeStreams({
      server: this,
      clock,
      watch: options.watch,
      inTurn: (run) => {
        this.#openTurn()
        run()
      },
    })
    this.#call = {
      owner,
      reply: this.#reply,
      arguments: this.#arguments,
      session: nobody,
      server: this,
      limits,
      change: new Change(),
      scratch: new Scratch(),
      scans: new ScanPositions(this.startedMs, shard, shardCount),
      collections: this.#databases.collectionsOf(0),
      databases: this.#databases,
      random: new Random(this.startedMs),
      executor: this.#executor,
      isInTransaction: false,
    }
    this.#exchange = new Exchange({
      clock,
      executor: this.#executor,
      call: this.#call,
      reply: this.#reply,
      limits,
      openTurn: () => this.#openTurn(),
      runLater: (client) => this.runLater(client),
      giveUp: (client, error) => this.#giveUp(client, error),
    })
    this.blocking = new Blocking(this.#exchange)
    this.pauses = new Pauses({ clock, limits, resume: (held) => this.#exchange.resume(held) })
    this.router = this.#newRouter()
    this.#executor.router = this.router
  }

  async listen(sharedPort?: number): Promise<void> {
    await this.#doors.open(sharedPort)
    this.#rates.start()
    this.#sweeper.start()
  }

  // ---- what commands see

  get bufferBytes(): number {
    return this.#pool.takenBytes
  }

  get repliesWaitMs(): number {
    const { oldestMs } = this.#gate
    return oldestMs === undefined ? 0 : Math.max(0, this.clock.now() - oldestMs)
  }

  get address(): Address {
    return this.#doors.address
  }

  get sharedAddress(): Address | undefined {
    return this.#doors.sharedAddress
  }

  get tlsAddress(): Address | undefined {
    return this.#doors.tlsAddress
  }

  get tls(): TlsDoor | undefined {
    return this.#options.tls
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
    this.#rates.restart()
    for (const command of this.commands()) {
      command.calls = 0
      command.failures = 0
      command.rejections = 0
      command.durations = undefined
      command.timedCalls = 0
      command.nextTimedCall = 0
    }
  }

  families(machine: MachineFacts): Family[] {
    return redisFamilies(this, machine)
  }

  // ---- connections

  #welcome(connection: Connection): void {
    const parser = new RequestParser(this.limits, this.#pool, this.#arguments)
    const client = new Client(this.#takeId(), connection, parser, this.clock.now(), this)
    client.user = this.access.newcomer
    this.sessions.set(client.id, client)
  }

  acceptLane(connection: Connection): void {
    const parser = new RequestParser(this.limits, this.#pool, this.#arguments)
    const client = new Client(this.#takeId(), connection, parser, this.clock.now(), this, true)
    this.lanes.set(client.id, client)
  }

  closeLanes(): void {
    this.router?.close()
  }

  get isCongested(): boolean {
    return this.router?.isFull ?? false
  }

  #takeId(): number {
    const id = this.#nextId
    this.#nextId += this.#idStep
    return id
  }

  #newRouter(): Router | undefined {
    const { worker } = this.#options
    if (worker === undefined) return undefined
    return new Router({
      shard: worker.shard,
      topology: worker.topology,
      connect: worker.connect,
      place: (hole) => this.#reply.place(hole),
      inbox: new Inbox(this.#pool, this.limits, this.stats, (client, error) => this.#giveUp(client as Client, error)),
      random: this.#call.random,
      commands: () => this.commands(),
      release: (client) => this.#exchange.release(client),
      openTurn: () => this.#openTurn(),
      drained: () => {
        for (const client of this.sessions.values()) client.goOn()
      },
    })
  }

  closed(client: Client, error: Error | undefined): void {
    if (error !== undefined) this.#log('debug', `connection ${client.id} was lost`, error)
    this.#stalled.delete(client)
    this.blocking.forget(client)
    this.pauses.forget(client)
    if (client.isLane) {
      this.lanes.delete(client.id)
      return
    }
    this.router?.forget(client)
    this.channels.forget(client)
    this.changes.forget(client)
    this.sessions.delete(client.id)
    if (this.sessions.size === 0) this.#allClosed?.()
  }

  sent(client: Client, bytes: number): void {
    this.stats.outputBytes += bytes
    if (this.access.users.isCounted) this.access.countBytes(client, bytes)
  }

  // ---- turns

  received(client: Client, bytes: Uint8Array, start: number, end: number): void {
    if (client.isClosed || client.isEnding) return
    this.stats.inputBytes += end - start
    if (this.access.users.isCounted) this.access.countBytes(client, end - start)
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
    this.#turnStartedMs = this.timings.startOfTurn(this.#turnMs)
  }

  #endTurn(): void {
    if (this.#stalled.size > 0) {
      const stalled = [...this.#stalled]
      this.#stalled.clear()
      for (const client of stalled) if (client.isStalled && !client.isClosed) this.#run(client, noBytes, 0, 0)
    }
    // Own lanes run in this turn, while it is open.
    this.router?.flush()
    this.#isTurnOpen = false
    this.#call.scratch.trim()
    this.stats.turns++
    const { slices } = this.#reply
    if (slices.count > 0) {
      const facts = this.timings.endOfTurn(this.#turnStartedMs, this.stats.writes)
      this.#reply.slices = this.#gate.endTurn(slices, this.#turnMs, facts)
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
    this.#databases.enter(call, client)
    // Not before the first: most clients send one command and wait.
    let untilPeek = 1
    for (let left = this.limits.commandsPerTurnMax; !client.isEnding && !client.isClosed; left--) {
      if (client.isBlocked) return
      if ((left <= 0 && !client.isLane) || !client.hasRoom) {
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
      if (client.isLane) this.#runForOthers(call)
      else this.#executor.run(call)
      // Counts what was encoded, so that `hasRoom` knows of it.
      this.#reply.mark()
      if (!this.#exchange.isEmpty) this.#exchange.run(client)
    }
  }

  /** A command of a lane whose reply is over the limits is answered so: the lane has others' commands, too. */
  #runForOthers(call: Call): void {
    try {
      this.#executor.run(call)
    } catch (error) {
      if (!(error instanceof OutputLimitReached || error instanceof BuffersExhausted)) throw error
      this.#reply.rewind()
      this.#reply.error('ERR the reply takes more than the limit (outputBytesMax)')
    }
  }

  later(run: () => void): void {
    this.#exchange.add(run)
  }

  tellOtherWorkers(message: Message): void {
    this.router?.tellOthers(message)
  }

  unblock(id: number, isError: boolean): boolean {
    const client = this.sessions.get(id) ?? this.lanes.get(id)
    if (client?.isBlocked !== true) return false
    if (!this.blocking.isWaiting(client)) return this.router?.unblock(client, isError) ?? false
    this.later(() => this.blocking.end(client, isError ? 'unblocked' : 'timeout'))
    return true
  }

  message(session: Session, encode: (reply: Reply) => void): void {
    this.#exchange.message(session, encode)
  }

  /** Tells the store which keys come next; returns for how many commands that holds. */
  #prefetch(parser: RequestParser): number {
    const spans = this.#keySpans
    const count = parser.peekKeys(spans)
    // One key alone has nothing to wait together with.
    if (count > 1) this.#call.owner.prefetch(redisKeyspace, parser.bytes, spans, count)
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

  // ---- the end

  close(deadlineMs = closeDeadlineMsDefault): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#rates.stop()
    this.#sweeper.stop()
    this.#databases.stop()
    this.timings.stop()
    this.pauses.stop()
    this.notifications.stop()
    this.changes.stop()
    await this.#doors.close()
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

/** Tells one start from another; nothing depends on its being unpredictable. */
function runIdOf(startedMs: number): string {
  const random = new Random(startedMs)
  return Buffer.from(random.bytes(20)).toString('hex')
}

const noBytes = new Uint8Array(0)
