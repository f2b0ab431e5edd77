/**
 * NDJSON: one JSON object a line. Blank lines are passed over; whatever else is not an object is a problem with its
 * place. Lines end with LF or CRLF.
 */

import { formatBytes } from '@orbitkv/base'
import { exactText } from '../terminal/text.ts'
import { type Parsed, type Parser, recordBytesMax, type Window } from './window.ts'

const lineFeed = 0x0a

export interface JsonRecord {
  readonly fields: Readonly<Record<string, unknown>>
  /** The line as it stands, without the blanks around it. */
  readonly text: string
}

export class NdjsonParser implements Parser<JsonRecord> {
  #line: number

  constructor(line = 1) {
    this.#line = line
  }

  get line(): number {
    return this.#line
  }

  next(window: Window): Parsed<JsonRecord> | undefined {
    while (window.start < window.end) {
      const { bytes, start, end } = window
      const found = bytes.subarray(start, end).indexOf(lineFeed)
      const tooLong = end - start > recordBytesMax
      if (found < 0 && !window.final && !tooLong) return undefined
      const lineEnd = found < 0 ? end : start + found
      const raw = bytes.subarray(start, lineEnd)
      const line = this.#line++
      window.consume(Math.min(lineEnd + 1, end))
      if (found < 0 && tooLong && !window.final) {
        return { problem: `the line has more than ${formatBytes(recordBytesMax)}`, line, column: 1, raw }
      }
      const parsed = parseLine(raw, line)
      if (parsed !== undefined) return parsed
    }
    return undefined
  }
}

function parseLine(raw: Uint8Array, line: number): Parsed<JsonRecord> | undefined {
  const whole = exactText(raw)
  if (whole === undefined) return { problem: 'is not UTF-8', line, column: 1, raw }
  const text = whole.trim()
  if (text === '') return undefined
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const column = whole.indexOf(text) + faultyChar(text) + 1
    return { problem: `is not JSON (${reasonOf(error)})`, line, column, raw }
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return { problem: 'is JSON but not an object', line, column: whole.indexOf(text) + 1, raw }
  }
  return { record: { fields: fields as Record<string, unknown>, text }, line, raw }
}

/**
 * The index of the first character that no JSON text could have there. The parser tells it for some faults only, so it is
 * found by halving: a text that is merely cut off fails at its end, a faulty one before it.
 */
function faultyChar(text: string): number {
  let sound = 0
  let faulty = text.length
  while (sound < faulty) {
    const middle = (sound + faulty + 1) >> 1
    if (canGoOn(text.slice(0, middle))) sound = middle
    else faulty = middle - 1
  }
  return sound
}

/** Whether some text could follow these characters and make JSON of them. */
function canGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return true
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const position = /at position (\d+)/.exec(error.message)
    return position === null ? error.message.includes('end of JSON input') : Number(position[1]) >= beginning.length
  }
}

function reasonOf({ message }: SyntaxError): string {
  return message.split(/ in JSON|, ".*" is not valid|, \.{3}| \(line/, 1)[0] as string
}
