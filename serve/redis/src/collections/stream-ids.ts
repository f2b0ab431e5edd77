/**
 * Ids of the entries of a stream: milliseconds and a number within them, 64 bits each, held as one BigInt of 128 bits, so
 * that ids compare, and the next one is one more. In keys and records they are 16 bytes, big-endian, which sort alike.
 */

import { decodeText } from '@orbitkv/bytes'
import { type Call, CommandError } from '../commands/command.ts'

export type StreamId = bigint

export const idBytes = 16
export const idMax: StreamId = 2n ** 128n - 1n
const partBits = 64n
export const partMax = 2n ** partBits - 1n

export const invalidId = 'ERR Invalid stream ID specified as stream command argument'
const idCharsMax = 127

export function makeId(ms: bigint, sequence: bigint): StreamId {
  return (ms << partBits) | sequence
}

export function msOf(id: StreamId): bigint {
  return id >> partBits
}

export function writeId(view: DataView, offset: number, id: StreamId): void {
  view.setBigUint64(offset, id >> partBits)
  view.setBigUint64(offset + 8, BigInt.asUintN(64, id))
}

/** As bytes of the caller's own. */
export function idToBytes(id: StreamId): Uint8Array {
  const bytes = new Uint8Array(idBytes)
  writeId(new DataView(bytes.buffer), 0, id)
  return bytes
}

export function readId(bytes: Uint8Array, offset: number): StreamId {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, idBytes)
  return makeId(view.getBigUint64(0), view.getBigUint64(8))
}

export function formatId(id: StreamId): string {
  return `${id >> partBits}-${BigInt.asUintN(64, id)}`
}

/** The id at a place, without the signs for the least and the greatest; where it has no second part, that is `missing`. */
export function idAt({ arguments: found }: Call, place: number, missing = 0n): StreamId {
  const id = parseId(found.text(place), missing)
  if (id === undefined) throw new CommandError(invalidId)
  return id
}

/** As `idAt`, but `-` and `+` are the least and the greatest. */
export function boundAt(call: Call, place: number, missing: bigint): StreamId {
  const { arguments: found } = call
  if (found.is(place, '-')) return 0n
  return found.is(place, '+') ? idMax : idAt(call, place, missing)
}

/** Where a range begins; `(` leaves the id itself out. */
export function rangeStartAt(call: Call, place: number): StreamId {
  if (!isExclusive(call, place)) return boundAt(call, place, 0n)
  const id = exclusiveAt(call, place, 0n)
  if (id === idMax) throw new CommandError('ERR invalid start ID for the interval')
  return id + 1n
}

export function rangeEndAt(call: Call, place: number): StreamId {
  if (!isExclusive(call, place)) return boundAt(call, place, partMax)
  const id = exclusiveAt(call, place, partMax)
  if (id === 0n) throw new CommandError('ERR invalid end ID for the interval')
  return id - 1n
}

function isExclusive({ arguments: found }: Call, place: number): boolean {
  return found.length(place) > 1 && found.bytes[found.start(place)] === 0x28
}

function exclusiveAt({ arguments: found }: Call, place: number, missing: bigint): StreamId {
  const id = parseId(decodeText(found.bytes.subarray(found.start(place) + 1, found.end(place))), missing)
  if (id === undefined) throw new CommandError(invalidId)
  return id
}

/** Undefined where it is none. */
export function parseId(text: string, missing: bigint): StreamId | undefined {
  if (text.length > idCharsMax) return undefined
  const dash = text.indexOf('-')
  const ms = parsePart(dash < 0 ? text : text.slice(0, dash))
  const sequence = dash < 0 ? missing : parsePart(text.slice(dash + 1))
  return ms === undefined || sequence === undefined ? undefined : makeId(ms, sequence)
}

function parsePart(text: string): bigint | undefined {
  if (!/^\+?\d+$/.test(text)) return undefined
  const part = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return part > partMax ? undefined : part
}

/** What XADD is told: any id, one with these milliseconds, or this very one. */
export type WantedId = { readonly ms: bigint } | { readonly id: StreamId } | 'any'

export function wantedIdAt(call: Call, place: number): WantedId {
  const { arguments: found } = call
  if (found.is(place, '*')) return 'any'
  const text = found.text(place)
  if (!text.endsWith('-*')) return { id: idAt(call, place) }
  const ms = text.length > idCharsMax ? undefined : parsePart(text.slice(0, -2))
  if (ms === undefined) throw new CommandError(invalidId)
  return { ms }
}
