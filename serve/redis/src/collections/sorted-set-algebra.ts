/** ZUNION, ZINTER, ZDIFF, with and without STORE, and ZINTERCARD: over sorted sets, and sets whose members count as 1. */

import { compareBytes } from '@orbitkv/bytes'
import { keysEndAt } from '../commands/collections.ts'
import { type Call, CommandError, redisKeyspace, syntaxError, wrongType } from '../commands/command.ts'
import { doubleAt, numberAt } from '../commands/options.ts'
import { latin1 } from '../protocol/text.ts'
import { type Collection, collectionIn, memberOf, setTag, sortedSetTag } from './collection.ts'
import type { SetOperation } from './set.ts'
import { type Scored, scoreIn } from './sorted-set.ts'
import { replyScored, storeScored } from './sorted-set-reads.ts'

type Aggregate = 'sum' | 'min' | 'max'

interface Source {
  readonly set: Collection | undefined
  weight: number
}

interface Plan {
  readonly operation: SetOperation
  readonly sources: readonly Source[]
  aggregate: Aggregate
  withScores: boolean
}

/** ZUNION and its kin; `stores`: the result's key is argument 1, and the number of keys argument 2. */
export function combineScored(call: Call, operation: SetOperation, stores: boolean): void {
  const plan = planAt(call, operation, stores ? 2 : 1, stores)
  const members = sorted(resultOf(plan))
  if (!stores) {
    replyScored(call, members, plan.withScores)
    return
  }
  storeScored(call, call.arguments.copy(1), members)
  call.reply.integer(members.length)
}

export function zintercard(call: Call): void {
  const { arguments: found, reply } = call
  const end = inputKeysEnd(call, 1)
  const sources = sourcesAt(call, 2, end)
  let limit = 0
  for (let place = end; place < found.count; place += 2) {
    if (!found.is(place, 'LIMIT') || place + 1 === found.count) throw new CommandError(syntaxError)
    limit = numberAt(call, place + 1, "ERR LIMIT can't be negative")
    if (limit < 0) throw new CommandError("ERR LIMIT can't be negative")
  }
  const { length } = resultOf({ operation: 'intersection', sources, aggregate: 'sum', withScores: false })
  reply.integer(limit === 0 ? length : Math.min(limit, length))
}

function planAt(call: Call, operation: SetOperation, countPlace: number, stores: boolean): Plan {
  const { arguments: found } = call
  const end = inputKeysEnd(call, countPlace)
  const plan: Plan = { operation, sources: sourcesAt(call, countPlace + 1, end), aggregate: 'sum', withScores: false }
  const hasWeights = operation !== 'difference'
  for (let place = end; place < found.count; place++) {
    const more = found.count - 1 - place
    if (hasWeights && found.is(place, 'WEIGHTS') && more >= plan.sources.length) {
      for (const source of plan.sources) source.weight = doubleAt(call, ++place, 'ERR weight value is not a float')
    } else if (hasWeights && found.is(place, 'AGGREGATE') && more >= 1) plan.aggregate = aggregateAt(call, ++place)
    else if (!stores && found.is(place, 'WITHSCORES')) plan.withScores = true
    else throw new CommandError(syntaxError)
  }
  return plan
}

function inputKeysEnd(call: Call, countPlace: number): number {
  if (numberAt(call, countPlace) >= 1) return keysEndAt(call, countPlace)
  throw new CommandError(`ERR at least 1 input key is needed for '${call.session.lastCommand?.fullName}' command`)
}

function aggregateAt({ arguments: found }: Call, place: number): Aggregate {
  if (found.is(place, 'SUM')) return 'sum'
  if (found.is(place, 'MIN')) return 'min'
  if (found.is(place, 'MAX')) return 'max'
  throw new CommandError(syntaxError)
}

function sourcesAt(call: Call, first: number, end: number): Source[] {
  const { arguments: found, collections } = call
  const sources: Source[] = []
  for (let place = first; place < end; place++) {
    const record = collections.pending.get(redisKeyspace, found.bytes, found.start(place), found.end(place))
    if (record !== undefined && record.tag !== setTag && record.tag !== sortedSetTag) throw new CommandError(wrongType)
    const set = record === undefined ? undefined : collectionIn(call, record, found.copy(place))
    sources.push({ set, weight: 1 })
  }
  return sources
}

function resultOf(plan: Plan): Scored[] {
  const { operation, sources } = plan
  const [first, ...others] = sources
  if (first === undefined) return []
  if (operation === 'union') return unionOf(plan)
  if (operation === 'difference') {
    return membersOf(first).filter(({ member }) => !others.some(({ set }) => set?.has(member)))
  }
  if (sources.some(({ set }) => set === undefined)) return []
  // The smallest first: what is not in it need not be looked for elsewhere.
  const [smallest, ...larger] = [...sources].sort((a, b) => (a.set?.length ?? 0) - (b.set?.length ?? 0))
  const members: Scored[] = []
  for (const { member, score } of membersOf(smallest as Source)) {
    let sum: number | undefined = score
    for (const source of larger) {
      const other = weightedScore(source, member)
      sum = other === undefined || sum === undefined ? undefined : aggregated(plan.aggregate, sum, other)
    }
    if (sum !== undefined) members.push({ member, score: sum })
  }
  return members
}

function unionOf({ sources, aggregate }: Plan): Scored[] {
  const members = new Map<string, Scored>()
  for (const source of sources) {
    for (const { member, score } of membersOf(source)) {
      const text = latin1(member, 0, member.length)
      const known = members.get(text)
      members.set(text, { member, score: known === undefined ? score : aggregated(aggregate, known.score, score) })
    }
  }
  return [...members.values()]
}

function membersOf({ set, weight }: Source): Scored[] {
  const members: Scored[] = []
  for (const record of set?.records() ?? []) {
    const score = set?.tag === setTag ? 1 : scoreIn(record)
    members.push({ member: memberOf(record), score: weighted(score, weight) })
  }
  return members
}

function weightedScore({ set, weight }: Source, member: Uint8Array): number | undefined {
  const record = set?.get(member, 0, member.length)
  if (record === undefined) return undefined
  return weighted(set?.tag === setTag ? 1 : scoreIn(record), weight)
}

/** Infinity times nothing is nothing, as in Redis. */
function weighted(score: number, weight: number): number {
  const product = score * weight
  return Number.isNaN(product) ? 0 : product
}

/** Opposite infinities make nothing, as in Redis. */
function aggregated(aggregate: Aggregate, a: number, b: number): number {
  if (aggregate === 'min') return Math.min(a, b)
  if (aggregate === 'max') return Math.max(a, b)
  const sum = a + b
  return Number.isNaN(sum) ? 0 : sum
}

function sorted(members: Scored[]): Scored[] {
  return members.sort((a, b) =>
    a.score === b.score
      ? compareBytes(a.member, 0, a.member.length, b.member, 0, b.member.length)
      : a.score < b.score
        ? -1
        : 1,
  )
}
