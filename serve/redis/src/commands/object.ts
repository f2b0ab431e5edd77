/** OBJECT: how Redis would keep a value. Here all is kept alike; clients and tests ask nonetheless. */

import type { RecordView } from '@orbitkv/engine'
import { flagLarge, flagNotIntegers, hashTag, listTag, setTag, streamTag } from '../collections/collection.ts'
import { headerOf } from '../collections/collections.ts'
import { int64CharsMax, parseInteger } from '../protocol/numbers.ts'
import { type Call, CommandError, type CommandSpec, lookUp, stringTag } from './command.ts'
import { helpCommand } from './help.ts'

const shared = {
  group: 'generic',
  categories: ['keyspace'],
  arity: 3,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, step: 1, flags: ['RO'] }],
  tips: ['nondeterministic_output'],
  complexity: 'O(1)',
  syntax: 'key',
} as const

const noFrequency =
  'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'

const subcommands: readonly CommandSpec[] = [
  {
    ...shared,
    name: 'encoding',
    since: '2.2.3',
    summary: 'How Redis would keep the value.',
    difference: 'Told by what a value holds and has held: a string that was changed in place counts as set anew.',
    run: (call) => replyFor(call, (record) => call.reply.bulkText(encodingOf(record))),
  },
  {
    ...shared,
    name: 'freq',
    since: '4.0.0',
    summary: 'Refused: how often a key is used is not counted.',
    run: (call) =>
      replyFor(call, () => {
        throw new CommandError(noFrequency)
      }),
  },
  {
    ...shared,
    name: 'idletime',
    since: '2.2.3',
    summary: 'Always 0: the time of the last access is not kept.',
    difference: 'Always 0.',
    run: (call) => replyFor(call, () => call.reply.integer(0)),
  },
  {
    ...shared,
    name: 'refcount',
    since: '2.2.3',
    summary: 'Always 1.',
    difference: 'Always 1: no value is shared.',
    run: (call) => replyFor(call, () => call.reply.integer(1)),
  },
]

export const objectCommands: readonly CommandSpec[] = [
  {
    name: 'object',
    arity: -2,
    flags: [],
    group: 'generic',
    categories: [],
    since: '2.2.3',
    complexity: 'O(1)',
    summary: 'Commands on how a value is kept.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...subcommands, { ...helpCommand('object', 'generic', subcommands), categories: ['keyspace'] }],
  },
]

function replyFor(call: Call, reply: (record: RecordView) => void): void {
  const record = lookUp(call, 2)
  if (record === undefined) call.reply.null()
  else reply(record)
}

/** Up to so many bytes Redis keeps a string beside its header. */
const embeddedBytesMax = 44

function encodingOf(record: RecordView): string {
  const { tag, bytes, valueStart, valueBytes } = record
  if (tag === stringTag) {
    const isShort = valueBytes <= int64CharsMax
    if (isShort && parseInteger(bytes, valueStart, valueStart + valueBytes) !== undefined) return 'int'
    return valueBytes <= embeddedBytesMax ? 'embstr' : 'raw'
  }
  if (tag === listTag) return 'quicklist'
  if (tag === streamTag) return 'stream'
  const { flags } = headerOf(record)
  const isLarge = (flags & flagLarge) !== 0
  if (tag === setTag) return isLarge || (flags & flagNotIntegers) !== 0 ? 'hashtable' : 'intset'
  if (tag === hashTag) return isLarge ? 'hashtable' : 'listpack'
  return isLarge ? 'skiplist' : 'listpack'
}
