/**
 * The kinds of keys that engines are measured with. A kind and a count always give the same keys in the same order of
 * insertion, none of them twice.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Random } from '@orbitkv/base'

export const keySeed = 42

/** Keys one behind the other; key i is `bytes[ends[i - 1], ends[i])`. */
export interface Keys {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

const generated = {
  random: '8 random bytes',
  sequential: 'a counter of 8 bytes, big-endian, in order',
  uuid: 'random UUIDs as text, 36 bytes',
  composite: '`tenant:user:item` as text, 200 tenants, users of very different size, in random order',
  time: 'nanoseconds since 1970 of 8 bytes in bursts, as they would arrive: nearly in order',
} as const
const recorded = {
  orders: 'order ids of a bitcoin exchange (orders.csv), 8 bytes, in order of appearance',
  traces: 'block numbers and addresses of cache traces, 8 bytes, the trace in the first, in order of appearance',
} as const

/** What each kind is, in words. */
export const keyKinds = { ...generated, ...recorded } as const
export type KeyKind = keyof typeof keyKinds

/** Whether the keys of a kind are text. */
export function isText(kind: KeyKind): boolean {
  return kind === 'uuid' || kind === 'composite'
}

const sharedData =
  process.env.ORBIT_SHARED_DATA ??
  join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'shared', 'data')

/** How many keys a recorded kind has; 0 where its files are absent. */
export function recordedCount(kind: 'orders' | 'traces'): number {
  return recordedNumbers(kind).length
}

/** Throws where a recorded kind has fewer. */
export function makeKeys(kind: KeyKind, count: number): Keys {
  const random = new Random(keySeed)
  const keys = new KeyWriter(count)
  switch (kind) {
    case 'random':
      for (let i = 0; i < count; i++) keys.addWords(random.uint32(), random.uint32())
      break
    case 'sequential':
      for (let i = 0; i < count; i++) keys.addNumber(i)
      break
    case 'uuid':
      for (let i = 0; i < count; i++) keys.addText(uuidFrom(random))
      break
    case 'composite':
      for (const number of shuffledNumbers(count, random)) keys.addText(compositeKey(number))
      break
    case 'time':
      addTimes(keys, count, random)
      break
    case 'orders':
    case 'traces': {
      const numbers = recordedNumbers(kind)
      if (numbers.length < count) throw new Error(`there are ${numbers.length} keys of kind ${kind}, not ${count}`)
      for (let i = 0; i < count; i++) keys.addNumber(numbers[i] as number)
    }
  }
  return keys.done()
}

class KeyWriter {
  #bytes: Uint8Array
  #end = 0
  #count = 0
  readonly #ends: Uint32Array

  constructor(count: number) {
    this.#ends = new Uint32Array(count)
    this.#bytes = new Uint8Array(count * 8 + 64)
  }

  /** Eight bytes, big-endian, of a whole number. */
  addNumber(value: number): void {
    this.addWords(Math.floor(value / 2 ** 32), value >>> 0)
  }

  addWords(high: number, low: number): void {
    const bytes = this.#room(8)
    for (let i = 0; i < 4; i++) {
      bytes[this.#end + i] = high >>> (24 - 8 * i)
      bytes[this.#end + 4 + i] = low >>> (24 - 8 * i)
    }
    this.#finish(8)
  }

  addText(text: string): void {
    const bytes = this.#room(text.length)
    for (let i = 0; i < text.length; i++) bytes[this.#end + i] = text.charCodeAt(i)
    this.#finish(text.length)
  }

  done(): Keys {
    if (this.#count !== this.#ends.length) throw new Error(`${this.#count} keys were made, not ${this.#ends.length}`)
    return { bytes: this.#bytes.subarray(0, this.#end), ends: this.#ends }
  }

  #room(bytes: number): Uint8Array {
    if (this.#end + bytes > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return this.#bytes
  }

  #finish(bytes: number): void {
    this.#end += bytes
    this.#ends[this.#count++] = this.#end
  }
}

function uuidFrom(random: Random): string {
  const part = (bits: number) => (random.uint32() >>> (32 - bits)).toString(16).padStart(bits / 4, '0')
  const variant = (8 + random.below(4)).toString(16)
  return `${part(32)}-${part(16)}-4${part(12)}-${variant}${part(12)}-${part(32)}${part(16)}`
}

/** Users are unequal: a user's items end where the square of the user's number does. */
function compositeKey(number: number): string {
  const tenant = number % 200
  const inTenant = Math.floor(number / 200)
  const user = Math.floor(Math.sqrt(inTenant))
  return `t${String(tenant).padStart(3, '0')}:user${user}:item${inTenant - user * user}`
}

function shuffledNumbers(count: number, random: Random): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, place) => place)
  shuffle(numbers, random)
  return numbers
}

export function shuffle(numbers: Uint32Array, random: Random): void {
  for (let last = numbers.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const moved = numbers[last] as number
    numbers[last] = numbers[other] as number
    numbers[other] = moved
  }
}

/** Bursts of up to 2,000 events some hundred nanoseconds apart, tens of milliseconds between bursts; neighbours may swap. */
function addTimes(keys: KeyWriter, count: number, random: Random): void {
  // 2025-01-01 in milliseconds; the nanoseconds below are counted apart, a number cannot hold both.
  let milliseconds = 1_735_689_600_000
  let nanoseconds = 0
  let left = 0
  const nanosecondsOf: [number, number][] = []
  const flush = (): void => {
    for (let i = nanosecondsOf.length - 1; i > 0; i--) {
      if (!random.chance(4)) continue
      const moved = nanosecondsOf[i] as [number, number]
      nanosecondsOf[i] = nanosecondsOf[i - 1] as [number, number]
      nanosecondsOf[i - 1] = moved
    }
    for (const [high, low] of nanosecondsOf) keys.addWords(high, low)
    nanosecondsOf.length = 0
  }
  for (let i = 0; i < count; i++) {
    if (left-- === 0) {
      flush()
      left = random.between(50, 2000)
      milliseconds += random.between(1, 40)
      nanoseconds = 0
    }
    nanoseconds += random.between(1, 400)
    const total = BigInt(milliseconds) * 1_000_000n + BigInt(nanoseconds)
    nanosecondsOf.push([Number(total >> 32n), Number(total & 0xffff_ffffn)])
  }
  flush()
}

function recordedNumbers(kind: 'orders' | 'traces'): number[] {
  const numbers = kind === 'orders' ? orderIds() : traceNumbers()
  return [...new Set(numbers)]
}

function orderIds(): number[] {
  const path = join(sharedData, 'orders.csv')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(1)
  return lines.filter((line) => line !== '').map((line) => Number(line.slice(0, line.indexOf(','))))
}

function traceNumbers(): number[] {
  const folder = join(sharedData, 'traces')
  if (!existsSync(folder)) return []
  const traces = readdirSync(folder).filter((name) => name.endsWith('.gz'))
  return traces.sort().flatMap((name, trace) => {
    const text = gunzipSync(readFileSync(join(folder, name))).toString('latin1')
    // `l 0x1fffff70 7` of an address trace, or a number alone; other lines are marks.
    const found = text.matchAll(/^(?:[ls] (0x[0-9a-f]+) .*|(\d+))\s*$/gim)
    // The trace stands in the first byte; what is below 2^48 is exact beside it.
    return Array.from(found, (match) => trace * 2 ** 48 + (Number(match[1] ?? match[2]) % 2 ** 45))
  })
}
