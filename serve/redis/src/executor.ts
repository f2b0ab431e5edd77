/**
 * Runs one command: finds it, checks its arity, calls it, and turns what it throws into an error reply.
 *
 * What must hold: every command gets exactly one reply (none where CLIENT REPLY says so), whatever happens in it; a
 * command that fails has changed nothing.
 */

import { type Call, type Command, CommandError } from './commands/command.ts'
import { CommandIndex, type CommandTable } from './commands/table.ts'
import type { Log } from './log.ts'
import { BuffersExhausted } from './protocol/buffers.ts'
import { OutputLimitReached } from './protocol/reply.ts'

/** Names and arguments in error texts are cut to this, as in Redis. */
const shownCharsMax = 128

export class Executor {
  readonly #index: CommandIndex
  readonly #log: Log

  constructor(table: CommandTable, log: Log) {
    this.#index = new CommandIndex(table)
    this.#log = log
  }

  /** `call` holds the session and the arguments; the reply is marked, so that all of it may be taken back. */
  run(call: Call): void {
    const { arguments: found, session, reply } = call
    call.server.stats.commandsProcessed++
    const named = this.#index.find(found.bytes, found.starts[0] as number, found.ends[0] as number)
    const command = named?.byName === undefined || found.count < 2 ? named : this.#subcommand(call, named)
    if (command === undefined) {
      if (named === undefined) reply.error(unknownCommand(call))
      else reply.error(unknownSubcommand(call, named))
    } else if (!hasArity(command, found.count) || command.run === undefined) {
      reply.error(`ERR wrong number of arguments for '${command.fullName}' command`)
    } else {
      this.#call(command, call)
    }
    if (session.replyMode !== 'on') this.#suppress(call)
  }

  #call(command: Command, call: Call): void {
    call.session.lastCommand = command
    command.calls++
    try {
      ;(command.run as (call: Call) => void)(call)
    } catch (error) {
      // What this one has encoded so far is no reply; the limits are not the command's to answer for.
      call.reply.rewind()
      if (error instanceof OutputLimitReached || error instanceof BuffersExhausted) throw error
      command.failures++
      call.reply.error(this.#textOf(error, command))
    }
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
