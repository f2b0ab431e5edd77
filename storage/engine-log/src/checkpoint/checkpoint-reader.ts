/**
 * Reading the bytes of a checkpoint, trusting nothing: the header, then block by block. Whatever is not as it was written is
 * an `Unusable`, which says why; opening then goes without. What the words mean is read-checkpoint.ts's.
 */

import { crc32c, readUint64 } from '@orbitkv/bytes'
import type { Disk, DiskFile } from '@orbitkv/runtime'
import {
  blockBytesMax,
  blockHead,
  blockHeadBytes,
  type CheckpointHead,
  checkpointHeader,
  checkpointHeaderBytes,
  checkpointMagic,
  checkpointVersion,
} from './checkpoint-format.ts'

/** Why a checkpoint is not used; opening catches it. */
export class Unusable extends Error {}

export class CheckpointReader {
  readonly #file: DiskFile
  readonly #seed: number
  readonly #blocks: number
  readonly #bytes = new Uint8Array(blockBytesMax)
  #block = 0
  #offset = checkpointHeaderBytes
  #at = 0
  #end = 0

  readonly head: CheckpointHead
  readonly fileBytes: number
  /** The words of the block; `at` is the next one. */
  readonly words: Uint32Array = new Uint32Array(this.#bytes.buffer)
  /** What the items of the block are. */
  kind = 0

  /** Opens a file that is there. */
  constructor(disk: Disk, path: string, storeId: string) {
    const file = disk.open(path, 'read')
    try {
      const bytes = new Uint8Array(checkpointHeaderBytes)
      const words = new Uint32Array(bytes.buffer)
      if (file.read(bytes, 0, checkpointHeaderBytes, 0) < checkpointHeaderBytes) throw new Unusable('it is too short')
      for (let i = 0; i < checkpointMagic.length; i++) {
        if (bytes[i] !== checkpointMagic.charCodeAt(i)) throw new Unusable('it does not begin as a checkpoint')
      }
      if (words[checkpointHeader.checksum / 4] !== crc32c(0, bytes, 0, checkpointHeader.checksum)) {
        throw new Unusable('the checksum of its header does not match')
      }
      const version =
        (bytes[checkpointHeader.version] as number) | ((bytes[checkpointHeader.version + 1] as number) << 8)
      if (version !== checkpointVersion) throw new Unusable(`its version is ${version}`)
      let owner = ''
      for (let i = 0; i < 16; i++) {
        owner += (bytes[checkpointHeader.storeId + i] as number).toString(16).padStart(2, '0')
      }
      if (owner !== storeId) throw new Unusable(`it belongs to another store, ${owner}`)
      const number = (name: keyof typeof checkpointHeader): number => readUint64(words, checkpointHeader[name] / 4)
      this.head = {
        createdAt: number('createdAt'),
        number: number('number'),
        generation: number('generation'),
        oldestRevision: number('oldestRevision'),
        position: number('position'),
        revision: number('revision'),
        time: number('time'),
        tailSegment: words[checkpointHeader.tailSegment / 4] as number,
        tailBytes: words[checkpointHeader.tailBytes / 4] as number,
        tailChecksum: words[checkpointHeader.tailChecksum / 4] as number,
      }
      this.fileBytes = number('fileBytes')
      this.#seed = words[checkpointHeader.seed / 4] as number
      this.#blocks = words[checkpointHeader.blocks / 4] as number
      if (file.size() !== this.fileBytes) throw new Unusable(`it has ${file.size()} bytes, not ${this.fileBytes}`)
      this.#file = file
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Goes on to the next block, all of whose items have been read; false behind the last. */
  nextBlock(): boolean {
    if (this.#at !== this.#end) throw this.#damaged('an item ends within it')
    if (this.#block === this.#blocks) {
      if (this.#offset !== this.fileBytes) throw this.#damaged('more follows')
      return false
    }
    const { words } = this
    const bytes = this.#bytes
    const headRead = this.#file.read(bytes, 0, blockHeadBytes, this.#offset)
    const count = words[blockHead.words / 4] as number
    const end = blockHeadBytes + count * 4
    if (headRead < blockHeadBytes || end > blockBytesMax) throw this.#damaged('its head is damaged')
    const read = this.#file.read(bytes, blockHeadBytes, count * 4, this.#offset + blockHeadBytes)
    const checksum = crc32c(this.#seed, bytes, blockHead.kind, end)
    if (read < count * 4 || words[blockHead.checksum / 4] !== checksum)
      throw this.#damaged('its checksum does not match')
    if (words[blockHead.ordinal / 4] !== this.#block) throw this.#damaged('it stands in the wrong place')
    this.kind = words[blockHead.kind / 4] as number
    this.#block++
    this.#offset += end
    this.#at = blockHeadBytes / 4
    this.#end = end / 4
    return true
  }

  /** Whether the block has more items. */
  get hasMore(): boolean {
    return this.#at < this.#end
  }

  next(): number {
    return this.words[this.take(1)] as number
  }

  next64(): number {
    return readUint64(this.words, this.take(2))
  }

  /** The index in `words` of the next so many, which count as read. */
  take(count: number): number {
    const at = this.#at
    if (at + count > this.#end) throw this.#damaged('an item runs past it')
    this.#at = at + count
    return at
  }

  nextBytes(): Uint8Array {
    const length = this.next()
    const start = this.take((length + 3) >>> 2) * 4
    return this.#bytes.slice(start, start + length)
  }

  close(): void {
    this.#file.close()
  }

  #damaged(problem: string): Unusable {
    return new Unusable(`block ${this.#block} of ${this.#blocks}: ${problem}`)
  }
}
