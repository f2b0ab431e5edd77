/**
 * The file of records that an import passed over: NDJSON, a document for each (schemas.ts).
 *
 * Lines are on the disk before the batch that acknowledges them, and an import that resumes cuts the file back to what
 * was acknowledged, so that no record is in it twice. The file comes into being with the first reject.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { cliErrors } from '../errors.ts'

export class Rejects<Fault> {
  readonly path: string
  readonly #document: (fault: Fault) => Readonly<Record<string, unknown>>
  #handle: FileHandle | undefined
  #pending = ''
  #bytes = 0

  /** Begins anew; nothing is opened before the first reject. `document` makes what is written of a fault. */
  constructor(path: string, document: (fault: Fault) => Readonly<Record<string, unknown>>) {
    this.path = path
    this.#document = document
  }

  /** `bytes` of an earlier run are kept, 0 begins anew. */
  static async open<Fault>(
    path: string,
    document: (fault: Fault) => Readonly<Record<string, unknown>>,
    bytes: number,
  ): Promise<Rejects<Fault>> {
    const rejects = new Rejects(path, document)
    if (bytes > 0) await rejects.#openAt(bytes)
    return rejects
  }

  /** Bytes of the file after the last `flush`. */
  get bytes(): number {
    return this.#bytes
  }

  add(fault: Fault): void {
    this.#pending += `${JSON.stringify(this.#document(fault))}\n`
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
