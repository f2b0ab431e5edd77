/** MEMORY: what values and the server take. Values are in the log, so that a size is what they take there and in the index. */

import type { RecordView } from '@orbitkv/engine'
import { collectionIn } from '../collections/collection.ts'
import { orderMax } from '../collections/element-keys.ts'
import { databaseCount } from '../collections/keyspaces.ts'
import { type Call, CommandError, type CommandSpec, lookUp, redisKeyspace, stringTag, syntaxError } from './command.ts'
import { helpCommand } from './help.ts'
import { numberAt } from './options.ts'

const memory = { group: 'server', categories: [], complexity: 'O(1)', since: '4.0.0' } as const

/** Beside a key and its value: the head of its record, its place in both indexes. */
const recordOverheadBytes = 64
const samplesDefault = 5

const subcommands: readonly CommandSpec[] = [
  {
    ...memory,
    name: 'doctor',
    arity: 2,
    flags: [],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    summary: 'What there is to say about memory, in words.',
    syntax: '',
    run: ({ reply, server }) => {
      const { rss } = process.memoryUsage()
      const { indexBytes } = server.facts().store
      const share = ((indexBytes / rss) * 100).toFixed(0)
      reply.verbatim(
        `Sam, the indexes take ${share}% of the memory of this process; the values are in the log, and need none.\n`,
      )
    },
  },
  {
    ...memory,
    name: 'malloc-stats',
    arity: 2,
    flags: [],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    summary: 'Not offered: there is no allocator to ask.',
    syntax: '',
    run: ({ reply }) => reply.verbatim('Stats not supported for the current allocator'),
  },
  {
    ...memory,
    name: 'purge',
    arity: 2,
    flags: [],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    summary: 'Accepted: memory is given back by itself.',
    syntax: '',
    run: ({ reply }) => reply.ok(),
  },
  {
    ...memory,
    name: 'stats',
    arity: 2,
    flags: [],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    summary: 'What the server takes, by purpose.',
    syntax: '',
    run: stats,
  },
  {
    ...memory,
    name: 'usage',
    arity: -3,
    flags: ['readonly'],
    keys: [{ first: 2, last: 2, step: 1, flags: ['RO'] }],
    complexity: 'O(N) for N samples',
    summary:
      'The bytes that a key and its value take; of a collection from so many of its elements, 5 unless told otherwise.',
    syntax: 'key [SAMPLES count]',
    difference: 'What they take in the log and the indexes, which is where they are.',
    run: usage,
  },
]

export const memoryCommands: readonly CommandSpec[] = [
  {
    name: 'memory',
    arity: -2,
    flags: [],
    group: 'server',
    categories: [],
    since: '4.0.0',
    complexity: 'O(1)',
    summary: 'Commands on memory.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...subcommands, helpCommand('memory', 'server', subcommands)],
  },
]

function usage(call: Call): void {
  const { arguments: found, reply } = call
  let samples = samplesDefault
  for (let place = 3; place < found.count; place += 2) {
    if (!found.is(place, 'SAMPLES') || place + 1 === found.count) throw new CommandError(syntaxError)
    samples = numberAt(call, place + 1)
    if (samples < 0) throw new CommandError(syntaxError)
  }
  const record = lookUp(call, 2)
  if (record === undefined) reply.null()
  else reply.integer(sizeOf(record) + (record.tag === stringTag ? 0 : elementBytes(call, record, samples)))
}

function sizeOf({ keyBytes, valueBytes }: RecordView): number {
  return keyBytes + valueBytes + recordOverheadBytes
}

/** Of each kind of element, such as the groups of a stream, the mean of some times their number. */
function elementBytes(call: Call, record: RecordView, samples: number): number {
  const collection = collectionIn(call, record, call.arguments.copy(2))
  let total = 0
  for (let order = 0; order <= orderMax; order++) {
    const count = collection.count(order, {})
    let seen = 0
    let bytes = 0
    for (const element of collection.records(order)) {
      seen++
      bytes += sizeOf(element)
      if (seen === samples) break
    }
    if (seen > 0) total += (bytes / seen) * count
  }
  return Math.round(total)
}

function stats({ databases, reply, server }: Call): void {
  const { rss, heapUsed, external } = process.memoryUsage()
  const { store } = server.facts()
  const used = heapUsed + external
  const peak = Math.max(used, process.resourceUsage().maxRSS * 1024)
  let keys = 0
  for (let database = 0; database < databaseCount; database++) {
    keys += databases.ownerOf(database).count(redisKeyspace)
  }
  const facts: Readonly<Record<string, number>> = {
    'peak.allocated': peak,
    'total.allocated': used,
    'startup.allocated': 0,
    'replication.backlog': 0,
    'clients.slaves': 0,
    'clients.normal': server.bufferBytes,
    'cluster.links': 0,
    'aof.buffer': 0,
    'lua.caches': 0,
    'functions.caches': 0,
    'overhead.total': Math.max(0, used - store.indexBytes),
    'keys.count': keys,
    'keys.bytes-per-key': keys === 0 ? 0 : Math.round(store.indexBytes / keys),
    'dataset.bytes': store.indexBytes,
    'dataset.percentage': (store.indexBytes / used) * 100,
    'peak.percentage': (used / peak) * 100,
    'allocator.allocated': used,
    'allocator.resident': rss,
    fragmentation: rss / used,
    'fragmentation.bytes': rss - used,
  }
  reply.map(Object.keys(facts).length)
  for (const [name, value] of Object.entries(facts)) {
    reply.bulkText(name)
    if (Number.isInteger(value) && !name.endsWith('percentage')) reply.integer(value)
    else reply.double(value)
  }
}
