/**
 * Keys of elements. A collection has a generation, a number that no other ever has, and all its elements lie side by side:
 *
 *   0 u64 generation | 8 u8 order | 9.. what tells elements apart      (big-endian, so that bytes sort as numbers)
 *
 * `order` is 0 for the elements themselves: a field, a member, the position of an item, the id of an entry; 1 for the
 * members of a sorted set by their score, which is 8 bytes ahead of the member; 2 to 5 for the groups of a stream.
 */

import { copyBytes } from '@orbitkv/bytes'
import { userKeyBytesMax } from '@orbitkv/engine'
import { CommandError } from '../commands/command.ts'

export const elementOrder = 0
export const scoreOrder = 1
/** None is higher. */
export const orderMax = 5
export const generationBytes = 8
/** What comes ahead of a field, a member or a position. */
export const elementHeadBytes = generationBytes + 1
/** What comes ahead of the member where it is kept by its score. */
export const scoreHeadBytes = elementHeadBytes + 8
/** The longest field or member. */
export const memberBytesMax = userKeyBytesMax - scoreHeadBytes

/** A key in the making. One is used over and over: what it holds is valid until it is filled again. */
export class ElementKey {
  readonly bytes = new Uint8Array(userKeyBytesMax)
  readonly #view = new DataView(this.bytes.buffer)
  end = 0

  /** The key of a field or member. */
  element(generation: number, member: Uint8Array, start: number, end: number, order: number = elementOrder): this {
    assertMemberFits(end - start)
    this.#head(generation, order)
    copyBytes(this.bytes, elementHeadBytes, member, start, end)
    this.end = elementHeadBytes + end - start
    return this
  }

  /** The key of a member by its score. */
  scored(generation: number, score: number, member: Uint8Array, start: number, end: number): this {
    assertMemberFits(end - start)
    this.#head(generation, scoreOrder)
    writeScore(this.#view, elementHeadBytes, score)
    copyBytes(this.bytes, scoreHeadBytes, member, start, end)
    this.end = scoreHeadBytes + end - start
    return this
  }

  copy(): Uint8Array {
    return this.bytes.slice(0, this.end)
  }

  #head(generation: number, order: number): void {
    this.#view.setUint32(0, Math.floor(generation / 2 ** 32))
    this.#view.setUint32(4, generation >>> 0)
    this.bytes[generationBytes] = order
  }
}

function assertMemberFits(memberBytes: number): void {
  if (memberBytes <= memberBytesMax) return
  throw new CommandError(`ERR a field or member of ${memberBytes} bytes is too long: at most ${memberBytesMax}`)
}

const firstKey = new ElementKey()

/** The first key that an element of an order can have. */
export function orderStart(generation: number, order: number): Uint8Array {
  firstKey.element(generation, firstKey.bytes, 0, 0)
  firstKey.bytes[generationBytes] = order
  return firstKey.copy()
}

/** Every key of a generation begins with it, and with no other's. */
export function generationStart(generation: number): Uint8Array {
  return orderStart(generation, elementOrder).subarray(0, generationBytes)
}

/** A score as 8 bytes that sort as numbers do; the two zeros are one. */
export function writeScore(view: DataView, offset: number, score: number): void {
  view.setFloat64(offset, score === 0 ? 0 : score)
  const high = view.getUint32(offset)
  if (high >>> 31 === 0) {
    view.setUint32(offset, (high | 0x80000000) >>> 0)
    return
  }
  view.setUint32(offset, ~high >>> 0)
  view.setUint32(offset + 4, ~view.getUint32(offset + 4) >>> 0)
}

/** What `writeScore` wrote. */
export function readScore(bytes: Uint8Array, offset: number): number {
  const high = read32(bytes, offset)
  const low = read32(bytes, offset + 4)
  const isNegative = high >>> 31 === 0
  scoreView.setUint32(0, isNegative ? ~high >>> 0 : (high & 0x7fffffff) >>> 0)
  scoreView.setUint32(4, isNegative ? ~low >>> 0 : low)
  return scoreView.getFloat64(0)
}

function read32(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

const scoreView = new DataView(new ArrayBuffer(8))
