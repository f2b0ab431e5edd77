/**
 * SAVE and its kin, with what they mean here: nothing is written anew, since the log is the database; what was written is made to be on
 * the disk, whatever the durability of the store.
 *
 * What must hold: SAVE answers OK, and LASTSAVE moves on, only when the disk has synced.
 */

import { keepArguments } from '../transaction.ts'
import { type Call, type Command, CommandError, type CommandSpec, notInTransaction, syntaxError } from './command.ts'

/** What was asked for, of one server. */
export class Saves {
  /** When the disk last had everything that had been written before. */
  lastMs: number
  /** Syncs that were asked for by BGSAVE and BGREWRITEAOF and have not ended. */
  running = 0
  hasFailed = false

  constructor(startedMs: number) {
    this.lastMs = startedMs
  }
}

const saving = { group: 'server', categories: [], complexity: 'O(1) and one sync of the disk' } as const
const difference = 'Syncs the disk: there is no snapshot or second log to write.'

export const savingCommands: readonly CommandSpec[] = [
  {
    ...saving,
    name: 'save',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    since: '1.0.0',
    summary: 'Waits until all that was written is on the disk.',
    syntax: '',
    difference: `${difference} Reads are answered meanwhile; writes are answered in order, so behind it.`,
    run: save,
  },
  {
    ...saving,
    name: 'bgsave',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    since: '1.0.0',
    summary: 'Has all that was written synced to the disk, and does not wait.',
    syntax: '[SCHEDULE]',
    difference,
    run: (call) => {
      const { arguments: found } = call
      if (found.count > 2 || (found.count === 2 && !found.is(1, 'SCHEDULE'))) throw new CommandError(syntaxError)
      sync(call)
      call.reply.status('Background saving started')
    },
  },
  {
    ...saving,
    name: 'bgrewriteaof',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    since: '1.0.0',
    summary: 'Has all that was written synced to the disk, and does not wait.',
    syntax: '',
    difference: `${difference} The log is compacted by itself.`,
    run: (call) => {
      sync(call)
      call.reply.status('Background append only file rewriting started')
    },
  },
  {
    ...saving,
    name: 'lastsave',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    tips: ['nondeterministic_output'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'When SAVE, BGSAVE or BGREWRITEAOF last ended well, in seconds since 1970.',
    syntax: '',
    difference:
      'At first the time of the start. With durability `always` everything that was answered is on the disk without them.',
    run: ({ reply, server }) => reply.integer(Math.floor(server.saves.lastMs / 1000)),
  },
]

/** Syncs what was written until now, and tells when that is done. */
function sync({ databases, server }: Call, done?: (error?: Error) => void): void {
  const { saves } = server
  const startedMs = server.clock.now()
  saves.running++
  databases.base.settle((error) => {
    saves.running--
    saves.hasFailed = error !== undefined
    if (error === undefined) saves.lastMs = Math.max(saves.lastMs, startedMs)
    done?.(error)
  }, 'always')
}

function save(call: Call): void {
  const { arguments: found, server, session } = call
  if (call.isInTransaction) throw new CommandError(notInTransaction)
  let problem: string | undefined = 'ERR the disk has not synced yet'
  server.blocking.add({
    command: session.lastCommand as Command,
    arguments: keepArguments(found),
    session,
    keyPlaces: [],
    timeoutMs: 0,
    take: () => false,
    giveUp: ({ reply }) => {
      if (problem === undefined) reply.ok()
      else reply.error(problem)
    },
  })
  sync(call, (error) => {
    problem = error === undefined ? undefined : 'MISCONF the disk did not take what was written'
    // Perhaps in the middle of a turn: the reply is one of its own.
    server.clock.after(0, () => server.blocking.end(session, 'timeout'))
  })
}
