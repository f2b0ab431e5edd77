/**
 * The records of a file, as entries of the store: parser and mapping put together.
 *
 * Each step gives an entry or a fault, with its line, and where in the file the next record begins; the caller may stop
 * after any of them and a later reader go on from there.
 */

import type { Hash } from 'node:crypto'
import { cliErrors } from '../errors.ts'
import { CsvParser } from '../formats/csv.ts'
import { csvMapping, type Entry, type Mapping, type MappingFlags, ndjsonMapping } from '../formats/mapping.ts'
import { NdjsonParser } from '../formats/ndjson.ts'
import { isProblem, type Parser, type Problem, skipByteOrderMark, Window } from '../formats/window.ts'
import { entryProblem } from './limits.ts'

export type Format = 'csv' | 'ndjson'

export interface RecordFault {
  readonly problem: string
  readonly line: number
  readonly column: number
  /** The record as it stands; valid until the next step. */
  readonly raw: Uint8Array
}

export type Step = { readonly entry: Entry } | RecordFault

/** Where a reader stands, between two records. */
export interface Place {
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly line: number
  /** Records read so far, faulty ones included. */
  readonly records: number
}

/** What a reader needs to go on where an earlier one stood. */
export interface Resumption {
  readonly place: Place
  /** The running sha256 of the file up to there. */
  readonly hash: Hash
}

export interface RecordReaderOptions {
  readonly file: string
  readonly format: Format
  readonly delimiter: string
  readonly mapping: MappingFlags
  readonly valueBytesMax: number | undefined
}

export class RecordReader {
  readonly #options: RecordReaderOptions
  readonly #lines: BoundParser
  readonly #window: Window
  readonly #blocks: AsyncIterator<Uint8Array>
  #records: number

  private constructor(
    options: RecordReaderOptions,
    lines: BoundParser,
    window: Window,
    blocks: AsyncIterator<Uint8Array>,
    records: number,
  ) {
    this.#options = options
    this.#lines = lines
    this.#window = window
    this.#blocks = blocks
    this.#records = records
  }

  /**
   * Reads the header, if the format has one, and stands at the first record; with `from` it goes on to the place of an
   * earlier reader. Errors: `cli.not_utf8_file`, `cli.bad_record` in the header, `cli.key_needed`,
   * `cli.no_key_column`.
   */
  static async open(
    options: RecordReaderOptions,
    blocksFrom: (offset: number) => AsyncIterable<Uint8Array>,
    from?: Resumption,
  ): Promise<RecordReader> {
    const blocks = blocksFrom(0)[Symbol.asyncIterator]()
    const window = new Window()
    // A byte order mark has three bytes, and a pipe may give them one by one.
    while (window.end - window.start < 3 && (await fill(window, blocks)));
    if (skipByteOrderMark(window)) throw cliErrors.not_utf8_file({ file: options.file })
    const lines =
      options.format === 'csv'
        ? await openCsv(options, window, blocks)
        : bind((line) => new NdjsonParser(line), ndjsonMapping(options.mapping))
    if (from === undefined) return new RecordReader(options, lines, window, blocks, 0)
    await blocks.return?.()
    const rest = blocksFrom(from.place.offset)[Symbol.asyncIterator]()
    return new RecordReader(
      options,
      lines.at(from.place.line),
      new Window(from.place.offset, from.hash),
      rest,
      from.place.records,
    )
  }

  /** Where the next record begins. */
  get place(): Place {
    return { offset: this.#window.offset, line: this.#lines.line, records: this.#records }
  }

  /** sha256 of the file up to `place`: where the reader stands, or where it stood one step before. */
  digest(place: Place): string {
    return this.#window.digest(place.offset)
  }

  /** The next entry or fault that needs no further reading; undefined: call `more`. */
  next(): Step | undefined {
    const step = this.#lines.next(this.#window, this.#records + 1)
    if (step === undefined) return undefined
    this.#records++
    if ('problem' in step) return step
    const { entry, line, raw } = step
    const problem = entryProblem(entry, this.#options.valueBytesMax)
    return problem === undefined ? step : { problem, line, column: 1, raw }
  }

  /** Reads a block; false at the end of the file. */
  async more(): Promise<boolean> {
    if (this.#window.final) return false
    await fill(this.#window, this.#blocks)
    return true
  }

  async close(): Promise<void> {
    await this.#blocks.return?.()
  }
}

async function fill(window: Window, blocks: AsyncIterator<Uint8Array>): Promise<boolean> {
  const { done, value } = await blocks.next()
  if (done === true) window.final = true
  else window.add(value)
  return done !== true
}

type Mapped = { readonly entry: Entry; readonly line: number; readonly raw: Uint8Array } | Problem

/** A parser with its mapping. */
interface BoundParser {
  readonly line: number
  next(window: Window, number: number): Mapped | undefined
  /** The same from another line on. */
  at(line: number): BoundParser
}

function bind<Record>(
  again: (line: number) => Parser<Record>,
  mapping: Mapping<Record>,
  parser: Parser<Record> = again(1),
): BoundParser {
  return {
    get line() {
      return parser.line
    },
    next(window, number) {
      const parsed = parser.next(window)
      if (parsed === undefined || isProblem(parsed)) return parsed
      const { record, line, raw } = parsed
      const mapped = mapping(record, number)
      if (!('fault' in mapped)) return { entry: mapped, line, raw }
      return { problem: mapped.fault, line, column: columnOf(record, mapped.field), raw }
    },
    at: (line) => bind(again, mapping, again(line)),
  }
}

/** The character at which a field begins, as far as fields are known and stand on one line without quotes. */
function columnOf(record: unknown, field: number): number {
  if (!Array.isArray(record)) return 1
  return record.slice(0, Math.max(field, 0)).reduce((column: number, text: string) => column + text.length + 1, 1)
}

async function openCsv(
  options: RecordReaderOptions,
  window: Window,
  blocks: AsyncIterator<Uint8Array>,
): Promise<BoundParser> {
  const { file, delimiter, mapping } = options
  const parser = new CsvParser(delimiter)
  let header = parser.next(window)
  while (header === undefined && (await fill(window, blocks))) header = parser.next(window)
  header ??= parser.next(window)
  if (header === undefined) throw cliErrors.bad_record({ file, line: 1, column: 1, problem: 'there is no header line' })
  if (isProblem(header))
    throw cliErrors.bad_record({ file, line: header.line, column: header.column, problem: header.problem })
  const columns = header.record
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) {
    throw cliErrors.bad_record({
      file,
      line: header.line,
      column: 1,
      problem: `the header names ${JSON.stringify(twice)} twice`,
    })
  }
  return bind((line) => new CsvParser(delimiter, line), csvMapping(file, columns, mapping), parser)
}
