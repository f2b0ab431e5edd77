/** Commands that change members of sorted sets one by one; their rows are in commands/sorted-sets.ts. */

import { keysEndAt, spanOf } from '../commands/collections.ts'
import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { doubleAt, numberAt } from '../commands/options.ts'
import { type Collection, findCollection, newCollection, sortedSetTag } from './collection.ts'
import { scoreOrder } from './element-keys.ts'
import { putScore, removeScored, type Scored, scoredIn, scoreOf } from './sorted-set.ts'
import {
  lexRangeAt,
  type MemberRange,
  membersByRank,
  membersIn,
  scoreRangeAt,
  wholeWindow,
} from './sorted-set-ranges.ts'

interface AddOptions {
  onlyNew: boolean
  onlyKnown: boolean
  onlyGreater: boolean
  onlyLess: boolean
  countsChanges: boolean
  increments: boolean
}

const plainOptions: Readonly<AddOptions> = {
  onlyNew: false,
  onlyKnown: false,
  onlyGreater: false,
  onlyLess: false,
  countsChanges: false,
  increments: false,
}

export function zadd(call: Call): void {
  const { arguments: found } = call
  const options = { ...plainOptions }
  let place = 2
  for (; place < found.count; place++) {
    if (found.is(place, 'NX')) options.onlyNew = true
    else if (found.is(place, 'XX')) options.onlyKnown = true
    else if (found.is(place, 'GT')) options.onlyGreater = true
    else if (found.is(place, 'LT')) options.onlyLess = true
    else if (found.is(place, 'CH')) options.countsChanges = true
    else if (found.is(place, 'INCR')) options.increments = true
    else break
  }
  const pairs = (found.count - place) / 2
  if (pairs < 1 || !Number.isInteger(pairs)) throw new CommandError(syntaxError)
  assertCompatible(options, pairs)
  add(call, options, place)
}

export function zincrby(call: Call): void {
  add(call, { ...plainOptions, increments: true }, 2)
}

function assertCompatible({ onlyNew, onlyKnown, onlyGreater, onlyLess, increments }: AddOptions, pairs: number): void {
  if (onlyNew && onlyKnown) throw new CommandError('ERR XX and NX options at the same time are not compatible')
  if ((onlyGreater && (onlyNew || onlyLess)) || (onlyLess && onlyNew)) {
    throw new CommandError('ERR GT, LT, and/or NX options at the same time are not compatible')
  }
  if (increments && pairs > 1) throw new CommandError('ERR INCR option supports a single increment-element pair')
}

/** Pairs of score and member from a place on. */
function add(call: Call, options: AddOptions, first: number): void {
  const { arguments: found, reply } = call
  const scores: number[] = []
  for (let place = first; place < found.count; place += 2) scores.push(doubleAt(call, place))
  const known = findCollection(call, 1, sortedSetTag)
  const set = known ?? newCollection(call, found.copy(1), sortedSetTag)
  let added = 0
  let changed = 0
  let result: number | undefined
  for (const [place, score] of scores.entries()) {
    const start = found.start(first + 2 * place + 1)
    const end = found.end(first + 2 * place + 1)
    const old = scoreOf(set, found.bytes, start, end)
    const next = nextScore(options, old, score)
    if (next === undefined) continue
    result = next
    if (old === next) continue
    if (old === undefined) added++
    else changed++
    putScore(set, found.bytes, start, end, next, old)
  }
  if (added + changed > 0) set.save()
  if (!options.increments) reply.integer(options.countsChanges ? added + changed : added)
  else if (result === undefined) reply.null()
  else reply.double(result)
}

/** The score that a member is to have; undefined where the options leave it as it is. */
function nextScore(options: AddOptions, old: number | undefined, score: number): number | undefined {
  if (old === undefined) return options.onlyKnown ? undefined : score
  if (options.onlyNew) return undefined
  const next = options.increments ? old + score : score
  if (Number.isNaN(next)) throw new CommandError('ERR resulting score is not a number (NaN)')
  if (options.onlyGreater && next <= old) return undefined
  return options.onlyLess && next >= old ? undefined : next
}

export function zrem(call: Call): void {
  const { arguments: found, reply } = call
  const set = findCollection(call, 1, sortedSetTag)
  let removed = 0
  for (let place = 2; set !== undefined && place < found.count; place++) {
    const score = scoreOf(set, found.bytes, found.start(place), found.end(place))
    if (score === undefined) continue
    removeScored(set, { member: found.copy(place), score })
    removed++
  }
  if (removed > 0) set?.save()
  reply.integer(removed)
}

export function zremrangebyscore(call: Call): void {
  removeRange(call, scoreRangeAt(call, 2, 3))
}

export function zremrangebylex(call: Call): void {
  removeRange(call, lexRangeAt(call, 2, 3))
}

function removeRange(call: Call, range: MemberRange): void {
  const set = findCollection(call, 1, sortedSetTag)
  removeAll(call, set, set === undefined ? [] : membersIn(set, range, wholeWindow))
}

export function zremrangebyrank(call: Call): void {
  const start = numberAt(call, 2)
  const stop = numberAt(call, 3)
  const set = findCollection(call, 1, sortedSetTag)
  if (set === undefined) {
    call.reply.integer(0)
    return
  }
  const { first, last } = spanOf(start, stop, set.length)
  removeAll(call, set, membersByRank(set, first, last, false))
}

function removeAll({ reply }: Call, set: Collection | undefined, members: readonly Scored[]): void {
  for (const member of members) removeScored(set as Collection, member)
  if (members.length > 0) set?.save()
  reply.integer(members.length)
}

/** Takes at most so many members from an end. */
export function popScored(set: Collection, fromHighest: boolean, most: number): Scored[] {
  const members: Scored[] = []
  for (const record of set.records(scoreOrder, { reverse: fromHighest, limit: most })) members.push(scoredIn(record))
  for (const member of members) removeScored(set, member)
  if (members.length > 0) set.save()
  return members
}

/** ZPOPMIN and ZPOPMAX. */
export function zpop(call: Call, fromHighest: boolean): void {
  const { arguments: found, reply } = call
  if (found.count > 3) throw new CommandError(syntaxError)
  const outOfRange = 'ERR value is out of range, must be positive'
  const hasCount = found.count === 3
  const count = hasCount ? numberAt(call, 2, outOfRange) : 1
  if (count < 0) throw new CommandError(outOfRange)
  const set = findCollection(call, 1, sortedSetTag)
  const members = set === undefined || count === 0 ? [] : popScored(set, fromHighest, count)
  const isNested = hasCount && reply.isVersion3
  reply.array(isNested ? members.length : members.length * 2)
  for (const { member, score } of members) {
    if (isNested) reply.array(2)
    reply.bulk(member, 0, member.length)
    reply.double(score)
  }
}

/** BZPOPMIN and BZPOPMAX: one member of the first sorted set that has one, with its key. */
export function takeScored(call: Call, firstKey: number, keysEnd: number, fromHighest: boolean): boolean {
  const { arguments: found, reply } = call
  for (let place = firstKey; place < keysEnd; place++) {
    const set = findCollection(call, place, sortedSetTag)
    if (set === undefined) continue
    reply.array(3)
    reply.bulk(found.bytes, found.start(place), found.end(place))
    for (const { member, score } of popScored(set, fromHighest, 1)) {
      reply.bulk(member, 0, member.length)
      reply.double(score)
    }
    return true
  }
  return false
}

/** ZMPOP, of whose keys those from one place to before another count; false, without a reply, where all are empty. */
export function zmpop(call: Call, countPlace: number, firstKey: number, keysEnd: number): boolean {
  const { arguments: found } = call
  const end = keysEndAt(call, countPlace)
  if (end >= found.count) throw new CommandError(syntaxError)
  const fromHighest = found.is(end, 'MAX')
  if (!fromHighest && !found.is(end, 'MIN')) throw new CommandError(syntaxError)
  const count = popCountAt(call, end + 1)
  for (let place = firstKey; place < keysEnd; place++) {
    const set = findCollection(call, place, sortedSetTag)
    if (set === undefined) continue
    const members = popScored(set, fromHighest, count)
    replyPopped(call, place, members)
    return true
  }
  return false
}

/** The option COUNT, alone behind all the others. */
export function popCountAt(call: Call, first: number): number {
  const { arguments: found } = call
  const problem = 'ERR count should be greater than 0'
  let count: number | undefined
  for (let place = first; place < found.count; place += 2) {
    if (count !== undefined || !found.is(place, 'COUNT') || place + 1 === found.count)
      throw new CommandError(syntaxError)
    count = numberAt(call, place + 1, problem)
    if (count < 1) throw new CommandError(problem)
  }
  return count ?? 1
}

function replyPopped({ arguments: found, reply }: Call, place: number, members: readonly Scored[]): void {
  reply.array(2)
  reply.bulk(found.bytes, found.start(place), found.end(place))
  reply.array(members.length)
  for (const { member, score } of members) {
    reply.array(2)
    reply.bulk(member, 0, member.length)
    reply.double(score)
  }
}

export function zmpopNow(call: Call): void {
  if (!zmpop(call, 1, 2, keysEndAt(call, 1))) call.reply.nullArray()
}
