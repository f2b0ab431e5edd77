/**
 * Commands that Redis has not, for what Redis has not: revisions, conditions on them, transactions in one command, ranges in order,
 * and states that were. What follows changes is in watch-commands.ts.
 *
 * A revision is the store's: every batch that changes user data has the next. In a transaction the revision of what it has
 * itself written is told as 0, since it has none yet.
 */

import {
  type Call,
  type Command,
  CommandError,
  type CommandSpec,
  lookUp,
  redisKeyspace,
  stringTag,
  syntaxError,
} from '../commands/command.ts'
import { expiresAt, expiryOptionAt, numberAt } from '../commands/options.ts'
import { writeOne } from '../commands/writes.ts'
import { Arguments } from '../protocol/arguments.ts'
import { runAtomically } from '../transaction.ts'
import { PastOwner } from './past-owner.ts'

const orbit = { group: 'orbit', categories: [], since: 'OrbitKV 0.1' } as const
const oneKey = (...flags: string[]) => [{ first: 1, last: 1, step: 1, flags }]

/** `find` finds a command by its full name, in small letters. */
export function orbitCommands(find: (name: string) => Command | undefined): readonly CommandSpec[] {
  return [
    {
      ...orbit,
      name: 'orbit.getrev',
      arity: 2,
      flags: ['readonly', 'fast'],
      keys: oneKey('RO', 'access'),
      complexity: 'O(1)',
      summary: 'The revision that last wrote a key, and its value: null where that is a collection.',
      syntax: 'key',
      run: getRevision,
    },
    {
      ...orbit,
      name: 'orbit.setifrev',
      arity: -4,
      flags: ['write', 'denyoom', 'fast'],
      keys: oneKey('RW', 'access', 'update'),
      complexity: 'O(1)',
      summary:
        'Sets a key if its revision is this one, 0 for none; answers the new revision, or null where it is another.',
      syntax: 'key revision value [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds]',
      run: setIfRevision,
    },
    {
      ...orbit,
      name: 'orbit.txn',
      arity: -4,
      flags: ['write', 'denyoom', 'noscript'],
      keys: [{ unknown: true, flags: ['RO', 'access'], find: (found, offset) => checkedPlaces(found, offset) }],
      complexity: 'Depends on the commands',
      summary:
        'Runs commands as one batch if every key has the revision given for it, 0 for none; answers their replies, or null where one has another. Each command has the number of its arguments ahead of it.',
      syntax: 'numkeys [key revision ...] numargs command [arg ...] [numargs command [arg ...] ...]',
      run: (call) => transact(call, find),
    },
    {
      ...orbit,
      name: 'orbit.range',
      arity: -3,
      flags: ['readonly'],
      keys: [{ unknown: true, flags: ['RO', 'access'] }],
      complexity: 'O(N) for N keys',
      summary:
        'Keys from one on and before another, in the order of their bytes, each with its value and revision; an empty end is the end of the database. 1,000 unless told otherwise.',
      syntax: 'start end [LIMIT count] [REVERSE]',
      run: range,
    },
    {
      ...orbit,
      name: 'orbit.at',
      arity: -3,
      flags: ['readonly', 'noscript'],
      complexity: 'Depends on the command',
      summary:
        'Runs a command that only reads in the state of a revision, or of a moment: @ and milliseconds since 1970. States are kept for an hour by default.',
      syntax: 'revision | @milliseconds command [arg ...]',
      run: (call) => readAt(call, find),
    },
  ]
}

function getRevision(call: Call): void {
  const { reply, server } = call
  const record = lookUp(call, 1)
  if (record === undefined) {
    server.stats.keyspaceMisses++
    reply.nullArray()
    return
  }
  server.stats.keyspaceHits++
  reply.array(2)
  reply.integer(record.revision)
  if (record.tag === stringTag) reply.bulk(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
  else reply.null()
}

function revisionAt(call: Call, place: number): number {
  const problem = 'ERR a revision is a whole number from 0 on'
  const revision = numberAt(call, place, problem)
  if (revision < 0) throw new CommandError(problem)
  return revision
}

function setIfRevision(call: Call): void {
  const { arguments: found, reply } = call
  const revision = revisionAt(call, 2)
  let until = 0
  if (found.count > 4) {
    const option = expiryOptionAt(call, 4)
    if (option === undefined || found.count !== 6) throw new CommandError(syntaxError)
    until = expiresAt(call, { ...option, place: 5 })
  }
  if ((lookUp(call, 1)?.revision ?? 0) !== revision) {
    reply.null()
    return
  }
  writeOne(call, 1, found.bytes, found.start(3), found.end(3), until)
  reply.integer(lookUp(call, 1)?.revision ?? 0)
}

/** The keys whose revisions ORBIT.TXN compares, counted from its name. */
function checkedPlaces(found: Arguments, offset: number): readonly number[] | 'any' {
  const count = Number(found.text(offset + 1))
  if (!Number.isInteger(count) || count < 0 || offset + 2 * count + 2 > found.count) return []
  return Array.from({ length: count }, (_, i) => 2 + 2 * i)
}

function transact(call: Call, find: (name: string) => Command | undefined): void {
  const { arguments: outer, executor, reply, isInTransaction } = call
  const checks = numberAt(call, 1)
  if (checks < 0 || 2 * checks + 2 >= outer.count) throw new CommandError(syntaxError)
  const commands = readCommands(call, 2 + 2 * checks, find)
  for (let i = 0; i < checks; i++) {
    const place = 2 + 2 * i
    const revision = revisionAt(call, place + 1)
    if ((lookUp(call, place)?.revision ?? 0) === revision) continue
    reply.nullArray()
    return
  }
  const start = reply.markPlace()
  call.isInTransaction = true
  try {
    runAtomically(call, () => {
      reply.array(commands.length)
      for (const { command, found } of commands) {
        reply.mark()
        call.arguments = found
        executor.runQueued(command, call)
      }
    })
  } finally {
    // If the batch is refused, all replies of it are taken back.
    reply.restoreMark(start)
    call.isInTransaction = isInTransaction
    call.arguments = outer
  }
}

interface Inner {
  readonly command: Command
  readonly found: Arguments
}

/** Commands from a place on, each behind the number of its arguments. All are read before the first is run. */
function readCommands(call: Call, first: number, find: (name: string) => Command | undefined): Inner[] {
  const { count } = call.arguments
  const commands: Inner[] = []
  for (let place = first; place < count; ) {
    const length = numberAt(call, place)
    if (length < 1 || place + 1 + length > count) throw new CommandError(syntaxError)
    commands.push(readCommand(call, place + 1, place + 1 + length, find))
    place += 1 + length
  }
  return commands
}

/** Commands that make no sense inside of another. */
const neverInside = new Set([
  'multi',
  'exec',
  'discard',
  'watch',
  'quit',
  'reset',
  'hello',
  'auth',
  'select',
  'orbit.txn',
  'orbit.at',
])

function readCommand(
  { arguments: outer }: Call,
  first: number,
  end: number,
  find: (name: string) => Command | undefined,
): Inner {
  const found = new Arguments()
  found.bytes = outer.bytes
  for (let place = first; place < end; place++) found.add(outer.start(place), outer.end(place))
  const name = found.text(0).toLowerCase()
  const named = find(name)
  const command =
    named?.byName === undefined || found.count < 2 ? named : find(`${name}|${found.text(1).toLowerCase()}`)
  if (command?.run === undefined) throw new CommandError(`ERR unknown command '${name.slice(0, 128)}'`)
  const { arity, fullName, flags } = command
  if (arity > 0 ? found.count !== arity : found.count < -arity) {
    throw new CommandError(`ERR wrong number of arguments for '${fullName}' command`)
  }
  if (neverInside.has(command.name) || flags.includes('noscript') || flags.includes('blocking')) {
    throw new CommandError(`ERR '${fullName}' cannot be run inside of another command`)
  }
  return { command, found }
}

const limitDefault = 1000

function range(call: Call): void {
  const { arguments: found, limits, owner, reply } = call
  let limit = limitDefault
  let isReverse = false
  for (let place = 3; place < found.count; place++) {
    if (found.is(place, 'REVERSE')) isReverse = true
    else if (found.is(place, 'LIMIT') && place + 1 < found.count) limit = numberAt(call, ++place)
    else throw new CommandError(syntaxError)
  }
  if (limit < 1) throw new CommandError(syntaxError)
  const end = found.copy(2)
  const bounds = { gte: found.copy(1), limit, reverse: isReverse, ...(end.length === 0 ? {} : { lt: end }) }
  const entries: { readonly key: Uint8Array; readonly value: Uint8Array | undefined; readonly revision: number }[] = []
  let bytesTaken = 0
  for (const { bytes, keyStart, keyBytes, valueStart, valueBytes, tag, revision } of owner.range(
    redisKeyspace,
    bounds,
  )) {
    const value = tag === stringTag ? bytes.slice(valueStart, valueStart + valueBytes) : undefined
    entries.push({ key: bytes.slice(keyStart, keyStart + keyBytes), value, revision })
    bytesTaken += keyBytes + valueBytes
    if (bytesTaken > limits.outputBytesMax) {
      throw new CommandError('ERR the range takes more than the reply limit (outputBytesMax); ask with a smaller LIMIT')
    }
  }
  reply.array(entries.length)
  for (const { key, value, revision } of entries) {
    reply.array(3)
    reply.bulk(key, 0, key.length)
    if (value === undefined) reply.null()
    else reply.bulk(value, 0, value.length)
    reply.integer(revision)
  }
}

function readAt(call: Call, find: (name: string) => Command | undefined): void {
  const { arguments: outer, databases, executor, isInTransaction, server, session } = call
  const at = stateAt(call)
  const { command, found } = readCommand(call, 2, outer.count, find)
  if (!command.flags.includes('readonly')) {
    throw new CommandError(`ERR ORBIT.AT runs commands that only read, and '${command.fullName}' is none`)
  }
  if (server.snapshot === undefined || isInTransaction) throw new CommandError('ERR past states cannot be read here')
  const { base } = databases
  const snapshot = server.snapshot(at)
  databases.base = new PastOwner(base, snapshot)
  call.isInTransaction = true
  call.arguments = found
  try {
    // Databases may have been exchanged since.
    databases.reread()
    databases.enter(call, session)
    executor.runQueued(command, call)
  } finally {
    snapshot.close()
    databases.base = base
    databases.reread()
    databases.enter(call, session)
    call.isInTransaction = isInTransaction
    call.arguments = outer
  }
}

function stateAt({ arguments: found }: Call): number | Date {
  const text = found.text(1)
  const isTime = text.startsWith('@')
  const value = /^@?\d{1,16}$/.test(text) ? Number(isTime ? text.slice(1) : text) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw new CommandError('ERR a state is a revision, or @ and milliseconds since 1970')
  return isTime ? new Date(value) : value
}
