/** CONFIG, DEBUG and TIME. */

import { type Call, CommandError, type CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'
import { nameMatcher } from './options.ts'

const admins = { group: 'server', categories: [], complexity: 'O(N) for N settings' } as const
const adminFlags = ['admin', 'noscript', 'loading', 'stale'] as const

const configSubcommands: readonly CommandSpec[] = [
  {
    ...admins,
    name: 'get',
    arity: -3,
    flags: adminFlags,
    since: '2.0.0',
    summary: 'Settings whose names match, with what they are here.',
    syntax: 'parameter [parameter ...]',
    difference: 'Of the settings of Redis those that mean something here; ours are shown by `orbit config check`.',
    run: configGet,
  },
  {
    ...admins,
    name: 'resetstat',
    arity: 2,
    flags: adminFlags,
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Sets the counters of INFO to zero.',
    syntax: '',
    run: (call) => {
      call.server.resetStats()
      call.reply.ok()
    },
  },
  {
    ...admins,
    name: 'rewrite',
    arity: 2,
    flags: adminFlags,
    since: '2.8.0',
    complexity: 'O(1)',
    summary: 'Refused: the file of settings belongs to its owner.',
    syntax: '',
    difference: 'Refused.',
    run: () => {
      throw new CommandError('ERR The server is running without a config file')
    },
  },
  {
    ...admins,
    name: 'set',
    arity: -4,
    flags: adminFlags,
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    since: '2.0.0',
    summary: 'Refused: settings are given at the start.',
    syntax: 'parameter value [parameter value ...]',
    difference: 'Refused: settings are given at the start.',
    run: configSet,
  },
]

/** As Redis words it: tools look for the beginning. */
const debugRefusal = 'ERR DEBUG command not allowed. This server does not offer it.'

export const adminCommands: readonly CommandSpec[] = [
  {
    ...admins,
    name: 'config',
    arity: -2,
    flags: [],
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Commands on settings.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...configSubcommands, helpCommand('config', 'server', configSubcommands)],
  },
  {
    ...admins,
    name: 'debug',
    arity: -2,
    flags: adminFlags,
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Refused, as Redis does by default.',
    syntax: 'subcommand [argument ...]',
    difference: 'Always refused.',
    run: () => {
      throw new CommandError(debugRefusal)
    },
  },
  {
    ...admins,
    name: 'time',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    tips: ['nondeterministic_output'],
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'The time in seconds since 1970, and microseconds.',
    syntax: '',
    difference: 'To the millisecond.',
    run: ({ server, reply }) => {
      const nowMs = server.clock.now()
      reply.array(2)
      reply.bulkInteger(Math.floor(nowMs / 1000))
      reply.bulkInteger((nowMs % 1000) * 1000)
    },
  },
]

/** The settings of Redis that tools ask for, as they are here. */
function settings({ server, limits }: Call): Record<string, string | number> {
  const { store } = server.facts()
  const syncs = { always: 'always', interval: 'everysec', none: 'no' } as const
  return {
    appendfsync: syncs[store.durability],
    appendonly: store.durability === 'none' ? 'no' : 'yes',
    bind: server.address.host,
    'client-query-buffer-limit': limits.frameBytesMax,
    'cluster-enabled': 'no',
    databases: 1,
    dir: store.path,
    maxclients: limits.clientsMax,
    maxmemory: 0,
    'maxmemory-policy': 'noeviction',
    port: server.address.port,
    'proto-max-bulk-len': limits.bulkBytesMax,
    requirepass: '',
    save: '',
    'tcp-keepalive': 300,
    timeout: Math.ceil(limits.idleTimeoutMs / 1000),
  }
}

function configGet(call: Call): void {
  const { arguments: found, reply } = call
  const matchers: ((name: string) => boolean)[] = []
  for (let place = 2; place < found.count; place++) matchers.push(nameMatcher(call, place))
  const shown = Object.entries(settings(call)).filter(([name]) => matchers.some((matches) => matches(name)))
  reply.map(shown.length)
  for (const [name, value] of shown) {
    reply.bulkText(name)
    reply.bulkText(String(value))
  }
}

function configSet(call: Call): void {
  const name = call.arguments.text(2)
  if (name.toLowerCase() in settings(call)) {
    throw new CommandError(
      `ERR CONFIG SET failed (possibly related to argument '${name}') - can't set immutable config`,
    )
  }
  throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`)
}
