/** Commands on the connection itself. */

import { textOf } from '@orbitkv/access'
import { stranger } from '../access/people.ts'
import { redisVersion } from '../version.ts'
import { logIn } from './auth.ts'
import { type Call, CommandError, type CommandSpec } from './command.ts'
import { integerAt } from './options.ts'

const connection = { group: 'connection', categories: ['connection'], complexity: 'O(1)' } as const

const helloNeedsLogin =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time'

export const connectionCommands: readonly CommandSpec[] = [
  {
    ...connection,
    name: 'ping',
    arity: -1,
    flags: ['fast'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    since: '1.0.0',
    summary: 'Answers PONG, or its argument.',
    syntax: '[message]',
    run: (call) => {
      const { arguments: found, reply, session } = call
      if (found.count > 2) throw new CommandError("ERR wrong number of arguments for 'ping' command")
      if (session.subscriptions !== undefined && session.protocol === 2) {
        // A client that listens tells this reply from messages.
        reply.array(2)
        reply.bulkText('pong')
        if (found.count === 1) reply.bulkText('')
        else replyArgument(call, 1)
      } else if (found.count === 1) reply.status('PONG')
      else replyArgument(call, 1)
    },
  },
  {
    ...connection,
    name: 'echo',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    since: '1.0.0',
    summary: 'Answers its argument.',
    syntax: 'message',
    run: (call) => replyArgument(call, 1),
  },
  {
    ...connection,
    name: 'quit',
    arity: -1,
    flags: ['allow_busy', 'noscript', 'loading', 'stale', 'fast', 'no_auth'],
    since: '1.0.0',
    summary: 'Closes the connection after its reply.',
    syntax: '',
    run: (call) => {
      call.reply.ok()
      call.session.closeAfterReply()
    },
  },
  {
    ...connection,
    name: 'hello',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    since: '6.0.0',
    summary: 'Chooses the version of the protocol, 2 or 3, and tells about the server.',
    syntax: '[protover [AUTH username password] [SETNAME clientname]]',
    secretsFrom: 2,
    run: hello,
  },
  {
    ...connection,
    name: 'reset',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    since: '6.2.0',
    summary: 'Makes the connection as it was at its start.',
    syntax: '',
    run: (call) => {
      const { databases, session, reply, server } = call
      server.channels.forget(session)
      server.changes.forget(session)
      session.database = 0
      databases.enter(call, session)
      session.protocol = 2
      session.connectionName = ''
      session.replyMode = 'on'
      session.isEvictionExempt = false
      session.transaction = undefined
      session.watched = undefined
      session.user = server.access.newcomer
      reply.useProtocol(2)
      reply.status('RESET')
    },
  },
]

function replyArgument({ arguments: found, reply }: Call, place: number): void {
  reply.bulk(found.bytes, found.start(place), found.end(place))
}

function hello(call: Call): void {
  const { arguments: found, session, reply, server } = call
  let version = session.protocol
  if (found.count >= 2) {
    const asked = integerAt(call, 1, 'ERR Protocol version is not an integer or out of range')
    if (asked !== 2 && asked !== 3) throw new CommandError('NOPROTO unsupported protocol version')
    version = asked
  }
  let name: string | undefined
  let login: { readonly name: string; readonly password: Uint8Array } | undefined
  for (let place = 2; place < found.count; place++) {
    const more = found.count - 1 - place
    if (found.is(place, 'AUTH') && more >= 2) {
      login = { name: textOf(found.copy(place + 1)), password: found.copy(place + 2) }
      place += 2
    } else if (found.is(place, 'SETNAME') && more >= 1) name = connectionName(call, ++place)
    else throw new CommandError(`ERR Syntax error in HELLO option '${found.text(place)}'`)
  }
  if (login !== undefined) logIn(call, login.name, login.password, 'HELLO')
  if (session.user === stranger) throw new CommandError(helloNeedsLogin)
  if (name !== undefined) session.connectionName = name
  session.protocol = version
  // Their pushes could not be told from replies.
  if (version === 2) server.changes.forget(session)
  reply.useProtocol(version)
  reply.map(7)
  reply.bulkText('server')
  reply.bulkText('redis')
  reply.bulkText('version')
  reply.bulkText(redisVersion)
  reply.bulkText('proto')
  reply.integer(version)
  reply.bulkText('id')
  reply.integer(session.id)
  reply.bulkText('mode')
  reply.bulkText('standalone')
  reply.bulkText('role')
  reply.bulkText('master')
  reply.bulkText('modules')
  reply.array(0)
}

/** A name for CLIENT LIST, which separates its fields with blanks. */
export function connectionName({ arguments: found }: Call, place: number): string {
  for (let i = found.start(place); i < found.end(place); i++) {
    const byte = found.bytes[i] as number
    if (byte < 0x21 || byte > 0x7e) {
      throw new CommandError('ERR Client names cannot contain spaces, newlines or special characters.')
    }
  }
  return found.text(place)
}
