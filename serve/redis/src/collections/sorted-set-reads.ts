/** Commands that read sorted sets, and ZRANGESTORE; their rows are in commands/sorted-sets.ts. */

import { scanCollection, spanOf } from '../commands/collections.ts'
import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import { formatDouble } from '../protocol/doubles.ts'
import { type Collection, memberOf, newCollection, readCollection, replaceWith, sortedSetTag } from './collection.ts'
import { randomPlaces, replyRandom } from './random-places.ts'
import { putScore, type Scored, scoreIn, scoreOf } from './sorted-set.ts'
import {
  countIn,
  lexRangeAt,
  type MemberRange,
  membersByRank,
  membersIn,
  rankOf,
  scoreRangeAt,
  type Window,
} from './sorted-set-ranges.ts'

export function zcard(call: Call): void {
  call.reply.integer(readCollection(call, 1, sortedSetTag)?.length ?? 0)
}

export function zcount(call: Call): void {
  replyCount(call, scoreRangeAt(call, 2, 3))
}

export function zlexcount(call: Call): void {
  replyCount(call, lexRangeAt(call, 2, 3))
}

function replyCount(call: Call, range: MemberRange): void {
  const set = readCollection(call, 1, sortedSetTag)
  call.reply.integer(set === undefined ? 0 : countIn(set, range))
}

export function zscore(call: Call): void {
  replyScore(call, readCollection(call, 1, sortedSetTag), 2)
}

export function zmscore(call: Call): void {
  const { arguments: found, reply } = call
  const set = readCollection(call, 1, sortedSetTag)
  reply.array(found.count - 2)
  for (let place = 2; place < found.count; place++) replyScore(call, set, place)
}

function replyScore({ arguments: found, reply }: Call, set: Collection | undefined, place: number): void {
  const score = set === undefined ? undefined : scoreOf(set, found.bytes, found.start(place), found.end(place))
  if (score === undefined) reply.null()
  else reply.double(score)
}

export function zrank(call: Call, isReverse: boolean): void {
  const { arguments: found, reply } = call
  const set = readCollection(call, 1, sortedSetTag)
  const score = set === undefined ? undefined : scoreOf(set, found.bytes, found.start(2), found.end(2))
  if (set === undefined || score === undefined) reply.null()
  else reply.integer(rankOf(set, { member: found.copy(2), score }, isReverse))
}

type By = 'rank' | 'score' | 'lex'

interface RangeOptions {
  by: By
  isReverse: boolean
  withScores: boolean
  offset: number
  count: number
  hasLimit: boolean
}

/** ZRANGE and the commands that came before its options: the key is at `keyPlace`, its two ends follow. */
export function zrange(call: Call, by: By | undefined, isReverse: boolean): void {
  const options = rangeOptions(call, 4, by, isReverse, false)
  const members = rangeAt(call, 1, options)
  replyScored(call, members, options.withScores)
}

export function zrangestore(call: Call): void {
  const { arguments: found, reply } = call
  const options = rangeOptions(call, 5, undefined, false, true)
  const members = rangeAt(call, 2, options)
  storeScored(call, found.copy(1), members)
  reply.integer(members.length)
}

function rangeOptions(
  call: Call,
  first: number,
  by: By | undefined,
  isReverse: boolean,
  stores: boolean,
): RangeOptions {
  const { arguments: found } = call
  const options: RangeOptions = {
    by: by ?? 'rank',
    isReverse,
    withScores: false,
    offset: 0,
    count: -1,
    hasLimit: false,
  }
  const isOpen = by === undefined
  for (let place = first; place < found.count; place++) {
    if (!stores && found.is(place, 'WITHSCORES')) options.withScores = true
    else if (found.is(place, 'LIMIT') && place + 2 < found.count) {
      options.hasLimit = true
      options.offset = numberAt(call, ++place)
      options.count = numberAt(call, ++place)
    } else if (isOpen && !isReverse && found.is(place, 'REV')) options.isReverse = true
    else if (isOpen && found.is(place, 'BYLEX')) options.by = 'lex'
    else if (isOpen && found.is(place, 'BYSCORE')) options.by = 'score'
    else throw new CommandError(syntaxError)
  }
  if (options.hasLimit && options.count !== -1 && options.by === 'rank') {
    throw new CommandError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
  }
  if (options.withScores && options.by === 'lex') {
    throw new CommandError('ERR syntax error, WITHSCORES not supported in combination with BYLEX')
  }
  return options
}

function rangeAt(call: Call, keyPlace: number, options: RangeOptions): Scored[] {
  const { by, isReverse } = options
  const low = keyPlace + (isReverse && by !== 'rank' ? 2 : 1)
  const high = keyPlace + (isReverse && by !== 'rank' ? 1 : 2)
  if (by === 'rank') {
    const start = numberAt(call, low)
    const stop = numberAt(call, high)
    const set = readCollection(call, keyPlace, sortedSetTag)
    if (set === undefined) return []
    const { first, last } = spanOf(start, stop, set.length)
    return membersByRank(set, first, last, isReverse)
  }
  const range = by === 'score' ? scoreRangeAt(call, low, high) : lexRangeAt(call, low, high)
  const set = readCollection(call, keyPlace, sortedSetTag)
  const window: Window = { isReverse, offset: options.offset, count: options.count }
  return set === undefined ? [] : membersIn(set, range, window)
}

export function replyScored({ reply }: Call, members: readonly Scored[], withScores: boolean): void {
  const isNested = withScores && reply.isVersion3
  reply.array(withScores && !isNested ? members.length * 2 : members.length)
  for (const { member, score } of members) {
    if (isNested) reply.array(2)
    reply.bulk(member, 0, member.length)
    if (withScores) reply.double(score)
  }
}

/** Makes a new sorted set of members that are all different, over whatever stands under the key. */
export function storeScored(call: Call, key: Uint8Array, members: readonly Scored[]): void {
  const target = newCollection(call, key, sortedSetTag)
  for (const { member, score } of members) putScore(target, member, 0, member.length, score, undefined)
  replaceWith(call, target)
}

export function zrandmember(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 4) throw new CommandError(syntaxError)
  const withScores = found.count === 4
  if (withScores && !found.is(3, 'WITHSCORES')) throw new CommandError(syntaxError)
  const count = found.count === 2 ? undefined : numberAt(call, 2)
  const set = readCollection(call, 1, sortedSetTag)
  replyRandom(call, set, set === undefined ? [] : randomPlaces(call, set.length, count), {
    isSingle: count === undefined,
    isPaired: withScores,
    encode: (record) => {
      const member = memberOf(record)
      if (withScores && reply.isVersion3) reply.array(2)
      reply.bulk(member, 0, member.length)
      if (withScores) reply.double(scoreIn(record))
    },
  })
}

export function zscan(call: Call): void {
  const { reply } = call
  scanCollection(call, sortedSetTag, (members, set) => {
    reply.array(members.length * 2)
    for (const { member } of members) {
      reply.bulk(member, 0, member.length)
      reply.bulkText(formatDouble(scoreOf(set as Collection, member, 0, member.length) ?? 0))
    }
  })
}
