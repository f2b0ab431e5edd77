/** The three formats that abstract-level encodes to, between its values and the store's bytes. Within this package only. */

import { decodeText, encodeText } from '@orbitkv/bytes'
import type { Bytes } from 'orbitkv'

export type Format = 'buffer' | 'utf8' | 'view'

/** Bytes of the caller's own, as the format that was asked for. */
export function fromBytes(bytes: Uint8Array, format: Format): Uint8Array | string {
  if (format === 'utf8') return decodeText(bytes)
  return format === 'buffer' ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : bytes
}

export function toBytes(value: Bytes): Uint8Array {
  return typeof value === 'string' ? encodeText(value) : value
}

/** The first key after a key. */
export function after(key: Bytes): Uint8Array {
  const bytes = toBytes(key)
  const next = new Uint8Array(bytes.length + 1)
  next.set(bytes)
  return next
}
