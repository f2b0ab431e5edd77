/**
 * The real disk in plain JavaScript over node:fs, for where the native addon is not built: same contract, slower. A
 * mapping is a copy of its range, and no read is known to be resident.
 */

import fs from 'node:fs'
import { promisify } from 'node:util'
import { detach } from './detach.ts'
import type { DiskFile, DiskLock, Mapping, OpenMode } from './disk.ts'
import { diskFailure } from './disk-failure.ts'
import { diskErrors } from './errors.ts'
import { takeEntry } from './lock-entries.ts'
import { RealFile } from './real-file.ts'
import { openDescriptor, openOrCreateDescriptor, RealFolders } from './real-folders.ts'

const fdatasync = promisify(fs.fdatasync)

export class JavaScriptDisk extends RealFolders {
  override readonly kind = 'javascript'

  override open(path: string, mode: OpenMode): DiskFile {
    return new JavaScriptFile(path, mode, openDescriptor(path, mode))
  }

  override lock(path: string): DiskLock {
    fs.closeSync(openOrCreateDescriptor(path))
    try {
      const entry = takeEntry(path)
      if (entry !== undefined) return entry
    } catch (error) {
      throw diskFailure(error, 'locking', path)
    }
    throw diskErrors.locked({ path })
  }
}

class JavaScriptFile extends RealFile {
  protected override writeTo(fd: number, source: Uint8Array, start: number, length: number, offset: number): void {
    let done = 0
    // Each round writes at least one byte or throws.
    while (done < length) done += fs.writeSync(fd, source, start + done, length - done, offset + done)
  }

  protected override readFrom(fd: number, target: Uint8Array, start: number, length: number, offset: number): number {
    let done = 0
    while (done < length) {
      const count = fs.readSync(fd, target, start + done, length - done, offset + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  protected override readResidentFrom(): number {
    return -1
  }

  protected override allocateIn(): boolean {
    return false
  }

  protected override async dropFrom(): Promise<void> {}

  protected override syncData(fd: number): Promise<void> {
    return fdatasync(fd)
  }

  protected override mapFrom(fd: number, offset: number, length: number): Mapping {
    const bytes = new Uint8Array(length)
    if (this.readFrom(fd, bytes, 0, length, offset) < length) {
      throw diskErrors.failed({ operation: 'mapping', path: this.path, reason: 'the file was cut meanwhile' })
    }
    return new CopiedMapping(this.path, bytes)
  }
}

class CopiedMapping implements Mapping {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #path: string
  #released = false

  constructor(path: string, bytes: Uint8Array<ArrayBuffer>) {
    this.#path = path
    this.bytes = bytes
  }

  residentBytes(start = 0, length: number = this.bytes.length - start): number {
    this.#check()
    return length
  }

  advise(): void {
    this.#check()
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    detach(this.bytes.buffer)
  }

  #check(): void {
    if (this.#released) throw diskErrors.closed({ path: this.#path })
  }
}
