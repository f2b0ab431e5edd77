/**
 * What a codec is. Codecs are values without state: anyone may write one.
 *
 * What must hold of every codec: `decode(encode(value))` is the value again; `decode` keeps no reference to the bytes, which may
 * be the store's own; and, for a codec that is used for keys, `sorted`: bytes sort as the values do, equal bytes only for equal values.
 */

import { codecErrors } from './errors.ts'

export interface Codec<Value> {
  /** For errors. */
  readonly name: string
  /** Text stands for its UTF-8 bytes. Throws `codecs.cannot_encode` for what it does not take. */
  encode(value: Value): Uint8Array | string
  /** Reads `bytes[offset, offset + length)`. Throws `codecs.cannot_decode` for what is not its own. */
  decode(bytes: Uint8Array, offset: number, length: number): Value
  /**
   * For keys that can begin with one another: the first bytes that sort after all keys that begin with a prefix's bytes, undefined
   * where there are none.
   */
  readonly prefixEnd?: (prefix: Uint8Array) => Uint8Array | undefined
}

/** The error of a codec that does not take a value. */
export function cannotEncode(codec: string, expected: string, value: unknown, cause?: unknown): Error {
  return codecErrors.cannot_encode({ codec, expected, found: describe(value) }, cause)
}

export function cannotDecode(codec: string, bytes: number, problem: string, cause?: unknown): Error {
  return codecErrors.cannot_decode({ codec, bytes, problem }, cause)
}

/** A value in a message: numbers as they are, the rest by type, since it may be long or secret. */
function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value === null) return 'null'
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value
}
