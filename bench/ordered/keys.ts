/**
 * Keys for the ordered bench: the kinds that it asks about, and a log of records to hold them.
 *
 * Every kind is made from a seed. Keys lie in records as in a log segment, with values between them, so that a look at a
 * key costs the trip to memory that it costs in the engine.
 */

import { MiB, Random } from '@orbitkv/base'
import { compareBytes, encodeText } from '@orbitkv/bytes'
import { makeKeys, recordedCount } from '../engines/data/keys.ts'

export interface KeyKind {
  readonly name: string
  /** Makes key number `i` of `count`, all different. */
  readonly make: (count: number) => (i: number) => Uint8Array
  /** Whether keys arrive in the order in which they are made; otherwise shuffled. */
  readonly inOrder: boolean
  /** How many there are at most, 0 where the files of a recorded kind are absent; undefined: any number. */
  readonly keysMax?: number
}

const seed = 42

function number8(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(value / 2 ** 32))
  view.setUint32(4, value % 2 ** 32)
  return bytes
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** Nanoseconds: bursts at random moments of a year, each of a thousand events microseconds apart. */
function burstTimes(count: number): (i: number) => Uint8Array {
  const random = new Random(seed)
  const burst = 1000
  const starts = Array.from(
    { length: Math.ceil(count / burst) },
    (_, i) => 1.7e18 + i * 3e12 + random.below(2_900_000) * 1e6,
  )
  return (i) => {
    const high = starts[Math.floor(i / burst)] as number
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt(high) + BigInt((i % burst) * 1700 + random.below(1700)))
    return bytes
  }
}

/** Runs of neighbours, of many lengths, at places that double their distance over and over. */
function denseClusters(count: number): (i: number) => Uint8Array {
  const random = new Random(seed)
  const cluster = 257
  const bases = new Map<number, readonly [number, number]>()
  return (i) => {
    const number = Math.floor(i / cluster)
    let base = bases.get(number)
    if (base === undefined) {
      base = [(random.uint32() >>> random.below(31)) >>> 0, (random.uint32() & 0xffff0000) >>> 0]
      bases.set(number, base)
    }
    const bytes = new Uint8Array(12)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, base[0])
    view.setUint32(4, base[1])
    view.setUint32(8, Math.imul(number, 65_536) + (i % cluster) * (1 + (number % 3)) + (count & 0))
    return bytes
  }
}

/** Keys that were recorded elsewhere, in order of appearance; of these there are only so many. */
function recorded(name: 'orders' | 'traces'): KeyKind {
  const make = (count: number): ((i: number) => Uint8Array) => {
    const { bytes, ends } = makeKeys(name, count)
    return (i) => bytes.slice(i === 0 ? 0 : ends[i - 1], ends[i])
  }
  return {
    name,
    inOrder: true,
    get keysMax() {
      return recordedCount(name)
    },
    make,
  }
}

export const keyKinds: readonly KeyKind[] = [
  {
    name: 'random',
    inOrder: false,
    make: () => {
      const random = new Random(seed)
      return () => random.bytes(8)
    },
  },
  { name: 'sequential', inOrder: true, make: () => (i) => number8(i) },
  {
    name: 'uuid',
    inOrder: false,
    make: () => {
      const random = new Random(seed)
      const hex = () => random.uint32().toString(16).padStart(8, '0')
      return () => {
        const all = hex() + hex() + hex() + hex()
        return encodeText(
          `${all.slice(0, 8)}-${all.slice(8, 12)}-4${all.slice(13, 16)}-a${all.slice(17, 20)}-${all.slice(20)}`,
        )
      }
    },
  },
  {
    name: 'composite',
    inOrder: false,
    make: () => (i) =>
      encodeText(
        `tenant-${digits(Math.floor(i / 10_000), 4)}:user-${digits(Math.floor(i / 40) % 250, 6)}:item-${digits(i % 40, 8)}`,
      ),
  },
  { name: 'times', inOrder: false, make: burstTimes },
  { name: 'times-in-order', inOrder: true, make: burstTimes },
  { name: 'clusters', inOrder: false, make: denseClusters },
  {
    name: 'prefixes',
    inOrder: false,
    make: () => {
      const random = new Random(seed)
      return (i) =>
        encodeText(`${'/'.repeat(random.below(12) ** 2)}${'path/'.repeat(random.below(12))}${i.toString(36)}`)
    },
  },
  recorded('orders'),
  recorded('traces'),
]

/** Where an index reads keys: as KeySource of engine-log. */
export interface KeySource {
  keyAt(segment: number, offset8: number): { bytes: Uint8Array; keyStart: number; keyBytes: number }
  compareKeyAt(segment: number, offset8: number, key: Uint8Array, start: number, end: number): number
}

const segmentBytes = 64 * MiB
const headerBytes = 24

/** Records of a header, a key and 100 bytes of value. Segments count from 1. */
export class KeyLog implements KeySource {
  readonly #bytesOf: Uint8Array[] = [new Uint8Array(0)]
  readonly #wordsOf: Uint32Array[] = [new Uint32Array(0)]
  #segment = 0
  #offset = segmentBytes
  readonly #found = { bytes: this.#bytesOf[0] as Uint8Array, keyStart: 0, keyBytes: 0 }

  /** Where the last `add` put its record. */
  get segment(): number {
    return this.#segment
  }
  offset8 = 0
  readonly segmentBytes = segmentBytes

  add(source: Uint8Array, start: number, end: number): void {
    const keyBytes = end - start
    const recordBytes = (headerBytes + keyBytes + 100 + 7) & ~7
    if (this.#offset + recordBytes > segmentBytes) {
      const buffer = new ArrayBuffer(segmentBytes)
      this.#bytesOf.push(new Uint8Array(buffer))
      this.#wordsOf.push(new Uint32Array(buffer))
      this.#segment++
      this.#offset = 64
    }
    this.offset8 = this.#offset >>> 3
    ;(this.#wordsOf[this.#segment] as Uint32Array)[(this.offset8 << 1) + 2] = keyBytes
    const bytes = this.#bytesOf[this.#segment] as Uint8Array
    const at = this.#offset + headerBytes
    for (let i = 0; i < keyBytes; i++) bytes[at + i] = source[start + i] as number
    bytes.fill(1, at + keyBytes, this.#offset + recordBytes)
    this.#offset += recordBytes
  }

  keyAt(segment: number, offset8: number): { bytes: Uint8Array; keyStart: number; keyBytes: number } {
    const found = this.#found
    found.bytes = this.#bytesOf[segment] as Uint8Array
    found.keyStart = (offset8 << 3) + headerBytes
    found.keyBytes = (this.#wordsOf[segment] as Uint32Array)[(offset8 << 1) + 2] as number
    return found
  }

  compareKeyAt(segment: number, offset8: number, key: Uint8Array, start: number, end: number): number {
    const keyBytes = (this.#wordsOf[segment] as Uint32Array)[(offset8 << 1) + 2] as number
    const keyStart = (offset8 << 3) + headerBytes
    return compareBytes(this.#bytesOf[segment] as Uint8Array, keyStart, keyStart + keyBytes, key, start, end)
  }
}
