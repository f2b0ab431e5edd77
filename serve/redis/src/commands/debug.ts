/** DEBUG: what test suites of Redis use. Refused unless the server was started with `debugCommand`. */

import { encodeText } from '@orbitkv/bytes'
import { putChange } from '@orbitkv/engine'
import type { Reply } from '../protocol/reply.ts'
import { type Call, CommandError, type CommandSpec, redisKeyspace } from './command.ts'
import { helpCommand } from './help.ts'
import { doubleAt, numberAt } from './options.ts'

const debug = {
  group: 'server',
  categories: [],
  flags: ['admin', 'noscript', 'loading', 'stale'],
  since: '1.0.0',
  complexity: 'O(1)',
} as const

const refusal =
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.'

const subcommandHelp: readonly CommandSpec[] = [
  { ...debug, name: 'sleep', arity: 3, summary: 'Holds the whole server up for so long.', syntax: 'seconds' },
  { ...debug, name: 'populate', arity: -3, summary: 'Makes keys.', syntax: 'count [prefix [size]]' },
  { ...debug, name: 'protocol', arity: 3, summary: 'Replies with a value of a kind.', syntax: 'kind' },
  { ...debug, name: 'log', arity: 3, summary: 'Writes a line into the log.', syntax: 'message' },
  { ...debug, name: 'set-disable-deny-scripts', arity: 3, summary: 'Lets scripts run every command.', syntax: '0 | 1' },
  ...['reload', 'loadaof', 'set-active-expire', 'quicklist-packed-threshold', 'change-repl-id'].map(meaningless),
]

/** Switches of what is not here, and reloads of what always is on the disk: there is nothing to do. */
function meaningless(name: string): CommandSpec {
  return { ...debug, name, arity: -2, summary: 'Does nothing here.', syntax: '[argument ...]' }
}

const help = helpCommand('debug', 'server', subcommandHelp)

export const debugCommands: readonly CommandSpec[] = [
  {
    ...debug,
    name: 'debug',
    arity: -2,
    summary: 'For tests; refused by default, as in Redis.',
    syntax: 'subcommand [argument ...]',
    difference:
      'Where the setting `debug_command` allows it: SLEEP, POPULATE, LOG, HELP, and some that have nothing to do here.',
    run: (call) => {
      const { arguments: found, limits, reply } = call
      if (!limits.debugCommand) throw new CommandError(refusal)
      const name = found.text(1).toLowerCase()
      if (name === 'help') {
        help.run?.(call)
        return
      }
      if (name === 'protocol' && found.count === 3) {
        replyKind(reply, found.text(2).toLowerCase())
        return
      }
      if (name === 'sleep' && found.count === 3) sleep(call)
      else if (name === 'set-disable-deny-scripts' && found.count === 3)
        call.server.scripts.mayRunAll = found.is(2, '1')
      else if (name === 'populate' && found.count >= 3) populate(call)
      else if (!subcommandHelp.some((row) => row.name === name && found.count >= Math.abs(row.arity))) {
        throw new CommandError(unknownSubcommand(found.text(1)))
      }
      reply.ok()
    },
  },
]

function unknownSubcommand(name: string): string {
  return `ERR unknown subcommand or wrong number of arguments for '${name.slice(0, 128)}'. Try DEBUG HELP.`
}

/** A reply of each kind, with the values that Redis has for it. */
function replyKind(reply: Reply, kind: string): void {
  if (kind === 'string') reply.bulkText('Hello World')
  else if (kind === 'integer') reply.integer(12345)
  else if (kind === 'double') reply.double(3141 / 1000)
  else if (kind === 'null') reply.null()
  else if (kind === 'true' || kind === 'false') reply.boolean(kind === 'true')
  else if (kind === 'verbatim') reply.verbatim('This is a verbatim\nstring')
  else if (kind === 'bignum') reply.bigNumber('1234567999999999999999999999999999999')
  else if (kind === 'array' || kind === 'set' || kind === 'map') {
    reply[kind](3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      if (kind === 'map') reply.boolean(i === 1)
    }
  } else
    throw new CommandError(
      'ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|verbatim|true|false|bignum',
    )
}

/** Keys that POPULATE makes at once. */
const populateKeysMax = 1_000_000

/** Keys `PREFIX:N` with the value `value:N`, padded to a size; those that are there stay. */
function populate(call: Call): void {
  const { arguments: found, owner } = call
  const count = numberAt(call, 2)
  if (count < 0 || count > populateKeysMax) throw new CommandError(`ERR at most ${populateKeysMax} keys`)
  const prefix = found.count > 3 ? found.text(3) : 'key'
  const size = found.count > 4 ? numberAt(call, 4) : 0
  const changes = []
  for (let number = 0; number < count; number++) {
    const key = encodeText(`${prefix}:${number}`)
    if (owner.get(redisKeyspace, key, 0, key.length) !== undefined) continue
    const value = new Uint8Array(size > 0 ? size : `value:${number}`.length)
    value.set(encodeText(`value:${number}`).subarray(0, value.length))
    changes.push(putChange(redisKeyspace, key, value))
  }
  if (changes.length > 0) owner.write(changes)
}

/** Nobody is held up for longer. */
const sleepSecondsMax = 60

/** Holds the event loop up: that is what it is for. */
function sleep(call: Call): void {
  const seconds = doubleAt(call, 2)
  if (!(seconds >= 0 && seconds <= sleepSecondsMax)) throw new CommandError(`ERR at most ${sleepSecondsMax} seconds`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000)
}
