/** Commands on the groups of streams; what they do is in collections/stream-group-commands.ts, -claims.ts and -info.ts. */

import { xautoclaim, xclaim } from '../collections/stream-claims.ts'
import * as groups from '../collections/stream-group-commands.ts'
import { infoConsumers, infoGroups, infoStream } from '../collections/stream-info.ts'
import { xreadgroup } from '../collections/stream-reads.ts'
import { oneKey, writing } from './collections.ts'
import type { CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'

const streams = { group: 'stream', categories: ['stream'] } as const
/** Of a subcommand, whose key is argument 2. */
const subcommand = { ...streams, since: '5.0.0' } as const
const keyOf = (...flags: string[]) => [{ first: 2, last: 2, step: 1, flags }]

const groupSubcommands: readonly CommandSpec[] = [
  {
    ...subcommand,
    name: 'create',
    arity: -5,
    flags: ['write', 'denyoom'],
    keys: keyOf('RW', 'insert'),
    complexity: 'O(1)',
    summary: 'Makes a group that has read up to an id.',
    syntax: 'key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]',
    run: writing(groups.createGroup),
  },
  {
    ...subcommand,
    name: 'setid',
    arity: -5,
    flags: ['write'],
    keys: keyOf('RW', 'update'),
    complexity: 'O(1)',
    summary: 'Sets up to which id a group has read.',
    syntax: 'key group id | $ [ENTRIESREAD entries-read]',
    run: writing(groups.setGroupId),
  },
  {
    ...subcommand,
    name: 'destroy',
    arity: 4,
    flags: ['write'],
    keys: keyOf('RW', 'delete'),
    complexity: 'O(N) for N pending entries',
    summary: 'Deletes a group.',
    syntax: 'key group',
    difference: 'A group with more than about half a million pending entries is refused.',
    run: writing(groups.destroyGroup),
  },
  {
    ...subcommand,
    name: 'createconsumer',
    arity: 5,
    flags: ['write', 'denyoom'],
    keys: keyOf('RW', 'insert'),
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Makes a consumer.',
    syntax: 'key group consumer',
    run: writing(groups.createConsumer),
  },
  {
    ...subcommand,
    name: 'delconsumer',
    arity: 5,
    flags: ['write'],
    keys: keyOf('RW', 'delete'),
    complexity: 'O(N) for N pending entries',
    summary: 'Deletes a consumer with what it has pending.',
    syntax: 'key group consumer',
    difference: 'A consumer with more than about half a million pending entries is refused.',
    run: writing(groups.deleteConsumer),
  },
]

const infoSubcommands: readonly CommandSpec[] = [
  {
    ...subcommand,
    name: 'stream',
    arity: -3,
    flags: ['readonly'],
    keys: keyOf('RO', 'access'),
    complexity: 'O(1), and O(N) for N entries that FULL shows',
    summary: 'What a stream is, and with FULL what is in it and its groups.',
    syntax: 'key [FULL [COUNT count]]',
    difference: 'There are no radix trees: the numbers are those of a stream in full nodes of a hundred.',
    run: infoStream,
  },
  {
    ...subcommand,
    name: 'groups',
    arity: 3,
    flags: ['readonly'],
    keys: keyOf('RO', 'access'),
    complexity: 'O(N) for N groups',
    summary: 'The groups of a stream, and how far they are behind.',
    syntax: 'key',
    run: infoGroups,
  },
  {
    ...subcommand,
    name: 'consumers',
    arity: 4,
    flags: ['readonly'],
    keys: keyOf('RO', 'access'),
    tips: ['nondeterministic_output'],
    complexity: 'O(N) for N consumers',
    summary: 'The consumers of a group.',
    syntax: 'key group',
    run: infoConsumers,
  },
]

const container = { group: 'stream', categories: [], arity: -2, flags: [], since: '5.0.0' } as const

export const streamGroupCommands: readonly CommandSpec[] = [
  {
    ...container,
    name: 'xgroup',
    complexity: 'Depends on the subcommand',
    summary: 'Commands on the groups of a stream.',
    syntax: 'subcommand [argument ...]',
    difference: 'A stream that is watched counts as changed by them.',
    subcommands: [
      ...groupSubcommands,
      { ...helpCommand('xgroup', 'stream', groupSubcommands), categories: ['stream'] },
    ],
  },
  {
    ...streams,
    name: 'xreadgroup',
    arity: -7,
    flags: ['write', 'blocking', 'movablekeys'],
    keys: [{ behind: 'STREAMS', from: 4, parts: 2, flags: ['RO', 'access'] }],
    since: '5.0.0',
    complexity: 'O(log N + M) for each stream, for M of N entries',
    summary: 'Entries that a group was not given yet, or what a consumer has pending; waits until there are some.',
    syntax: 'GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]',
    run: writing(xreadgroup),
  },
  {
    ...streams,
    name: 'xack',
    arity: -4,
    flags: ['write', 'fast'],
    keys: oneKey('RW', 'update'),
    since: '5.0.0',
    complexity: 'O(N) for N ids',
    summary: 'Entries are done: they are pending no more. Tells how many were.',
    syntax: 'key group id [id ...]',
    run: writing(groups.xack),
  },
  {
    ...streams,
    name: 'xpending',
    arity: -3,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    since: '5.0.0',
    complexity: 'O(N) for N entries or consumers',
    summary: 'What a group, or a consumer of it, has pending.',
    syntax: 'key group [[IDLE min-idle-time] start end count [consumer]]',
    run: groups.xpending,
  },
  {
    ...streams,
    name: 'xclaim',
    arity: -6,
    flags: ['write', 'fast'],
    keys: oneKey('RW', 'update'),
    tips: ['nondeterministic_output'],
    since: '5.0.0',
    complexity: 'O(N) for N ids',
    summary: 'Gives pending entries to another consumer.',
    syntax:
      'key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-ms] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]',
    run: writing(xclaim),
  },
  {
    ...streams,
    name: 'xautoclaim',
    arity: -6,
    flags: ['write', 'fast'],
    keys: oneKey('RW', 'delete'),
    tips: ['nondeterministic_output'],
    since: '6.2.0',
    complexity: 'O(1) for COUNT being small',
    summary: 'Gives a consumer what others have had pending for long, a few entries at a time.',
    syntax: 'key group consumer min-idle-time start [COUNT count] [JUSTID]',
    difference: 'Claims at most 10,000 entries at a time, whatever COUNT says; the id in its reply leads on.',
    run: writing(xautoclaim),
  },
  {
    ...container,
    name: 'xinfo',
    complexity: 'Depends on the subcommand',
    summary: 'What streams are, their groups and consumers.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...infoSubcommands, { ...helpCommand('xinfo', 'stream', infoSubcommands), categories: ['stream'] }],
  },
]
