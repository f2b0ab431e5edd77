/** Where commands have their keys, as COMMAND tells it. */

import { parseInteger } from '../protocol/numbers.ts'
import { type Call, type Command, CommandError, type KeySpec } from './command.ts'

export function replyKeySpecs(call: Call, { keys = [] }: Command): void {
  const { reply } = call
  reply.set(keys.length)
  for (const keySpec of keys) {
    reply.map(3)
    reply.bulkText('flags')
    replySet(call, keySpec.flags)
    if ('unknown' in keySpec) replyUnknownKeys(call)
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

function replySearch(call: Call, index: number): void {
  call.reply.bulkText('begin_search')
  call.reply.map(2)
  call.reply.bulkText('type')
  replyNumbers(call, 'index', { index })
}

/** A kind and, under `spec`, its numbers. */
function replyNumbers({ reply }: Call, kind: string, numbers: Readonly<Record<string, number>>): void {
  reply.bulkText(kind)
  reply.bulkText('spec')
  reply.map(Object.keys(numbers).length)
  for (const [name, value] of Object.entries(numbers)) {
    reply.bulkText(name)
    reply.integer(value)
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
  if ('unknown' in keySpec) return []
  if ('first' in keySpec) {
    const { first, last, step } = keySpec
    const lastPlace = last < 0 ? count + last : last
    return Array.from({ length: Math.max(0, Math.floor((lastPlace - first) / step) + 1) }, (_, i) => first + i * step)
  }
  const { countedAt } = keySpec
  const keyCount = parseInteger(found.bytes, found.start(countedAt + 2), found.end(countedAt + 2))
  if (typeof keyCount !== 'number' || keyCount < 1 || countedAt + keyCount >= count) {
    throw new CommandError('ERR Invalid arguments specified for command')
  }
  return Array.from({ length: keyCount }, (_, i) => countedAt + 1 + i)
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
