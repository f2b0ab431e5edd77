/** Random commands on streams and their groups: to be answered alike by a real Redis and by ours, but for times. */

import type { Random } from '@orbitkv/base'
import type { Command } from './type-commands.ts'

const groups = ['g', 'h', 'group 3']
const consumers = ['alice', 'bob', '\xff']
const texts = ['a', 'b', '', 'field', '\xff\x00', 'x'.repeat(300)]
/** Long enough that no delivery in a test is as old, unless it was given a time. */
const longAgoMs = 10_000_000

export class StreamCommands {
  readonly #random: Random
  readonly #keys: readonly string[]
  /** Of the newest ids, so that most are new to a stream and most others name an entry. */
  #ms = 1

  constructor(random: Random, keys: readonly string[]) {
    this.#random = random
    this.#keys = keys
  }

  #many<Item>(make: () => Item, most: number): Item[] {
    return Array.from({ length: this.#random.between(1, most) }, make)
  }

  #id(): string {
    const ms = Math.max(0, this.#ms - this.#random.below(12))
    return this.#random.pick([`${ms}`, `${ms}-${this.#random.below(3)}`, `${ms}-0`, `${ms}-0`])
  }

  #newId(): string {
    if (this.#random.chance(12)) return this.#random.pick([this.#id(), 'x', '0-0'])
    this.#ms += this.#random.below(2)
    return this.#random.pick([`${this.#ms}-*`, `${this.#ms}-*`, `${this.#ms}`, `${this.#ms}-${this.#random.below(4)}`])
  }

  #bound(): string {
    return this.#random.pick([() => this.#id(), () => '-', () => '+', () => `(${this.#id()}`, () => 'x', () => '(-'])()
  }

  #count(): Command {
    return this.#random.pick<Command>([[], [], ['COUNT', 1], ['COUNT', 3], ['COUNT', 0], ['COUNT', -1], ['COUNT', 'x']])
  }

  #trim(): Command {
    // What `~` cuts off depends on the nodes that only Redis has.
    const sign = this.#random.pick<Command>([[], [], ['=']])
    const cut = this.#random.pick<() => Command>([
      () => ['MAXLEN', ...sign, this.#random.pick([0, 5, 8, 12, -1, 'x'])],
      () => ['MINID', ...sign, this.#id()],
    ])()
    return [...cut, ...this.#random.pick<Command>([[], [], [], ['LIMIT', 10], ['LIMIT', 0], ['LIMIT', -1]])]
  }

  any(): Command {
    const key = this.#random.pick(this.#keys)
    const group = this.#random.pick(groups)
    const consumer = this.#random.pick(consumers)
    const ids = (): string[] => this.#many(() => this.#id(), 4)
    const fields = (): string[] => this.#many(() => [this.#random.pick(texts), this.#random.pick(texts)], 3).flat()
    const from = (): string => this.#random.pick([this.#id(), '$', '0', '>', '1'])
    const idle = (): number | string => this.#random.pick([0, 0, longAgoMs / 2, -1, 'x'])
    return this.#random.pick<() => Command>([
      () => ['XADD', key, this.#newId(), ...fields()],
      () => ['XADD', key, this.#newId(), ...fields()],
      () => ['XADD', key, this.#newId(), ...fields()],
      () => ['XADD', key, ...this.#trim(), this.#newId(), ...fields()],
      () => ['XADD', key, 'NOMKSTREAM', this.#newId(), ...fields()],
      () => ['XADD', key, this.#newId(), ...fields(), 'odd'],
      () => ['XTRIM', key, ...this.#trim()],
      () => ['XTRIM', key, 'MAXLEN', 1, ...this.#random.pick<Command>([['MINID', '1'], ['X'], ['LIMIT', 3]])],
      () => ['XDEL', key, ...ids()],
      () => ['XSETID', key, this.#id()],
      () => ['XSETID', key, `${this.#ms}-2`, 'ENTRIESADDED', this.#random.pick([100, 1, -1])],
      () => ['XSETID', key, `${this.#ms}-2`, 'MAXDELETEDID', this.#id()],
      () => ['XLEN', key],
      () => ['XRANGE', key, '-', '+'],
      () => ['XRANGE', key, this.#bound(), this.#bound(), ...this.#count()],
      () => ['XREVRANGE', key, this.#bound(), this.#bound(), ...this.#count()],
      () => ['XREAD', ...this.#count(), 'STREAMS', key, from()],
      () => ['XREAD', 'STREAMS', key, this.#random.pick(this.#keys), from(), from()],
      () => ['XREAD', 'COUNT', 2, 'STREAMS', key, this.#random.pick(this.#keys), from()],
      () => ['XGROUP', 'CREATE', key, group, this.#random.pick(['$', '0', this.#id(), 'x'])],
      () => ['XGROUP', 'CREATE', key, group, '0', 'MKSTREAM', ...this.#random.pick([[], ['ENTRIESREAD', 3]])],
      () => ['XGROUP', 'SETID', key, group, this.#random.pick(['$', '0', this.#id(), '-'])],
      () => ['XGROUP', 'SETID', key, group, '0', ...this.#random.pick([['ENTRIESREAD', -2], ['X'], ['MKSTREAM']])],
      () => (this.#random.chance(4) ? ['XGROUP', 'DESTROY', key, group] : ['XLEN', key]),
      () => ['XGROUP', 'CREATECONSUMER', key, group, consumer],
      () => (this.#random.chance(3) ? ['XGROUP', 'DELCONSUMER', key, group, consumer] : ['XLEN', key]),
      () => ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', 2, 'STREAMS', key, '>'],
      () => ['XREADGROUP', 'GROUP', group, consumer, ...this.#count(), 'STREAMS', key, '>'],
      () => ['XREADGROUP', 'GROUP', group, consumer, 'NOACK', 'STREAMS', key, this.#random.pick(['>', '0'])],
      () => ['XREADGROUP', 'GROUP', group, consumer, ...this.#count(), 'STREAMS', key, from()],
      () => ['XACK', key, group, ...ids()],
      () => ['XPENDING', key, group],
      () => ['XPENDING', key, group, this.#bound(), this.#bound(), this.#random.pick([10, 2, 0, -1, 'x'])],
      () => ['XPENDING', key, group, 'IDLE', idle(), '-', '+', 10, ...this.#random.pick([[], [consumer], ['none']])],
      () => [
        'XCLAIM',
        key,
        group,
        consumer,
        idle(),
        ...ids(),
        ...this.#random.pick<Command>([[], ['JUSTID'], ['IDLE', longAgoMs], ['TIME', 1000], ['TIME', 'x'], ['X']]),
        ...this.#random.pick<Command>([[], ['RETRYCOUNT', 7], ['FORCE'], ['FORCE', 'JUSTID'], ['LASTID', this.#id()]]),
      ],
      () => [
        'XAUTOCLAIM',
        key,
        group,
        consumer,
        idle(),
        this.#random.pick(['-', '0', this.#id(), `(${this.#id()}`]),
        ...this.#random.pick<Command>([[], ['COUNT', 1], ['COUNT', 2, 'JUSTID'], ['COUNT', 0], ['JUSTID'], ['X']]),
      ],
      () => ['XINFO', 'STREAM', key],
      () => ['XINFO', 'STREAM', key, 'FULL', ...this.#random.pick<Command>([[], ['COUNT', 1], ['COUNT', 0], ['X']])],
      () => ['XINFO', 'GROUPS', key],
      () => ['XINFO', 'CONSUMERS', key, group],
      () => ['TYPE', key],
      () => ['OBJECT', 'ENCODING', key],
    ])()
  }
}

/** What is a time, or a number of a tree that only Redis has, by the name ahead of it. */
const unlikeNames = new Set(['idle', 'seen-time', 'radix-tree-keys', 'radix-tree-nodes'])

/** A reply without what differs from moment to moment, and from server to server. */
export function withoutTimes([name, ...rest]: Command, reply: unknown): unknown {
  if (name === 'XINFO') return masked(reply, rest[0] === 'STREAM')
  return name === 'XPENDING' && rest.length > 2 ? maskedPending(reply) : reply
}

/** Pending entries of FULL are the only arrays of 3 or 4 there that end in two numbers: the first of these is a time. */
function masked(value: unknown, isFull: boolean): unknown {
  if (Array.isArray(value)) {
    const isPending = isFull && value.length >= 3 && isInteger(value.at(-1)) && isInteger(value.at(-2))
    return value.map((item, place) => {
      const before = value[place - 1]
      const isNamed = typeof before === 'object' && before !== null && unlikeNames.has(before.bulk)
      return isNamed || (isPending && place === value.length - 2) ? 'unlike' : masked(item, isFull)
    })
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([kind, item]) => [kind, masked(item, isFull)]))
}

function isInteger(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'integer' in value
}

/** Of each pending entry, the third is how long ago it was delivered. */
function maskedPending(reply: unknown): unknown {
  if (typeof reply !== 'object' || reply === null || !('array' in reply) || !Array.isArray(reply.array)) return reply
  return reply.array.map((entry) => {
    const isLong = Number(entry.array[2].integer) >= longAgoMs
    return { ...entry, array: entry.array.toSpliced(2, 1, isLong ? 'long' : 'short') }
  })
}
