/**
 * Decides where a command runs: here, on the shard that has its keys, or on several; and sends it there.
 *
 * Every shard is a server of its own (server.ts), with a store, an executor and a gate. The first shard of a worker also
 * has the worker's connections, whose commands come by here. To every other shard it has lanes: streams on which commands go there and
 * replies come back in order, as those of a client that pipelines. A lane is of one protocol version and one database, and
 * serves all connections; only what belongs to one connection (WATCH and what it ends with, and commands that block) has a
 * lane of that connection alone.
 *
 * What must hold: a command is run once, and by the shard that has its keys. A lane's shard has nothing but lanes' commands
 * to run for it, so replies of a shard pass its own gate before they come here. A client runs nothing else while a command
 * on a lane of its own is under way. Commands of a client on one key run in their order: what it asks of this shard runs at
 * once, but by the lane, too, behind one that goes to several shards and is to run here at the end of the turn.
 */

import { assert, type Random } from '@orbitkv/base'
import type { Connection } from '@orbitkv/runtime'
import type { Client } from '../client.ts'
import type { Call, Command, CommandRouter } from '../commands/command.ts'
import { CommandError } from '../commands/command.ts'
import type { Message } from '../messages.ts'
import type { Arguments } from '../protocol/arguments.ts'
import { latin1 } from '../protocol/text.ts'
import type { Transaction } from '../transaction.ts'
import { answerCluster } from './cluster-answers.ts'
import { Gather } from './gather.ts'
import { type Hole, ReplyOrder } from './hole.ts'
import type { Inbox } from './inbox.ts'
import { Lane, type LaneHost, nobodyWaits, type Sink } from './lane.ts'
import { elementsOf, isError, list, mergeReplies } from './merge.ts'
import { placesOfKeys } from './routed-keys.ts'
import { shardOfSlot, slotCount, slotOf } from './slots.ts'
import { notInTransactions, type Spread, spreadOf } from './spread.ts'
import type { Topology, WorkerPlace } from './topology.ts'

export interface RouterOptions {
  /** The shard of the server that has this router. */
  readonly shard: number
  readonly topology: () => Topology
  /** A new connection to a shard, its own one too. */
  readonly connect: (shard: number) => Connection
  /** Keeps a place in the replies of the client whose command runs. */
  readonly place: (hole: Hole) => void
  readonly inbox: Inbox
  readonly random: Random
  readonly commands: () => Iterable<Command>
  /** Lets a client go on that was blocked. */
  readonly release: (client: Client) => void
  /** Something is to be sent at the end of the turn. */
  readonly openTurn: () => void
  /** Lanes that were full are not any more. */
  readonly drained: () => void
}

/** What the router remembers of a connection. */
interface Journey {
  /** Its own lanes, by shard. */
  readonly lanes: Map<number, OwnLane>
  /** Slots that it watches and that its transaction is about; -1: none. */
  watchedSlot: number
  transactionSlot: number
}

interface OwnLane {
  readonly lane: Lane
  /** Its number among the connections of the other server. */
  idThere: string
}

const crossSlot = "CROSSSLOT Keys in request don't hash to the same slot"

export class Router implements CommandRouter, LaneHost {
  readonly #options: RouterOptions
  readonly #shardOf = new Uint16Array(slotCount)
  readonly #shard: number
  /** One shard of each worker. */
  readonly #workerShards: readonly number[]
  readonly #allShards: readonly number[]
  /** By shard, protocol version and database. */
  readonly #lanes = new Map<number, Lane>()
  readonly #journeys = new Map<Client, Journey>()
  readonly #withCommands = new Set<Lane>()
  /** Those with commands on a lane to this shard itself, until the end of the turn. */
  readonly #homeward = new Set<Client>()
  #isFull = false

  constructor(options: RouterOptions) {
    const { shard } = options
    this.#options = options
    this.#shard = shard
    const { shardCount, workers } = options.topology()
    for (let slot = 0; slot < slotCount; slot++) this.#shardOf[slot] = shardOfSlot(slot, shardCount)
    this.#workerShards = workers.map(({ shards }) => shards[0] as number)
    this.#allShards = Array.from({ length: shardCount }, (_, i) => i)
    for (const command of options.commands()) command.spread = spreadOf(command)
  }

  /** Whether clients have to wait with further commands. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Sends a command to where it belongs; false if that is here. */
  takes(command: Command, call: Call): boolean {
    const spread = command.spread as Spread
    const found = call.arguments
    // The usual case, apart from the others so that it is quick.
    if (spread.kind === 'key') {
      const slot = slotOf(found.bytes, found.starts[spread.place] as number, found.ends[spread.place] as number)
      const isUsual = this.#shardOf[slot] === this.#shard && this.#homeward.size === 0
      return !isUsual && this.#go(command, call, slot)
    }
    switch (spread.kind) {
      case 'here':
        return false
      case 'keys': {
        const places = placesOfKeys(command, spread.keys, found)
        if (places === undefined || places.length === 0) return false
        return this.#go(command, call, this.#slotOfAll(found, places))
      }
      case 'split':
        return this.#split(command, call, spread.merge)
      case 'all':
        return this.#all(call, spread.of === 'shards' ? this.#allShards : this.#workerShards, spread.merge)
      case 'cursor':
        return this.#forward(call, cursorShard(found.text(1), this.#allShards.length))
      case 'slot':
        return this.#forward(call, this.#shardOf[Number(found.text(spread.place)) % slotCount] ?? this.#shard)
      case 'cluster':
        answerCluster(call, command, this.#options.topology(), this.#self)
        return true
      case 'exec':
        return this.#exec(call)
      case 'discard':
        this.#discard(call.session as Client)
        return false
      case 'refused':
        throw new CommandError(spread.error)
    }
  }

  /** Notes a command of a transaction; throws if it cannot be a part of it. */
  queues(command: Command, call: Call): void {
    refuseScript(command, call)
    const spread = command.spread as Spread
    const found = call.arguments
    const name = command.fullName.split('|')[0] as string
    if (notInTransactions.has(name)) {
      throw new CommandError(`ERR ${name.toUpperCase()} is not allowed in a transaction where there are several shards`)
    }
    if (spread.kind === 'refused') throw new CommandError(spread.error)
    // It reaches all from wherever the transaction runs.
    if (name === 'publish' || name === 'spublish') return
    if (spread.kind === 'all' || spread.kind === 'cursor') {
      throw new CommandError(aboutAllShards(command))
    }
    if (spread.kind !== 'key' && spread.kind !== 'keys' && spread.kind !== 'split') return
    const places = placesOfKeys(command, command.keys ?? [], found)
    if (places === undefined || places.length === 0) return
    const journey = this.#journeyOf(call.session as Client)
    const slot = this.#slotOfAll(found, places)
    if (journey.transactionSlot < 0) journey.transactionSlot = slot
    const { transactionSlot, watchedSlot } = journey
    if (slot !== transactionSlot || (watchedSlot >= 0 && slot !== watchedSlot)) throw new CommandError(crossSlot)
  }

  refusal(command: Command, call: Call): string | undefined {
    const { kind } = command.spread as Spread
    const isOfKeys = command.isWrite || command.flags.includes('readonly')
    if ((kind === 'all' || kind === 'cursor') && isOfKeys) return aboutAllShards(command)
    if (command.keys === undefined) return undefined
    const found = call.arguments
    for (const place of placesOfKeys(command, command.keys, found) ?? []) {
      const slot = slotOf(found.bytes, found.start(place), found.end(place))
      if (this.#shardOf[slot] !== this.#shard) return 'ERR Script attempted to access a non local key in a cluster node'
    }
    return undefined
  }

  /** Gives a message to who listens at another shard's server, and waits for nothing. */
  tellOthers({ kind, channel, message }: Message): void {
    const command = kind === 'smessage' ? 'SPUBLISH' : 'PUBLISH'
    const words = [command, channel, latin1(message, 0, message.length)]
    for (const shard of this.#workerShards) if (shard !== this.#shard) this.#lane(shard, 2, 0).say(words, nobodyWaits)
    this.#options.openTurn()
  }

  /** A client that may wait at another shard is to wait no more, by an error or as if its time were over; false if it cannot. */
  unblock(client: Client, isError: boolean): boolean {
    const journey = this.#journeys.get(client)
    if (!client.isBlocked || journey === undefined) return false
    for (const [shard, { idThere }] of journey.lanes) {
      this.#lane(shard, 2, 0).say(['CLIENT', 'UNBLOCK', idThere, isError ? 'ERROR' : 'TIMEOUT'], nobodyWaits)
    }
    this.#options.openTurn()
    return journey.lanes.size > 0
  }

  /** The end of a turn: what gathered goes out. */
  flush(): void {
    if (this.#withCommands.size === 0) return
    const lanes = [...this.#withCommands]
    this.#withCommands.clear()
    for (const lane of lanes) {
      lane.flush()
      if (lane.isFull) this.#isFull = true
    }
    // Lanes to this shard itself take everything at once.
    this.#homeward.clear()
  }

  forget(client: Client): void {
    for (const { lane } of this.#journeys.get(client)?.lanes.values() ?? []) lane.close()
    this.#journeys.delete(client)
    this.#homeward.delete(client)
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close()
  }

  // ---- what lanes tell

  hasCommands(lane: Lane): void {
    this.#withCommands.add(lane)
  }

  received(): void {
    this.#options.inbox.flush()
  }

  drained(): void {
    this.#isFull = false
    this.#options.drained()
  }

  // ---- where to

  #slotOfAll(found: Arguments, places: readonly number[]): number {
    let slot = -1
    for (const place of places) {
      const its = slotOf(found.bytes, found.start(place), found.end(place))
      if (slot >= 0 && its !== slot) throw new CommandError(crossSlot)
      slot = its
    }
    return slot
  }

  /** To the shard of a slot, on a lane of the client alone where the command needs that. */
  #go(command: Command, call: Call, slot: number): boolean {
    const client = call.session as Client
    const shard = this.#shardOf[slot] as number
    const isWatch = command.name === 'watch'
    if (isWatch) {
      // That it may not is said here.
      if (client.transaction !== undefined) return false
      this.#watch(client, slot)
    }
    // Too early a look at a key makes a transaction fail, which is the safe side.
    if (shard === this.#shard && (isWatch || !this.#homeward.has(client))) return false
    refuseScript(command, call)
    if (isWatch || command.flags.includes('blocking')) this.#goAlone(call, shard)
    else this.#forward(call, shard)
    return true
  }

  #forward(call: Call, shard: number): boolean {
    const client = call.session as Client
    if (shard === this.#shard && !this.#homeward.has(client)) return false
    const { protocol, database } = client
    this.#lane(shard, protocol, database).send(call.arguments, this.#hole(call))
    return true
  }

  /** The place of a reply that several shards make. Watched keys here are looked at when EXEC runs here, so that waits. */
  #sharedHole(call: Call, shards: Iterable<number>): Sink {
    const client = call.session as Client
    const isHomeward = [...shards].includes(this.#shard)
    if (isHomeward) this.#homeward.add(client)
    const isWatching = (this.#journeys.get(client)?.watchedSlot ?? -1) >= 0
    return isHomeward && isWatching ? this.#blockingHole(call) : this.#hole(call)
  }

  #goAlone(call: Call, shard: number): void {
    this.#ownLane(call, shard).send(call.arguments, this.#blockingHole(call))
  }

  #split(command: Command, call: Call, merge: 'agg_sum' | 'by_place'): boolean {
    const found = call.arguments
    const byShard = new Map<number, number[]>()
    for (const place of placesOfKeys(command, command.keys ?? [], found) ?? []) {
      const shard = this.#shardOf[slotOf(found.bytes, found.start(place), found.end(place))] as number
      const places = byShard.get(shard)
      if (places === undefined) byShard.set(shard, [place])
      else places.push(place)
    }
    const [only] = byShard.keys()
    if (byShard.size === 1 && only !== undefined) return this.#forward(call, only)
    const { protocol, database } = call.session
    const parts = [...byShard]
    const gather = new Gather(parts.length, this.#sharedHole(call, byShard.keys()), (replies) =>
      merge === 'agg_sum'
        ? mergeReplies('agg_sum', replies, noPick)
        : byPlace(
            replies,
            parts.map(([, places]) => places),
          ),
    )
    parts.forEach(([shard, places], i) => {
      this.#lane(shard, protocol, database).send(found, gather.part(i), places)
    })
    return true
  }

  #all(call: Call, shards: readonly number[], merge: Parameters<typeof mergeReplies>[0]): boolean {
    const { protocol, database } = call.session
    const pick = (below: number): number => this.#options.random.below(below)
    const hole = this.#sharedHole(call, shards)
    const gather = new Gather(shards.length, hole, (replies) => mergeReplies(merge, replies, pick))
    shards.forEach((shard, i) => {
      this.#lane(shard, protocol, database).send(call.arguments, gather.part(i))
    })
    return true
  }

  // ---- transactions

  #watch(client: Client, slot: number): void {
    const journey = this.#journeyOf(client)
    if (journey.watchedSlot >= 0 && journey.watchedSlot !== slot) throw new CommandError(crossSlot)
    journey.watchedSlot = slot
  }

  /** Where its keys are; without keys where it watches, or here. */
  #exec(call: Call): boolean {
    const client = call.session as Client
    const { transaction } = client
    const journey = this.#journeys.get(client)
    if (transaction === undefined || journey === undefined) return false
    const { watchedSlot, transactionSlot } = journey
    const isWatched = watchedSlot >= 0
    const slot = isWatched ? watchedSlot : transactionSlot
    const shard = slot < 0 ? this.#shard : (this.#shardOf[slot] as number)
    const isHere = shard === this.#shard && (slot < 0 || isWatched || !this.#homeward.has(client))
    if (isHere || transaction.isBroken) {
      this.#discard(client)
      return false
    }
    this.#refuseIfRightsChanged(call, transaction)
    const lane = isWatched ? this.#ownLane(call, shard) : this.#lane(shard, client.protocol, client.database)
    lane.say(['MULTI'], nobodyWaits)
    for (const queued of transaction.commands) lane.send(queued.arguments, nobodyWaits)
    lane.say(['EXEC'], isWatched ? this.#blockingHole(call) : this.#hole(call))
    client.transaction = undefined
    journey.watchedSlot = -1
    journey.transactionSlot = -1
    return true
  }

  /** Where the transaction runs nobody knows the user. Ends it where not all of it is allowed any more: nothing has run then. */
  #refuseIfRightsChanged(call: Call, transaction: Transaction): void {
    const { arguments: outer, server, session } = call
    if (session.user.isFree) return
    try {
      for (const { command, arguments: found } of transaction.commands) {
        call.arguments = found
        refuseScript(command, call)
        const problem = server.access.refusalInTransaction(command, call)
        if (problem !== undefined) throw new CommandError(problem)
      }
    } catch (error) {
      this.#discard(session as Client)
      session.transaction = undefined
      throw error
    } finally {
      call.arguments = outer
    }
  }

  /** Nothing is watched any more, and no transaction is under way. */
  #discard(client: Client): void {
    const journey = this.#journeys.get(client)
    if (journey === undefined) return
    if (journey.watchedSlot >= 0) {
      journey.lanes.get(this.#shardOf[journey.watchedSlot] as number)?.lane.say(['UNWATCH'], nobodyWaits)
      this.#options.openTurn()
    }
    journey.watchedSlot = -1
    journey.transactionSlot = -1
  }

  /** The worker that this is. */
  get #self(): WorkerPlace {
    const self = this.#options.topology().workers.find(({ shards }) => shards[0] === this.#shard)
    assert(self !== undefined, 'the first shard of a worker has the router')
    return self
  }

  // ---- lanes and holes

  #journeyOf(client: Client): Journey {
    const known = this.#journeys.get(client)
    if (known !== undefined) return known
    const journey: Journey = { lanes: new Map(), watchedSlot: -1, transactionSlot: -1 }
    this.#journeys.set(client, journey)
    return journey
  }

  #lane(shard: number, protocol: number, database: number): Lane {
    const place = (shard * databasesMax + database) * 2 + protocol - 2
    const known = this.#lanes.get(place)
    if (known !== undefined) return known
    const lane = this.#newLane(shard, protocol, database)
    this.#lanes.set(place, lane)
    return lane
  }

  /** The client's own, made ready for it; what it has sent there before goes first. */
  #ownLane(call: Call, shard: number): Lane {
    const client = call.session as Client
    const { protocol, database } = client
    const { lanes } = this.#journeyOf(client)
    const before = this.#lanes.get((shard * databasesMax + database) * 2 + protocol - 2)
    const known = lanes.get(shard)
    if (known === undefined) {
      const own = { lane: this.#newLane(shard, protocol, database), idThere: '0' }
      own.lane.before = before
      lanes.set(shard, own)
      let reply = ''
      own.lane.say(['CLIENT', 'ID'], {
        ...nobodyWaits,
        feed: (bytes, start, end, isLast) => {
          reply += latin1(bytes, start, end)
          if (isLast) own.idThere = reply.slice(1, -2)
        },
      })
      return own.lane
    }
    known.lane.before = before
    known.lane.say(['HELLO', String(protocol)], nobodyWaits)
    known.lane.say(['SELECT', String(database)], nobodyWaits)
    return known.lane
  }

  #newLane(shard: number, protocol: number, database: number): Lane {
    const lane = new Lane(this.#options.connect(shard), this)
    if (protocol !== 2) lane.say(['HELLO', String(protocol)], nobodyWaits)
    if (database !== 0) lane.say(['SELECT', String(database)], nobodyWaits)
    return lane
  }

  #hole(call: Call, onFilled?: () => void): Sink {
    const client = call.session as Client
    client.order ??= new ReplyOrder(client, this.#options.inbox)
    const hole = client.order.newHole(onFilled)
    this.#options.place(hole)
    return hole
  }

  #blockingHole(call: Call): Sink {
    const client = call.session as Client
    client.isBlocked = true
    return this.#hole(call, () => this.#options.release(client))
  }
}

const databasesMax = 16

function aboutAllShards({ name }: Command): string {
  return `CROSSSLOT ${name.toUpperCase()} is about all shards, and this is about one slot`
}

/** Cursors are a multiple of the number of shards, and the shard; those below it stand for the first key of theirs. */
function cursorShard(text: string, shardCount: number): number {
  return /^\d+$/.test(text) ? Number(BigInt(text) % BigInt(shardCount)) : 0
}

function noPick(): number {
  return 0
}

/** The elements of several arrays, each where its key stood. */
function byPlace(replies: readonly Uint8Array[], places: readonly (readonly number[])[]): Uint8Array {
  const failed = replies.find(isError)
  if (failed !== undefined) return failed
  const elements: Uint8Array[] = []
  replies.forEach((reply, i) => {
    elementsOf(reply).forEach((element, j) => {
      elements[(places[i]?.[j] as number) - 1] = element
    })
  })
  return list(0x2a, elements)
}

/** What a script does is checked where it runs, and there nobody knows the user. */
function refuseScript({ group }: Command, { session }: Call): void {
  if (group === 'scripting' && !session.user.isFree) throw new CommandError(scriptElsewhere)
}

const scriptElsewhere =
  'NOPERM the rights of this user are limited, so its scripts run only on the worker that has their keys: connect to the port of that one'
