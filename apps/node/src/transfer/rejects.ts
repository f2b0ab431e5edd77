/**
 * The file of records that an import passed over: NDJSON with `file, line, column, problem, record`.
 *
 * Lines are on the disk before the batch that acknowledges them, and an import that resumes cuts the file back to what
 * was acknowledged, so that no record is in it twice. The file comes into being with the first reject.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { cliErrors } from '../errors.ts'
import { escapeBytes, exactText } from '../terminal/text.ts'
import type { RecordFault } from './records.ts'

export class Rejects {
  readonly path: string
  readonly #name: string
  #handle: FileHandle | undefined
  #pending = ''
  #bytes = 0

  private constructor(path: string, name: string) {
    this.path = path
    this.#name = name
  }

  /** `bytes` of an earlier run are kept, 0 begins anew. `name` is the imported file's. */
  static async open(path: string, name: string, bytes: number): Promise<Rejects> {
    const rejects = new Rejects(path, name)
    if (bytes > 0) await rejects.#openAt(bytes)
    return rejects
  }

  /** Bytes of the file after the last `flush`. */
  get bytes(): number {
    return this.#bytes
  }

  add({ line, column, problem, raw }: RecordFault): void {
    const record = exactText(raw) ?? escapeBytes(raw)
    this.#pending += `${JSON.stringify({ file: this.#name, line, column, problem, record })}\n`
  }

  /** Puts what was added on the disk. */
  async flush(): Promise<void> {
    if (this.#pending === '') return
    const handle = this.#handle ?? (await this.#openAt(0))
    const block = Buffer.from(this.#pending)
    this.#pending = ''
    try {
      for (let written = 0; written < block.length; ) {
        const { bytesWritten } = await handle.write(block, written, block.length - written, this.#bytes + written)
        written += bytesWritten
      }
      await handle.datasync()
    } catch (error) {
      throw this.#failed(error)
    }
    this.#bytes += block.length
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }

  async #openAt(bytes: number): Promise<FileHandle> {
    try {
      const handle = await open(this.path, bytes > 0 ? 'r+' : 'w')
      this.#handle = handle
      await handle.truncate(bytes)
      this.#bytes = bytes
      return handle
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #failed(error: unknown): Error {
    const { code, message } = error as NodeJS.ErrnoException
    return cliErrors.file_failed({ file: this.path, reason: code ?? message }, error)
  }
}
