/**
 * The real disk on the native addon: files read through mmap, reads that never wait, a lock that the kernel holds.
 */

import fs from 'node:fs'
import type { NativeBinding } from '@orbitkv/native'
import type { DiskFile, DiskLock, MapAdvice, Mapping, OpenMode } from './disk.ts'
import { diskFailure } from './disk-failure.ts'
import { diskErrors } from './errors.ts'
import { findHolder } from './lock-entries.ts'
import { RealFile } from './real-file.ts'
import { openDescriptor, openOrCreateDescriptor, RealFolders } from './real-folders.ts'

export class NativeDisk extends RealFolders {
  override readonly kind = 'native'
  readonly #native: NativeBinding

  constructor(native: NativeBinding) {
    super()
    this.#native = native
  }

  override open(path: string, mode: OpenMode): DiskFile {
    return new NativeFile(this.#native, path, mode, openDescriptor(path, mode))
  }

  /**
   * A lock of the open file, which ends with its last descriptor. A holder on the plain JavaScript disk has no such
   * lock but an entry beside it (lock-entries.ts), looked for once the kernel's lock is taken: the other side writes
   * its entry first and then looks for the kernel's lock, so that of two who try at once at least one sees the other.
   */
  override lock(path: string): DiskLock {
    const fd = openOrCreateDescriptor(path)
    let held = false
    try {
      held = this.#native.lock(fd) && findHolder(path) === undefined
    } catch (error) {
      throw diskFailure(error, 'locking', path)
    } finally {
      if (!held) fs.closeSync(fd)
    }
    if (!held) throw diskErrors.locked({ path })
    let released = false
    return {
      release: () => {
        if (released) return
        released = true
        fs.closeSync(fd)
      },
    }
  }
}

class NativeFile extends RealFile {
  readonly #native: NativeBinding

  constructor(native: NativeBinding, path: string, mode: OpenMode, fd: number) {
    super(path, mode, fd)
    this.#native = native
  }

  protected override writeTo(fd: number, source: Uint8Array, start: number, length: number, offset: number): void {
    this.#native.write(fd, source, start, length, offset)
  }

  protected override readFrom(fd: number, target: Uint8Array, start: number, length: number, offset: number): number {
    return this.#native.read(fd, target, start, length, offset)
  }

  protected override readResidentFrom(
    fd: number,
    target: Uint8Array,
    start: number,
    length: number,
    offset: number,
  ): number {
    return this.#native.readNoWait(fd, target, start, length, offset)
  }

  protected override allocateIn(fd: number, offset: number, length: number): boolean {
    try {
      this.#native.fallocate(fd, offset, length)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOPNOTSUPP' || code === 'ENOSYS') return false
      throw error
    }
  }

  protected override dropFrom(fd: number, offset: number, length: number): Promise<void> {
    return this.#native.dropCached(fd, offset, length)
  }

  protected override syncData(fd: number): Promise<void> {
    return this.#native.fdatasync(fd)
  }

  protected override mapFrom(fd: number, offset: number, length: number): Mapping {
    return new NativeMapping(this.#native, this.path, this.#native.map(fd, offset, length))
  }
}

class NativeMapping implements Mapping {
  readonly bytes: Uint8Array
  readonly #native: NativeBinding
  readonly #path: string
  readonly #buffer: ArrayBuffer
  #released = false

  constructor(native: NativeBinding, path: string, buffer: ArrayBuffer) {
    this.#native = native
    this.#path = path
    this.#buffer = buffer
    this.bytes = new Uint8Array(buffer)
  }

  residentBytes(start = 0, length: number = this.bytes.length - start): number {
    this.#check()
    try {
      return this.#native.residentBytes(this.#buffer, start, length)
    } catch (error) {
      throw diskFailure(error, 'look-up', this.#path)
    }
  }

  advise(advice: MapAdvice, start = 0, length: number = this.bytes.length - start): void {
    this.#check()
    try {
      this.#native.advise(this.#buffer, start, length, advice)
    } catch (error) {
      throw diskFailure(error, 'advising', this.#path)
    }
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#native.unmap(this.#buffer)
  }

  #check(): void {
    if (this.#released) throw diskErrors.closed({ path: this.#path })
  }
}
