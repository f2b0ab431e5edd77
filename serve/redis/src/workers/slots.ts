/**
 * The 16,384 hash slots of Redis Cluster, and which shard has which.
 *
 * What must hold: the slot of a key is what Redis and its clients compute (CRC16 of the key, or of the part between the
 * first braces where that is not empty); a shard has one run of slots, and every slot has a shard. Both are part of the
 * format of a folder (docs/formats/shards-v1.md), so neither may ever change.
 */

import { assert } from '@orbitkv/base'

export const slotCount = 16_384

/** CRC16 as XMODEM has it: x^16 + x^12 + x^5 + 1, from 0. */
const polynomial = 0x1021
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ polynomial
  return crc
})

const openingBrace = 0x7b
const closingBrace = 0x7d

/** The slot of the key `bytes[start, end)`. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === openingBrace) return slotOfTagged(bytes, start, i, end)
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >>> 8) ^ byte] as number)
  }
  return crc & (slotCount - 1)
}

/** Of a key with a brace: of what is between it and the next closing one, if that is anything. */
function slotOfTagged(bytes: Uint8Array, start: number, brace: number, end: number): number {
  let closing = brace + 1
  while (closing < end && bytes[closing] !== closingBrace) closing++
  const isTagged = closing < end && closing > brace + 1
  return isTagged ? slotOfAll(bytes, brace + 1, closing) : slotOfAll(bytes, start, end)
}

function slotOfAll(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ (table[(crc >>> 8) ^ (bytes[i] as number)] as number)
  return crc & (slotCount - 1)
}

/** The shard of a slot where there are so many. */
export function shardOfSlot(slot: number, shardCount: number): number {
  return Math.floor((slot * shardCount) / slotCount)
}

export interface SlotRange {
  readonly first: number
  /** The last of them. */
  readonly last: number
}

/** The slots of a shard. */
export function slotsOfShard(shard: number, shardCount: number): SlotRange {
  assert(shard < shardCount, 'a shard is one of those that there are')
  const first = Math.ceil((shard * slotCount) / shardCount)
  const last = Math.ceil(((shard + 1) * slotCount) / shardCount) - 1
  return { first, last }
}
