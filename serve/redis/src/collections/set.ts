/** What the commands on sets do; their rows are in commands/sets.ts. A member is an element without a value. */

import { keysEndAt, scanCollection } from '../commands/collections.ts'
import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import { parseInteger } from '../protocol/numbers.ts'
import { latin1 } from '../protocol/text.ts'
import {
  type Collection,
  findCollection,
  flagLarge,
  flagNotIntegers,
  isSameKey,
  memberOf,
  newCollection,
  openCollection,
  readCollection,
  replaceWith,
  setTag,
} from './collection.ts'
import { elementHeadBytes } from './element-keys.ts'
import { forEachPlace, randomPlaces, replyRandom } from './random-places.ts'

/** What Redis keeps compactly while all members are integers, for OBJECT ENCODING. */
const compactMembersMax = 512
const noValue = new Uint8Array(0)

/** Adds a member; returns whether it is new. */
export function addMember(set: Collection, bytes: Uint8Array, start: number, end: number): boolean {
  if (set.get(bytes, start, end) !== undefined) return false
  set.put(bytes, start, end, noValue, 0, 0)
  set.length++
  if (set.length > compactMembersMax) set.flags |= flagLarge
  if (parseInteger(bytes, start, end) === undefined) set.flags |= flagNotIntegers
  return true
}

/** Takes a member away; returns whether it was there. */
export function removeMember(set: Collection, bytes: Uint8Array, start: number, end: number): boolean {
  if (set.get(bytes, start, end) === undefined) return false
  set.delete(bytes, start, end)
  set.length--
  return true
}

export function sadd(call: Call): void {
  const { arguments: found, reply } = call
  const set = openCollection(call, 1, setTag)
  let added = 0
  for (let place = 2; place < found.count; place++) {
    if (addMember(set, found.bytes, found.start(place), found.end(place))) added++
  }
  if (added > 0) set.save()
  reply.integer(added)
}

export function srem(call: Call): void {
  const { arguments: found, reply } = call
  const set = findCollection(call, 1, setTag)
  let removed = 0
  for (let place = 2; set !== undefined && place < found.count; place++) {
    if (removeMember(set, found.bytes, found.start(place), found.end(place))) removed++
  }
  if (removed > 0) set?.save()
  reply.integer(removed)
}

export function smove(call: Call): void {
  const { arguments: found, reply } = call
  const source = findCollection(call, 1, setTag)
  if (source === undefined) {
    reply.integer(0)
    return
  }
  const target = findCollection(call, 2, setTag)
  const { bytes } = found
  const start = found.start(3)
  const end = found.end(3)
  if (source.get(bytes, start, end) === undefined) {
    reply.integer(0)
    return
  }
  reply.integer(1)
  if (isSameKey(found, 1, 2)) return
  removeMember(source, bytes, start, end)
  source.save()
  const into = target ?? newCollection(call, found.copy(2), setTag)
  // A set that has it already has not changed, and nobody who watches it is told so.
  if (addMember(into, bytes, start, end)) into.save()
}

export function sismember(call: Call): void {
  call.reply.integer(isMember(call, readCollection(call, 1, setTag), 2))
}

export function smismember(call: Call): void {
  const { arguments: found, reply } = call
  const set = readCollection(call, 1, setTag)
  reply.array(found.count - 2)
  for (let place = 2; place < found.count; place++) reply.integer(isMember(call, set, place))
}

function isMember({ arguments: found }: Call, set: Collection | undefined, place: number): number {
  return set?.get(found.bytes, found.start(place), found.end(place)) === undefined ? 0 : 1
}

export function scard(call: Call): void {
  call.reply.integer(readCollection(call, 1, setTag)?.length ?? 0)
}

export function smembers(call: Call): void {
  const { reply } = call
  const set = readCollection(call, 1, setTag)
  reply.set(set?.length ?? 0)
  for (const { bytes, keyStart, keyBytes } of set?.records() ?? []) {
    reply.bulk(bytes, keyStart + elementHeadBytes, keyStart + keyBytes)
  }
}

export function spop(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 3) throw new CommandError(syntaxError)
  const outOfRange = 'ERR value is out of range, must be positive'
  const count = found.count === 2 ? undefined : numberAt(call, 2, outOfRange)
  if (count !== undefined && count < 0) throw new CommandError(outOfRange)
  const set = findCollection(call, 1, setTag)
  const members: Uint8Array[] = []
  if (set !== undefined) {
    forEachPlace(set, randomPlaces(call, set.length, count), (record) => void members.push(memberOf(record)))
    for (const member of members) removeMember(set, member, 0, member.length)
    if (members.length > 0) set.save()
  }
  if (count !== undefined) replyMembers(call, members)
  else if (members[0] === undefined) reply.null()
  else reply.bulk(members[0], 0, members[0].length)
}

export function srandmember(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 3) throw new CommandError(syntaxError)
  const count = found.count === 2 ? undefined : numberAt(call, 2)
  const set = readCollection(call, 1, setTag)
  replyRandom(call, set, set === undefined ? [] : randomPlaces(call, set.length, count), {
    isSingle: count === undefined,
    isPaired: false,
    encode: ({ bytes, keyStart, keyBytes }) => reply.bulk(bytes, keyStart + elementHeadBytes, keyStart + keyBytes),
  })
}

function replyMembers({ reply }: Call, members: readonly Uint8Array[]): void {
  reply.set(members.length)
  for (const member of members) reply.bulk(member, 0, member.length)
}

export type SetOperation = 'union' | 'intersection' | 'difference'

/** SINTER and its kin: keys from argument 1 on. */
export function combine(call: Call, operation: SetOperation): void {
  const sets = setsAt(call, 1, call.arguments.count)
  replyMembers(call, membersOf(operation, sets))
}

/** SINTERSTORE and its kin: the result's key, then the keys. */
export function combineInto(call: Call, operation: SetOperation): void {
  const { arguments: found, reply } = call
  const members = membersOf(operation, setsAt(call, 2, found.count))
  const target = newCollection(call, found.copy(1), setTag)
  for (const member of members) addMember(target, member, 0, member.length)
  replaceWith(call, target)
  reply.integer(members.length)
}

export function sintercard(call: Call): void {
  const { arguments: found, reply } = call
  const count = numberAt(call, 1, 'ERR numkeys should be greater than 0')
  if (count > found.count - 2) throw new CommandError("ERR Number of keys can't be greater than number of args")
  const end = keysEndAt(call, 1)
  let limit = 0
  for (let place = end; place < found.count; place += 2) {
    if (!found.is(place, 'LIMIT') || place + 1 === found.count) throw new CommandError(syntaxError)
    limit = numberAt(call, place + 1, "ERR LIMIT can't be negative")
    if (limit < 0) throw new CommandError("ERR LIMIT can't be negative")
  }
  const sets = setsAt(call, 2, end)
  reply.integer(membersOf('intersection', sets, limit === 0 ? Number.POSITIVE_INFINITY : limit).length)
}

function setsAt(call: Call, first: number, end: number): (Collection | undefined)[] {
  const sets: (Collection | undefined)[] = []
  for (let place = first; place < end; place++) sets.push(readCollection(call, place, setTag))
  return sets
}

function membersOf(
  operation: SetOperation,
  sets: readonly (Collection | undefined)[],
  limit: number = Number.POSITIVE_INFINITY,
): Uint8Array[] {
  if (operation === 'union') return unionOf(sets)
  if (operation === 'difference') {
    const [first, ...others] = sets
    return first === undefined ? [] : select(first, (member) => !others.some((set) => set?.has(member)), limit)
  }
  const present = sets.filter((set) => set !== undefined)
  if (present.length < sets.length) return []
  const [smallest, ...others] = present.sort((a, b) => a.length - b.length)
  return smallest === undefined ? [] : select(smallest, (member) => others.every((set) => set.has(member)), limit)
}

function select(set: Collection, isWanted: (member: Uint8Array) => boolean, limit: number): Uint8Array[] {
  const members: Uint8Array[] = []
  for (const record of set.records()) {
    if (members.length >= limit) break
    const member = memberOf(record)
    if (isWanted(member)) members.push(member)
  }
  return members
}

function unionOf(sets: readonly (Collection | undefined)[]): Uint8Array[] {
  const members = new Map<string, Uint8Array>()
  for (const set of sets) {
    for (const record of set?.records() ?? []) {
      const member = memberOf(record)
      members.set(latin1(member, 0, member.length), member)
    }
  }
  return [...members.values()]
}

export function sscan(call: Call): void {
  const { reply } = call
  scanCollection(call, setTag, (members) => {
    reply.array(members.length)
    for (const { member } of members) reply.bulk(member, 0, member.length)
  })
}
