/** Commands on whole strings: GET, SET and their kin. Parts of strings are in ranges.ts, numbers in counters.ts. */

import { Change } from '@orbitkv/engine'
import { latin1 } from '../protocol/text.ts'
import {
  type Call,
  CommandError,
  type CommandSpec,
  lookUp,
  readString,
  redisKeyspace,
  replyValue,
  replyValueOrNull,
  stringTag,
  syntaxError,
} from './command.ts'
import { type ExpiryOption, expiresAt, expiryOptionAt } from './options.ts'
import { deleteKey, putAgain, writeAll, writeOne } from './writes.ts'

const oneKey = (...flags: string[]) => [{ first: 1, last: 1, step: 1, flags }]

export const stringCommands: readonly CommandSpec[] = [
  {
    name: 'get',
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RO', 'access'),
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'The value of a key.',
    syntax: 'key',
    run: get,
  },
  {
    name: 'set',
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'access', 'update', 'variable_flags'),
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Sets the value of a key, whatever it held before.',
    syntax: 'key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]',
    run: set,
  },
  {
    name: 'setnx',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('OW', 'insert'),
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Sets the value of a key that does not exist.',
    syntax: 'key value',
    run: (call) => {
      const isNew = lookUp(call, 1) === undefined
      if (isNew) put(call, 2, 0)
      call.reply.integer(isNew ? 1 : 0)
    },
  },
  {
    name: 'setex',
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('OW', 'update'),
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Sets the value of a key for a number of seconds.',
    syntax: 'key seconds value',
    run: (call) => setFor(call, { place: 2, unit: 'seconds', isRelative: true }),
  },
  {
    name: 'psetex',
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('OW', 'update'),
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Sets the value of a key for a number of milliseconds.',
    syntax: 'key milliseconds value',
    run: (call) => setFor(call, { place: 2, unit: 'milliseconds', isRelative: true }),
  },
  {
    name: 'getset',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'access', 'update'),
    since: '1.0.0',
    deprecatedSince: '6.2.0',
    replacedBy: '`SET` with the `GET` option',
    complexity: 'O(1)',
    summary: 'Sets the value of a key and returns the one before.',
    syntax: 'key value',
    run: (call) => {
      replyValueOrNull(call, readString(call, 1))
      put(call, 2, 0)
    },
  },
  {
    name: 'getdel',
    arity: 2,
    flags: ['write', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'access', 'delete'),
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Returns the value of a key and deletes it.',
    syntax: 'key',
    run: (call) => {
      const record = readString(call, 1)
      replyValueOrNull(call, record)
      if (record !== undefined) deleteKey(call, 1)
    },
  },
  {
    name: 'getex',
    arity: -2,
    flags: ['write', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'access', 'update'),
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Returns the value of a key and sets until when it lives.',
    syntax: 'key [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | PERSIST]',
    run: getex,
  },
  {
    name: 'mget',
    arity: -2,
    flags: ['readonly', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: [{ first: 1, last: -1, step: 1, flags: ['RO', 'access'] }],
    tips: ['request_policy:multi_shard'],
    since: '1.0.0',
    complexity: 'O(N) for N keys',
    summary: 'The values of several keys.',
    syntax: 'key [key ...]',
    run: mget,
  },
  {
    name: 'mset',
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: [{ first: 1, last: -1, step: 2, flags: ['OW', 'update'] }],
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    since: '1.0.1',
    complexity: 'O(N) for N keys',
    summary: 'Sets the values of several keys at once.',
    syntax: 'key value [key value ...]',
    run: (call) => {
      assertPairs(call)
      putPairs(call)
      call.reply.ok()
    },
  },
  {
    name: 'msetnx',
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: [{ first: 1, last: -1, step: 2, flags: ['OW', 'insert'] }],
    tips: ['request_policy:multi_shard', 'response_policy:agg_min'],
    since: '1.0.1',
    complexity: 'O(N) for N keys',
    summary: 'Sets the values of several keys at once if none of them exists.',
    syntax: 'key value [key value ...]',
    run: msetnx,
  },
]

function get(call: Call): void {
  const record = readString(call, 1)
  if (record === undefined) call.reply.null()
  else replyValue(call, record)
}

interface SetOptions {
  condition: 'always' | 'if-absent' | 'if-present'
  returnsOld: boolean
  keepsExpiry: boolean
  expiry: ExpiryOption | undefined
}

function set(call: Call): void {
  if (call.arguments.count === 3) {
    put(call, 2, 0)
    call.reply.ok()
    return
  }
  const options = readSetOptions(call)
  const until = options.expiry === undefined ? 0 : expiresAt(call, options.expiry)
  const record = options.returnsOld ? readString(call, 1) : lookUp(call, 1)
  const isWanted = options.condition === 'always' || (options.condition === 'if-present') === (record !== undefined)
  if (options.returnsOld) replyValueOrNull(call, record)
  else if (isWanted) call.reply.ok()
  else call.reply.null()
  if (isWanted) put(call, 2, options.keepsExpiry ? (record?.expiresAt ?? 0) : until)
}

function readSetOptions(call: Call): SetOptions {
  const { arguments: found } = call
  const options: SetOptions = { condition: 'always', returnsOld: false, keepsExpiry: false, expiry: undefined }
  for (let place = 3; place < found.count; place++) {
    const expiry = expiryOptionAt(call, place)
    if (found.is(place, 'NX') && options.condition !== 'if-present') options.condition = 'if-absent'
    else if (found.is(place, 'XX') && options.condition !== 'if-absent') options.condition = 'if-present'
    else if (found.is(place, 'GET')) options.returnsOld = true
    else if (found.is(place, 'KEEPTTL') && options.expiry === undefined) options.keepsExpiry = true
    else if (expiry !== undefined && place + 1 < found.count && !options.keepsExpiry && isSameKind(options, expiry)) {
      options.expiry = { ...expiry, place: ++place }
    } else throw new CommandError(syntaxError)
  }
  return options
}

/** One kind of time only; the same again counts as the last. */
function isSameKind({ expiry }: SetOptions, next: Omit<ExpiryOption, 'place'>): boolean {
  return expiry === undefined || (expiry.unit === next.unit && expiry.isRelative === next.isRelative)
}

function setFor(call: Call, expiry: ExpiryOption): void {
  put(call, 3, expiresAt(call, expiry))
  call.reply.ok()
}

function getex(call: Call): void {
  const { arguments: found, reply } = call
  const options: SetOptions = { condition: 'always', returnsOld: true, keepsExpiry: false, expiry: undefined }
  let persists = false
  for (let place = 2; place < found.count; place++) {
    const expiry = expiryOptionAt(call, place)
    if (found.is(place, 'PERSIST') && options.expiry === undefined) persists = true
    else if (expiry !== undefined && place + 1 < found.count && !persists && isSameKind(options, expiry)) {
      options.expiry = { ...expiry, place: ++place }
    } else throw new CommandError(syntaxError)
  }
  const record = readString(call, 1)
  if (record === undefined) {
    reply.null()
    return
  }
  const until = options.expiry === undefined ? 0 : expiresAt(call, options.expiry)
  replyValue(call, record)
  if (options.expiry !== undefined && until <= call.owner.now()) deleteKey(call, 1)
  else if (options.expiry !== undefined) putAgain(call, 1, record, until)
  else if (persists && record.expiresAt !== 0) putAgain(call, 1, record, 0)
}

function mget(call: Call): void {
  const { count } = call.arguments
  call.reply.array(count - 1)
  for (let place = 1; place < count; place++) {
    const record = lookUp(call, place)
    // What is no string counts as absent here, and is no error.
    const isString = record !== undefined && record.tag === stringTag
    if (isString) call.server.stats.keyspaceHits++
    else call.server.stats.keyspaceMisses++
    replyValueOrNull(call, isString ? record : undefined)
  }
}

function msetnx(call: Call): void {
  assertPairs(call)
  for (let place = 1; place < call.arguments.count; place += 2) {
    if (lookUp(call, place) === undefined) continue
    call.reply.integer(0)
    return
  }
  putPairs(call)
  call.reply.integer(1)
}

function assertPairs(call: Call): void {
  if (call.arguments.count % 2 === 0) {
    throw new CommandError(`ERR wrong number of arguments for '${call.session.lastCommand?.fullName}' command`)
  }
}

/** Puts all pairs as one batch; of a key that is given twice the last value. */
function putPairs(call: Call): void {
  const { arguments: found } = call
  const { bytes } = found
  const changes = new Map<string, Change>()
  for (let place = 1; place < found.count; place += 2) {
    const change = new Change()
    if (call.collections.any) call.collections.buryKey(bytes, found.start(place), found.end(place))
    change.keyspace = redisKeyspace
    change.tag = stringTag
    change.key = bytes
    change.keyStart = found.start(place)
    change.keyEnd = found.end(place)
    change.value = bytes
    change.valueStart = found.start(place + 1)
    change.valueEnd = found.end(place + 1)
    changes.set(latin1(bytes, change.keyStart, change.keyEnd), change)
  }
  writeAll(call, [...changes.values()])
}

/** Sets the key of argument 1 to the bytes of an argument. */
function put(call: Call, valuePlace: number, until: number): void {
  const { arguments: found } = call
  writeOne(call, 1, found.bytes, found.starts[valuePlace] as number, found.ends[valuePlace] as number, until)
}
