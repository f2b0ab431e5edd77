/**
 * The data of a comparison, as files that every contestant reads, whatever language it is in: so all of them have the
 * same keys, values and orders of access, byte for byte.
 *
 *   inserted.keys, inserted.ends     keys in the order of insertion (keys.ts)
 *   accessed.keys, .ends, .places    the same keys in a shuffled order, laid out so that fetching the next one costs no miss,
 *                                    and which of the inserted each of them is
 *   zipf.keys, .ends, .places        a million accesses at most, few keys often (Zipf, 0.99)
 *   values                           1,024 values of one size; a key's is the one at its place of insertion plus its version
 *
 * Ends and places are 32-bit little-endian.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '@orbitkv/base'
import { type KeyKind, type Keys, makeKeys, shuffle } from './keys.ts'

export const valueCount = 1024
/** Of records in one batch of an insert. */
export const batchRecords = 1000
const zipfAccessesMax = 1_000_000
/** As in YCSB. */
const zipfExponent = 0.99
const orderSeed = 4242

export interface WorkloadPlan {
  readonly kind: KeyKind
  readonly count: number
  readonly valueBytes: number
  /** Values that a compressor halves at least; otherwise random bytes. */
  readonly compressible: boolean
}

export function writeWorkload(folder: string, plan: WorkloadPlan): void {
  const keys = makeKeys(plan.kind, plan.count)
  const random = new Random(orderSeed)
  const order = Uint32Array.from({ length: plan.count }, (_, place) => place)
  shuffle(order, random)
  writeKeys(folder, 'inserted', keys)
  writeAccesses(folder, 'accessed', keys, order)
  writeAccesses(folder, 'zipf', keys, zipfPlaces(order, random))
  writeFileSync(join(folder, 'values'), makeValues(plan, random))
}

/** Few keys often: rank r with weight r^-0.99, ranks given to keys at random (J. Gray et al., 1994). */
function zipfPlaces(order: Uint32Array, random: Random): Uint32Array {
  const count = order.length
  const weight = (rank: number) => rank ** -zipfExponent
  let zeta = 0
  for (let rank = 1; rank <= count; rank++) zeta += weight(rank)
  const alpha = 1 / (1 - zipfExponent)
  const eta = (1 - (2 / count) ** (1 - zipfExponent)) / (1 - (1 + weight(2)) / zeta)
  return Uint32Array.from({ length: Math.min(count, zipfAccessesMax) }, () => {
    const uniform = random.uint32() / 2 ** 32
    const scaled = uniform * zeta
    let rank = 0
    if (scaled >= 1 + weight(2)) rank = Math.floor(count * (eta * uniform - eta + 1) ** alpha)
    else if (scaled >= 1) rank = 1
    return order[Math.min(rank, count - 1)] as number
  })
}

const words = 'the order of a user was moved to another store, and its state is now {"status":"open","price":10'.split(
  ' ',
)

function makeValues({ valueBytes, compressible }: WorkloadPlan, random: Random): Uint8Array {
  const values = random.bytes(valueCount * valueBytes)
  if (!compressible) return values
  for (let value = 0; value < valueCount; value++) {
    let text = ''
    while (text.length < valueBytes) text += `${random.pick(words)} `
    // The first and the last byte stay random: they show which value it is.
    for (let i = 1; i < valueBytes - 1; i++) values[value * valueBytes + i] = text.charCodeAt(i)
  }
  return values
}

function writeKeys(folder: string, name: string, { bytes, ends }: Keys): void {
  writeFileSync(join(folder, `${name}.keys`), bytes)
  writeFileSync(join(folder, `${name}.ends`), ends)
}

function writeAccesses(folder: string, name: string, keys: Keys, places: Uint32Array): void {
  const ends = new Uint32Array(places.length)
  let total = 0
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number
    total += (keys.ends[place] as number) - startOf(keys, place)
    ends[i] = total
  }
  const bytes = new Uint8Array(total)
  let to = 0
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number
    const end = keys.ends[place] as number
    for (let from = startOf(keys, place); from < end; from++) bytes[to++] = keys.bytes[from] as number
  }
  writeKeys(folder, name, { bytes, ends })
  writeFileSync(join(folder, `${name}.places`), places)
}

function startOf({ ends }: Keys, place: number): number {
  return place === 0 ? 0 : (ends[place - 1] as number)
}

/** Keys in an order of access. `fill` copies one into a buffer that is reused, `fresh` into one of its own. */
export class Accesses {
  readonly count: number
  readonly #bytes: Uint8Array
  readonly #ends: Uint32Array
  /** One reused buffer for each length of key. */
  readonly #reused: Buffer[] = []

  constructor(folder: string, name: string) {
    this.#bytes = readFileSync(join(folder, `${name}.keys`))
    this.#ends = readWords(join(folder, `${name}.ends`))
    this.count = this.#ends.length
    for (let i = 0; i < this.count; i++) {
      const length = (this.#ends[i] as number) - this.#start(i)
      if (this.#reused[length] === undefined) this.#reused[length] = Buffer.alloc(length)
    }
  }

  fill(i: number): Buffer {
    const start = this.#start(i)
    const length = (this.#ends[i] as number) - start
    const key = this.#reused[length] as Buffer
    for (let at = 0; at < length; at++) key[at] = this.#bytes[start + at] as number
    return key
  }

  fresh(i: number): Buffer {
    return Buffer.from(this.lent(i))
  }

  /** The key's own bytes in here: stays as it is. */
  lent(i: number): Uint8Array {
    const start = this.#start(i)
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, (this.#ends[i] as number) - start)
  }

  text(i: number): string {
    return Buffer.from(this.lent(i)).toString('latin1')
  }

  #start(i: number): number {
    return i === 0 ? 0 : (this.#ends[i - 1] as number)
  }
}

export class Workload {
  readonly inserted: Accesses
  readonly accessed: Accesses
  readonly #places: Uint32Array
  readonly zipf: Accesses
  readonly #values: readonly Buffer[]

  constructor(folder: string) {
    this.inserted = new Accesses(folder, 'inserted')
    this.accessed = new Accesses(folder, 'accessed')
    this.zipf = new Accesses(folder, 'zipf')
    this.#places = readWords(join(folder, 'accessed.places'))
    const all = readFileSync(join(folder, 'values'))
    const valueBytes = all.length / valueCount
    this.#values = Array.from({ length: valueCount }, (_, i) => {
      return Buffer.from(all.subarray(i * valueBytes, (i + 1) * valueBytes))
    })
  }

  get count(): number {
    return this.inserted.count
  }

  /** The value of the key at a place of insertion. */
  value(place: number, version: number): Buffer {
    return this.#values[(place + version) & (valueCount - 1)] as Buffer
  }

  /** The value of the key at a place of the shuffled order. */
  accessedValue(i: number, version: number): Buffer {
    return this.value(this.#places[i] as number, version)
  }
}

function readWords(path: string): Uint32Array {
  const bytes = readFileSync(path)
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
