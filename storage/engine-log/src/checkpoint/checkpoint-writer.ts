/**
 * Writing the bytes of a checkpoint: items of words into blocks, blocks into a file that nobody reads before it is whole.
 * What the words mean is write-checkpoint.ts's. Each block goes to the system as it fills.
 */

import { assert, MiB } from '@orbitkv/base'
import { crc32c, writeUint64 } from '@orbitkv/bytes'
import type { Disk, DiskFile } from '@orbitkv/runtime'
import {
  type BlockKind,
  blockBytesMax,
  blockHead,
  blockHeadBytes,
  type CheckpointHead,
  checkpointHeader,
  checkpointHeaderBytes,
  checkpointMagic,
  checkpointVersion,
} from './checkpoint-format.ts'

const blockWordsMax = (blockBytesMax - blockHeadBytes) / 4
/** Written and not synced: more would make the last sync, or other writers, wait for long. */
const unsyncedBytesMax = 16 * MiB

export class CheckpointWriter {
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #seed: number
  readonly #bytes = new Uint8Array(blockBytesMax)
  readonly #words = new Uint32Array(this.#bytes.buffer)
  #kind: BlockKind | undefined
  #at = blockHeadBytes / 4
  #blocks = 0
  #fileBytes = checkpointHeaderBytes
  #unsyncedBytes = 0

  /** Makes the file. */
  constructor(disk: Disk, path: string, seed: number) {
    this.#disk = disk
    this.#seed = seed
    if (disk.exists(path)) disk.remove(path)
    this.#file = disk.open(path, 'create')
  }

  /** Begins an item of so many words: they come next, all in one block. */
  item(kind: BlockKind, words: number): void {
    assert(words <= blockWordsMax, 'an item has room in a block')
    if (kind !== this.#kind || this.#at + words > this.#words.length) this.#flush()
    this.#kind = kind
  }

  push(word: number): void {
    this.#words[this.#at++] = word
  }

  push64(value: number): void {
    writeUint64(this.#words, this.#at, value)
    this.#at += 2
  }

  pushWords(source: Uint32Array, start: number, end: number): void {
    this.#words.set(source.subarray(start, end), this.#at)
    this.#at += end - start
  }

  /** As many words as `wordsOfBytes` says: how many bytes, then these. */
  pushBytes(bytes: Uint8Array): void {
    const words = wordsOfBytes(bytes)
    this.#words[this.#at + words - 1] = 0
    this.#words[this.#at] = bytes.length
    this.#bytes.set(bytes, (this.#at + 1) * 4)
    this.#at += words
  }

  /** Makes durable what has been written, if that is much. */
  async syncSome(): Promise<void> {
    if (this.#unsyncedBytes < unsyncedBytesMax) return
    this.#unsyncedBytes = 0
    await this.#file.sync()
  }

  /** Makes the whole file durable, but for its name; returns its bytes. */
  async finish(storeId: string, head: CheckpointHead): Promise<number> {
    this.#flush()
    const bytes = new Uint8Array(checkpointHeaderBytes)
    const words = new Uint32Array(bytes.buffer)
    for (let i = 0; i < checkpointMagic.length; i++) bytes[i] = checkpointMagic.charCodeAt(i)
    bytes[checkpointHeader.version] = checkpointVersion
    words[checkpointHeader.seed / 4] = this.#seed
    for (let i = 0; i < 16; i++) {
      bytes[checkpointHeader.storeId + i] = Number.parseInt(storeId.slice(2 * i, 2 * i + 2), 16)
    }
    const { tailSegment, tailBytes, tailChecksum, ...rest } = head
    for (const name of Object.keys(rest) as (keyof typeof rest)[]) {
      writeUint64(words, checkpointHeader[name] / 4, rest[name])
    }
    words[checkpointHeader.tailSegment / 4] = tailSegment
    words[checkpointHeader.tailBytes / 4] = tailBytes
    words[checkpointHeader.tailChecksum / 4] = tailChecksum
    writeUint64(words, checkpointHeader.fileBytes / 4, this.#fileBytes)
    words[checkpointHeader.blocks / 4] = this.#blocks
    words[checkpointHeader.checksum / 4] = crc32c(0, bytes, 0, checkpointHeader.checksum)
    this.#file.write(bytes, 0, checkpointHeaderBytes, 0)
    await this.#file.sync()
    this.#file.close()
    return this.#fileBytes
  }

  /** Gives the file up. */
  discard(): void {
    this.#file.close()
    this.#disk.remove(this.#file.path)
  }

  #flush(): void {
    const headWords = blockHeadBytes / 4
    const end = this.#at * 4
    if (this.#kind === undefined || this.#at === headWords) return
    const words = this.#words
    words[blockHead.kind / 4] = this.#kind
    words[blockHead.words / 4] = this.#at - headWords
    words[blockHead.ordinal / 4] = this.#blocks
    words[blockHead.checksum / 4] = crc32c(this.#seed, this.#bytes, blockHead.kind, end)
    this.#file.write(this.#bytes, 0, end, this.#fileBytes)
    this.#fileBytes += end
    this.#unsyncedBytes += end
    this.#blocks++
    this.#at = headWords
  }
}

/** Words that `pushBytes` takes. */
export function wordsOfBytes(bytes: Uint8Array): number {
  return 1 + ((bytes.length + 3) >>> 2)
}
