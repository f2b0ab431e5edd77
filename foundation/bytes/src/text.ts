/** Text as UTF-8 bytes, cheaply for the short ASCII strings that most keys are. */

const encoder = new TextEncoder()
// A byte order mark is text like any other: what was encoded comes back whole.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

// Above this the encoder's own loop is faster than ours.
const asciiLoopCharsMax = 64

/** Bytes of a text are at most this many times its UTF-16 length. */
export const utf8BytesPerCharMax = 3

/** Writes `text` at the start of `target`, which has room for it; returns its length in bytes. */
export function encodeTextInto(text: string, target: Uint8Array): number {
  if (text.length <= asciiLoopCharsMax) {
    let i = 0
    for (; i < text.length; i++) {
      const char = text.charCodeAt(i)
      if (char > 0x7f) break
      target[i] = char
    }
    if (i === text.length) return i
  }
  return encoder.encodeInto(text, target).written
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
