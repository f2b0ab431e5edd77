/** Commands on the bits of strings; what they do is in bits.ts and bitfield.ts. */

import { bitfield } from './bitfield.ts'
import * as bits from './bits.ts'
import { oneKey } from './collections.ts'
import type { CommandSpec } from './command.ts'

const strings = { group: 'string', categories: ['string'] } as const
const bitmaps = { group: 'bitmap', categories: ['bitmap'] } as const

export const bitCommands: readonly CommandSpec[] = [
  {
    ...bitmaps,
    name: 'setbit',
    arity: 4,
    flags: ['write', 'denyoom'],
    keys: oneKey('RW', 'access', 'update'),
    since: '2.2.0',
    complexity: 'O(N) for a value of N bytes',
    summary: 'Sets a bit of a string and tells what it was.',
    syntax: 'key offset value',
    run: bits.setbit,
  },
  {
    ...bitmaps,
    name: 'getbit',
    arity: 3,
    flags: ['readonly', 'fast'],
    keys: oneKey('RO', 'access'),
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'A bit of a string.',
    syntax: 'key offset',
    run: bits.getbit,
  },
  {
    ...bitmaps,
    name: 'bitcount',
    arity: -2,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '2.6.0',
    complexity: 'O(N) for N bytes',
    summary: 'How many bits are set.',
    syntax: 'key [start end [BYTE | BIT]]',
    run: bits.bitcount,
  },
  {
    ...bitmaps,
    name: 'bitpos',
    arity: -3,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '2.8.7',
    complexity: 'O(N) for N bytes',
    summary: 'Where the first bit is that is set, or not set.',
    syntax: 'key bit [start [end [BYTE | BIT]]]',
    run: bits.bitpos,
  },
  {
    ...bitmaps,
    name: 'bitop',
    arity: -4,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 2, last: 2, step: 1, flags: ['OW', 'update'] },
      { first: 3, last: -1, step: 1, flags: ['RO', 'access'] },
    ],
    since: '2.6.0',
    complexity: 'O(N) for N bytes',
    summary: 'Combines the bits of strings and stores the result.',
    syntax: 'AND | OR | XOR | NOT destkey key [key ...]',
    run: bits.bitop,
  },
  {
    ...bitmaps,
    name: 'bitfield',
    arity: -2,
    flags: ['write', 'denyoom'],
    keys: oneKey('RW', 'access', 'update', 'variable_flags'),
    since: '3.2.0',
    complexity: 'O(N) for a value of N bytes',
    summary: 'Reads and changes integers of any width at any bit of a string.',
    syntax:
      'key [GET encoding offset] [OVERFLOW WRAP | SAT | FAIL] [SET encoding offset value] [INCRBY encoding offset increment] ...',
    run: (call) => bitfield(call, false),
  },
  {
    ...bitmaps,
    name: 'bitfield_ro',
    arity: -2,
    flags: ['readonly', 'fast'],
    keys: oneKey('RO', 'access'),
    since: '6.0.0',
    complexity: 'O(1) for each',
    summary: 'Reads integers of any width at any bit of a string.',
    syntax: 'key [GET encoding offset] ...',
    run: (call) => bitfield(call, true),
  },
  {
    ...strings,
    name: 'lcs',
    arity: -3,
    flags: ['readonly'],
    keys: [{ first: 1, last: 2, step: 1, flags: ['RO', 'access'] }],
    since: '7.0.0',
    complexity: 'O(N*M) for values of N and M bytes',
    summary: 'The longest text that two strings have in common, with gaps.',
    syntax: 'key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]',
    difference: 'Refused where the product of both lengths is over 16 Mi.',
    run: bits.lcs,
  },
]
