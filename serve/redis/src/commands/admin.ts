/** CONFIG and TIME. */

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
    difference: 'Refused: what is to last is written into orbit.toml by who runs the server.',
    run: () => {
      throw new CommandError('ERR The server is running without a config file')
    },
  },
  {
    ...admins,
    name: 'set',
    arity: -4,
    // A password may be among them.
    secretsFrom: 3,
    flags: adminFlags,
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    since: '2.0.0',
    summary: 'Changes settings while the server runs.',
    syntax: 'parameter value [parameter value ...]',
    difference:
      'Until the server stops. Settings of Redis that mean nothing here are kept and told again; those that are given at the start are refused.',
    run: configSet,
  },
]

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

function configGet(call: Call): void {
  const { arguments: found, reply, server } = call
  const matchers: ((name: string) => boolean)[] = []
  for (let place = 2; place < found.count; place++) matchers.push(nameMatcher(call, place))
  const shown = [...server.settings].filter(([name]) => matchers.some((matches) => matches(name)))
  reply.map(shown.length)
  for (const [name, setting] of shown) {
    reply.bulkText(name)
    reply.bulkText(String(setting.get()))
  }
}

/** Reads all of them before the first is changed. */
function configSet(call: Call): void {
  const { arguments: found, reply, server } = call
  if (found.count % 2 !== 0) throw new CommandError("ERR wrong number of arguments for 'config|set' command")
  const changes = new Map<string, () => void>()
  const together = new Map<string, string>()
  for (let place = 2; place < found.count; place += 2) {
    together.set(found.text(place).toLowerCase(), found.text(place + 1))
  }
  for (let place = 2; place < found.count; place += 2) {
    const name = found.text(place).toLowerCase()
    const setting = server.settings.get(name)
    const failed = `ERR CONFIG SET failed (possibly related to argument '${found.text(place)}') - `
    if (setting === undefined) {
      throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${found.text(place)}'`)
    }
    if (changes.has(name)) throw new CommandError(`${failed}duplicate parameter`)
    const change = setting.change?.(found.text(place + 1), together) ?? "can't set immutable config"
    if (typeof change === 'string') throw new CommandError(failed + change)
    changes.set(name, change)
  }
  for (const change of changes.values()) change()
  reply.ok()
}
