/**
 * A disk in memory: files that live as long as the process. For stores that need not survive it, and for tests without
 * faults. Everything counts as synced at once.
 */

import type { Disk, DiskFile, DiskLock, Mapping, OpenMode } from './disk.ts'
import { diskErrors } from './errors.ts'
import { writeZeros } from './zeros.ts'

interface Content {
  bytes: Uint8Array
  size: number
}

const contentBytesMin = 4096

export class MemoryDisk implements Disk {
  readonly kind = 'memory'
  readonly #files = new Map<string, Content>()
  readonly #directories = new Set<string>(['/', '.'])
  readonly #locks = new Set<string>()

  open(path: string, mode: OpenMode): DiskFile {
    let content = this.#files.get(path)
    if (mode === 'create') {
      if (this.exists(path)) throw diskErrors.exists({ path })
      if (!this.#directories.has(parentOf(path))) throw diskErrors.not_found({ path: parentOf(path) })
      content = { bytes: new Uint8Array(contentBytesMin), size: 0 }
      this.#files.set(path, content)
    }
    if (content === undefined) throw diskErrors.not_found({ path })
    return new MemoryFile(path, content, mode !== 'read')
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path)
  }

  list(directory: string): string[] {
    if (this.#files.has(directory)) throw diskErrors.not_a_directory({ path: directory })
    if (!this.#directories.has(directory)) throw diskErrors.not_found({ path: directory })
    const names: string[] = []
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      if (path !== directory && parentOf(path) === directory) names.push(path.slice(path.lastIndexOf('/') + 1))
    }
    return names.sort()
  }

  makeDirectory(path: string): void {
    if (this.#directories.has(path)) return
    if (this.#files.has(path)) throw diskErrors.exists({ path })
    this.makeDirectory(parentOf(path))
    this.#directories.add(path)
  }

  remove(path: string): void {
    if (!this.#files.delete(path)) throw diskErrors.not_found({ path })
  }

  async discard(path: string): Promise<void> {
    this.remove(path)
  }

  rename(from: string, to: string): void {
    const content = this.#files.get(from)
    if (content === undefined) throw diskErrors.not_found({ path: from })
    this.#files.delete(from)
    this.#files.set(to, content)
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#directories.has(path)) throw diskErrors.not_found({ path })
  }

  freeBytes(): number {
    return Number.MAX_SAFE_INTEGER
  }

  lock(path: string): DiskLock {
    if (this.#locks.has(path)) throw diskErrors.locked({ path })
    if (!this.#files.has(path)) this.open(path, 'create').close()
    this.#locks.add(path)
    return { release: () => void this.#locks.delete(path) }
  }
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #content: Content
  readonly #writable: boolean
  #open = true

  constructor(path: string, content: Content, writable: boolean) {
    this.path = path
    this.#content = content
    this.#writable = writable
  }

  size(): number {
    return this.#opened().size
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    const content = this.#toWrite()
    grow(content, offset + length)
    content.bytes.set(source.subarray(start, start + length), offset)
    content.size = Math.max(content.size, offset + length)
  }

  read(target: Uint8Array, start: number, length: number, offset: number): number {
    const content = this.#opened()
    const bytes = Math.max(0, Math.min(length, content.size - offset))
    target.set(content.bytes.subarray(offset, offset + bytes), start)
    return bytes
  }

  async readAsync(target: Uint8Array, start: number, length: number, offset: number): Promise<number> {
    return this.read(target, start, length, offset)
  }

  readResident(target: Uint8Array, start: number, length: number, offset: number): number {
    return this.read(target, start, length, offset)
  }

  allocate(offset: number, length: number): void {
    writeZeros(this, offset, length)
  }

  async sync(): Promise<void> {
    this.#opened()
  }

  trySync(): boolean {
    this.#opened()
    return true
  }

  async dropCached(): Promise<void> {
    this.#opened()
  }

  truncate(size: number): void {
    const content = this.#toWrite()
    grow(content, size)
    if (size < content.size) content.bytes.fill(0, size, content.size)
    content.size = size
  }

  map(offset: number, length: number): Mapping {
    const bytes = new Uint8Array(length)
    this.read(bytes, 0, length, offset)
    return { bytes, residentBytes: (_start, part = length) => part, advise: () => {}, release: () => {} }
  }

  close(): void {
    this.#open = false
  }

  #opened(): Content {
    if (!this.#open) throw diskErrors.closed({ path: this.path })
    return this.#content
  }

  #toWrite(): Content {
    if (!this.#writable) throw diskErrors.read_only({ path: this.path, reason: 'it was opened for reading' })
    return this.#opened()
  }
}

function grow(content: Content, bytes: number): void {
  if (bytes <= content.bytes.length) return
  const larger = new Uint8Array(Math.max(bytes, content.bytes.length * 2))
  larger.set(content.bytes)
  content.bytes = larger
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}
