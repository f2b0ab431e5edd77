/**
 * The bytes of an import: a file, which can be read again from any place, or standard input, which cannot.
 * Blocks are read when asked for, so a slow store slows the reading and nothing piles up.
 */

import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { KiB } from '@orbitkv/base'
import { cliErrors } from '../errors.ts'

const blockBytes = 256 * KiB

export interface Source {
  /** As the command line names it. */
  readonly name: string
  /** The size when it was opened; undefined for standard input. */
  readonly bytes: number | undefined
  /** Blocks from `offset` on, each the caller's own. */
  blocks(offset: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export function inputSource(input: AsyncIterable<Uint8Array>): Source {
  return { name: 'standard input', bytes: undefined, blocks: () => input, close: async () => undefined }
}

/** Opens a file; a folder, or a file that cannot be read, is `cli.file_missing`. */
export async function fileSource(name: string, path: string): Promise<FileSource> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    const { size } = await handle.stat()
    await handle.read(Buffer.alloc(1), 0, 1, 0)
    return new FileSource(name, handle, size)
  } catch (error) {
    await handle?.close()
    const { code, message } = error as NodeJS.ErrnoException
    throw cliErrors.file_missing({ file: name, reason: code ?? message }, error)
  }
}

export class FileSource implements Source {
  readonly name: string
  readonly bytes: number
  readonly #handle: FileHandle

  constructor(name: string, handle: FileHandle, bytes: number) {
    this.name = name
    this.bytes = bytes
    this.#handle = handle
  }

  async *blocks(offset: number): AsyncGenerator<Uint8Array> {
    for (let place = offset; ; ) {
      const block = Buffer.allocUnsafe(blockBytes)
      const { bytesRead } = await this.#handle.read(block, 0, blockBytes, place)
      if (bytesRead === 0) return
      yield block.subarray(0, bytesRead)
      place += bytesRead
    }
  }

  /** The running sha256 of the first `bytes`, or of all there is where the file is shorter. */
  async hash(bytes: number): Promise<Hash> {
    const hash = createHash('sha256')
    let left = bytes
    for await (const block of this.blocks(0)) {
      hash.update(block.length > left ? block.subarray(0, left) : block)
      left -= Math.min(block.length, left)
      if (left === 0) break
    }
    return hash
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
