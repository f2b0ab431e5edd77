/** Commands on keys of any type: deleting, finding, renaming. */

import { compileGlob, type Glob, prefixEnd } from '@orbitkv/bytes'
import { Change, copyKey, type Range, type RecordView } from '@orbitkv/engine'
import { latin1 } from '../protocol/text.ts'
import {
  type Call,
  CommandError,
  type CommandSpec,
  lookUp,
  redisKeyspace,
  stringTag,
  syntaxError,
  typeName,
} from './command.ts'
import { numberAt } from './options.ts'
import { readCursor } from './scan.ts'
import { deleteKey, writeAll } from './writes.ts'

const keyspace = { group: 'generic', categories: ['keyspace'] } as const
const everyArgument = (...flags: string[]) => [{ first: 1, last: -1, step: 1, flags }]
const sumOfShards = ['request_policy:multi_shard', 'response_policy:agg_sum']

export const keyCommands: readonly CommandSpec[] = [
  {
    ...keyspace,
    name: 'del',
    arity: -2,
    flags: ['write'],
    keys: everyArgument('RM', 'delete'),
    tips: sumOfShards,
    since: '1.0.0',
    complexity: 'O(N) for N keys',
    summary: 'Deletes keys and tells how many there were.',
    syntax: 'key [key ...]',
    run: deleteKeys,
  },
  {
    ...keyspace,
    name: 'unlink',
    arity: -2,
    flags: ['write', 'fast'],
    keys: everyArgument('RM', 'delete'),
    tips: sumOfShards,
    since: '4.0.0',
    complexity: 'O(N) for N keys',
    summary: 'As DEL: to delete takes the same short time whatever the value.',
    syntax: 'key [key ...]',
    run: deleteKeys,
  },
  {
    ...keyspace,
    name: 'exists',
    arity: -2,
    flags: ['readonly', 'fast'],
    keys: everyArgument('RO'),
    tips: sumOfShards,
    since: '1.0.0',
    complexity: 'O(N) for N keys',
    summary: 'How many of the keys exist; one that is given twice counts twice.',
    syntax: 'key [key ...]',
    run: countExisting,
  },
  {
    ...keyspace,
    name: 'touch',
    arity: -2,
    flags: ['readonly', 'fast'],
    keys: everyArgument('RO'),
    tips: sumOfShards,
    since: '3.2.1',
    complexity: 'O(N) for N keys',
    summary: 'As EXISTS.',
    syntax: 'key [key ...]',
    difference: 'Nothing is touched: the time of the last access is not kept, since keys are not evicted by it.',
    run: countExisting,
  },
  {
    ...keyspace,
    name: 'type',
    arity: 2,
    flags: ['readonly', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, flags: ['RO'] }],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'The type of a value, or none.',
    syntax: 'key',
    run: (call) => {
      const record = lookUp(call, 1)
      call.reply.status(record === undefined ? 'none' : typeName(record))
    },
  },
  {
    ...keyspace,
    name: 'keys',
    arity: 2,
    flags: ['readonly'],
    categories: ['keyspace', 'dangerous'],
    tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    since: '1.0.0',
    complexity: 'O(N) for N keys that begin as the pattern does',
    summary: 'Every key that matches a pattern. For large stores there is SCAN.',
    syntax: 'pattern',
    difference: 'Keys come in their order as bytes, and only those that begin as the pattern does are looked at.',
    run: listKeys,
  },
  {
    ...keyspace,
    name: 'scan',
    arity: -2,
    flags: ['readonly'],
    tips: ['nondeterministic_output', 'request_policy:special'],
    since: '2.8.0',
    complexity: 'O(1) for a call with a COUNT',
    summary: 'Keys, a few for each call: begin with cursor 0, go on with the cursor of the reply until it is 0.',
    syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type]',
    difference:
      'Keys come in their order as bytes, each once. A cursor is good until the server stops and while it is among the newest (16 MiB of them are kept); an older one begins anew, so that keys come twice and none is missed.',
    run: scan,
  },
  {
    ...keyspace,
    name: 'randomkey',
    arity: 1,
    flags: ['readonly'],
    tips: ['request_policy:all_shards', 'nondeterministic_output'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Any key.',
    syntax: '',
    run: (call) => {
      const record = call.owner.random(redisKeyspace)
      if (record === undefined) call.reply.null()
      else call.reply.bulk(record.bytes, record.keyStart, record.keyStart + record.keyBytes)
    },
  },
  {
    ...keyspace,
    group: 'server',
    name: 'dbsize',
    arity: 1,
    flags: ['readonly', 'fast'],
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'How many keys there are.',
    syntax: '',
    run: (call) => call.reply.integer(call.owner.count(redisKeyspace)),
  },
]

function deleteKeys(call: Call): void {
  const { arguments: found, collections, reply } = call
  if (found.count === 2) {
    const isThere = lookUp(call, 1) !== undefined
    if (isThere) deleteKey(call, 1)
    reply.integer(isThere ? 1 : 0)
    return
  }
  const changes = new Map<string, Change>()
  for (let place = 1; place < found.count; place++) {
    const record = lookUp(call, place)
    if (record === undefined) continue
    if (record.tag !== stringTag) collections.bury(record, found.bytes, found.start(place), found.end(place))
    const change = new Change()
    change.kind = 'delete'
    change.keyspace = redisKeyspace
    change.key = found.bytes
    change.keyStart = found.start(place)
    change.keyEnd = found.end(place)
    changes.set(latin1(found.bytes, change.keyStart, change.keyEnd), change)
  }
  if (changes.size > 0) writeAll(call, [...changes.values()])
  reply.integer(changes.size)
}

function countExisting(call: Call): void {
  let existing = 0
  for (let place = 1; place < call.arguments.count; place++) {
    const isThere = lookUp(call, place) !== undefined
    if (isThere) existing++
    if (isThere) call.server.stats.keyspaceHits++
    else call.server.stats.keyspaceMisses++
  }
  call.reply.integer(existing)
}

function listKeys(call: Call): void {
  const glob = compileGlob(call.arguments.copy(1))
  call.scratch.keys.clear()
  for (const record of call.owner.range(redisKeyspace, rangeOf(glob))) {
    const { bytes, keyStart, keyBytes } = record
    if (glob.matches(bytes, keyStart, keyStart + keyBytes)) collectKey(call, record, 'use SCAN')
  }
  replyKeys(call)
}

/** Adds to the keys that will be replied, which have to fit a reply. */
function collectKey({ scratch, limits }: Call, { bytes, keyStart, keyBytes }: RecordView, wayOut: string): void {
  scratch.keys.add(bytes, keyStart, keyStart + keyBytes)
  if (scratch.keys.bytesUsed > limits.outputBytesMax) {
    throw new CommandError(`ERR the keys that match take more than the reply limit (outputBytesMax); ${wayOut}`)
  }
}

/** The keys that can match at all. */
function rangeOf({ prefix }: Glob): { gte?: Uint8Array; lt?: Uint8Array } {
  if (prefix.length === 0) return {}
  const end = prefixEnd(prefix)
  return end === undefined ? { gte: prefix } : { gte: prefix, lt: end }
}

function replyKeys(call: Call): void {
  const { reply, scratch } = call
  reply.array(scratch.keys.count)
  for (let i = 0; i < scratch.keys.count; i++)
    reply.bulk(scratch.keys.bytes, scratch.keys.start(i), scratch.keys.end(i))
}

interface ScanOptions {
  count: number
  glob: Glob | undefined
  type: string | undefined
}

/** What a scan without COUNT looks at for each call, as in Redis. */
const scanCountDefault = 10

function scan(call: Call): void {
  const { owner, reply, scans } = call
  const cursor = readCursor(call, 1)
  const options = readScanOptions(call)
  call.scratch.keys.clear()
  let looked = 0
  let last: Uint8Array | undefined
  let hasMore = false
  // One more than asked for, to know whether anything is left.
  for (const record of owner.range(redisKeyspace, { ...scanRange(call, cursor, options), limit: options.count + 1 })) {
    hasMore = looked === options.count
    if (hasMore) break
    looked++
    if (looked === options.count) last = copyKey(record)
    if (isWanted(record, options)) collectKey(call, record, 'scan with a smaller COUNT')
  }
  reply.array(2)
  reply.bulkInteger(hasMore && last !== undefined ? scans.remember(last) : scans.ended)
  replyKeys(call)
}

function readScanOptions(call: Call): ScanOptions {
  const { arguments: found } = call
  const options: ScanOptions = { count: scanCountDefault, glob: undefined, type: undefined }
  for (let place = 2; place < found.count; place += 2) {
    if (place + 1 === found.count) throw new CommandError(syntaxError)
    if (found.is(place, 'COUNT')) {
      options.count = numberAt(call, place + 1)
      if (options.count < 1) throw new CommandError(syntaxError)
    } else if (found.is(place, 'MATCH')) options.glob = compileGlob(found.copy(place + 1))
    else if (found.is(place, 'TYPE')) options.type = found.text(place + 1).toLowerCase()
    else throw new CommandError(syntaxError)
  }
  return options
}

/** From after the last key that was returned, within what can match. */
function scanRange(call: Call, cursor: number, { glob }: ScanOptions): Range {
  const within: Range = glob === undefined ? {} : rangeOf(glob)
  const after = cursor === 0 ? undefined : call.scans.find(cursor)
  if (after === undefined) return within
  const { gte, ...rest } = within
  // A cursor of a scan with another pattern may lie before the range.
  return gte !== undefined && Buffer.compare(gte, after) > 0 ? within : { ...rest, gt: after }
}

function isWanted(record: RecordView, { glob, type }: ScanOptions): boolean {
  if (type !== undefined && typeName(record) !== type) return false
  return glob === undefined || glob.matches(record.bytes, record.keyStart, record.keyStart + record.keyBytes)
}
