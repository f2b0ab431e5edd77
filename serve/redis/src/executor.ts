/**
 * Runs one command: finds it, checks its arity, calls it, and turns what it throws into an error reply.
 *
 * What must hold: every command gets exactly one reply (none where CLIENT REPLY says so), whatever happens in it; a
 * command that fails has changed nothing.
 */

import type { Wait } from './blocking.ts'
import {
  type Call,
  type Command,
  CommandError,
  type CommandRouter,
  type CommandRunner,
  notInTransaction,
} from './commands/command.ts'
import { CommandIndex, type CommandTable } from './commands/table.ts'
import type { Log } from './log.ts'
import { outOfMemory } from './memory-limit.ts'
import type { Arguments } from './protocol/arguments.ts'
import { BuffersExhausted } from './protocol/buffers.ts'
import { OutputLimitReached } from './protocol/reply.ts'
import type { Transaction } from './transaction.ts'

/** What a transaction does not queue. */
const runsAtOnce = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])
/** What a client may do in RESP2 while it listens to channels. */
const listenersMay = new Set([
  'ssubscribe',
  'sunsubscribe',
  'subscribe',
  'psubscribe',
  'unsubscribe',
  'punsubscribe',
  'ping',
  'quit',
  'reset',
])
/** What answers with messages rather than replies: CLIENT REPLY has no say in those. */
const pushes = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe'])
/** Names and arguments in error texts are cut to this, as in Redis. */
const shownCharsMax = 128

export class Executor implements CommandRunner {
  /** Where there are several shards. */
  router: CommandRouter | undefined
  readonly #index: CommandIndex
  readonly #log: Log

  constructor(table: CommandTable, log: Log) {
    this.#index = new CommandIndex(table)
    this.#log = log
  }

  /** `call` holds the session and the arguments; the reply is marked, so that all of it may be taken back. */
  run(call: Call): void {
    const { arguments: found, server, session } = call
    const named = this.#index.find(found.bytes, found.starts[0] as number, found.ends[0] as number)
    const command = named?.byName === undefined || found.count < 2 ? named : this.#subcommand(call, named)
    if (command !== undefined && server.pauses.isOn && this.#isHeld(command, call)) return
    server.stats.commandsProcessed++
    if (command === undefined) {
      if (isOfWeb(found)) this.#endWeb(call)
      this.#refuse(call, named === undefined ? unknownCommand(call) : unknownSubcommand(call, named))
    } else if (!hasArity(command, found.count) || command.run === undefined) {
      command.rejections++
      this.#refuse(call, `ERR wrong number of arguments for '${command.fullName}' command`)
    } else if (!session.user.isFree && this.#isDenied(command, call)) {
      command.rejections++
    } else if (server.memoryLimit.bytesMax > 0 && command.flags.includes('denyoom') && server.memoryLimit.isExceeded) {
      command.rejections++
      this.#refuse(call, outOfMemory)
    } else if (session.subscriptions !== undefined && session.protocol === 2 && !listenersMay.has(command.name)) {
      this.#refuse(call, listenersMayNot(command))
    } else if (session.transaction !== undefined && !runsAtOnce.has(command.name)) {
      this.#queue(command, call)
    } else if (this.router === undefined || session.isLane || !this.#route(this.router, command, call)) {
      this.#call(command, call)
    }
    if (session.replyMode !== 'on') this.#suppress(call, command)
  }

  /** A page in a browser may send requests of HTTP here, with commands in them: none of them is run. */
  #endWeb({ session }: Call): void {
    this.#log(
      'warn',
      `a request of HTTP from ${session.remote.host}: somebody may be trying to run commands from a web page`,
    )
    session.closeAfterReply()
  }

  /** True if a pause keeps it, to be run as if it had come later, or it is refused, since no more can be kept. */
  #isHeld(command: Command, call: Call): boolean {
    const { arguments: found, server, session } = call
    if (!server.pauses.concerns(command, session)) return false
    if (!server.pauses.hold(session, found)) {
      this.#refuse(call, 'ERR too much waits for the end of CLIENT PAUSE (buffersBytesMax)')
      if (session.replyMode !== 'on') this.#suppress(call, command)
    }
    return true
  }

  /** True if the reply comes from elsewhere, or is an error. */
  #route(router: CommandRouter, command: Command, call: Call): boolean {
    try {
      return router.takes(command, call)
    } catch (error) {
      this.#answer(error, command, call)
      return true
    }
  }

  /** Whether the user may not run it; the reply says so then. */
  #isDenied(command: Command, call: Call): boolean {
    const problem = call.server.access.refusal(command, call)
    if (problem !== undefined) this.#refuse(call, problem)
    return problem !== undefined
  }

  runQueued(command: Command, call: Call): void {
    call.server.stats.commandsProcessed++
    const { server, session } = call
    // Rights may have changed since it was queued.
    const denial = session.user.isFree ? undefined : server.access.refusalInTransaction(command, call)
    const problem = denial ?? this.router?.refusal(command, call)
    if (problem === undefined) this.#call(command, call)
    else {
      command.rejections++
      call.reply.error(problem)
    }
  }

  runScripted(call: Call, mayWrite: boolean, mayGrow: boolean): void {
    const { arguments: found, reply, session, server } = call
    const command = this.#find(call)
    server.stats.commandsProcessed++
    if (command === undefined) reply.error('ERR Unknown Redis command called from script')
    else if (!hasArity(command, found.count) || command.run === undefined) {
      reply.error('ERR Wrong number of args calling Redis command from script')
    } else if (command.flags.includes('noscript') && !server.scripts.mayRunAll) {
      reply.error('ERR This Redis command is not allowed from script')
    } else if (!mayWrite && command.isWrite) {
      reply.error('ERR Write commands are not allowed from read-only scripts.')
    } else if (!mayGrow && command.flags.includes('denyoom')) {
      reply.error(outOfMemory)
    } else {
      const denial = session.user.isFree ? undefined : server.access.refusalInScript(command, call)
      const problem = denial ?? this.router?.refusal(command, call)
      if (problem === undefined) this.#call(command, call)
      else {
        command.rejections++
        reply.error(problem)
      }
    }
  }

  answerWhetherAllowed(call: Call): void {
    const { arguments: found, reply, session, server } = call
    const command = this.#find(call)
    if (command === undefined) reply.error('ERR Invalid command passed to redis.acl_check_cmd()')
    else reply.integer(server.access.denialOf(session.user, command, found) === undefined ? 1 : 0)
  }

  #find(call: Call): Command | undefined {
    const { arguments: found } = call
    const named = this.#index.find(found.bytes, found.start(0), found.end(0))
    return named?.byName === undefined || found.count < 2 ? named : this.#subcommand(call, named)
  }

  /** Lets a client that waits take something; what goes wrong becomes its reply. Returns whether it has one. */
  runServed({ command, take }: Wait, call: Call, name: string): boolean {
    const { server, session } = call
    session.lastCommand = command
    // Rights may have changed since it began to wait.
    const problem = session.user.isFree ? undefined : server.access.refusalAfterWait(command, call)
    if (problem !== undefined) {
      call.reply.error(problem)
      return true
    }
    try {
      const isServed = take(call, name)
      call.collections.pending.commit()
      if (call.server.notifications.isOn) call.server.notifications.ended(command, call)
      return isServed
    } catch (error) {
      this.#answer(error, command, call)
      return true
    }
  }

  /** What cannot be run breaks the transaction that it was to be part of. */
  #refuse({ session, reply }: Call, text: string): void {
    if (session.transaction !== undefined) session.transaction.isBroken = true
    reply.error(text)
  }

  #queue(command: Command, call: Call): void {
    const transaction = call.session.transaction as Transaction
    if (command.flags.includes('no_multi')) {
      command.rejections++
      this.#refuse(call, notInTransaction)
      return
    }
    if (this.router !== undefined && !call.session.isLane) {
      try {
        this.router.queues(command, call)
      } catch (error) {
        transaction.isBroken = true
        this.#answer(error, command, call)
        return
      }
    }
    transaction.queue(command, call.arguments)
    const { frameBytesMax } = call.limits
    if (transaction.bytes <= frameBytesMax) call.reply.status('QUEUED')
    else this.#refuse(call, `ERR the commands of a transaction take more than ${frameBytesMax} bytes`)
    if (transaction.isBroken) transaction.commands.length = 0
  }

  #call(command: Command, call: Call): void {
    const { server, session } = call
    session.lastCommand = command
    if (command.isWrite) server.stats.writes++
    const isTimed = ++command.calls >= command.nextTimedCall
    const startedMs = isTimed ? server.timings.now() : 0
    const { notifications } = server
    if (notifications.isOn) notifications.began(call)
    try {
      ;(command.run as (call: Call) => void)(call)
      if (notifications.isOn) notifications.ended(command, call)
    } catch (error) {
      this.#answer(error, command, call)
    }
    if (isTimed) server.timings.ended(command, call, startedMs)
  }

  /** Turns what a command threw into its reply. */
  #answer(error: unknown, command: Command, call: Call): void {
    // What this one has encoded so far is no reply; the limits are not the command's to answer for.
    call.reply.rewind()
    call.databases.drop()
    call.server.notifications.failed(call)
    if (error instanceof OutputLimitReached || error instanceof BuffersExhausted) throw error
    command.failures++
    call.reply.error(this.#textOf(error, command))
  }

  #subcommand(call: Call, container: Command): Command | undefined {
    const name = call.arguments.text(1).toLowerCase()
    return container.byName?.get(name)
  }

  #textOf(error: unknown, command: Command): string {
    if (error instanceof CommandError) return error.message
    const text = storeErrorText(error)
    if (text !== undefined) return text
    this.#log('error', `the command ${command.fullName} failed`, error)
    return 'ERR internal error'
  }

  #suppress({ session, reply }: Call, command: Command | undefined): void {
    if (command === undefined || !pushes.has(command.name)) reply.rewind()
    if (session.replyMode === 'skip-next') session.replyMode = 'skip'
    else if (session.replyMode === 'skip') session.replyMode = 'on'
  }
}

function isOfWeb(found: Arguments): boolean {
  return found.is(0, 'POST') || found.is(0, 'HOST:')
}

function hasArity({ arity }: Command, count: number): boolean {
  return arity > 0 ? count === arity : count >= -arity
}

function listenersMayNot({ fullName }: Command): string {
  return `ERR Can't execute '${fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
}

function unknownCommand({ arguments: found }: Call): string {
  let shown = ''
  for (let place = 1; place < found.count && shown.length < shownCharsMax; place++) {
    shown += `'${found.text(place).slice(0, shownCharsMax - shown.length)}' `
  }
  return `ERR unknown command '${found.text(0).slice(0, shownCharsMax)}', with args beginning with: ${shown}`
}

function unknownSubcommand({ arguments: found }: Call, { name }: Command): string {
  return `ERR unknown subcommand '${found.text(1).slice(0, shownCharsMax)}'. Try ${name.toUpperCase()} HELP.`
}

/** The prefixes by which Redis clients know what kind of error it is. */
const prefixes: Readonly<Record<string, string>> = {
  'engine.full': 'MISCONF',
  'engine.store_full': 'MISCONF',
  'engine.index_full': 'OOM',
  'store.cache_full': 'OOM',
  'engine.poisoned': 'MISCONF',
  'engine.closed': 'MISCONF',
  'engine.read_only': 'READONLY',
}

/** Errors of the store that clients are told as they are; undefined for what is a fault of ours. */
function storeErrorText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  if (typeof code !== 'string' || !/^(engine|store|disk)\./.test(code)) return undefined
  return `${prefixes[code] ?? 'ERR'} ${error.message}`
}
