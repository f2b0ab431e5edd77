/**
 * Inline commands: a line of words, as typed into a terminal, split as Redis does: blanks between words, double quotes
 * with escapes (\n \r \t \b \a \xHH), single quotes with \' only. A closing quote ends its word.
 */

/** The words of `bytes[start, end)`, or undefined where quotes do not match. */
export function splitWords(bytes: Uint8Array, start: number, end: number): Uint8Array[] | undefined {
  const words: Uint8Array[] = []
  let position = start
  for (;;) {
    while (position < end && isBlank(bytes[position] as number)) position++
    if (position === end) return words
    const word: number[] = []
    const next = readWord(bytes, position, end, word)
    if (next < 0) return undefined
    words.push(Uint8Array.from(word))
    position = next
  }
}

/** Reads one word; returns the place after it, or -1. Text and quotes may follow one another: `a"b c"`. */
function readWord(bytes: Uint8Array, start: number, end: number, word: number[]): number {
  let position = start
  while (position < end) {
    const byte = bytes[position] as number
    if (endsWord(byte)) return position
    if (byte === doubleQuote) return readDoubleQuoted(bytes, position + 1, end, word)
    if (byte === singleQuote) return readSingleQuoted(bytes, position + 1, end, word)
    word.push(byte)
    position++
  }
  return position
}

function readDoubleQuoted(bytes: Uint8Array, start: number, end: number, word: number[]): number {
  for (let position = start; position < end; position++) {
    const byte = bytes[position] as number
    if (byte === doubleQuote) return afterQuote(bytes, position + 1, end)
    if (byte !== backslash || position + 1 >= end) {
      word.push(byte)
      continue
    }
    const escaped = bytes[position + 1] as number
    const high = position + 3 < end ? hexValue(bytes[position + 2] as number) : -1
    const low = position + 3 < end ? hexValue(bytes[position + 3] as number) : -1
    if (escaped === 0x78 && high >= 0 && low >= 0) {
      word.push(high * 16 + low)
      position += 3
    } else {
      word.push(escapes.get(escaped) ?? escaped)
      position++
    }
  }
  return -1
}

function readSingleQuoted(bytes: Uint8Array, start: number, end: number, word: number[]): number {
  for (let position = start; position < end; position++) {
    const byte = bytes[position] as number
    if (byte === singleQuote) return afterQuote(bytes, position + 1, end)
    if (byte === backslash && bytes[position + 1] === singleQuote && position + 1 < end) position++
    word.push(bytes[position] as number)
  }
  return -1
}

function afterQuote(bytes: Uint8Array, position: number, end: number): number {
  return position === end || isBlank(bytes[position] as number) ? position : -1
}

const doubleQuote = 0x22
const singleQuote = 0x27
const backslash = 0x5c

/** What follows a backslash, and the byte it stands for. */
const escapes = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
])

/** As isspace() in the C locale. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x61 + 10
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x41 + 10
  return -1
}
