/** Where commands have their keys, as COMMAND tells it. */

import type { Arguments } from '../protocol/arguments.ts'
import { parseInteger } from '../protocol/numbers.ts'
import { type Call, type Command, CommandError, type KeySpec, type KeysBehind } from './command.ts'

export function replyKeySpecs(call: Call, { keys = [] }: Command): void {
  const { reply } = call
  reply.set(keys.reduce((sum, keySpec) => sum + ('unknown' in keySpec ? (keySpec.told?.words.length ?? 1) : 1), 0))
  for (const keySpec of keys) {
    if ('unknown' in keySpec && keySpec.told !== undefined) {
      for (const word of keySpec.told.words) replyKeyBehind(call, word, keySpec.told.from, keySpec.flags)
      continue
    }
    reply.map(3)
    reply.bulkText('flags')
    replySet(call, keySpec.flags)
    if ('unknown' in keySpec) replyUnknownKeys(call)
    else if ('behind' in keySpec) replyKeysBehind(call, keySpec)
    else {
      replySearch(call, 'countedAt' in keySpec ? keySpec.countedAt : keySpec.first)
      reply.bulkText('find_keys')
      reply.map(2)
      reply.bulkText('type')
      if ('countedAt' in keySpec) replyNumbers(call, 'keynum', { keynumidx: 0, firstkey: 1, keystep: 1 })
      else {
        const { first, last, step } = keySpec
        replyNumbers(call, 'range', { lastkey: last < 0 ? last : last - first, keystep: step, limit: 0 })
      }
    }
  }
}

/** One key behind a word that may be missing. */
function replyKeyBehind(call: Call, word: string, from: number, flags: readonly string[]): void {
  const { reply } = call
  reply.map(3)
  reply.bulkText('flags')
  replySet(call, flags)
  replySpan(call, { behind: word, from, parts: 0 }, 0)
}

function replySearch(call: Call, index: number): void {
  call.reply.bulkText('begin_search')
  call.reply.map(2)
  call.reply.bulkText('type')
  replyNumbers(call, 'index', { index })
}

function replyKeysBehind(call: Call, keySpec: KeysBehind): void {
  replySpan(call, keySpec, -1)
}

function replySpan(call: Call, { behind, from, parts }: Omit<KeysBehind, 'flags'>, lastkey: number): void {
  const { reply } = call
  reply.bulkText('begin_search')
  reply.map(2)
  reply.bulkText('type')
  replyNumbers(call, 'keyword', { keyword: behind, startfrom: from })
  reply.bulkText('find_keys')
  reply.map(2)
  reply.bulkText('type')
  replyNumbers(call, 'range', { lastkey, keystep: 1, limit: parts })
}

/** A kind and, under `spec`, its numbers, and words among them. */
function replyNumbers({ reply }: Call, kind: string, numbers: Readonly<Record<string, number | string>>): void {
  reply.bulkText(kind)
  reply.bulkText('spec')
  reply.map(Object.keys(numbers).length)
  for (const [name, value] of Object.entries(numbers)) {
    reply.bulkText(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.bulkText(value)
  }
}

function replyUnknownKeys(call: Call): void {
  for (const part of ['begin_search', 'find_keys']) {
    call.reply.bulkText(part)
    call.reply.map(2)
    call.reply.bulkText('type')
    replyNumbers(call, 'unknown', {})
  }
}

/** Places of keys among the arguments of a command that is itself argument 2. */
export function keyPlaces({ arguments: found }: Call, keySpec: KeySpec, count: number): number[] {
  if ('unknown' in keySpec) {
    const places = keySpec.find?.(found, 2) ?? 'any'
    return places === 'any' ? [] : [...places]
  }
  if ('first' in keySpec) {
    const { first, last, step } = keySpec
    const lastPlace = last < 0 ? count + last : last
    return Array.from({ length: Math.max(0, Math.floor((lastPlace - first) / step) + 1) }, (_, i) => first + i * step)
  }
  if ('behind' in keySpec) return placesBehind(found, keySpec, count)
  const { countedAt } = keySpec
  const keyCount = parseInteger(found.bytes, found.start(countedAt + 2), found.end(countedAt + 2))
  if (typeof keyCount !== 'number' || keyCount < 1 || countedAt + keyCount >= count) {
    throw new CommandError('ERR Invalid arguments specified for command')
  }
  return Array.from({ length: keyCount }, (_, i) => countedAt + 1 + i)
}

function placesBehind(found: Arguments, { behind, from, parts }: KeysBehind, count: number): number[] {
  for (let place = from; place < count; place++) {
    if (!found.is(place + 2, behind)) continue
    const first = place + 1
    return Array.from({ length: Math.floor((count - first) / parts) }, (_, i) => first + i)
  }
  throw new CommandError('ERR Invalid arguments specified for command')
}

/** A set in RESP3, an array in RESP2; of statuses, unless told otherwise. */
export function replySet(
  { reply }: Call,
  names: readonly string[],
  encode: (name: string) => void = (name) => reply.status(name),
): void {
  reply.set(names.length)
  for (const name of names) encode(name)
}
