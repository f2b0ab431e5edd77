/** Commands on the connection itself. */

import { redisVersion } from '../version.ts'
import { type Call, CommandError, type CommandSpec } from './command.ts'
import { integerAt } from './options.ts'

const connection = { group: 'connection', categories: ['connection'], complexity: 'O(1)' } as const

/** What Redis answers when no password is set; a client that sends one should learn that it guards nothing. */
export const noPasswords =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?'

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
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    since: '1.0.0',
    summary: 'Chooses a database.',
    syntax: 'index',
    difference: 'There is one database, number 0.',
    run: (call) => {
      if (integerAt(call, 1) !== 0) throw new CommandError('ERR DB index is out of range')
      call.reply.ok()
    },
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
    name: 'auth',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    since: '1.0.0',
    summary: 'Identifies the client.',
    syntax: '[username] password',
    difference: 'Always refused: there are no passwords and users yet, which is why the port stays on this machine.',
    run: (call) => {
      if (call.arguments.count > 3) throw new CommandError('ERR syntax error')
      throw new CommandError(noPasswords)
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
    difference: 'The option AUTH is refused, see AUTH.',
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
    run: ({ session, reply, server }) => {
      server.channels.forget(session)
      session.protocol = 2
      session.connectionName = ''
      session.replyMode = 'on'
      session.transaction = undefined
      session.watched = undefined
      reply.useProtocol(2)
      reply.status('RESET')
    },
  },
]

function replyArgument({ arguments: found, reply }: Call, place: number): void {
  reply.bulk(found.bytes, found.start(place), found.end(place))
}

function hello(call: Call): void {
  const { arguments: found, session, reply } = call
  let version = session.protocol
  if (found.count >= 2) {
    const asked = integerAt(call, 1, 'ERR Protocol version is not an integer or out of range')
    if (asked !== 2 && asked !== 3) throw new CommandError('NOPROTO unsupported protocol version')
    version = asked
  }
  let name: string | undefined
  for (let place = 2; place < found.count; place++) {
    const more = found.count - 1 - place
    if (found.is(place, 'AUTH') && more >= 2) throw new CommandError(noPasswords)
    if (!found.is(place, 'SETNAME') || more === 0) {
      throw new CommandError(`ERR Syntax error in HELLO option '${found.text(place)}'`)
    }
    name = connectionName(call, ++place)
  }
  if (name !== undefined) session.connectionName = name
  session.protocol = version
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
