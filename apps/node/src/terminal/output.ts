/**
 * Standard output and standard error of a command.
 *
 * Output is gathered into blocks and written with back-pressure: `add` says when a block is full, then `flush` waits
 * for the reader. Memory is bounded by the block and one line. A reader that goes away (`orbit scan | head`) makes the
 * next flush fail with `cli.output_closed`.
 */

import { KiB } from '@orbitkv/base'
import { cliErrors } from '../errors.ts'
import { plain, type Styles, stylesFor } from './styles.ts'

const blockBytes = 64 * KiB

type Env = Readonly<Record<string, string | undefined>>

/** The part of a stream that is used. */
export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(data: string | Uint8Array, done: (error?: Error | null) => void): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
}

export class Output {
  readonly isTerminal: boolean
  readonly styles: Styles
  readonly #stream: OutputStream
  #block = ''
  #failure: Error | undefined

  constructor(stream: OutputStream, env: Env) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    this.styles = stylesFor(this.isTerminal, env)
    // A failed write is told to its callback too; without a listener the event would end the process.
    stream.on('error', (error) => {
      this.#failure ??= error
    })
  }

  /** Adds text to the block; true when it is full and `flush` is due. */
  add(text: string): boolean {
    this.#block += text
    return this.#block.length >= blockBytes
  }

  async flush(): Promise<void> {
    const block = this.#block
    this.#block = ''
    if (block !== '') await this.#write(block)
  }

  async text(text: string): Promise<void> {
    this.add(text)
    await this.flush()
  }

  async lines(lines: readonly string[]): Promise<void> {
    await this.text(lines.map((line) => `${line}\n`).join(''))
  }

  /** One document on one line. */
  async json(document: unknown): Promise<void> {
    await this.text(`${JSON.stringify(document)}\n`)
  }

  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush()
    await this.#write(bytes)
  }

  async #write(data: string | Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw outputError(this.#failure)
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(data, (error) => (error ? reject(outputError(error)) : resolve()))
    })
  }
}

function outputError(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'EOF') return cliErrors.output_closed({}, error)
  return cliErrors.file_failed({ file: 'standard output', reason: code ?? error.message }, error)
}

/** Standard error: notes, progress, log lines and the error at the end. Nobody waits for it, nothing fails with it. */
export class Notes {
  readonly isTerminal: boolean
  readonly styles: Styles
  readonly columns: number
  readonly #stream: OutputStream

  constructor(stream: OutputStream, env: Env) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    this.styles = stylesFor(this.isTerminal, env)
    this.columns = stream.columns ?? 80
    // Nothing can be told once standard error is gone, and its loss must not end a server.
    stream.on('error', () => undefined)
  }

  line(text: string): void {
    this.write(`${text}\n`)
  }

  write(text: string): void {
    this.#stream.write(text, () => undefined)
  }
}

/** Notes that go nowhere, as with --json. */
export const silentNotes: Pick<Notes, 'isTerminal' | 'styles' | 'columns' | 'line' | 'write'> = {
  isTerminal: false,
  styles: plain,
  columns: 80,
  line: () => undefined,
  write: () => undefined,
}
