/**
 * An open file of a simulated disk, and its mappings: what may be asked of them when. What it does to the disk is the
 * disk's own (disk.ts), which alone makes these.
 */

import { assert } from '@orbitkv/base'
import { checkSpan } from '../check-span.ts'
import { detach } from '../detach.ts'
import { type DiskFile, type Mapping, mapAlignmentBytes, type OpenMode } from '../disk.ts'
import { diskErrors } from '../errors.ts'
import { writeZeros } from '../zeros.ts'
import type { DiskOperation } from './disk-faults.ts'
import type { FileImage } from './disk-image.ts'

/** What an open file may ask of its disk. */
export interface FileContext {
  /** Throws once the power has been cut. */
  check(operation: string): void
  /** Throws if a fault is due for this operation. */
  step(operation: DiskOperation): void
  isDead(): boolean
  read(target: Uint8Array, start: number, length: number, offset: number): number
  readsAreResident(): boolean
  write(source: Uint8Array, start: number, length: number, offset: number): void
  resize(size: number): void
  sync(): Promise<void>
  trySync(): boolean
  later<Result>(operation: DiskOperation, run: () => Result): Promise<Result>
  close(): void
}

export class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #mode: OpenMode
  readonly #image: FileImage
  readonly #context: FileContext
  #open = true

  constructor(path: string, mode: OpenMode, image: FileImage, context: FileContext) {
    this.path = path
    this.#mode = mode
    this.#image = image
    this.#context = context
  }

  size(): number {
    this.#check('look-up')
    return this.#image.size
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.#check('write')
    checkSpan(source, start, length, offset)
    this.#refuseIfForReading()
    this.#context.write(source, start, length, offset)
  }

  read(target: Uint8Array, start: number, length: number, offset: number): number {
    this.#check('read')
    checkSpan(target, start, length, offset)
    this.#context.step('read')
    return this.#context.read(target, start, length, offset)
  }

  async readAsync(target: Uint8Array, start: number, length: number, offset: number): Promise<number> {
    this.#check('read')
    checkSpan(target, start, length, offset)
    return await this.#context.later('read', () => {
      this.#context.step('read')
      return this.#context.read(target, start, length, offset)
    })
  }

  readResident(target: Uint8Array, start: number, length: number, offset: number): number {
    return this.#context.readsAreResident() ? this.read(target, start, length, offset) : -1
  }

  allocate(offset: number, length: number): void {
    writeZeros(this, offset, length)
  }

  async sync(): Promise<void> {
    this.#check('sync')
    await this.#context.sync()
  }

  trySync(): boolean {
    this.#check('sync')
    return this.#context.trySync()
  }

  async dropCached(): Promise<void> {
    this.#check('advising')
  }

  truncate(size: number): void {
    this.#check('resizing')
    this.#refuseIfForReading()
    this.#context.resize(size)
  }

  map(offset: number, length: number): Mapping {
    this.#check('mapping')
    assert(offset % mapAlignmentBytes === 0, 'a mapping starts at a multiple of mapAlignmentBytes')
    assert(length > 0, 'a mapping has at least one byte')
    this.#context.step('map')
    if (offset + length > this.#image.size) {
      throw diskErrors.failed({ operation: 'mapping', path: this.path, reason: 'the range ends after the file' })
    }
    return new SimulatedMapping(this.path, this.#image, offset, length, this.#context)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (!this.#context.isDead()) this.#context.close()
  }

  #check(operation: string): void {
    this.#context.check(operation)
    if (!this.#open) throw diskErrors.closed({ path: this.path })
  }

  #refuseIfForReading(): void {
    if (this.#mode === 'read') throw diskErrors.read_only({ path: this.path, reason: 'it was opened for reading' })
  }
}

class SimulatedMapping implements Mapping {
  readonly bytes: Uint8Array
  readonly #path: string
  readonly #context: FileContext
  readonly #end: () => void
  #released = false

  constructor(path: string, image: FileImage, offset: number, length: number, context: FileContext) {
    this.#path = path
    this.#context = context
    const view = image.addView(offset, length)
    this.bytes = view.bytes
    this.#end = () => {
      image.removeView(view)
      detach(view.bytes.buffer)
    }
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
    this.#end()
  }

  #check(): void {
    this.#context.check('mapping')
    if (this.#released) throw diskErrors.closed({ path: this.#path })
  }
}
