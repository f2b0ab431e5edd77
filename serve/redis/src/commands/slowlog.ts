/** SLOWLOG: the newest commands that took long (slow-log.ts). */

import { type Call, CommandError, type CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'
import { numberAt } from './options.ts'

const slowlog = { group: 'server', categories: [], complexity: 'O(1)', flags: ['admin', 'loading', 'stale'] } as const

const subcommands: readonly CommandSpec[] = [
  {
    ...slowlog,
    name: 'get',
    arity: -2,
    tips: ['request_policy:all_nodes', 'nondeterministic_output'],
    since: '2.2.12',
    complexity: 'O(N) for N entries',
    summary: 'The newest entries, 10 unless told otherwise; -1 for all.',
    syntax: '[count]',
    difference:
      'A command that is quick is timed once in 64 calls, unless slowlog-log-slower-than is below a millisecond.',
    run: get,
  },
  {
    ...slowlog,
    name: 'len',
    arity: 2,
    tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
    since: '2.2.12',
    summary: 'How many entries there are.',
    syntax: '',
    run: ({ reply, server }) => reply.integer(server.timings.slowLog.entries.length),
  },
  {
    ...slowlog,
    name: 'reset',
    arity: 2,
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    since: '2.2.12',
    complexity: 'O(N) for N entries',
    summary: 'Forgets all entries.',
    syntax: '',
    run: ({ reply, server }) => {
      server.timings.slowLog.reset()
      reply.ok()
    },
  },
]

export const slowlogCommands: readonly CommandSpec[] = [
  {
    name: 'slowlog',
    arity: -2,
    flags: [],
    group: 'server',
    categories: [],
    since: '2.2.12',
    complexity: 'O(1)',
    summary: 'Commands on the slow log.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...subcommands, helpCommand('slowlog', 'server', subcommands)],
  },
]

/** Entries that are told where no number is given. */
const countDefault = 10

function get(call: Call): void {
  const { arguments: found, reply, server } = call
  if (found.count > 3) throw new CommandError("ERR wrong number of arguments for 'slowlog|get' command")
  const problem = 'ERR count should be greater than or equal to -1'
  const count = found.count === 3 ? numberAt(call, 2, problem) : countDefault
  if (count < -1) throw new CommandError(problem)
  const { entries } = server.timings.slowLog
  const shown = count === -1 ? entries : entries.slice(0, count)
  reply.array(shown.length)
  for (const entry of shown) {
    reply.array(6)
    reply.integer(entry.id)
    reply.integer(Math.floor(entry.timeMs / 1000))
    reply.integer(Math.round(entry.microseconds))
    reply.array(entry.arguments.length)
    for (const argument of entry.arguments) reply.bulkText(argument)
    reply.bulkText(entry.address)
    reply.bulkText(entry.connectionName)
  }
}
