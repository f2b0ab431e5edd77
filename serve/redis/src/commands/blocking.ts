/**
 * Commands that wait until there is something to take. What they take they take as the commands do that do not wait.
 *
 * A command looks at all its keys at first; once it waits, at the key that was filled, and only if that is of its type.
 */

import { listTag, sortedSetTag } from '../collections/collection.ts'
import { isHeadAt, lmpop, moveItem, takeItem } from '../collections/list.ts'
import { takeScored, zmpop } from '../collections/sorted-set-writes.ts'
import { latin1 } from '../protocol/text.ts'
import { keepArguments } from '../transaction.ts'
import { keysEndAt, oneKey, writing } from './collections.ts'
import { type Call, type Command, CommandError, type CommandSpec, lookUp } from './command.ts'
import { doubleAt } from './options.ts'

/** Redis holds times in 64 bits of milliseconds, and takes what does not fit for negative. */
const timeoutMsEnd = 2 ** 63
/** A timer that is set further ahead than this would never come. */
const timerMsMax = 2 ** 31 - 1

interface Waiter {
  readonly tag: number
  readonly timeoutPlace: (call: Call) => number
  /** Places of the keys to take from: from one place to before another. */
  readonly keys: (call: Call) => readonly [first: number, end: number]
  /** Takes from these keys and replies; false where there is nothing. */
  readonly take: (call: Call, first: number, end: number) => boolean
  /** What a transaction is answered, which does not wait. */
  readonly nothing: (call: Call) => void
}

/** Makes the function of a row. */
function blocking({ tag, timeoutPlace, keys, take, nothing }: Waiter): (call: Call) => void {
  return writing((call) => {
    const timeoutMs = timeoutAt(call, timeoutPlace(call))
    const [first, end] = keys(call)
    if (take(call, first, end)) return
    if (call.isInTransaction) {
      nothing(call)
      return
    }
    const { server, session } = call
    server.blocking.add({
      command: session.lastCommand as Command,
      arguments: keepArguments(call.arguments),
      session,
      keyPlaces: Array.from({ length: end - first }, (_, i) => first + i),
      timeoutMs: Math.min(timeoutMs, timerMsMax),
      take: (later, name) => {
        const place = placeOf(later, first, end, name)
        return lookUp(later, place)?.tag === tag && take(later, place, place + 1)
      },
      giveUp: nullArray,
    })
  })
}

function timeoutAt(call: Call, place: number): number {
  const seconds = doubleAt(call, place, 'ERR timeout is not a float or out of range')
  const ms = Math.ceil(seconds * 1000)
  if (ms < 0 || ms >= timeoutMsEnd) throw new CommandError('ERR timeout is negative')
  return ms
}

function placeOf({ arguments: found }: Call, first: number, end: number, name: string): number {
  for (let place = first; place < end; place++) {
    if (latin1(found.bytes, found.start(place), found.end(place)) === name) return place
  }
  throw new Error('a client is served from a key that it waits for')
}

const lastPlace = ({ arguments: found }: Call): number => found.count - 1
const keysBeforeLast = ({ arguments: found }: Call) => [1, found.count - 1] as const
const countedKeys = (call: Call) => [3, keysEndAt(call, 2)] as const
const nullArray = ({ reply }: Call): void => reply.nullArray()
const nullOne = ({ reply }: Call): void => reply.null()

const lists = { group: 'list', categories: ['list'] } as const
const sortedSets = { group: 'sorted-set', categories: ['sortedset'] } as const

/** What BLMPOP and BZMPOP share: several elements of one of the keys, whose number is argument 2. */
function popSeveral(
  tag: number,
  pop: (call: Call, countPlace: number, first: number, end: number) => boolean,
): Pick<CommandSpec, 'arity' | 'flags' | 'keys' | 'since' | 'run'> {
  return {
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    keys: [{ countedAt: 2, flags: ['RW', 'access', 'delete'] }],
    since: '7.0.0',
    run: blocking({
      tag,
      timeoutPlace: () => 1,
      keys: countedKeys,
      take: (call, first, end) => pop(call, 2, first, end),
      nothing: nullArray,
    }),
  }
}

export const blockingCommands: readonly CommandSpec[] = [
  {
    ...lists,
    name: 'blpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    keys: [{ first: 1, last: -2, step: 1, flags: ['RW', 'access', 'delete'] }],
    since: '2.0.0',
    complexity: 'O(N) for N keys',
    summary: 'Takes the first item of the first list that has one, waiting until there is one.',
    syntax: 'key [key ...] timeout',
    run: blocking({
      tag: listTag,
      timeoutPlace: lastPlace,
      keys: keysBeforeLast,
      take: (call, first, end) => takeItem(call, first, end, true),
      nothing: nullArray,
    }),
  },
  {
    ...lists,
    name: 'brpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    keys: [{ first: 1, last: -2, step: 1, flags: ['RW', 'access', 'delete'] }],
    since: '2.0.0',
    complexity: 'O(N) for N keys',
    summary: 'Takes the last item of the first list that has one, waiting until there is one.',
    syntax: 'key [key ...] timeout',
    run: blocking({
      tag: listTag,
      timeoutPlace: lastPlace,
      keys: keysBeforeLast,
      take: (call, first, end) => takeItem(call, first, end, false),
      nothing: nullArray,
    }),
  },
  {
    ...lists,
    name: 'blmove',
    arity: 6,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    keys: [...oneKey('RW', 'access', 'delete'), { first: 2, last: 2, step: 1, flags: ['RW', 'insert'] }],
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'As LMOVE, waiting until there is an item.',
    syntax: 'source destination LEFT | RIGHT LEFT | RIGHT timeout',
    run: blocking({
      tag: listTag,
      timeoutPlace: lastPlace,
      keys: () => [1, 2],
      take: (call) => moveItem(call, isHeadAt(call, 3), isHeadAt(call, 4)),
      nothing: nullOne,
    }),
  },
  {
    ...lists,
    name: 'brpoplpush',
    arity: 4,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    keys: [...oneKey('RW', 'access', 'delete'), { first: 2, last: 2, step: 1, flags: ['RW', 'insert'] }],
    since: '2.2.0',
    deprecatedSince: '6.2.0',
    replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments',
    complexity: 'O(1)',
    summary: 'As RPOPLPUSH, waiting until there is an item.',
    syntax: 'source destination timeout',
    run: blocking({
      tag: listTag,
      timeoutPlace: lastPlace,
      keys: () => [1, 2],
      take: (call) => moveItem(call, false, true),
      nothing: nullOne,
    }),
  },
  {
    ...lists,
    ...popSeveral(listTag, lmpop),
    name: 'blmpop',
    complexity: 'O(N + M) for N keys and M items',
    summary: 'As LMPOP, waiting until there is an item.',
    syntax: 'timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]',
  },
  {
    ...sortedSets,
    name: 'bzpopmin',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    keys: [{ first: 1, last: -2, step: 1, flags: ['RW', 'access', 'delete'] }],
    since: '5.0.0',
    complexity: 'O(log N)',
    summary: 'Takes the member with the lowest score of the first sorted set that has one, waiting until there is one.',
    syntax: 'key [key ...] timeout',
    run: blocking({
      tag: sortedSetTag,
      timeoutPlace: lastPlace,
      keys: keysBeforeLast,
      take: (call, first, end) => takeScored(call, first, end, false),
      nothing: nullArray,
    }),
  },
  {
    ...sortedSets,
    name: 'bzpopmax',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    keys: [{ first: 1, last: -2, step: 1, flags: ['RW', 'access', 'delete'] }],
    since: '5.0.0',
    complexity: 'O(log N)',
    summary:
      'Takes the member with the highest score of the first sorted set that has one, waiting until there is one.',
    syntax: 'key [key ...] timeout',
    run: blocking({
      tag: sortedSetTag,
      timeoutPlace: lastPlace,
      keys: keysBeforeLast,
      take: (call, first, end) => takeScored(call, first, end, true),
      nothing: nullArray,
    }),
  },
  {
    ...sortedSets,
    ...popSeveral(sortedSetTag, zmpop),
    name: 'bzmpop',
    complexity: 'O(N + M log K) for N keys and M members of K',
    summary: 'As ZMPOP, waiting until there is a member.',
    syntax: 'timeout numkeys key [key ...] MIN | MAX [COUNT count]',
  },
]
