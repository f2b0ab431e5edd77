/** Commands on databases as a whole, and between them. Those on the keys of one are in keys.ts. */

import { databaseCount } from '../collections/keyspaces.ts'
import { runAtomically } from '../transaction.ts'
import type { ServerView } from '../view.ts'
import { type Call, CommandError, type CommandSpec, lookUp, redisKeyspace, syntaxError } from './command.ts'
import { databaseAt } from './options.ts'
import { copyRecord, sameObject } from './rename.ts'
import { deleteKey } from './writes.ts'

const emptying = {
  group: 'server',
  arity: -1,
  flags: ['write'],
  categories: ['keyspace', 'dangerous'],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  since: '1.0.0',
  complexity: 'O(1)',
  syntax: '[ASYNC | SYNC]',
} as const

export const databaseCommands: readonly CommandSpec[] = [
  {
    group: 'connection',
    categories: ['connection'],
    complexity: 'O(1)',
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    since: '1.0.0',
    summary: 'Chooses a database, 0 to 15.',
    syntax: 'index',
    run: (call) => {
      call.session.database = databaseAt(call, 1)
      call.databases.enter(call, call.session)
      call.reply.ok()
    },
  },
  {
    group: 'generic',
    categories: ['keyspace'],
    name: 'move',
    arity: 3,
    flags: ['write', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, flags: ['RW', 'access', 'update'] }],
    since: '1.0.0',
    complexity: 'O(N) for N elements',
    summary: 'Moves a key to another database, unless it is there.',
    syntax: 'key db',
    difference: 'Costs as much as COPY. A collection of more than half a million elements is refused.',
    run: move,
  },
  {
    group: 'server',
    categories: ['keyspace', 'dangerous'],
    name: 'swapdb',
    arity: 3,
    flags: ['write', 'fast'],
    since: '4.0.0',
    complexity: 'O(1)',
    summary: 'Exchanges the contents of two databases for all clients.',
    syntax: 'index1 index2',
    difference: 'The embedded API goes on reading the keys that it read before, whatever number they have now.',
    run: swap,
  },
  {
    ...emptying,
    name: 'flushdb',
    summary: 'Deletes every key of the database, with one record for all of them.',
    run: (call) => flush(call, [call.session.database]),
  },
  {
    ...emptying,
    name: 'flushall',
    summary: 'Deletes every key of every database; other keyspaces of the store stay.',
    run: (call) =>
      flush(
        call,
        Array.from({ length: databaseCount }, (_, database) => database),
      ),
  },
]

function move(call: Call): void {
  const { arguments: found, databases, reply, session } = call
  const database = databaseAt(call, 2)
  if (database === session.database) throw new CommandError(sameObject)
  const target = found.copy(1)
  const isTaken = databases.ownerOf(database).get(redisKeyspace, target, 0, target.length) !== undefined
  const isMoved = !isTaken && lookUp(call, 1) !== undefined
  if (isMoved) {
    runAtomically(call, () => {
      const record = lookUp(call, 1)
      if (record === undefined) return
      copyRecord(call, record, target, database)
      deleteKey(call, 1)
    })
  }
  reply.integer(isMoved ? 1 : 0)
}

function swap(call: Call): void {
  const { databases, reply, server, session } = call
  const first = databaseAt(call, 1, 'ERR invalid first DB index')
  const second = databaseAt(call, 2, 'ERR invalid second DB index')
  if (first !== second) {
    databases.swap(first, second)
    databases.enter(call, session)
    wakeAll(server, [first, second])
  }
  reply.ok()
}

/** Whoever waits for a key of these databases looks at it anew. */
function wakeAll(server: ServerView, which: readonly number[]): void {
  const { blocking } = server
  const isAwaited = which.filter((database) => blocking.noteAll(database)).length > 0
  if (isAwaited) server.later(() => blocking.serveReady())
}

function flush({ arguments: found, databases, reply, server }: Call, which: readonly number[]): void {
  const isWhole = found.count === 1 || (found.count === 2 && (found.is(1, 'SYNC') || found.is(1, 'ASYNC')))
  if (!isWhole) throw new CommandError(syntaxError)
  databases.empty(which)
  wakeAll(server, which)
  reply.ok()
}
