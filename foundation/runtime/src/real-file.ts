/**
 * An open file of a real disk: what the native and the plain JavaScript one share.
 *
 * What must hold: the descriptor stays open while a sync or an asynchronous read is under way, because a number that is
 * closed may be given to another file at once, and the sync would then report success for the wrong one. So `close`
 * ends the use of the file at once and closes the descriptor when the last of them has settled.
 */

import fs from 'node:fs'
import { assert } from '@orbitkv/base'
import { checkSpan } from './check-span.ts'
import { type DiskFile, type Mapping, mapAlignmentBytes, type OpenMode } from './disk.ts'
import { diskFailure } from './disk-failure.ts'
import { diskErrors } from './errors.ts'
import { writeZeros } from './zeros.ts'

export abstract class RealFile implements DiskFile {
  readonly path: string
  readonly #mode: OpenMode
  readonly #fd: number
  #open = true
  #pending = 0

  constructor(path: string, mode: OpenMode, fd: number) {
    this.path = path
    this.#mode = mode
    this.#fd = fd
  }

  protected abstract writeTo(fd: number, source: Uint8Array, start: number, length: number, offset: number): void
  protected abstract readFrom(fd: number, target: Uint8Array, start: number, length: number, offset: number): number
  protected abstract readResidentFrom(
    fd: number,
    target: Uint8Array,
    start: number,
    length: number,
    offset: number,
  ): number
  /** False where the system cannot allocate without writing. */
  protected abstract allocateIn(fd: number, offset: number, length: number): boolean
  protected abstract dropFrom(fd: number, offset: number, length: number): Promise<void>
  protected abstract syncData(fd: number): Promise<void>
  protected abstract mapFrom(fd: number, offset: number, length: number): Mapping

  size(): number {
    const fd = this.#descriptor()
    try {
      return fs.fstatSync(fd).size
    } catch (error) {
      throw diskFailure(error, 'look-up', this.path)
    }
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    const fd = this.#descriptor()
    checkSpan(source, start, length, offset)
    try {
      this.writeTo(fd, source, start, length, offset)
    } catch (error) {
      this.#refuseIfForReading()
      throw diskFailure(error, 'write', this.path)
    }
  }

  read(target: Uint8Array, start: number, length: number, offset: number): number {
    const fd = this.#descriptor()
    checkSpan(target, start, length, offset)
    try {
      return this.readFrom(fd, target, start, length, offset)
    } catch (error) {
      throw diskFailure(error, 'read', this.path)
    }
  }

  readResident(target: Uint8Array, start: number, length: number, offset: number): number {
    const fd = this.#descriptor()
    checkSpan(target, start, length, offset)
    try {
      return this.readResidentFrom(fd, target, start, length, offset)
    } catch (error) {
      throw diskFailure(error, 'read', this.path)
    }
  }

  async readAsync(target: Uint8Array, start: number, length: number, offset: number): Promise<number> {
    const fd = this.#descriptor()
    checkSpan(target, start, length, offset)
    return await this.#whilePending('read', async () => {
      let done = 0
      // Ends at `length` or at the end of the file, where a read answers 0.
      while (done < length) {
        const count = await readSome(fd, target, start + done, length - done, offset + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  allocate(offset: number, length: number): void {
    const fd = this.#descriptor()
    this.#refuseIfForReading()
    let isDone: boolean
    try {
      isDone = this.allocateIn(fd, offset, length)
    } catch (error) {
      throw diskFailure(error, 'allocating', this.path)
    }
    if (!isDone) writeZeros(this, offset, length)
  }

  async sync(): Promise<void> {
    const fd = this.#descriptor()
    await this.#whilePending('sync', () => this.syncData(fd))
  }

  trySync(): boolean {
    const fd = this.#descriptor()
    try {
      fs.fdatasyncSync(fd)
    } catch (error) {
      throw diskFailure(error, 'sync', this.path)
    }
    return true
  }

  async dropCached(offset: number, length: number): Promise<void> {
    const fd = this.#descriptor()
    await this.#whilePending('advising', () => this.dropFrom(fd, offset, length))
  }

  truncate(size: number): void {
    const fd = this.#descriptor()
    this.#refuseIfForReading()
    try {
      fs.ftruncateSync(fd, size)
    } catch (error) {
      throw diskFailure(error, 'resizing', this.path)
    }
  }

  map(offset: number, length: number): Mapping {
    const fd = this.#descriptor()
    assert(offset % mapAlignmentBytes === 0, 'a mapping starts at a multiple of mapAlignmentBytes')
    assert(length > 0, 'a mapping has at least one byte')
    if (offset + length > this.size()) {
      throw diskErrors.failed({ operation: 'mapping', path: this.path, reason: 'the range ends after the file' })
    }
    try {
      return this.mapFrom(fd, offset, length)
    } catch (error) {
      throw diskFailure(error, 'mapping', this.path)
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#pending === 0) this.#closeDescriptor()
  }

  #descriptor(): number {
    if (!this.#open) throw diskErrors.closed({ path: this.path })
    return this.#fd
  }

  #refuseIfForReading(): void {
    if (this.#mode === 'read') throw diskErrors.read_only({ path: this.path, reason: 'it was opened for reading' })
  }

  async #whilePending<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    this.#pending++
    try {
      return await run()
    } catch (error) {
      throw diskFailure(error, operation, this.path)
    } finally {
      this.#pending--
      if (this.#pending === 0 && !this.#open) this.#closeDescriptor()
    }
  }

  #closeDescriptor(): void {
    try {
      fs.closeSync(this.#fd)
    } catch (error) {
      throw diskFailure(error, 'closing', this.path)
    }
  }
}

function readSome(fd: number, target: Uint8Array, start: number, length: number, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, start, length, offset, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}
