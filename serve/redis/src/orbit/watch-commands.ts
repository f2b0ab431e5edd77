/** ORBIT.WATCH and ORBIT.UNWATCH: changes of keys, pushed as they are published (change-streams.ts). */

import type { WatchOptions } from '@orbitkv/store'
import { type Call, CommandError, type CommandSpec, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'

const orbit = { group: 'orbit', categories: ['pubsub'], since: 'OrbitKV 0.1', complexity: 'O(1)' } as const

export const orbitWatchCommands: readonly CommandSpec[] = [
  {
    ...orbit,
    name: 'orbit.watch',
    arity: -3,
    flags: ['readonly', 'noscript'],
    keys: [{ unknown: true, flags: ['RO', 'access'] }],
    summary:
      'Follows the changes of a key, or of all keys with a prefix, from now on or from a revision that is still kept; answers the number of the stream. Each change is a push: orbit.change, number, put | delete | expire | evict, key, revision, value. It needs RESP3.',
    syntax: 'KEY key | PREFIX prefix [FROM revision]',
    run: watch,
  },
  {
    ...orbit,
    name: 'orbit.unwatch',
    arity: 2,
    flags: ['readonly', 'noscript', 'fast'],
    summary: 'Ends a stream of changes; answers 1, or 0 where there is none.',
    syntax: 'number',
    run: (call) => call.reply.integer(call.server.changes.close(call.session, numberAt(call, 1)) ? 1 : 0),
  },
]

function watch(call: Call): void {
  const { arguments: found, databases, reply, server, session } = call
  if (session.protocol !== 3) throw new CommandError('ERR ORBIT.WATCH needs RESP3: say HELLO 3 first')
  const isKey = found.is(1, 'KEY')
  if (!isKey && !found.is(1, 'PREFIX')) throw new CommandError(syntaxError)
  let from: number | undefined
  if (found.count > 3) {
    if (found.count !== 5 || !found.is(3, 'FROM')) throw new CommandError(syntaxError)
    from = numberAt(call, 4)
  }
  const about: WatchOptions = isKey ? { key: found.copy(2) } : { prefix: found.copy(2) }
  const interest = from === undefined ? about : { ...about, from }
  reply.integer(server.changes.open(session, databases.keyspaceOf(session.database), interest))
}
