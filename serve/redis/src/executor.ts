/**
 * Runs one command: finds it, checks its arity, calls it, and turns what it throws into an error reply.
 *
 * What must hold: every command gets exactly one reply (none where CLIENT REPLY says so), whatever happens in it; a
 * command that fails has changed nothing.
 */

import type { Wait } from './blocking.ts'
import { type Call, type Command, CommandError, type CommandRunner } from './commands/command.ts'
import { CommandIndex, type CommandTable } from './commands/table.ts'
import type { Log } from './log.ts'
import { BuffersExhausted } from './protocol/buffers.ts'
import { OutputLimitReached } from './protocol/reply.ts'
import type { Transaction } from './transaction.ts'

/** What a transaction does not queue. */
const runsAtOnce = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])
/** What a client may do in RESP2 while it listens to channels. */
const listenersMay = new Set(['subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe', 'ping', 'quit', 'reset'])
/** Names and arguments in error texts are cut to this, as in Redis. */
const shownCharsMax = 128

export class Executor implements CommandRunner {
  readonly #index: CommandIndex
  readonly #log: Log

  constructor(table: CommandTable, log: Log) {
    this.#index = new CommandIndex(table)
    this.#log = log
  }

  /** `call` holds the session and the arguments; the reply is marked, so that all of it may be taken back. */
  run(call: Call): void {
    const { arguments: found, session } = call
    call.server.stats.commandsProcessed++
    const named = this.#index.find(found.bytes, found.starts[0] as number, found.ends[0] as number)
    const command = named?.byName === undefined || found.count < 2 ? named : this.#subcommand(call, named)
    if (command === undefined) {
      this.#refuse(call, named === undefined ? unknownCommand(call) : unknownSubcommand(call, named))
    } else if (!hasArity(command, found.count) || command.run === undefined) {
      this.#refuse(call, `ERR wrong number of arguments for '${command.fullName}' command`)
    } else if (session.subscriptions !== undefined && session.protocol === 2 && !listenersMay.has(command.name)) {
      this.#refuse(call, listenersMayNot(command))
    } else if (session.transaction !== undefined && !runsAtOnce.has(command.name)) {
      this.#queue(command, call)
    } else {
      this.#call(command, call)
    }
    if (session.replyMode !== 'on') this.#suppress(call)
  }

  runQueued(command: Command, call: Call): void {
    call.server.stats.commandsProcessed++
    this.#call(command, call)
  }

  /** Lets a client that waits take something; what goes wrong becomes its reply. Returns whether it has one. */
  runServed({ command, take }: Wait, call: Call, name: string): boolean {
    call.session.lastCommand = command
    try {
      const isServed = take(call, name)
      call.collections.pending.commit()
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
    transaction.queue(command, call.arguments)
    const { frameBytesMax } = call.limits
    if (transaction.bytes <= frameBytesMax) call.reply.status('QUEUED')
    else this.#refuse(call, `ERR the commands of a transaction take more than ${frameBytesMax} bytes`)
    if (transaction.isBroken) transaction.commands.length = 0
  }

  #call(command: Command, call: Call): void {
    call.session.lastCommand = command
    command.calls++
    try {
      ;(command.run as (call: Call) => void)(call)
    } catch (error) {
      this.#answer(error, command, call)
    }
  }

  /** Turns what a command threw into its reply. */
  #answer(error: unknown, command: Command, call: Call): void {
    // What this one has encoded so far is no reply; the limits are not the command's to answer for.
    call.reply.rewind()
    call.collections.pending.drop()
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

  #suppress({ session, reply }: Call): void {
    reply.rewind()
    if (session.replyMode === 'skip-next') session.replyMode = 'skip'
    else if (session.replyMode === 'skip') session.replyMode = 'on'
  }
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
