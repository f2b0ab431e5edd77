/** Keys and values as text: UTF-8, hex or base64 on the command line; text or {"base64": …} in JSON. */

import { encodeText } from '@orbitkv/bytes'
import type { Arguments } from '../args/parse.ts'
import { cliErrors } from '../errors.ts'
import { escapeBytes, exactText } from '../terminal/text.ts'

export type Encoding = 'text' | 'hex' | 'base64'

/** Which encoding --hex and --base64 ask for. */
export function encodingOf(args: Arguments): Encoding {
  if (args.on('hex') && args.on('base64')) throw cliErrors.flags_conflict({ first: '--hex', second: '--base64' })
  if (args.on('hex')) return 'hex'
  return args.on('base64') ? 'base64' : 'text'
}

/** Bytes from an argument; `what` names it in the error. */
export function bytesFromText(text: string, encoding: Encoding, what: string): Uint8Array {
  if (encoding === 'text') return encodeText(text)
  const bytes = encoding === 'hex' ? fromHex(text) : fromBase64(text)
  if (bytes === undefined) throw cliErrors.bad_encoding({ what, encoding, given: text.slice(0, 60) })
  return bytes
}

/** Bytes as one safe line of text; with `keepLines` text may have several. */
export function textFromBytes(bytes: Uint8Array, encoding: Encoding, keepLines = false): string {
  if (encoding === 'text') return escapeBytes(bytes, keepLines)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding)
}

/** Bytes in JSON: a text where they are UTF-8, else an object that marks base64. */
export type JsonBytes = string | { readonly base64: string }

export function jsonFromBytes(bytes: Uint8Array): JsonBytes {
  return exactText(bytes) ?? { base64: textFromBytes(bytes, 'base64') }
}

const surrogate = /\p{Surrogate}/u

/** What `jsonFromBytes` made, back to bytes; or what is wrong with it. */
export function bytesFromJson(json: unknown): Uint8Array | { readonly fault: string } {
  if (typeof json === 'string') {
    return surrogate.test(json) ? { fault: 'has half of a surrogate pair, which is no text' } : encodeText(json)
  }
  const fields = typeof json === 'object' && json !== null ? Object.entries(json) : []
  const [name, value] = fields[0] ?? []
  if (fields.length !== 1 || name !== 'base64' || typeof value !== 'string') {
    return { fault: 'must be a text, or {"base64": "…"} for bytes' }
  }
  return fromBase64(value) ?? { fault: 'is not base64' }
}

export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined
  return Buffer.from(text, 'hex')
}

/** Strict: Buffer alone would pass over what is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  // Padding bits that are not zero, or padding in the wrong place, do not come back the same.
  return bytes.toString('base64') === text ? bytes : undefined
}
