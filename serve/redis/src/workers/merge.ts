/**
 * Makes one reply of the replies of several shards or workers.
 *
 * What must hold: an error among them is the reply, but for `kills`. They are in the order of the shards or workers that were
 * asked. Replies of another kind than is looked for are all alike (a status, say): the first is the reply.
 */

import { assert } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { ReplyScanner } from './reply-scanner.ts'

/** How replies become one; the names of Redis's response policies where it has one. */
export type MergeKind =
  /** The first: all say the same. */
  | 'all_succeeded'
  | 'agg_sum'
  | 'agg_min'
  /** Of each place of arrays of numbers. */
  | 'agg_logical_and'
  /** The elements of all, one after the other. */
  | 'concatenate'
  /** The elements of all, each once. */
  | 'union'
  /** Names and numbers alternate: the numbers of a name are added. */
  | 'sum_of_names'
  /** Texts, one after the other. */
  | 'texts'
  /** CLIENT KILL: numbers are added; by address, one that found the connection is enough. */
  | 'kills'
  /** One that is not null. */
  | 'any'
  /** INFO: counters are added. */
  | 'info'

/** `pick` gives a number below its argument, for `any`. */
export function mergeReplies(
  kind: MergeKind,
  replies: readonly Uint8Array[],
  pick: (below: number) => number,
): Uint8Array {
  const [first] = replies
  assert(first !== undefined, 'somebody was asked')
  if (kind === 'kills') return killed(replies, first)
  const failed = replies.find(isError)
  if (failed !== undefined) return failed
  if (!replies.every((reply) => typesOf[kind].includes(reply[0] as number))) return first
  switch (kind) {
    case 'all_succeeded':
      return first
    case 'agg_sum':
      return integer(replies.reduce((sum, reply) => sum + integerOf(reply), 0))
    case 'agg_min':
      return integer(Math.min(...replies.map(integerOf)))
    case 'agg_logical_and':
      return byPlace(replies, (numbers) => Math.min(...numbers))
    case 'concatenate':
      return list(first[0] as number, replies.flatMap(elementsOf))
    case 'union':
      return union(first[0] as number, replies)
    case 'sum_of_names':
      return sumOfNames(replies)
    case 'texts':
      return joined(first, replies.map(textOf).join(''))
    case 'any':
      return anyOf(replies, pick)
    case 'info':
      return joined(first, mergeInfo(replies.map(textOf)))
  }
}

const numbers = [0x3a]
const lists = [0x2a, 0x7e]
const texts = [0x24, 0x3d]
const anything = Array.from({ length: 128 }, (_, type) => type)

/** What replies begin with that a kind knows how to merge. */
const typesOf: Readonly<Record<Exclude<MergeKind, 'kills'>, readonly number[]>> = {
  all_succeeded: anything,
  agg_sum: numbers,
  agg_min: numbers,
  agg_logical_and: lists,
  concatenate: lists,
  union: lists,
  sum_of_names: lists,
  texts,
  any: anything,
  info: texts,
}

function killed(replies: readonly Uint8Array[], first: Uint8Array): Uint8Array {
  const done = replies.filter((reply) => !isError(reply))
  const [one] = done
  if (one === undefined) return first
  return one[0] === 0x3a ? integer(done.reduce((sum, reply) => sum + integerOf(reply), 0)) : one
}

export function isError(reply: Uint8Array): boolean {
  return reply[0] === 0x2d
}

function integerOf(reply: Uint8Array): number {
  assert(reply[0] === 0x3a, 'the reply is a number')
  return Number(decodeText(reply.subarray(1, reply.length - 2)))
}

function integer(value: number): Uint8Array {
  return encodeText(`:${value}\r\n`)
}

/** The replies in an array or a set. */
export function elementsOf(reply: Uint8Array): Uint8Array[] {
  const scanner = new ReplyScanner()
  const elements: Uint8Array[] = []
  let at = reply.indexOf(0x0a) + 1
  while (at < reply.length) {
    const end = scanner.scan(reply, at, reply.length)
    assert(scanner.isDone, 'a reply is whole')
    elements.push(reply.subarray(at, end))
    at = end
  }
  return elements
}

export function list(type: number, elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([encodeText(`${String.fromCharCode(type)}${elements.length}\r\n`), ...elements])
}

function byPlace(replies: readonly Uint8Array[], merge: (numbers: number[]) => number): Uint8Array {
  const columns = replies.map((reply) => elementsOf(reply).map(integerOf))
  const merged = (columns[0] ?? []).map((_, place) => merge(columns.map((column) => column[place] as number)))
  return list(0x2a, merged.map(integer))
}

function union(type: number, replies: readonly Uint8Array[]): Uint8Array {
  const found = new Map<string, Uint8Array>()
  for (const element of replies.flatMap(elementsOf)) found.set(Buffer.from(element).toString('latin1'), element)
  return list(type, [...found.values()])
}

function sumOfNames(replies: readonly Uint8Array[]): Uint8Array {
  const [first = [], ...others] = replies.map(elementsOf)
  const merged = first.map((element, place) => {
    if (place % 2 === 0) return element
    return integer(others.reduce((sum, other) => sum + integerOf(other[place] as Uint8Array), integerOf(element)))
  })
  return list(0x2a, merged)
}

function anyOf(replies: readonly Uint8Array[], pick: (below: number) => number): Uint8Array {
  const there = replies.filter((reply) => reply[0] === 0x24 && reply[1] !== 0x2d)
  return there.length === 0 ? (replies[0] as Uint8Array) : (there[pick(there.length)] as Uint8Array)
}

/** The text of a string, verbatim or not. */
function textOf(reply: Uint8Array): string {
  const start = reply.indexOf(0x0a) + 1 + (reply[0] === 0x3d ? 4 : 0)
  return decodeText(reply.subarray(start, reply.length - 2))
}

/** A text as a reply of the kind of another. */
function joined(like: Uint8Array, text: string): Uint8Array {
  const isVerbatim = like[0] === 0x3d
  const bytes = encodeText(isVerbatim ? `txt:${text}` : text)
  return Buffer.concat([encodeText(`${isVerbatim ? '=' : '$'}${bytes.length}\r\n`), bytes, encodeText('\r\n')])
}

/** Lines of INFO that are counted in each shard or worker and told as their sum; of the others the first tells. */
const summed =
  /^(connected_clients|cluster_connections|blocked_clients|pubsub\w*|mem_clients_normal|used_memory_dataset|aof_current_size|log_(revision|segments|syncs)|disk_bytes|total_(?!system)\w+|instantaneous_\w+|rejected_connections|cut_connections|expired_keys|evicted_keys|keyspace_(hits|misses)|turns(_withheld)?|acl_access_denied_\w+|limit_\w+)$/

function mergeInfo(texts: readonly string[]): string {
  const [first = '', ...others] = texts.map((text) => text.split('\r\n'))
  const others_ = others.map((lines) => new Map(lines.map((line) => splitLine(line))))
  const databases = new Set(texts.flatMap((text) => [...text.matchAll(/^db\d+(?=:)/gm)].map(([name]) => name)))
  const merged = (first as readonly string[]).map((line) => {
    const [name, value] = splitLine(line)
    databases.delete(name)
    const values = [value, ...others_.map((lines) => lines.get(name) ?? '')]
    if (/^db\d+$/.test(name)) return `${name}:${sumOfFields(values)}`
    if (name.startsWith('cmdstat_')) return `${name}:${sumOfFields(values)}`
    if (!summed.test(name)) return line
    const total = values.reduce((sum, each) => sum + (Number(each) || 0), 0)
    return `${name}:${value.includes('.') ? total.toFixed(2) : total}`
  })
  // A database that only others have keys in.
  const missing = [...databases]
    .sort()
    .map((name) => `${name}:${sumOfFields(others_.map((lines) => lines.get(name) ?? ''))}`)
  const at = merged.indexOf('# Keyspace')
  if (at >= 0) merged.splice(at + 1, 0, ...missing)
  return merged
    .join('\r\n')
    .replace('cluster_enabled:0', 'cluster_enabled:1')
    .replace('redis_mode:standalone', 'redis_mode:cluster')
}

function splitLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
}

/** `keys=3,expires=0` and the like, field by field. */
function sumOfFields(values: readonly string[]): string {
  const sums = new Map<string, number>()
  for (const value of values) {
    for (const field of value.split(',')) {
      const [name = '', number = ''] = field.split('=')
      if (name !== '') sums.set(name, (sums.get(name) ?? 0) + Number(number))
    }
  }
  return [...sums].map(([name, sum]) => `${name}=${sum}`).join(',')
}
