/** Text and bytes, which are stored as they are, and structured values: JSON, and MessagePack by a library of the caller's. */

import { decodeText, prefixEnd } from '@orbitkv/bytes'
import { type Codec, cannotDecode, cannotEncode } from './codec.ts'

/** Text as UTF-8; as a key it sorts by code points. */
export const utf8: Codec<string> = {
  name: 'utf8',
  encode(value) {
    assertWellFormed('utf8', value)
    return value
  },
  decode: textAt,
  prefixEnd,
}

/** Bytes as they are. */
export const bytes: Codec<Uint8Array> = {
  name: 'bytes',
  encode(value) {
    if (value instanceof Uint8Array) return value
    throw cannotEncode('bytes', 'a Uint8Array', value)
  },
  decode: (source, offset, length) => source.slice(offset, offset + length),
  prefixEnd,
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined }

/** JSON, for values whose type the caller vouches for: `jsonOf<User>()`. */
export function jsonOf<Value>(): Codec<Value> {
  return {
    name: 'json',
    encode(value) {
      let text: string | undefined
      try {
        text = JSON.stringify(value)
      } catch (cause) {
        throw cannotEncode('json', 'what JSON can say', value, cause)
      }
      if (text !== undefined) return text
      throw cannotEncode('json', 'what JSON can say', value)
    },
    decode(source, offset, length) {
      const text = textAt(source, offset, length)
      try {
        return JSON.parse(text) as Value
      } catch (cause) {
        throw cannotDecode('json', length, 'it is no JSON', cause)
      }
    },
  }
}

export const json: Codec<Json> = jsonOf<Json>()

/** What `msgpack` needs of a library: `new Packr()` of msgpackr has it. */
export interface MessagePack {
  pack(value: unknown): Uint8Array
  unpack(bytes: Uint8Array): unknown
}

/** MessagePack by a library that the caller brings, for values whose type the caller vouches for. */
export function msgpack<Value>(library: MessagePack): Codec<Value> {
  return {
    name: 'msgpack',
    encode(value) {
      if (value === undefined) throw cannotEncode('msgpack', 'a value', value)
      try {
        return library.pack(value)
      } catch (cause) {
        throw cannotEncode('msgpack', 'what MessagePack can say', value, cause)
      }
    },
    decode(source, offset, length) {
      try {
        // A copy: libraries hand out binary values as views of what they read.
        return library.unpack(source.slice(offset, offset + length)) as Value
      } catch (cause) {
        throw cannotDecode('msgpack', length, 'it is no MessagePack', cause)
      }
    },
  }
}

/** Text with half a surrogate pair has no UTF-8: two such keys would become one. */
export function assertWellFormed(codec: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw cannotEncode(codec, 'text', value)
  // In every Node that we run on, but not yet in the library of types.
  const isWellFormed = (value as unknown as { isWellFormed(): boolean }).isWellFormed()
  if (!isWellFormed) throw cannotEncode(codec, 'text without lone surrogates', value)
}

/** Above this length the decoder's own loop is faster. */
const asciiLoopBytesMax = 24

export function textAt(source: Uint8Array, offset: number, length: number): string {
  if (length <= asciiLoopBytesMax) {
    let text = ''
    const end = offset + length
    for (let at = offset; at < end; at++) {
      const byte = source[at] as number
      if (byte > 0x7f) return decodeText(source.subarray(offset, end))
      text += String.fromCharCode(byte)
    }
    return text
  }
  return decodeText(source.subarray(offset, offset + length))
}
