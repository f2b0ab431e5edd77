/** MULTI, EXEC and their kin. */

import { hasChanged, runAtomically, Transaction, watchKey } from '../transaction.ts'
import { type Call, CommandError, type CommandSpec } from './command.ts'

const transactions = {
  group: 'transactions',
  categories: ['transaction'],
} as const

export const transactionCommands: readonly CommandSpec[] = [
  {
    ...transactions,
    name: 'multi',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Begins a transaction: the commands that follow wait for EXEC.',
    syntax: '',
    run: ({ session, reply }) => {
      if (session.transaction !== undefined) throw new CommandError('ERR MULTI calls can not be nested')
      session.transaction = new Transaction()
      reply.ok()
    },
  },
  {
    ...transactions,
    name: 'exec',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    since: '1.2.0',
    complexity: 'Depends on the commands',
    summary: 'Runs the commands of a transaction, and writes what they change as one.',
    syntax: '',
    difference:
      'All its changes are one batch: after a crash all of them are there, or none. If the batch cannot be written, the whole transaction is answered with that error.',
    run: exec,
  },
  {
    ...transactions,
    name: 'discard',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    since: '2.0.0',
    complexity: 'O(N) for N commands',
    summary: 'Drops the commands of a transaction.',
    syntax: '',
    run: ({ session, reply }) => {
      if (session.transaction === undefined) throw new CommandError('ERR DISCARD without MULTI')
      session.transaction = undefined
      session.watched = undefined
      reply.ok()
    },
  },
  {
    ...transactions,
    name: 'watch',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    keys: [{ first: 1, last: -1, step: 1, flags: ['RO'] }],
    since: '2.2.0',
    complexity: 'O(N) for N keys',
    summary: 'Lets the next transaction happen only if these keys do not change until then.',
    syntax: 'key [key ...]',
    difference: 'A key that was not there, was made and is gone again counts as unchanged.',
    run: (call) => {
      if (call.session.transaction !== undefined) throw new CommandError('ERR WATCH inside MULTI is not allowed')
      for (let place = 1; place < call.arguments.count; place++) watchKey(call, place)
      call.reply.ok()
    },
  },
  {
    ...transactions,
    name: 'unwatch',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Watches no key any more.',
    syntax: '',
    run: ({ session, reply }) => {
      session.watched = undefined
      reply.ok()
    },
  },
]

function exec(call: Call): void {
  const { session, reply, executor } = call
  const { transaction } = session
  if (transaction === undefined) throw new CommandError('ERR EXEC without MULTI')
  session.transaction = undefined
  const isChanged = hasChanged(call)
  session.watched = undefined
  if (transaction.isBroken) {
    throw new CommandError('EXECABORT Transaction discarded because of previous errors.')
  }
  if (isChanged) {
    reply.nullArray()
    return
  }
  const outer = call.arguments
  const start = reply.markPlace()
  call.isInTransaction = true
  try {
    runAtomically(call, () => {
      reply.array(transaction.commands.length)
      for (const { command, arguments: found } of transaction.commands) {
        reply.mark()
        call.arguments = found
        executor.runQueued(command, call)
      }
    })
  } finally {
    // If the batch is refused, all replies of it are taken back.
    reply.restoreMark(start)
    call.isInTransaction = false
    call.arguments = outer
  }
}
