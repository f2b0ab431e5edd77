/** SORT and SORT_RO: the elements of a list, set or sorted set in the order of themselves or of other keys. */

import { compareBytes } from '@orbitkv/bytes'
import { copyValue, type RecordView } from '@orbitkv/engine'
import {
  type Collection,
  collectionIn,
  hashTag,
  listTag,
  memberOf,
  newCollection,
  replaceWith,
  setTag,
  sortedSetTag,
} from '../collections/collection.ts'
import { scoreOrder } from '../collections/element-keys.ts'
import { pushItem } from '../collections/list-items.ts'
import { scoredIn } from '../collections/sorted-set.ts'
import type { Arguments } from '../protocol/arguments.ts'
import { parseDouble } from '../protocol/doubles.ts'
import { type Call, CommandError, lookUp, redisKeyspace, stringTag, syntaxError, wrongType } from './command.ts'
import { numberAt } from './options.ts'

interface SortOptions {
  by: Uint8Array | undefined
  readonly gets: Uint8Array[]
  offset: number
  count: number
  isReverse: boolean
  isText: boolean
  /** Place of the key to store under. */
  storePlace: number | undefined
}

interface Sorted {
  readonly element: Uint8Array
  /** What it is sorted by; undefined where the other key is not there. */
  readonly weight: Uint8Array | undefined
  readonly number: number
}

const star = 0x2a

export function sort(call: Call, mayStore: boolean): void {
  const options = sortOptions(call, mayStore)
  const record = lookUp(call, 1)
  if (record !== undefined && ![listTag, setTag, sortedSetTag].includes(record.tag)) throw new CommandError(wrongType)
  const collection = record === undefined ? undefined : collectionIn(call, record, call.arguments.copy(1))
  const isUnsorted = options.by !== undefined && !options.by.includes(star)
  // What has no order of its own is sorted all the same where it is stored.
  const sortsAnyway = isUnsorted && collection?.tag === setTag && options.storePlace !== undefined
  if (sortsAnyway) Object.assign(options, { by: undefined, isText: true })
  const elements = elementsOf(collection, isUnsorted && options.isReverse)
  const inOrder = isUnsorted && !sortsAnyway ? elements : sorted(call, elements, options)
  const results = resultsOf(call, limited(inOrder, options), options.gets)
  if (options.storePlace === undefined) reply(call, results)
  else store(call, results, options.storePlace)
}

function sortOptions(call: Call, mayStore: boolean): SortOptions {
  const { arguments: found } = call
  const options: SortOptions = {
    by: undefined,
    gets: [],
    offset: 0,
    count: -1,
    isReverse: false,
    isText: false,
    storePlace: undefined,
  }
  for (let place = 2; place < found.count; place++) {
    const more = found.count - 1 - place
    if (found.is(place, 'ASC')) options.isReverse = false
    else if (found.is(place, 'DESC')) options.isReverse = true
    else if (found.is(place, 'ALPHA')) options.isText = true
    else if (found.is(place, 'LIMIT') && more >= 2) {
      options.offset = numberAt(call, ++place)
      options.count = numberAt(call, ++place)
    } else if (mayStore && found.is(place, 'STORE') && more >= 1) options.storePlace = ++place
    else if (found.is(place, 'BY') && more >= 1) options.by = found.copy(++place)
    else if (found.is(place, 'GET') && more >= 1) options.gets.push(found.copy(++place))
    else throw new CommandError(syntaxError)
  }
  return options
}

/** Where the key is that SORT stores under: the last one given. */
export function keyStoredUnder(found: Arguments, offset: number): readonly number[] {
  let stored: number | undefined
  for (let place = 2; offset + place + 1 < found.count; place++) {
    if (found.is(offset + place, 'STORE')) stored = ++place
    else place += optionArguments(found, offset + place)
  }
  return stored === undefined ? [] : [stored]
}

/** BY and GET read keys that the elements name. */
export function keysOfPatterns(found: Arguments, offset: number): readonly number[] | 'any' {
  for (let place = 2; offset + place + 1 < found.count; place++) {
    const pattern = found.copy(offset + place + 1)
    if (found.is(offset + place, 'BY') && pattern.includes(star)) return 'any'
    if (found.is(offset + place, 'GET') && !(pattern.length === 1 && pattern[0] === 0x23)) return 'any'
    place += found.is(offset + place, 'STORE') ? 1 : optionArguments(found, offset + place)
  }
  return []
}

/** How many arguments an option has, STORE apart. */
function optionArguments(found: Arguments, place: number): number {
  if (found.is(place, 'LIMIT')) return 2
  return found.is(place, 'BY') || found.is(place, 'GET') ? 1 : 0
}

function elementsOf(collection: Collection | undefined, isReverse: boolean): Uint8Array[] {
  const elements: Uint8Array[] = []
  if (collection === undefined) return elements
  const isScored = collection.tag === sortedSetTag
  for (const record of collection.records(isScored ? scoreOrder : 0, { reverse: isReverse })) {
    if (isScored) elements.push(scoredIn(record).member)
    else elements.push(collection.tag === listTag ? copyValue(record) : memberOf(record))
  }
  return elements
}

function sorted(call: Call, elements: readonly Uint8Array[], { by, isText, isReverse }: SortOptions): Uint8Array[] {
  const entries = elements.map((element): Sorted => {
    const weight = by === undefined ? element : valueAt(call, by, element)
    return { element, weight, number: isText ? 0 : numberOf(weight) }
  })
  const direction = isReverse ? -1 : 1
  entries.sort((a, b) => direction * (isText ? compareTexts(a.weight, b.weight) : compareNumbers(a, b)))
  return entries.map(({ element }) => element)
}

function numberOf(weight: Uint8Array | undefined): number {
  if (weight === undefined || weight.length === 0) return 0
  const number = parseDouble(weight, 0, weight.length)
  if (number === undefined) throw new CommandError("ERR One or more scores can't be converted into double")
  return number
}

function compareNumbers(a: Sorted, b: Sorted): number {
  if (a.number !== b.number) return a.number < b.number ? -1 : 1
  return compareTexts(a.element, b.element)
}

function compareTexts(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

function limited(elements: readonly Uint8Array[], { offset, count }: SortOptions): readonly Uint8Array[] {
  const first = Math.max(0, offset)
  return elements.slice(first, count < 0 ? elements.length : first + count)
}

function resultsOf(
  call: Call,
  elements: readonly Uint8Array[],
  gets: readonly Uint8Array[],
): readonly (Uint8Array | undefined)[] {
  if (gets.length === 0) return elements
  return elements.flatMap((element) =>
    gets.map((pattern) => (pattern.length === 1 && pattern[0] === 0x23 ? element : valueAt(call, pattern, element))),
  )
}

/** The value of the key, or of the field behind `->`, that a pattern names once the element stands for its star. */
function valueAt(call: Call, pattern: Uint8Array, element: Uint8Array): Uint8Array | undefined {
  const starAt = pattern.indexOf(star)
  if (starAt < 0) return undefined
  const arrowAt = Buffer.from(pattern).indexOf('->', starAt + 1)
  const hasField = arrowAt >= 0 && arrowAt + 2 < pattern.length
  const keyEnd = hasField ? arrowAt : pattern.length
  const key = Buffer.concat([pattern.subarray(0, starAt), element, pattern.subarray(starAt + 1, keyEnd)])
  const record = call.owner.get(redisKeyspace, key, 0, key.length)
  if (record === undefined) return undefined
  if (!hasField) return record.tag === stringTag ? copyValue(record) : undefined
  const field = pattern.subarray(arrowAt + 2)
  return record.tag === hashTag ? fieldIn(call, record, key, field) : undefined
}

function fieldIn(call: Call, record: RecordView, key: Uint8Array, field: Uint8Array): Uint8Array | undefined {
  const found = collectionIn(call, record, key).get(field, 0, field.length)
  return found === undefined ? undefined : copyValue(found)
}

function reply({ reply: to }: Call, results: readonly (Uint8Array | undefined)[]): void {
  to.array(results.length)
  for (const result of results) {
    if (result === undefined) to.null()
    else to.bulk(result, 0, result.length)
  }
}

const empty = new Uint8Array(0)

function store(call: Call, results: readonly (Uint8Array | undefined)[], place: number): void {
  const list = newCollection(call, call.arguments.copy(place), listTag)
  for (const result of results) pushItem(list, false, result ?? empty, 0, result?.length ?? 0)
  replaceWith(call, list)
  call.reply.integer(results.length)
}
