/**
 * Makes a collection of the target what it is in the source, chunk by chunk, writing only what differs: hashes, sets and
 * sorted sets by their elements, lists by their places; streams: streams.ts.
 *
 * What must hold: where nothing changes the source meanwhile, both are equal afterwards. Commands asked of the source are
 * those that Redis has had since 2.8.
 */

import type { Clock } from '@orbitkv/runtime'
import type { Argument, Reply } from '../../targets/resp.ts'
import { valueProblem } from '../limits.ts'
import { listed, scanned } from './chunks.ts'
import type { Door } from './door.ts'
import { syncStream } from './streams.ts'

export interface CollectionPair {
  readonly source: Door
  readonly target: Door
  readonly key: Uint8Array
  /** Whether the target has the collection already. */
  readonly isThere: boolean
  readonly elementBytesMax: number
  readonly clock: Clock
}

export interface CollectionOutcome {
  readonly hasChanged: boolean
  /** Whether what the target had, its time of expiry with it, was deleted first. */
  readonly isAnew?: boolean
  /** Why it cannot be taken over; the target may have a part of it then. */
  readonly problem?: string
}

/** By the names that TYPE gives. */
export const collectionTypes: Readonly<Record<string, (pair: CollectionPair) => Promise<CollectionOutcome>>> = {
  hash: (pair) => syncElements(pair, hash),
  set: (pair) => syncElements(pair, set),
  zset: (pair) => syncElements(pair, sortedSet),
  list: syncList,
  stream: syncStream,
}

/** How the elements of one type are asked for and written. */
interface Elements {
  readonly scan: string
  /** Items of a scan for each element: the element, and what belongs to it. */
  readonly width: 1 | 2
  /** What the target has of each of several elements. */
  readonly look: string
  /** Whether that is what the source has. */
  readonly isSame: (own: Reply, item: Uint8Array) => boolean
  readonly add: string
  readonly arguments: (element: Uint8Array, item: Uint8Array) => readonly Argument[]
  readonly count: string
  readonly remove: string
  /** Asks for one element; the answer is null or 0 where there is none. */
  readonly has: string
}

const hash: Elements = {
  scan: 'HSCAN',
  width: 2,
  look: 'HMGET',
  isSame: (own, value) => own instanceof Uint8Array && Buffer.compare(own, value) === 0,
  add: 'HSET',
  arguments: (field, value) => [field, value],
  count: 'HLEN',
  remove: 'HDEL',
  has: 'HEXISTS',
}

const set: Elements = {
  scan: 'SSCAN',
  width: 1,
  look: 'SMISMEMBER',
  isSame: (own) => own === 1,
  add: 'SADD',
  arguments: (member) => [member],
  count: 'SCARD',
  remove: 'SREM',
  has: 'SISMEMBER',
}

const sortedSet: Elements = {
  scan: 'ZSCAN',
  width: 2,
  look: 'ZMSCORE',
  isSame: (own, score) => own instanceof Uint8Array && scoreOf(own) === scoreOf(score),
  add: 'ZADD',
  arguments: (member, score) => [score, member],
  count: 'ZCARD',
  remove: 'ZREM',
  has: 'ZSCORE',
}

function scoreOf(text: Uint8Array): number {
  const shown = Buffer.from(text).toString('latin1')
  if (shown === 'inf') return Number.POSITIVE_INFINITY
  return shown === '-inf' ? Number.NEGATIVE_INFINITY : Number(shown)
}

async function syncElements(pair: CollectionPair, elements: Elements): Promise<CollectionOutcome> {
  const { source, target, key, isThere, elementBytesMax } = pair
  let hasChanged = false
  for await (const items of scanned(source, elements.scan, key)) {
    const problem = elementProblem(items, elementBytesMax)
    if (problem !== undefined) return { hasChanged, problem }
    const named = items.filter((_, place) => place % elements.width === 0)
    const own = isThere ? await target.list(elements.look, key, ...named) : []
    const differing = named.flatMap((element, place) => {
      const item = items[place * elements.width + elements.width - 1] as Uint8Array
      const ownItem = own[place]
      return ownItem !== undefined && elements.isSame(ownItem, item) ? [] : elements.arguments(element, item)
    })
    if (differing.length === 0) continue
    await target.call(elements.add, key, ...differing)
    hasChanged = true
  }
  if (isThere && (await removeOthers(pair, elements))) hasChanged = true
  return { hasChanged }
}

/** Takes elements out of the target that the source does not have; all that the source has are in it. */
async function removeOthers({ source, target, key }: CollectionPair, elements: Elements): Promise<boolean> {
  const [count, ownCount] = await Promise.all([source.number(elements.count, key), target.number(elements.count, key)])
  if (ownCount <= count) return false
  let hasChanged = false
  for await (const items of scanned(target, elements.scan, key)) {
    const named = items.filter((_, place) => place % elements.width === 0)
    const found = await Promise.all(named.map((element) => source.call(elements.has, key, element)))
    const others = named.filter((_, place) => found[place] === 0 || found[place] === null)
    if (others.length === 0) continue
    await target.call(elements.remove, key, ...others)
    hasChanged = true
  }
  return hasChanged
}

async function syncList({ source, target, key, isThere, elementBytesMax }: CollectionPair): Promise<CollectionOutcome> {
  let isEqualSoFar = isThere
  let isAnew = false
  let length = 0
  for await (const { place, items } of listed(source, key, 0)) {
    const problem = elementProblem(items, elementBytesMax)
    if (problem !== undefined) return { hasChanged: true, problem }
    length = place + items.length
    const own = isEqualSoFar ? await target.many('LRANGE', key, String(place), String(length - 1)) : []
    const firstOther = items.findIndex((item, index) => {
      const ownItem = own[index]
      return ownItem === undefined || Buffer.compare(ownItem, item) !== 0
    })
    if (firstOther < 0) continue
    if (isEqualSoFar) isAnew = await cutList(target, key, place + firstOther)
    isEqualSoFar = false
    await target.call('RPUSH', key, ...items.slice(firstOther))
  }
  if (!isEqualSoFar) return { hasChanged: length > 0, isAnew }
  if ((await target.number('LLEN', key)) <= length) return { hasChanged: false }
  await cutList(target, key, length)
  return { hasChanged: true }
}

/** Keeps the first items of a list; tells whether that is none of them, so that there is no list any more. */
async function cutList(target: Door, key: Uint8Array, items: number): Promise<boolean> {
  await (items === 0 ? target.call('DEL', key) : target.call('LTRIM', key, '0', String(items - 1)))
  return items === 0
}

function elementProblem(items: readonly Uint8Array[], bytesMax: number): string | undefined {
  const bytes = items.reduce((most, item) => Math.max(most, item.length), 0)
  return valueProblem(bytes, bytesMax)?.replace('the value', 'an element')
}
