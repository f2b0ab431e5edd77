/**
 * Which events a command means by the keys that it has written: Redis's names, by command. What a command does to a key that it
 * leaves empty is followed by `del`.
 */

import type { Call, Command, CommandGroup } from '../commands/command.ts'
import type { EventClass } from './classes.ts'
import type { NotedChange } from './noting-owner.ts'

export interface KeyEvent {
  readonly kind: EventClass
  readonly name: string
  readonly change: NotedChange
}

/** The events of a command's changes, in order. */
export function eventsOf(command: Command, call: Call, changes: readonly NotedChange[]): KeyEvent[] {
  const { fullName } = command
  const own = special[fullName]
  const classOf = classes[command.group] ?? 'g'
  const events: KeyEvent[] = []
  const isTargetFirst =
    targetsFirst.has(command.name) && changes.length === 2 && isKeyAt(call, changes[0] as NotedChange, 1)
  const isSourceFirst = command.name === 'move' && changes[0]?.isDelete === false
  for (const change of isTargetFirst || isSourceFirst ? changes.toReversed() : changes) {
    if (change.isNew) events.push({ kind: 'n', name: 'new', change })
    const named = own === undefined ? [plain[fullName] ?? fullName] : own(call, change)
    for (const name of named) {
      const kind = genericNames.has(name) ? 'g' : classOf
      events.push({ kind: command.name === 'sort' && kind === 'g' && name === 'sortstore' ? 'l' : kind, name, change })
    }
    if (change.isDelete && !deletes.has(named.at(-1) ?? '') && !silent.has(fullName)) {
      events.push({ kind: 'g', name: 'del', change })
    }
  }
  return events
}

const classes: Partial<Record<CommandGroup, EventClass>> = {
  string: '$',
  bitmap: '$',
  hyperloglog: '$',
  list: 'l',
  hash: 'h',
  set: 's',
  'sorted-set': 'z',
  geo: 'z',
  stream: 't',
}

/** Events of class g, whatever the group of their command. */
const genericNames = new Set(['del', 'expire', 'persist'])

/** Commands that tell of the key at argument 2 before that at argument 1. */
const targetsFirst = new Set(['lmove', 'blmove', 'rpoplpush', 'brpoplpush'])

/** Events that tell by themselves that the key is gone. */
const deletes = new Set(['del', 'rename_from', 'move_from'])

/** Commands whose event has another name than they. */
const plain: Readonly<Record<string, string>> = {
  setnx: 'set',
  mset: 'set',
  msetnx: 'set',
  getset: 'set',
  incr: 'incrby',
  decr: 'incrby',
  decrby: 'incrby',
  hmset: 'hset',
  hsetnx: 'hset',
  lpushx: 'lpush',
  rpushx: 'rpush',
  blpop: 'lpop',
  brpop: 'rpop',
  bzpopmin: 'zpopmin',
  bzpopmax: 'zpopmax',
  pfmerge: 'pfadd',
  bitfield: 'setbit',
  copy: 'copy_to',
  zincrby: 'zincr',
  geoadd: 'zadd',
  unlink: 'del',
  getdel: 'del',
  'xgroup|create': 'xgroup-create',
  'xgroup|createconsumer': 'xgroup-createconsumer',
  'xgroup|delconsumer': 'xgroup-delconsumer',
  'xgroup|destroy': 'xgroup-destroy',
  'xgroup|setid': 'xgroup-setid',
}

type Naming = (call: Call, change: NotedChange) => readonly string[]

const expiring: Naming = (_, { isDelete }) => [isDelete ? 'del' : 'expire']
const setFor: Naming = () => ['set', 'expire']
/** Where nothing came out, the target is deleted and nothing else is told. */
const storing =
  (name: string): Naming =>
  (_, { isDelete }) => [isDelete ? 'del' : name]
const none: Naming = () => []

/** Commands that change what no event tells. */
const silent = new Set(['xreadgroup', 'xack', 'xclaim', 'xautoclaim'])

const special: Readonly<Record<string, Naming>> = {
  set: ({ arguments: found }, { expiresAt }) => {
    for (let place = 3; place < found.count; place++) if (found.is(place, 'KEEPTTL')) return ['set']
    return expiresAt === 0 ? ['set'] : ['set', 'expire']
  },
  setex: setFor,
  psetex: setFor,
  getex: (_, { isDelete, expiresAt }) => [isDelete ? 'del' : expiresAt === 0 ? 'persist' : 'expire'],
  expire: expiring,
  pexpire: expiring,
  expireat: expiring,
  pexpireat: expiring,
  rename: (_, { isDelete }) => [isDelete ? 'rename_from' : 'rename_to'],
  renamenx: (_, { isDelete }) => [isDelete ? 'rename_from' : 'rename_to'],
  move: (_, { isDelete }) => [isDelete ? 'move_from' : 'move_to'],
  bitop: storing('set'),
  sort: storing('sortstore'),
  sinterstore: storing('sinterstore'),
  sunionstore: storing('sunionstore'),
  sdiffstore: storing('sdiffstore'),
  zinterstore: storing('zinterstore'),
  zunionstore: storing('zunionstore'),
  zdiffstore: storing('zdiffstore'),
  zrangestore: storing('zrangestore'),
  geosearchstore: storing('geosearchstore'),
  georadius: storing('georadiusstore'),
  georadiusbymember: storing('georadiusstore'),
  smove: (call, change) => [isKeyAt(call, change, 1) ? 'srem' : 'sadd'],
  zadd: ({ arguments: found }) => {
    for (let place = 2; place < found.count - 2; place++) if (found.is(place, 'INCR')) return ['zincr']
    return ['zadd']
  },
  lmove: (call, change) => moved(call, change, end(call, 3), end(call, 4)),
  blmove: (call, change) => moved(call, change, end(call, 3), end(call, 4)),
  rpoplpush: (call, change) => moved(call, change, 'r', 'l'),
  brpoplpush: (call, change) => moved(call, change, 'r', 'l'),
  lmpop: (call) => [hasWord(call, 'LEFT') ? 'lpop' : 'rpop'],
  blmpop: (call) => [hasWord(call, 'LEFT') ? 'lpop' : 'rpop'],
  zmpop: (call) => [hasWord(call, 'MIN') ? 'zpopmin' : 'zpopmax'],
  bzmpop: (call) => [hasWord(call, 'MIN') ? 'zpopmin' : 'zpopmax'],
  xreadgroup: none,
  xack: none,
  xclaim: none,
  xautoclaim: none,
}

function isKeyAt({ arguments: found }: Call, { key }: NotedChange, place: number): boolean {
  return Buffer.compare(found.copy(place), key) === 0
}

function end({ arguments: found }: Call, place: number): 'l' | 'r' {
  return found.is(place, 'LEFT') ? 'l' : 'r'
}

/** An item taken from the list at argument 1 and given to that at argument 2. */
function moved(call: Call, change: NotedChange, from: 'l' | 'r', to: 'l' | 'r'): readonly string[] {
  const isSource = isKeyAt(call, change, 1)
  if (!isSource) return [`${to}push`]
  return isKeyAt(call, change, 2) ? [`${to}push`, `${from}pop`] : [`${from}pop`]
}

/** Whether one of the last arguments is a word: keys come before it, and a count may follow. */
function hasWord({ arguments: found }: Call, word: string): boolean {
  for (let place = found.count - 1; place >= Math.max(0, found.count - 3); place--)
    if (found.is(place, word)) return true
  return false
}
