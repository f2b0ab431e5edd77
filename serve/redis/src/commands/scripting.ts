/** EVAL and its kin, SCRIPT, and what is left of FUNCTION. */

import { parseInteger } from '../protocol/numbers.ts'
import type { Script } from '../scripts/script.ts'
import { type Call, CommandError, type CommandSpec, notAnInteger } from './command.ts'
import { helpCommand } from './help.ts'

const scripting = { group: 'scripting', categories: ['scripting'] } as const

const mayWriteFlags = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'] as const
const mayReadFlags = ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'] as const
const keysWritten = [{ countedAt: 2, flags: ['RW', 'access', 'update'] }]
const keysRead = [{ countedAt: 2, flags: ['RO', 'access'] }]
const subcommandFlags = ['noscript'] as const

const noScript = 'NOSCRIPT No matching script. Please use EVAL.'
const evalDifference =
  'What a script writes is one batch. One that runs longer than `scriptMs` is ended and has then written nothing; ' +
  'there is no `BUSY`. One that fails keeps what it wrote before, as in Redis. It has 64 MiB of memory.'

const scriptSubcommands: readonly CommandSpec[] = [
  {
    ...scripting,
    name: 'debug',
    arity: 3,
    flags: subcommandFlags,
    since: '3.2.0',
    complexity: 'O(1)',
    summary: 'Refused: there is no debugger.',
    syntax: 'YES | SYNC | NO',
    difference: 'Refused.',
    run: () => {
      throw new CommandError('ERR SCRIPT DEBUG is not offered by this server')
    },
  },
  {
    ...scripting,
    name: 'exists',
    arity: -3,
    flags: subcommandFlags,
    tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
    since: '2.6.0',
    complexity: 'O(N) for N digests',
    summary: 'Which of these scripts the server has.',
    syntax: 'sha1 [sha1 ...]',
    run: ({ arguments: found, reply, server }) => {
      reply.array(found.count - 2)
      for (let place = 2; place < found.count; place++) {
        reply.integer(server.scripts.find(found.text(place)) === undefined ? 0 : 1)
      }
    },
  },
  {
    ...scripting,
    name: 'flush',
    arity: -2,
    flags: subcommandFlags,
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    since: '2.6.0',
    complexity: 'O(N) for N scripts',
    summary: 'Forgets all scripts.',
    syntax: '[ASYNC | SYNC]',
    run: ({ arguments: found, reply, server }) => {
      const isRight = found.count === 2 || (found.count === 3 && (found.is(2, 'SYNC') || found.is(2, 'ASYNC')))
      if (!isRight) throw new CommandError('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
      server.scripts.flush()
      reply.ok()
    },
  },
  {
    ...scripting,
    name: 'kill',
    arity: 2,
    flags: [...subcommandFlags, 'allow_busy'],
    tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'There is never a script to be ended: none runs while another command does.',
    syntax: '',
    difference: 'A script that runs too long is ended by the server (see `EVAL`).',
    run: () => {
      throw new CommandError('NOTBUSY No scripts in execution right now.')
    },
  },
  {
    ...scripting,
    name: 'load',
    arity: 3,
    flags: [...subcommandFlags, 'stale'],
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    since: '2.6.0',
    complexity: 'O(N) for a script of N bytes',
    summary: 'Keeps a script for EVALSHA.',
    syntax: 'script',
    difference: 'All scripts together take at most `scriptsBytesMax`.',
    run: ({ arguments: found, reply, server }) => {
      reply.bulkText(server.scripts.load(found.copy(2)).digest)
    },
  },
]

const functionSubcommands: readonly CommandSpec[] = [
  {
    ...scripting,
    name: 'flush',
    arity: -2,
    flags: ['write', ...subcommandFlags],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'There are no functions to delete.',
    syntax: '[ASYNC | SYNC]',
    difference: 'There are no functions: it answers `OK`, and every other subcommand is refused.',
    run: ({ reply }) => reply.ok(),
  },
  ...['delete', 'dump', 'kill', 'list', 'load', 'restore', 'stats'].map(refusedFunction),
]

function refusedFunction(name: string): CommandSpec {
  return {
    ...scripting,
    name,
    arity: -2,
    flags: subcommandFlags,
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Refused: there are no functions.',
    syntax: '[argument ...]',
    difference: 'Refused.',
    run: () => {
      throw new CommandError(
        `ERR FUNCTION ${name.toUpperCase()} is not offered by this server: use EVAL and SCRIPT LOAD`,
      )
    },
  }
}

export const scriptingCommands: readonly CommandSpec[] = [
  {
    ...scripting,
    name: 'eval',
    arity: -3,
    flags: mayWriteFlags,
    keys: keysWritten,
    since: '2.6.0',
    complexity: 'Depends on the script',
    summary: 'Runs a script.',
    syntax: 'script numkeys [key [key ...]] [arg [arg ...]]',
    difference: evalDifference,
    run: (call) => runScript(call, loaded(call), true),
  },
  {
    ...scripting,
    name: 'evalsha',
    arity: -3,
    flags: mayWriteFlags,
    keys: keysWritten,
    since: '2.6.0',
    complexity: 'Depends on the script',
    summary: 'Runs a script that the server has.',
    syntax: 'sha1 numkeys [key [key ...]] [arg [arg ...]]',
    difference: 'As `EVAL`.',
    run: (call) => runScript(call, known(call), true),
  },
  {
    ...scripting,
    name: 'eval_ro',
    arity: -3,
    flags: mayReadFlags,
    keys: keysRead,
    since: '7.0.0',
    complexity: 'Depends on the script',
    summary: 'Runs a script that writes nothing.',
    syntax: 'script numkeys [key [key ...]] [arg [arg ...]]',
    difference: 'As `EVAL`.',
    run: (call) => runScript(call, loaded(call), false),
  },
  {
    ...scripting,
    name: 'evalsha_ro',
    arity: -3,
    flags: mayReadFlags,
    keys: keysRead,
    since: '7.0.0',
    complexity: 'Depends on the script',
    summary: 'Runs a script that the server has and that writes nothing.',
    syntax: 'sha1 numkeys [key [key ...]] [arg [arg ...]]',
    difference: 'As `EVAL`.',
    run: (call) => runScript(call, known(call), false),
  },
  {
    ...scripting,
    categories: [],
    name: 'script',
    arity: -2,
    flags: [],
    since: '2.6.0',
    complexity: 'Depends on the subcommand',
    summary: 'Commands on scripts.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...scriptSubcommands, helpCommand('script', 'scripting', scriptSubcommands)],
  },
  {
    ...scripting,
    categories: [],
    name: 'function',
    arity: -2,
    flags: [],
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Functions are not offered.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...functionSubcommands, helpCommand('function', 'scripting', functionSubcommands)],
  },
]

function loaded(call: Call): () => Script {
  const { arguments: found, server } = call
  return () => server.scripts.load(found.bytes.subarray(found.start(1), found.end(1)))
}

function known({ arguments: found, server }: Call): () => Script {
  return () => {
    const script = server.scripts.find(found.text(1))
    if (script === undefined) throw new CommandError(noScript)
    return script
  }
}

/** `find` is called once the arguments are known to be right, as in Redis. */
function runScript(call: Call, find: () => Script, mayWrite: boolean): void {
  const { arguments: found, server } = call
  const keyCount = parseInteger(found.bytes, found.start(2), found.end(2))
  if (typeof keyCount !== 'number') throw new CommandError(notAnInteger)
  if (keyCount > found.count - 3) throw new CommandError("ERR Number of keys can't be greater than number of args")
  if (keyCount < 0) throw new CommandError("ERR Number of keys can't be negative")
  const script = find()
  const writesNothing = script.flags?.has('no-writes') === true
  if (!mayWrite && script.flags !== undefined && !writesNothing) {
    throw new CommandError('ERR Can not execute a script with write flag using *_ro command.')
  }
  server.scripts.run(call, script, 3, keyCount, mayWrite && !writesNothing)
}
