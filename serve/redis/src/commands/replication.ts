/**
 * ROLE, WAIT and WAITAOF, with what they mean on one node: there are no replicas, and what a reply tells is as durable as the store
 * was told to make it; WAITAOF makes it durable where it is not.
 */

import { keepArguments } from '../transaction.ts'
import { type Call, type Command, CommandError, type CommandSpec } from './command.ts'
import { integerAt } from './options.ts'

export const replicationCommands: readonly CommandSpec[] = [
  {
    group: 'server',
    categories: ['admin', 'dangerous'],
    complexity: 'O(1)',
    name: 'role',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    since: '2.8.12',
    summary: 'master, without replicas.',
    syntax: '',
    run: ({ reply }) => {
      reply.array(3)
      reply.bulkText('master')
      reply.integer(0)
      reply.array(0)
    },
  },
  {
    group: 'generic',
    categories: ['connection'],
    complexity: 'O(1)',
    name: 'wait',
    arity: 3,
    flags: ['noscript'],
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    since: '3.0.0',
    summary: 'How many replicas have what this client wrote: none, since there are none.',
    syntax: 'numreplicas timeout',
    difference: 'Answers 0 at once: no replica can come to be while it waits.',
    run: (call) => {
      integerAt(call, 1)
      timeoutAt(call, 2)
      call.reply.integer(0)
    },
  },
  {
    group: 'generic',
    categories: ['connection'],
    complexity: 'O(1)',
    name: 'waitaof',
    arity: 4,
    flags: ['noscript', 'blocking'],
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    since: '7.2.0',
    summary:
      'Waits until what this client wrote is on the disk; tells on how many disks it is, and of how many replicas: none.',
    syntax: 'numlocal numreplicas timeout',
    difference:
      'Syncs the disk by itself, whatever the durability of the store. For replicas it does not wait: there are none.',
    run: waitForDisk,
  },
]

function timeoutAt(call: Call, place: number): number {
  const timeoutMs = Number(integerAt(call, place, 'ERR timeout is not an integer or out of range'))
  if (timeoutMs < 0) throw new CommandError('ERR timeout is negative')
  return timeoutMs
}

/** Timers cannot be set for longer. */
const timerMsMax = 2 ** 31 - 1

function waitForDisk(call: Call): void {
  const { arguments: found, databases, reply, server, session } = call
  const outOfRange = 'ERR value is out of range, value must between 0 and 1'
  const local = Number(integerAt(call, 1, outOfRange))
  if (local < 0 || local > 1) throw new CommandError(outOfRange)
  integerAt(call, 2)
  const timeoutMs = timeoutAt(call, 3)
  let isOnDisk = false
  let error: Error | undefined
  const answer = ({ reply: later }: Call): void => {
    if (error !== undefined) throw error
    later.array(2)
    later.integer(isOnDisk ? 1 : 0)
    later.integer(0)
  }
  // The replies of a transaction go out together, and then it is as durable as the store is.
  if (local === 0 || call.isInTransaction) {
    reply.array(2)
    reply.integer(0)
    reply.integer(0)
    return
  }
  server.blocking.add({
    command: session.lastCommand as Command,
    arguments: keepArguments(found),
    session,
    keyPlaces: [],
    timeoutMs: Math.min(timeoutMs, timerMsMax),
    take: () => false,
    giveUp: answer,
  })
  databases.base.settle((failure) => {
    isOnDisk = failure === undefined
    error = failure
    // Perhaps in the middle of a turn: the reply is one of its own.
    server.clock.after(0, () => server.blocking.end(session, 'timeout'))
  }, 'always')
}
