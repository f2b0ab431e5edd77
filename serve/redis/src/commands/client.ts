/** CLIENT and its subcommands: what a client says of itself, and what an operator sees of all. */

import { textOf, type User } from '@orbitkv/access'
import type { Session } from '../session.ts'
import { type Call, type Command, CommandError, type CommandSpec, syntaxError } from './command.ts'
import { connectionName } from './connection.ts'
import { helpCommand } from './help.ts'
import { eitherAt, integerAt, numberAt } from './options.ts'

const ours = {
  group: 'connection',
  categories: ['connection'],
  flags: ['noscript', 'loading', 'stale'],
  complexity: 'O(1)',
} as const
const admins = { ...ours, flags: ['admin', 'noscript', 'loading', 'stale'], complexity: 'O(N) for N clients' } as const

const subcommands: readonly CommandSpec[] = [
  {
    ...ours,
    name: 'caching',
    arity: 3,
    since: '6.0.0',
    summary: 'Refused: no connection is told which keys changed, so none chooses them.',
    syntax: 'YES | NO',
    difference: 'Refused, as by Redis of a connection that does not track.',
    run: (call) => {
      eitherAt(call, 2, 'YES', 'NO')
      throw new CommandError(
        'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
      )
    },
  },
  {
    ...ours,
    name: 'getname',
    arity: 2,
    since: '2.6.9',
    summary: 'The name that this connection was given.',
    syntax: '',
    run: ({ session, reply }) => {
      if (session.connectionName === '') reply.null()
      else reply.bulkText(session.connectionName)
    },
  },
  {
    ...ours,
    name: 'getredir',
    arity: 2,
    since: '6.0.0',
    summary: 'Where invalidations go: nowhere (-1).',
    syntax: '',
    run: ({ reply }) => reply.integer(-1),
  },
  {
    ...ours,
    name: 'id',
    arity: 2,
    since: '5.0.0',
    summary: 'The number of this connection; later ones have larger numbers.',
    syntax: '',
    run: ({ session, reply }) => reply.integer(session.id),
  },
  {
    ...ours,
    name: 'info',
    arity: 2,
    tips: ['nondeterministic_output'],
    since: '6.2.0',
    summary: 'This connection as CLIENT LIST shows it.',
    syntax: '',
    run: (call) => call.reply.verbatim(`${describeClient(call.session, call.server.clock.now())}\n`),
  },
  {
    ...admins,
    name: 'kill',
    arity: -3,
    since: '2.4.0',
    summary: 'Closes connections.',
    syntax: 'ip:port | [ID id] [TYPE type] [ADDR ip:port] [LADDR ip:port] [USER name] [SKIPME YES | NO] ...',
    run: kill,
  },
  {
    ...admins,
    name: 'list',
    arity: -2,
    tips: ['nondeterministic_output'],
    since: '2.4.0',
    summary: 'Every connection, one in a line.',
    syntax: '[TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID id [id ...]]',
    run: list,
  },
  {
    ...admins,
    name: 'no-evict',
    arity: 3,
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Accepted: connections are not evicted anyway.',
    syntax: 'ON | OFF',
    run: (call) => {
      call.session.isEvictionExempt = eitherAt(call, 2, 'ON', 'OFF')
      call.reply.ok()
    },
  },
  {
    ...ours,
    name: 'no-touch',
    arity: 3,
    since: '7.2.0',
    summary: 'Accepted: no time of access is kept anyway.',
    syntax: 'ON | OFF',
    run: (call) => {
      eitherAt(call, 2, 'ON', 'OFF')
      call.reply.ok()
    },
  },
  {
    ...admins,
    name: 'pause',
    arity: -3,
    complexity: 'O(1)',
    since: '3.0.0',
    summary: 'Lets commands of clients wait for so many milliseconds: all, or those that write.',
    syntax: 'timeout [WRITE | ALL]',
    difference:
      'CLIENT UNPAUSE is never kept waiting. Keys whose time is over go on being deleted. Every EVAL and EVALSHA counts as one that writes.',
    run: pause,
  },
  {
    ...ours,
    name: 'reply',
    arity: 3,
    since: '3.2.0',
    summary: 'Whether this connection gets replies; SKIP leaves out the next.',
    syntax: 'ON | OFF | SKIP',
    run: (call) => {
      const { session, reply } = call
      if (call.arguments.is(2, 'SKIP')) {
        if (session.replyMode !== 'off') session.replyMode = 'skip-next'
      } else if (eitherAt(call, 2, 'ON', 'OFF')) {
        session.replyMode = 'on'
        reply.ok()
      } else session.replyMode = 'off'
    },
  },
  {
    ...ours,
    name: 'setinfo',
    arity: 4,
    since: '7.2.0',
    summary: 'The name or version of the client library.',
    syntax: 'LIB-NAME name | LIB-VER version',
    run: setInfo,
  },
  {
    ...ours,
    name: 'setname',
    arity: 3,
    since: '2.6.9',
    summary: 'Names this connection; an empty name takes the name away.',
    syntax: 'connection-name',
    run: (call) => {
      call.session.connectionName = connectionName(call, 2)
      call.reply.ok()
    },
  },
  {
    ...ours,
    name: 'tracking',
    arity: -3,
    since: '6.0.0',
    summary: 'OFF is accepted; ON is refused: ORBIT.WATCH tells of changes.',
    syntax: 'ON | OFF',
    difference: 'ON is refused.',
    run: (call) => {
      if (eitherAt(call, 2, 'ON', 'OFF')) {
        throw new CommandError('ERR CLIENT TRACKING is not offered by this server: ORBIT.WATCH tells of changes')
      }
      call.reply.ok()
    },
  },
  {
    ...ours,
    name: 'trackinginfo',
    arity: 2,
    since: '6.2.0',
    summary: 'What the connection tracks: nothing.',
    syntax: '',
    run: ({ reply }) => {
      reply.map(3)
      reply.bulkText('flags')
      reply.set(1)
      reply.bulkText('off')
      reply.bulkText('redirect')
      reply.integer(-1)
      reply.bulkText('prefixes')
      reply.array(0)
    },
  },
  {
    ...admins,
    name: 'unblock',
    arity: -3,
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Ends the wait of a connection, as if its time were over or with an error.',
    syntax: 'client-id [TIMEOUT | ERROR]',
    run: (call) => {
      const { arguments: found, reply, server } = call
      const isError = found.count === 4 && found.is(3, 'ERROR')
      if (found.count > 4) throw new CommandError(syntaxError)
      if (found.count === 4 && !isError && !found.is(3, 'TIMEOUT')) {
        throw new CommandError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
      }
      reply.integer(server.unblock(Number(integerAt(call, 2)), isError) ? 1 : 0)
    },
  },
  {
    ...admins,
    name: 'unpause',
    arity: 2,
    complexity: 'O(N) for N commands that wait',
    since: '6.2.0',
    summary: 'Ends CLIENT PAUSE: what waits is run.',
    syntax: '',
    run: ({ reply, server }) => {
      server.later(() => server.pauses.end())
      reply.ok()
    },
  },
]

export const clientCommands: readonly CommandSpec[] = [
  {
    name: 'client',
    arity: -2,
    flags: [],
    group: 'connection',
    categories: [],
    since: '2.4.0',
    complexity: 'O(1)',
    summary: 'Commands on connections.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...subcommands, helpCommand('client', 'connection', subcommands)],
  },
]

function pause(call: Call): void {
  const { arguments: found, reply, server } = call
  const durationMs = numberAt(call, 2, 'ERR timeout is not an integer or out of range')
  if (durationMs < 0) throw new CommandError('ERR timeout is negative')
  if (found.count > 4) throw new CommandError(syntaxError)
  const isWrite = found.count === 4 && found.is(3, 'WRITE')
  if (found.count === 4 && !isWrite && !found.is(3, 'ALL')) {
    throw new CommandError('ERR CLIENT PAUSE mode must be WRITE or ALL')
  }
  server.pauses.begin(durationMs, isWrite ? 'write' : 'all')
  reply.ok()
}

function setInfo(call: Call): void {
  const { arguments: found, session, reply } = call
  for (let i = found.start(3); i < found.end(3); i++) {
    const byte = found.bytes[i] as number
    if (byte >= 0x21 && byte <= 0x7e) continue
    const name = found.text(2).toLowerCase()
    throw new CommandError(`ERR ${name} cannot contain spaces, newlines or special characters.`)
  }
  if (found.is(2, 'LIB-NAME')) session.libraryName = found.text(3)
  else if (found.is(2, 'LIB-VER')) session.libraryVersion = found.text(3)
  else throw new CommandError(`ERR Unrecognized option '${found.text(2)}'`)
  reply.ok()
}

/** Types of connections that Redis knows; here are `normal` ones and those that listen. */
const types = ['normal', 'master', 'replica', 'slave', 'pubsub']

function typeAt(call: Call, place: number): string {
  const type = call.arguments.text(place).toLowerCase()
  if (!types.includes(type)) throw new CommandError(`ERR Unknown client type '${call.arguments.text(place)}'`)
  return type
}

function typeOf({ subscriptions }: Session): string {
  return subscriptions === undefined ? 'normal' : 'pubsub'
}

function list(call: Call): void {
  const { arguments: found, reply, server } = call
  let shown = [...server.sessions.values()]
  if (found.count === 4 && found.is(2, 'TYPE')) {
    const type = typeAt(call, 3)
    shown = shown.filter((session) => typeOf(session) === type)
  } else if (found.count > 3 && found.is(2, 'ID')) {
    shown = []
    for (let place = 3; place < found.count; place++) {
      const session = server.sessions.get(Number(integerAt(call, place, 'ERR Invalid client ID')))
      if (session !== undefined) shown.push(session)
    }
  } else if (found.count !== 2) {
    throw new CommandError(syntaxError)
  }
  const nowMs = server.clock.now()
  reply.verbatim(shown.map((session) => `${describeClient(session, nowMs)}\n`).join(''))
}

interface KillFilter {
  id: number
  address: string | undefined
  localAddress: string | undefined
  type: string | undefined
  user: User | undefined
  skipsMe: boolean
}

function kill(call: Call): void {
  const { arguments: found, reply, server, session: me } = call
  const isOldForm = found.count === 3
  const filter: KillFilter = isOldForm
    ? { id: 0, address: found.text(2), localAddress: undefined, type: undefined, user: undefined, skipsMe: false }
    : readKillFilter(call)
  const killed = [...server.sessions.values()].filter((session) => isMeant(session, filter, me))
  for (const session of killed) {
    if (session === me) session.closeAfterReply()
    else session.cut()
  }
  if (!isOldForm) reply.integer(killed.length)
  else if (killed.length > 0) reply.ok()
  else throw new CommandError('ERR No such client')
}

function readKillFilter(call: Call): KillFilter {
  const { arguments: found } = call
  const filter: KillFilter = {
    id: 0,
    address: undefined,
    localAddress: undefined,
    type: undefined,
    user: undefined,
    skipsMe: true,
  }
  for (let place = 2; place < found.count; place += 2) {
    const value = place + 1
    if (value === found.count) throw new CommandError(syntaxError)
    if (found.is(place, 'ID')) {
      filter.id = Number(integerAt(call, value, 'ERR client-id should be greater than 0'))
      if (filter.id < 1) throw new CommandError('ERR client-id should be greater than 0')
    } else if (found.is(place, 'TYPE')) filter.type = typeAt(call, value)
    else if (found.is(place, 'ADDR')) filter.address = found.text(value)
    else if (found.is(place, 'LADDR')) filter.localAddress = found.text(value)
    else if (found.is(place, 'SKIPME')) filter.skipsMe = eitherAt(call, value, 'YES', 'NO')
    else if (found.is(place, 'USER')) {
      filter.user = call.server.access.users.get(textOf(found.copy(value)))
      if (filter.user === undefined) throw new CommandError(`ERR No such user '${found.text(value)}'`)
    } else throw new CommandError(syntaxError)
  }
  return filter
}

function isMeant(session: Session, filter: KillFilter, me: Session): boolean {
  if (filter.address !== undefined && addressOf(session.remote) !== filter.address) return false
  if (filter.localAddress !== undefined && addressOf(session.local) !== filter.localAddress) return false
  if (filter.type !== undefined && filter.type !== typeOf(session)) return false
  if (filter.id !== 0 && session.id !== filter.id) return false
  if (filter.user !== undefined && session.user !== filter.user) return false
  return !(filter.skipsMe && session === me)
}

function addressOf({ host, port }: Session['remote']): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A line of CLIENT LIST, with the fields that tools look for. */
export function describeClient(session: Session, nowMs: number): string {
  const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000))
  const fields: Record<string, string | number> = {
    id: session.id,
    addr: addressOf(session.remote),
    laddr: addressOf(session.local),
    fd: session.id,
    name: session.connectionName,
    age: seconds(session.createdMs),
    idle: seconds(session.lastActiveMs),
    flags: flagsOf(session),
    db: session.database,
    sub: session.subscriptions?.channels.size ?? 0,
    psub: session.subscriptions?.patterns.size ?? 0,
    ssub: session.subscriptions?.shardChannels.size ?? 0,
    multi: session.transaction?.commands.length ?? -1,
    qbuf: session.requestBytes,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': 0,
    rbs: 0,
    rbp: 0,
    obl: 0,
    oll: 0,
    omem: session.outputBytes,
    'tot-mem': session.requestBytes + session.outputBytes,
    events: 'r',
    cmd: nameOf(session.lastCommand),
    user: session.user.name,
    redir: -1,
    resp: session.protocol,
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

/** As Redis marks what a connection is doing. */
function flagsOf({ isEvictionExempt, isBlocked, subscriptions, transaction }: Session): string {
  const flags = [
    subscriptions === undefined ? '' : 'P',
    transaction === undefined ? '' : 'x',
    isBlocked ? 'b' : '',
    isEvictionExempt ? 'e' : '',
  ].join('')
  return flags === '' ? 'N' : flags
}

function nameOf(command: Command | undefined): string {
  return command?.fullName ?? 'NULL'
}
