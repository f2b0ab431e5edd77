/**
 * What the commands on places do; their rows are in commands/geo.ts. Places are a sorted set whose scores are places
 * (protocol/geohash.ts): what reads sorted sets reads them, too.
 *
 * What must hold: a search looks at no more members than lie in the cells around what is asked for.
 */

import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { doubleAt, numberAt } from '../commands/options.ts'
import {
  cellsAround,
  geohashOf,
  latitudeMax,
  latitudeMetres,
  longitudeMax,
  metresBetween,
  type Place,
  placeOfScore,
  scoreOfPlace,
} from '../protocol/geohash.ts'
import type { Reply } from '../protocol/reply.ts'
import { type Collection, findCollection, newCollection, readCollection, sortedSetTag } from './collection.ts'
import { putScore, type Scored, scoreOf } from './sorted-set.ts'
import { membersIn, wholeWindow } from './sorted-set-ranges.ts'
import { storeScored } from './sorted-set-reads.ts'

export function geoadd(call: Call): void {
  const { arguments: found, reply } = call
  let first = 2
  let onlyNew = false
  let onlyKnown = false
  let countsChanges = false
  for (; first < found.count; first++) {
    if (found.is(first, 'NX')) onlyNew = true
    else if (found.is(first, 'XX')) onlyKnown = true
    else if (found.is(first, 'CH')) countsChanges = true
    else break
  }
  const count = (found.count - first) / 3
  if (count < 1 || !Number.isInteger(count) || (onlyNew && onlyKnown)) throw new CommandError(syntaxError)
  const scores = Array.from({ length: count }, (_, i) => scoreOfPlace(placeAt(call, first + 3 * i)))
  const set = findCollection(call, 1, sortedSetTag) ?? newCollection(call, found.copy(1), sortedSetTag)
  let added = 0
  let moved = 0
  for (const [i, score] of scores.entries()) {
    const start = found.start(first + 3 * i + 2)
    const end = found.end(first + 3 * i + 2)
    const old = scoreOf(set, found.bytes, start, end)
    if (old === score || (old === undefined ? onlyKnown : onlyNew)) continue
    if (old === undefined) added++
    else moved++
    putScore(set, found.bytes, start, end, score, old)
  }
  if (added + moved > 0) set.save()
  reply.integer(countsChanges ? added + moved : added)
}

function placeAt(call: Call, at: number): Place {
  const longitude = doubleAt(call, at)
  const latitude = doubleAt(call, at + 1)
  if (Math.abs(longitude) <= longitudeMax && Math.abs(latitude) <= latitudeMax) return { longitude, latitude }
  throw new CommandError(`ERR invalid longitude,latitude pair ${sixDigits(longitude)},${sixDigits(latitude)}`)
}

/** As `%f` of C: JavaScript alone drops the sign of a zero. */
function sixDigits(value: number): string {
  return Object.is(value, -0) ? '-0.000000' : value.toFixed(6)
}

function placeOfMember({ arguments: found }: Call, set: Collection | undefined, at: number): Place | undefined {
  const score = set === undefined ? undefined : scoreOf(set, found.bytes, found.start(at), found.end(at))
  return score === undefined ? undefined : placeOfScore(score)
}

/** Something for each member from argument 2 on. */
function replyEach(call: Call, encode: (place: Place | undefined) => void): void {
  const set = readCollection(call, 1, sortedSetTag)
  call.reply.array(call.arguments.count - 2)
  for (let at = 2; at < call.arguments.count; at++) encode(placeOfMember(call, set, at))
}

export function geopos(call: Call): void {
  const { reply } = call
  replyEach(call, (place) => {
    if (place === undefined) reply.nullArray()
    else replyPlace(reply, place)
  })
}

export function geohash(call: Call): void {
  const { reply } = call
  replyEach(call, (place) => {
    if (place === undefined) reply.null()
    else reply.bulkText(geohashOf(place))
  })
}

function replyPlace(reply: Reply, { longitude, latitude }: Place): void {
  reply.array(2)
  for (const degrees of [longitude, latitude]) {
    // Redis writes all digits that it has, and no more zeros than it needs.
    reply.doubleText(degrees.toFixed(17).replace(/\.?0+$/, ''))
  }
}

export function geodist(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 5) throw new CommandError(syntaxError)
  const unitMetres = found.count === 5 ? unitAt(call, 4) : 1
  const set = readCollection(call, 1, sortedSetTag)
  const from = placeOfMember(call, set, 2)
  const to = placeOfMember(call, set, 3)
  if (from === undefined || to === undefined) reply.null()
  else reply.bulkText((metresBetween(from, to) / unitMetres).toFixed(4))
}

/** The metres of a unit. */
function unitAt({ arguments: found }: Call, at: number): number {
  if (found.is(at, 'M')) return 1
  if (found.is(at, 'KM')) return 1000
  if (found.is(at, 'FT')) return 0.3048
  if (found.is(at, 'MI')) return 1609.34
  throw new CommandError('ERR unsupported unit provided. please use M, KM, FT, MI')
}

/** A circle, or a box whose sides go along meridians and parallels. */
interface Shape {
  readonly kind: 'circle' | 'box'
  /** Of a circle the radius, both times. */
  readonly halfWidthMetres: number
  readonly halfHeightMetres: number
  /** Of the unit that distances are told in. */
  readonly unitMetres: number
}

function circleAt(call: Call, at: number): Shape {
  const radius = doubleAt(call, at, 'ERR need numeric radius')
  if (radius < 0) throw new CommandError('ERR radius cannot be negative')
  const unitMetres = unitAt(call, at + 1)
  const metres = radius * unitMetres
  return { kind: 'circle', halfWidthMetres: metres, halfHeightMetres: metres, unitMetres }
}

function boxAt(call: Call, at: number): Shape {
  const width = doubleAt(call, at, 'ERR need numeric width')
  const height = doubleAt(call, at + 1, 'ERR need numeric height')
  if (width < 0 || height < 0) throw new CommandError('ERR height or width cannot be negative')
  const unitMetres = unitAt(call, at + 2)
  return {
    kind: 'box',
    halfWidthMetres: (width * unitMetres) / 2,
    halfHeightMetres: (height * unitMetres) / 2,
    unitMetres,
  }
}

/** Metres from the middle; undefined for what lies outside. */
function metresWithin(shape: Shape, middle: Place, place: Place): number | undefined {
  if (shape.kind === 'box') {
    if (latitudeMetres(place.latitude, middle.latitude) > shape.halfHeightMetres) return undefined
    const alongParallel = metresBetween(place, { longitude: middle.longitude, latitude: place.latitude })
    return alongParallel > shape.halfWidthMetres ? undefined : metresBetween(middle, place)
  }
  const metres = metresBetween(middle, place)
  return metres > shape.halfWidthMetres ? undefined : metres
}

interface Search {
  /** Undefined where the set is not there, so that its member has no place. */
  middle: Place | undefined
  from: From | undefined
  shape: Shape | undefined
  order: 'none' | 'asc' | 'desc'
  /** 0: all. */
  count: number
  /** The first that are found, not the nearest. */
  isAny: boolean
  withDistance: boolean
  withScore: boolean
  withPlace: boolean
  /** Argument that names the key to store under. */
  storePlace: number | undefined
  storesDistance: boolean
}

/** What the middle of a search is told by. */
type From = 'place' | 'member'

const emptySearch: Readonly<Search> = {
  middle: undefined,
  from: undefined,
  shape: undefined,
  order: 'none',
  count: 0,
  isAny: false,
  withDistance: false,
  withScore: false,
  withPlace: false,
  storePlace: undefined,
  storesDistance: false,
}

export function geosearch(call: Call): void {
  const set = readCollection(call, 1, sortedSetTag)
  const search: Search = { ...emptySearch }
  readOptions(call, 2, (at) => searchOptionAt(call, at, set, search), search)
  assertWhole(call, search, true)
  answer(call, set, search)
}

export function geosearchstore(call: Call): void {
  const { arguments: found } = call
  const set = readCollection(call, 2, sortedSetTag)
  const search: Search = { ...emptySearch, storePlace: 1 }
  const own = (at: number): number => {
    if (!found.is(at, 'STOREDIST')) return searchOptionAt(call, at, set, search)
    search.storesDistance = true
    return 1
  }
  readOptions(call, 3, own, search)
  assertWhole(call, search, true)
  answer(call, set, search)
}

/** GEORADIUS and its kin: the middle and the radius come first. */
export function georadius(call: Call, from: From, mayStore: boolean): void {
  const { arguments: found } = call
  const set = readCollection(call, 1, sortedSetTag)
  const search: Search = { ...emptySearch, from }
  const radiusPlace = from === 'place' ? 4 : 3
  if (from === 'place') search.middle = placeAt(call, 2)
  else if (set !== undefined) search.middle = knownPlaceAt(call, set, 2)
  // As in Redis: without a set to find the member in, its radius is not looked at.
  if (from === 'place' || set !== undefined) search.shape = circleAt(call, radiusPlace)
  const own = (at: number): number => {
    const isDistance = found.is(at, 'STOREDIST')
    if (!mayStore || at + 1 >= found.count || !(isDistance || found.is(at, 'STORE'))) return 0
    search.storePlace = at + 1
    search.storesDistance = isDistance
    return 2
  }
  readOptions(call, radiusPlace + 2, own, search)
  assertWhole(call, search, false)
  answer(call, set, search)
}

/** The key that GEORADIUS stores under: the last one that is named. */
export function keyOfRadiusStore(found: Call['arguments'], offset: number, radiusPlace: number): number[] {
  let stored: number | undefined
  for (let at = radiusPlace + 2; at + offset + 1 < found.count; at++) {
    if (found.is(at + offset, 'STORE') || found.is(at + offset, 'STOREDIST')) stored = ++at
  }
  return stored === undefined ? [] : [stored]
}

function knownPlaceAt(call: Call, set: Collection, at: number): Place {
  const place = placeOfMember(call, set, at)
  if (place === undefined) throw new CommandError('ERR could not decode requested zset member')
  return place
}

/** The options that all have; `own` reads one of the others and returns how many arguments it took, 0 if it knows none there. */
function readOptions(call: Call, first: number, own: (at: number) => number, search: Search): void {
  const { arguments: found } = call
  for (let at = first; at < found.count; at++) {
    if (found.is(at, 'WITHDIST')) search.withDistance = true
    else if (found.is(at, 'WITHHASH')) search.withScore = true
    else if (found.is(at, 'WITHCOORD')) search.withPlace = true
    else if (found.is(at, 'ANY')) search.isAny = true
    else if (found.is(at, 'ASC')) search.order = 'asc'
    else if (found.is(at, 'DESC')) search.order = 'desc'
    else if (found.is(at, 'COUNT') && at + 1 < found.count) {
      search.count = numberAt(call, ++at)
      if (search.count <= 0) throw new CommandError('ERR COUNT must be > 0')
    } else {
      const taken = own(at)
      if (taken === 0) throw new CommandError(syntaxError)
      at += taken - 1
    }
  }
}

function searchOptionAt(call: Call, at: number, set: Collection | undefined, search: Search): number {
  const { arguments: found } = call
  const follow = found.count - at - 1
  const { from, shape } = search
  if (found.is(at, 'FROMMEMBER') && follow >= 1 && from !== 'place') {
    // Where there is no set there is no place, and the search finds nothing.
    if (set !== undefined) search.middle = knownPlaceAt(call, set, at + 1)
    search.from = 'member'
    return 2
  }
  if (found.is(at, 'FROMLONLAT') && follow >= 2 && from !== 'member') {
    search.middle = placeAt(call, at + 1)
    search.from = 'place'
    return 3
  }
  if (found.is(at, 'BYRADIUS') && follow >= 2 && shape?.kind !== 'box') {
    search.shape = circleAt(call, at + 1)
    return 3
  }
  if (found.is(at, 'BYBOX') && follow >= 3 && shape?.kind !== 'circle') {
    search.shape = boxAt(call, at + 1)
    return 4
  }
  return 0
}

function assertWhole(call: Call, { from, shape, isAny, count, storePlace, ...told }: Search, isSearch: boolean): void {
  if (storePlace !== undefined && (told.withDistance || told.withScore || told.withPlace)) {
    const name = isSearch ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS'
    throw new CommandError(`ERR ${name} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`)
  }
  const name = call.arguments.text(0)
  if (isSearch && from === undefined) {
    throw new CommandError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`)
  }
  if (isSearch && shape === undefined) {
    throw new CommandError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`)
  }
  if (isAny && count === 0) throw new CommandError('ERR the ANY argument requires COUNT argument')
}

interface Found extends Scored {
  readonly place: Place
  readonly metres: number
}

function answer(call: Call, set: Collection | undefined, search: Search): void {
  const { count, storePlace } = search
  const isOrdered = search.order !== 'none' || (count > 0 && !search.isAny)
  const results = foundIn(set, search)
  if (isOrdered) results.sort((a, b) => (search.order === 'desc' ? b.metres - a.metres : a.metres - b.metres))
  if (count > 0 && results.length > count) results.length = count
  if (storePlace === undefined) replyFound(call, results, search)
  else {
    const unitMetres = search.shape?.unitMetres ?? 1
    const stored = results.map(({ member, score, metres }) => ({
      member,
      score: search.storesDistance ? metres / unitMetres : score,
    }))
    storeScored(call, call.arguments.copy(storePlace), stored)
    call.reply.integer(stored.length)
  }
}

function foundIn(set: Collection | undefined, { middle, shape, isAny, count }: Search): Found[] {
  const results: Found[] = []
  if (set === undefined || middle === undefined || shape === undefined) return results
  for (const { first, end } of cellsAround(middle, shape.halfWidthMetres, shape.halfHeightMetres)) {
    const low = { bound: first, isExcluded: false, isImpossible: false }
    const high = { bound: end, isExcluded: true, isImpossible: false }
    for (const { member, score } of membersIn(set, { by: 'score', low, high }, wholeWindow)) {
      const place = placeOfScore(score)
      const metres = place === undefined ? undefined : metresWithin(shape, middle, place)
      if (place === undefined || metres === undefined) continue
      results.push({ member, score, place, metres })
      if (isAny && results.length === count) return results
    }
  }
  return results
}

function replyFound({ reply }: Call, results: readonly Found[], search: Search): void {
  const { withDistance, withScore, withPlace, shape } = search
  const more = Number(withDistance) + Number(withScore) + Number(withPlace)
  reply.array(results.length)
  for (const { member, score, place, metres } of results) {
    if (more > 0) reply.array(1 + more)
    reply.bulk(member, 0, member.length)
    if (withDistance) reply.bulkText((metres / (shape?.unitMetres ?? 1)).toFixed(4))
    if (withScore) reply.integer(score)
    if (withPlace) replyPlace(reply, place)
  }
}
