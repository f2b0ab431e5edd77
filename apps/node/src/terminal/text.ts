/** Text for people: wrapping, tables, and bytes that a terminal may be shown. */

/** Breaks a text into lines of at most `charsMax`, between words. */
export function wrap(text: string, charsMax: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > charsMax) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(line)
  return lines
}

/** Rows with their columns aligned; columns of numbers (`right`) to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** 50414 → `50,414`. */
export function thousands(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** 1 → `1 record`, 50414 → `50,414 records`. */
export function counted(value: number, unit: string): string {
  return `${thousands(value)} ${unit}${value === 1 ? '' : 's'}`
}

const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text that these bytes are in UTF-8; undefined where they are none. Encoding it again gives the same bytes. */
export function exactText(bytes: Uint8Array): string | undefined {
  try {
    return exact.decode(bytes)
  } catch (error) {
    // The one thing `fatal` throws: it is an answer here, not a failure.
    if (error instanceof TypeError) return undefined
    throw error
  }
}

// Control characters, those of C1 too (a terminal obeys them), and what turns the direction of a line around.
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\\]/gu
const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }

/**
 * Bytes as one line of safe text: control characters and backslashes escaped, `\xNN` for each byte where they are not
 * UTF-8. `keepLines` lets line breaks and tabs through.
 */
export function escapeBytes(bytes: Uint8Array, keepLines = false): string {
  const text = exactText(bytes)
  if (text === undefined) {
    let out = ''
    for (const byte of bytes) {
      if (byte >= 0x20 && byte < 0x7f && byte !== 0x5c) out += String.fromCharCode(byte)
      else out += byte === 0x5c ? '\\\\' : hexByte(byte)
    }
    return out
  }
  return text.replace(unsafe, (char) => {
    if (keepLines && (char === '\n' || char === '\t' || char === '\\')) return char
    const code = char.charCodeAt(0)
    return named[char] ?? (code < 0x80 ? hexByte(code) : `\\u${code.toString(16).padStart(4, '0')}`)
  })
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

/** As `escapeBytes`, shortened to name a key in a message. */
export function shortText(bytes: Uint8Array, charsMax = 60): string {
  let end = Math.min(bytes.length, charsMax)
  // Not in the middle of a character, or all of it would look like bytes that are no text.
  while (end < bytes.length && end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  const text = escapeBytes(bytes.subarray(0, end))
  return text.length > charsMax || bytes.length > charsMax ? `${text.slice(0, charsMax)}…` : text
}
