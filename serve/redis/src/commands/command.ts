/**
 * What a command is: a row of data, and a small function that runs it.
 *
 * Everything that Redis tells about commands (arity errors, COMMAND, the table in docs/redis-compatibility.md) is made
 * from these rows. A command runs to its end at once, on the owner's door of the store, so it is atomic; it writes
 * with one batch or not at all.
 */

import type { Random } from '@orbitkv/base'
import type { Change, RecordView } from '@orbitkv/engine'
import type { Durations } from '@orbitkv/metrics'
import type { Owner } from '@orbitkv/store'
import type { Collections } from '../collections/collections.ts'
import type { RedisLimits } from '../config.ts'
import type { Databases } from '../databases.ts'
import type { Arguments } from '../protocol/arguments.ts'
import type { Reply } from '../protocol/reply.ts'
import type { ScanPositions } from '../scan-positions.ts'
import type { Scratch } from '../scratch.ts'
import type { Session } from '../session.ts'
import type { ServerView } from '../view.ts'
import type { Spread } from '../workers/spread.ts'

export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'no_async_loading'
  | 'noscript'
  | 'loading'
  | 'stale'
  | 'fast'
  | 'no_auth'
  | 'allow_busy'
  | 'movablekeys'
  | 'blocking'
  | 'pubsub'
  | 'skip_slowlog'
  | 'skip_monitor'
  | 'no_mandatory_keys'
  | 'no_multi'

export type CommandGroup =
  | 'string'
  | 'bitmap'
  | 'hash'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'stream'
  | 'hyperloglog'
  | 'geo'
  | 'generic'
  | 'transactions'
  | 'scripting'
  | 'pubsub'
  | 'connection'
  | 'server'
  | 'cluster'
  | 'orbit'

/** Where the keys are among the arguments: as in COMMAND INFO, counted from the command's name. */
export interface KeyRange {
  readonly first: number
  /** Negative: counted from the end. */
  readonly last: number
  readonly step: number
  /** What is done with them, in Redis's words: RO, RW, OW or RM, and access, update, insert or delete. */
  readonly flags: readonly string[]
}

/** Keys whose number is the argument at a place; they follow it. */
export interface CountedKeys {
  readonly countedAt: number
  readonly flags: readonly string[]
}

/** Keys behind a word, in the first part of what follows it. */
export interface KeysBehind {
  readonly behind: string
  /** From where on the word is looked for. */
  readonly from: number
  /** 2: the first half. */
  readonly parts: number
  readonly flags: readonly string[]
}

/** Keys whose places only the command knows. */
export interface UnknownKeys {
  readonly unknown: true
  /** As COMMAND tells of them, where it can: one behind each of these words, looked for from a place on. */
  readonly told?: { readonly words: readonly string[]; readonly from: number }
  readonly flags: readonly string[]
  /**
   * Finds them for who asks for rights: places counted from the command's name, which is argument `offset`; `any` where only
   * running the command tells, and for all commands without this.
   */
  readonly find?: (found: Arguments, offset: number) => readonly number[] | 'any'
}

export type KeySpec = KeyRange | CountedKeys | KeysBehind | UnknownKeys

export interface CommandSpec {
  readonly name: string
  /** Arguments with the name counted; negative: at least so many. */
  readonly arity: number
  readonly flags: readonly CommandFlag[]
  readonly group: CommandGroup
  /** Of access control, apart from those that follow from the flags. */
  readonly categories: readonly string[]
  readonly keys?: readonly KeySpec[]
  readonly tips?: readonly string[]
  /** The version of Redis that brought it. */
  readonly since: string
  readonly deprecatedSince?: string
  readonly replacedBy?: string
  readonly complexity: string
  readonly summary: string
  /** The arguments, for people. */
  readonly syntax: string
  /** What is not as in Redis, for docs/redis-compatibility.md. */
  readonly difference?: string
  /** From this argument on they are never shown or logged: there may be a password among them. */
  readonly secretsFrom?: number
  readonly run?: (call: Call) => void
  readonly subcommands?: readonly CommandSpec[]
}

/** A spec as it is looked up and called. */
export interface Command extends CommandSpec {
  /** Where it runs, of several shards; undefined where there is one. */
  spread: Spread | undefined
  /** Its number among those that rights are about (access/access.ts); -1 until it has one. */
  right: number
  /** `client|setname` for a subcommand. */
  readonly fullName: string
  readonly byName: ReadonlyMap<string, Command> | undefined
  readonly isWrite: boolean
  calls: number
  failures: number
  /** Refused before they ran: for their arity, or the rights of their user. */
  rejections: number
  /** Undefined until one was timed (timings.ts). */
  durations: Durations | undefined
  /** How many of the calls `durations` accounts for. */
  timedCalls: number
  /** The call that is timed next. */
  nextTimedCall: number
}

/** What a command has to work with. One object serves all calls; nothing of it may be kept. */
export interface Call {
  /** To the database of the session: the store's, or a transaction's. */
  owner: Owner
  reply: Reply
  arguments: Arguments
  session: Session
  readonly server: ServerView
  readonly limits: RedisLimits
  /** One change to fill anew, for commands that write one record. */
  readonly change: Change
  readonly scratch: Scratch
  readonly scans: ScanPositions
  /** Of the database of the session, as `owner` is. */
  collections: Collections
  readonly databases: Databases
  readonly random: Random
  readonly executor: CommandRunner
  /** EXEC runs commands: none may block. */
  isInTransaction: boolean
}

/** Sends commands to where they belong, if that is not here (workers/router.ts). */
export interface CommandRouter {
  /** False: the command is to run here. What it throws is the command's reply. */
  takes(command: Command, call: Call): boolean
  /** A command of a transaction waits for EXEC; what it throws breaks the transaction. */
  queues(command: Command, call: Call): void
  /** Why a command of a script or transaction cannot run on this shard; undefined if it can. */
  refusal(command: Command, call: Call): string | undefined
}

/** Runs commands for a command that has some of its own: EXEC and EVAL. */
export interface CommandRunner {
  /** Runs a command whose arity was checked; what it throws becomes its reply. */
  runQueued(command: Command, call: Call): void
  /** Runs a command of a script, whatever it is; what is wrong with it becomes its reply. */
  runScripted(call: Call, mayWrite: boolean, mayGrow: boolean): void
  /** Replies 1 if the user may run a command, 0 if not. */
  answerWhetherAllowed(call: Call): void
}

/** What the client did wrong: answered with this text, which begins with its prefix, such as `ERR`. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export const syntaxError = 'ERR syntax error'
export const notAnInteger = 'ERR value is not an integer or out of range'
export const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value'
export const noSuchKey = 'ERR no such key'
export const notInTransaction = 'ERR Command not allowed inside a transaction'

/** The keyspace that Redis keys share with the embedded API. */
export const redisKeyspace = 0

/** What a record's `tag` says about its value. */
export const stringTag = 0

/** By tag. */
const typeNames = ['string', 'hash', 'list', 'set', 'zset', 'stream']

/** As TYPE names it. */
export function typeName(record: RecordView): string {
  return typeNames[record.tag] ?? 'unknown'
}

/** The record of the key at this place among the arguments. */
export function lookUp(call: Call, place: number): RecordView | undefined {
  const { bytes, starts, ends } = call.arguments
  return call.owner.get(redisKeyspace, bytes, starts[place] as number, ends[place] as number)
}

/** As `lookUp`, for commands on strings. */
export function lookUpString(call: Call, place: number): RecordView | undefined {
  const record = lookUp(call, place)
  if (record !== undefined && record.tag !== stringTag) throw new CommandError(wrongType)
  return record
}

/** As `lookUpString` for commands that read, which count as hits and misses. */
export function readString(call: Call, place: number): RecordView | undefined {
  const record = lookUpString(call, place)
  if (record === undefined) call.server.stats.keyspaceMisses++
  else call.server.stats.keyspaceHits++
  return record
}

export function replyValue(call: Call, record: RecordView): void {
  call.reply.bulk(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
}

export function replyValueOrNull(call: Call, record: RecordView | undefined): void {
  if (record === undefined) call.reply.null()
  else replyValue(call, record)
}
