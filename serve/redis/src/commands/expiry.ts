/** Commands on until when a key lives. */

import { type Call, CommandError, type CommandSpec, lookUp } from './command.ts'
import { clampTime, integerAt, invalidExpireTime, type TimeUnit } from './options.ts'
import { deleteKey, putAgain } from './writes.ts'

const conditions = '[NX | XX | GT | LT]'
const setter = {
  arity: -3,
  flags: ['write', 'fast'],
  group: 'generic',
  categories: ['keyspace'],
  keys: [{ first: 1, last: 1, step: 1, flags: ['RW', 'update'] }],
  complexity: 'O(N) for a value of N bytes',
  difference: 'A time after the year 287,396 becomes the last moment of that range.',
} as const
const getter = {
  arity: 2,
  flags: ['readonly', 'fast'],
  group: 'generic',
  categories: ['keyspace'],
  keys: [{ first: 1, last: 1, step: 1, flags: ['RO', 'access'] }],
  complexity: 'O(1)',
  syntax: 'key',
} as const

export const expiryCommands: readonly CommandSpec[] = [
  {
    ...setter,
    name: 'expire',
    since: '1.0.0',
    summary: 'Lets a key live for a number of seconds.',
    syntax: `key seconds ${conditions}`,
    run: (call) => expire(call, 'seconds', true),
  },
  {
    ...setter,
    name: 'pexpire',
    since: '2.6.0',
    summary: 'Lets a key live for a number of milliseconds.',
    syntax: `key milliseconds ${conditions}`,
    run: (call) => expire(call, 'milliseconds', true),
  },
  {
    ...setter,
    name: 'expireat',
    since: '1.2.0',
    summary: 'Lets a key live until a time in seconds since 1970.',
    syntax: `key unix-time-seconds ${conditions}`,
    run: (call) => expire(call, 'seconds', false),
  },
  {
    ...setter,
    name: 'pexpireat',
    since: '2.6.0',
    summary: 'Lets a key live until a time in milliseconds since 1970.',
    syntax: `key unix-time-milliseconds ${conditions}`,
    run: (call) => expire(call, 'milliseconds', false),
  },
  {
    ...getter,
    name: 'ttl',
    tips: ['nondeterministic_output'],
    since: '1.0.0',
    summary: 'How many seconds a key still lives; -1 for ever, -2 where there is none.',
    run: (call) => replyTime(call, 'seconds', true),
  },
  {
    ...getter,
    name: 'pttl',
    tips: ['nondeterministic_output'],
    since: '2.6.0',
    summary: 'How many milliseconds a key still lives; -1 for ever, -2 where there is none.',
    run: (call) => replyTime(call, 'milliseconds', true),
  },
  {
    ...getter,
    name: 'expiretime',
    since: '7.0.0',
    summary: 'Until when a key lives, in seconds since 1970; -1 for ever, -2 where there is none.',
    run: (call) => replyTime(call, 'seconds', false),
  },
  {
    ...getter,
    name: 'pexpiretime',
    since: '7.0.0',
    summary: 'Until when a key lives, in milliseconds since 1970; -1 for ever, -2 where there is none.',
    run: (call) => replyTime(call, 'milliseconds', false),
  },
  {
    ...setter,
    name: 'persist',
    arity: 2,
    since: '2.2.0',
    summary: 'Lets a key live for ever.',
    syntax: 'key',
    run: persist,
  },
]

const timeMsMax = 2n ** 63n - 1n
const timeMsMin = -(2n ** 63n)

interface Conditions {
  onlyIfNone: boolean
  onlyIfSome: boolean
  onlyIfLater: boolean
  onlyIfEarlier: boolean
}

function expire(call: Call, unit: TimeUnit, isRelative: boolean): void {
  const wanted = readConditions(call)
  const value = BigInt(integerAt(call, 2))
  const ms = unit === 'seconds' ? value * 1000n : value
  const at = isRelative ? ms + BigInt(call.owner.now()) : ms
  // As in Redis: what 64 bits of milliseconds cannot hold. A time in the past is none of it: it deletes.
  const isTooSmall = unit === 'seconds' && value < timeMsMin / 1000n
  if (ms > timeMsMax || isTooSmall || at > timeMsMax) throw invalidExpireTime(call)
  const record = lookUp(call, 1)
  if (record === undefined || !allows(wanted, record.expiresAt, at)) {
    call.reply.integer(0)
    return
  }
  if (at <= BigInt(call.owner.now())) deleteKey(call, 1)
  else putAgain(call, 1, record, clampTime(at))
  call.reply.integer(1)
}

function readConditions(call: Call): Conditions {
  const { arguments: found } = call
  const wanted: Conditions = { onlyIfNone: false, onlyIfSome: false, onlyIfLater: false, onlyIfEarlier: false }
  for (let place = 3; place < found.count; place++) {
    if (found.is(place, 'NX')) wanted.onlyIfNone = true
    else if (found.is(place, 'XX')) wanted.onlyIfSome = true
    else if (found.is(place, 'GT')) wanted.onlyIfLater = true
    else if (found.is(place, 'LT')) wanted.onlyIfEarlier = true
    else throw new CommandError(`ERR Unsupported option ${found.text(place)}`)
  }
  if (wanted.onlyIfNone && (wanted.onlyIfSome || wanted.onlyIfLater || wanted.onlyIfEarlier)) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible')
  }
  if (wanted.onlyIfLater && wanted.onlyIfEarlier) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible')
  }
  return wanted
}

/** A key that lives for ever counts as later than any time. */
function allows(wanted: Conditions, expiresAt: number, at: bigint): boolean {
  const hasExpiry = expiresAt !== 0
  if (wanted.onlyIfNone && hasExpiry) return false
  if (wanted.onlyIfSome && !hasExpiry) return false
  if (wanted.onlyIfLater && (!hasExpiry || at <= BigInt(expiresAt))) return false
  return !(wanted.onlyIfEarlier && hasExpiry && at >= BigInt(expiresAt))
}

function replyTime(call: Call, unit: TimeUnit, isRelative: boolean): void {
  const record = lookUp(call, 1)
  if (record === undefined || record.expiresAt === 0) {
    call.reply.integer(record === undefined ? -2 : -1)
    return
  }
  const ms = isRelative ? Math.max(0, record.expiresAt - call.owner.now()) : record.expiresAt
  call.reply.integer(unit === 'milliseconds' ? ms : Math.floor((ms + 500) / 1000))
}

function persist(call: Call): void {
  const record = lookUp(call, 1)
  const hasExpiry = record !== undefined && record.expiresAt !== 0
  if (hasExpiry) putAgain(call, 1, record, 0)
  call.reply.integer(hasExpiry ? 1 : 0)
}
