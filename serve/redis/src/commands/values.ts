/** Commands that bring values into another form: sorted, counted, or as bytes to be carried elsewhere. */

import { oneKey, writing } from './collections.ts'
import type { CommandSpec } from './command.ts'
import { dump, restore } from './dump.ts'
import { pfadd, pfcount, pfmerge } from './hyperloglogs.ts'
import { keyStoredUnder, keysOfPatterns, sort } from './sort.ts'

const sketches = { group: 'hyperloglog', categories: ['hyperloglog'] } as const
const generic = { group: 'generic', categories: ['keyspace'] } as const

export const valueCommands: readonly CommandSpec[] = [
  {
    ...generic,
    name: 'sort',
    arity: -2,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keys: [
      ...oneKey('RO', 'access'),
      { unknown: true, flags: ['RO', 'access'], find: keysOfPatterns },
      { unknown: true, flags: ['OW', 'update'], find: keyStoredUnder },
    ],
    since: '1.0.0',
    complexity: 'O(N + M log M) for M of N elements',
    summary: 'The elements of a list, set or sorted set in order.',
    syntax:
      'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]',
    difference: 'Text is compared as bytes.',
    run: writing((call) => sort(call, true)),
  },
  {
    ...generic,
    name: 'sort_ro',
    arity: -2,
    flags: ['readonly', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keys: [...oneKey('RO', 'access'), { unknown: true, flags: ['RO', 'access'], find: keysOfPatterns }],
    since: '7.0.0',
    complexity: 'O(N + M log M) for M of N elements',
    summary: 'As SORT, without STORE.',
    syntax: 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]',
    difference: 'Text is compared as bytes.',
    run: (call) => sort(call, false),
  },
  {
    ...generic,
    name: 'dump',
    arity: 2,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    since: '2.6.0',
    complexity: 'O(N) for N elements',
    summary: 'A value as bytes, for RESTORE.',
    syntax: 'key',
    difference: 'The bytes are in a form of our own, with a checksum: Redis does not take them, nor we its.',
    run: dump,
  },
  {
    ...generic,
    name: 'restore',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['keyspace', 'dangerous'],
    keys: oneKey('OW', 'update'),
    since: '2.6.0',
    complexity: 'O(N) for N elements',
    summary: 'Makes a value of the bytes that DUMP gave.',
    syntax: 'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
    difference: 'See DUMP. IDLETIME and FREQ are checked and not kept.',
    run: writing(restore),
  },
  {
    ...sketches,
    name: 'pfadd',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    keys: oneKey('RW', 'insert'),
    since: '2.8.9',
    complexity: 'O(N) for N elements',
    summary: 'Adds elements to a HyperLogLog and tells whether it changed.',
    syntax: 'key [element [element ...]]',
    difference: 'A value is in the dense form from the first element on: 12 KiB.',
    run: pfadd,
  },
  {
    ...sketches,
    name: 'pfcount',
    arity: -2,
    flags: ['readonly'],
    keys: [{ first: 1, last: -1, step: 1, flags: ['RW', 'access'] }],
    since: '2.8.9',
    complexity: 'O(N) for N keys',
    summary: 'About how many different elements were added.',
    syntax: 'key [key ...]',
    run: pfcount,
  },
  {
    ...sketches,
    name: 'pfmerge',
    arity: -2,
    flags: ['write', 'denyoom'],
    keys: [...oneKey('RW', 'access', 'insert'), { first: 2, last: -1, step: 1, flags: ['RO', 'access'] }],
    since: '2.8.9',
    complexity: 'O(N) for N keys',
    summary: 'Makes one HyperLogLog of several.',
    syntax: 'destkey [sourcekey ...]',
    run: pfmerge,
  },
]
