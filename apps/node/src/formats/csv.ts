/**
 * CSV by RFC 4180, read record by record from a window, and written.
 *
 * Fields are separated by one character; a field with a separator, a quote or a line break in it is quoted, quotes in it
 * doubled. Lines end with LF or CRLF. Strict: a quote inside an unquoted field, or text after a closing quote, is a
 * problem with its place. After a problem reading goes on with the line after the one on which the record began.
 * Blank lines are passed over.
 */

import { assert, formatBytes } from '@orbitkv/base'
import { exactText } from '../terminal/text.ts'
import { type Parsed, type Parser, type Problem, recordBytesMax, type Window } from './window.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const quote = 0x22

export class CsvParser implements Parser<readonly string[]> {
  readonly #delimiter: string
  readonly #delimiterByte: number
  #line: number
  /** Absolute offset before which no quote is: spares looking for one in every line. */
  #noQuoteBefore = 0

  /** `line` is that of the window's start. */
  constructor(delimiter = ',', line = 1) {
    assert(delimiter.length === 1 && delimiter.charCodeAt(0) < 0x80, 'the delimiter is one ASCII character')
    this.#delimiter = delimiter
    this.#delimiterByte = delimiter.charCodeAt(0)
    this.#line = line
  }

  get line(): number {
    return this.#line
  }

  next(window: Window): Parsed<readonly string[]> | undefined {
    for (;;) {
      if (window.start === window.end) return undefined
      const lineEnd = endOfLine(window)
      if (lineEnd === undefined) return this.#tooLong(window)
      if (this.#quoteBefore(window, lineEnd)) return this.#quoted(window)
      const parsed = this.#plain(window, lineEnd)
      if (parsed !== undefined) return parsed
    }
  }

  /** A record on one line without quotes; undefined for a blank line, which is consumed. */
  #plain(window: Window, lineEnd: number): Parsed<readonly string[]> | undefined {
    const { bytes, start } = window
    const textEnd = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    const raw = bytes.subarray(start, textEnd)
    const line = this.#line
    this.#advance(window, lineEnd, 1)
    if (textEnd === start) return undefined
    const text = exactText(raw)
    if (text === undefined) return notUtf8(raw, line)
    return { record: text.split(this.#delimiter), line, raw }
  }

  /** A record with a quote in its first line: field by field. */
  #quoted(window: Window): Parsed<readonly string[]> | undefined {
    const { bytes, start, end } = window
    const fields: string[] = []
    let place = start
    for (;;) {
      let fieldEnd: number
      if (bytes[place] === quote) {
        const closing = closingQuote(bytes, place, end, window.final)
        if (closing === 'more') return this.#tooLong(window)
        if (closing === 'never') return this.#problem(window, place, 'a quote is opened and never closed')
        fieldEnd = closing + 1
        const after = bytes[fieldEnd]
        // A carriage return at the end of the window may be half of a line's end.
        if (!window.final && (fieldEnd === end || (after === carriageReturn && fieldEnd + 1 === end)))
          return this.#tooLong(window)
        const lineEnds =
          fieldEnd === end ||
          after === lineFeed ||
          (after === carriageReturn && (bytes[fieldEnd + 1] === lineFeed || fieldEnd + 1 === end))
        if (!lineEnds && after !== this.#delimiterByte)
          return this.#problem(
            window,
            fieldEnd,
            'there is text after a closing quote; a quote inside a field is written twice',
          )
        const text = exactText(bytes.subarray(place + 1, closing))
        if (text === undefined) return this.#problem(window, place, 'is not UTF-8')
        fields.push(text.replaceAll('""', '"'))
      } else {
        fieldEnd = place
        while (fieldEnd < end && bytes[fieldEnd] !== this.#delimiterByte && bytes[fieldEnd] !== lineFeed) {
          if (bytes[fieldEnd] === quote)
            return this.#problem(
              window,
              fieldEnd,
              'there is a quote inside a field that is not quoted; quote the field and write the quote twice',
            )
          fieldEnd++
        }
        if (fieldEnd === end && !window.final) return this.#tooLong(window)
        const endsLine = fieldEnd === end || bytes[fieldEnd] === lineFeed
        const textEnd = endsLine && fieldEnd > place && bytes[fieldEnd - 1] === carriageReturn ? fieldEnd - 1 : fieldEnd
        const text = exactText(bytes.subarray(place, textEnd))
        if (text === undefined) return this.#problem(window, place, 'is not UTF-8')
        fields.push(text)
      }
      if (fieldEnd < end && bytes[fieldEnd] === this.#delimiterByte) {
        place = fieldEnd + 1
        continue
      }
      return this.#record(window, fields, fieldEnd)
    }
  }

  #record(window: Window, fields: readonly string[], fieldEnd: number): Parsed<readonly string[]> {
    const { bytes, start, end } = window
    const lineEnd = fieldEnd < end && bytes[fieldEnd] === carriageReturn ? fieldEnd + 1 : fieldEnd
    const rawEnd = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    const raw = bytes.subarray(start, rawEnd)
    const line = this.#line
    this.#advance(window, Math.min(lineEnd, end), 1 + countLines(raw))
    return { record: fields, line, raw }
  }

  /** Consumes a record that ends before the line feed at `lineEnd`, or at the end of the file. */
  #advance(window: Window, lineEnd: number, lines: number): void {
    this.#line += lines
    window.consume(Math.min(lineEnd + 1, window.end))
  }

  /** Names the place of a problem, and passes over the line on which the record began. */
  #problem(window: Window, at: number, problem: string): Problem {
    const { bytes, start, end } = window
    const before = bytes.subarray(start, at)
    const lineStart = before.lastIndexOf(lineFeed) + 1
    const found = {
      problem,
      line: this.#line + countLines(before),
      column: before.subarray(lineStart).toString('utf8').length + 1,
    }
    const newline = bytes.subarray(start, end).indexOf(lineFeed)
    const lineEnd = newline < 0 ? end : start + newline
    const raw = bytes.subarray(start, lineEnd)
    this.#advance(window, lineEnd, 1)
    this.#noQuoteBefore = 0
    return { ...found, raw }
  }

  /** More bytes are needed: undefined, unless there are too many already. */
  #tooLong(window: Window): Problem | undefined {
    if (window.end - window.start <= recordBytesMax) return undefined
    return this.#problem(
      window,
      window.start,
      `the record has more than ${formatBytes(recordBytesMax)}; a quote may be missing`,
    )
  }

  #quoteBefore(window: Window, lineEnd: number): boolean {
    const base = window.offset - window.start
    if (this.#noQuoteBefore >= base + lineEnd) return false
    const found = window.bytes.subarray(window.start, window.end).indexOf(quote)
    const place = found < 0 ? window.end : window.start + found
    this.#noQuoteBefore = base + place
    return place < lineEnd
  }
}

/** The index of the line feed that ends the line, or of the end of the file; undefined where neither is read yet. */
function endOfLine(window: Window): number | undefined {
  const found = window.bytes.subarray(window.start, window.end).indexOf(lineFeed)
  if (found >= 0) return window.start + found
  return window.final ? window.end : undefined
}

/** The index of the quote that closes the one at `open`. */
function closingQuote(bytes: Buffer, open: number, end: number, final: boolean): number | 'more' | 'never' {
  let from = open + 1
  for (;;) {
    const found = bytes.subarray(from, end).indexOf(quote)
    if (found < 0) return final ? 'never' : 'more'
    const place = from + found
    if (place + 1 === end && !final) return 'more'
    if (place + 1 >= end || bytes[place + 1] !== quote) return place
    from = place + 2
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (const byte of bytes) if (byte === lineFeed) lines++
  return lines
}

function notUtf8(raw: Uint8Array, line: number): Problem {
  return { problem: 'is not UTF-8', line, column: 1, raw }
}

/** A record as a line of CSV, ended by CRLF as the RFC has it. */
export function csvLine(fields: readonly string[]): string {
  // A lone empty field would read back as a blank line, so quotes stand for it.
  if (fields.length === 1 && fields[0] === '') return '""\r\n'
  return `${fields.map(csvField).join(',')}\r\n`
}

function csvField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
