/**
 * Objects as files of a folder. `KEY.object` holds the bytes, the checksum of each MiB, and a footer; so a copy made with any
 * tool keeps its checksums.
 *
 *   0 bytes | u32 checksum of each MiB … | 0 `ORBITOBJ` | 8 u64 bytes | 16 u32 version: 1 | 20 u32 checksum
 *
 * The last checksum is that of the checksums and the footer before it. A file is written beside (`.new`), synced and renamed; what a
 * crash leaves of it is without meaning, and is what `sweep` removes. Creating takes the folder's lock, so that of
 * two processes one wins.
 */

import { dirname } from 'node:path'
import { hasCode } from '@orbitkv/base'
import { crc32c, layout, raw, u32, u64, writeUint64 } from '@orbitkv/bytes'
import type { Clock, Disk, DiskFile, DiskLock, RandomUint32 } from '@orbitkv/runtime'
import { blockBytes, blockCount, findDamage, makeChecksums, objectBytesMax } from './checksums.ts'
import { objectsErrors } from './errors.ts'
import { checkKey } from './keys.ts'
import { retrying } from './retry.ts'
import type { ObjectInfo, ObjectStore, PutOptions, RequestOptions } from './types.ts'

const footerBytes = 24
const footer = layout('object footer', footerBytes, {
  magic: raw(0, 8),
  bytes: u64(8),
  version: u32(16),
  checksum: u32(20),
})
const magic = 'ORBITOBJ'
const formatVersion = 1
const ending = '.object'
const stagedEnding = '.new'
/** Bytes handed to the system between two turns of the event loop. */
const stepBytes = blockBytes
/** Another process holds the lock for as long as it takes to write a small object. */
const lockRetries = 10

export interface FolderOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly randomUint32: RandomUint32
}

/** What a file says of the object in it. */
interface Opened {
  readonly file: DiskFile
  readonly bytes: number
  readonly checksums: Uint32Array
}

export class FolderObjects implements ObjectStore {
  readonly where: string
  readonly #options: FolderOptions
  readonly #path: string
  /** Folders whose names are known to be durable. */
  readonly #made = new Set<string>()

  constructor(path: string, options: FolderOptions) {
    this.#path = path
    this.where = `the folder ${path}`
    this.#options = options
  }

  async put(key: string, body: Uint8Array, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    checkKey(key)
    if (body.length > objectBytesMax) throw objectsErrors.too_large({ key, bytes: body.length, max: objectBytesMax })
    const path = this.#pathOf(key)
    await this.#makeDirectory(dirname(path))
    const lock = ifAbsent ? await this.#lock() : undefined
    try {
      if (ifAbsent && this.#options.disk.exists(path)) throw objectsErrors.exists({ key, where: this.where })
      await this.#write(key, path, body, signal)
    } finally {
      lock?.release()
    }
  }

  async #write(key: string, path: string, body: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { disk, clock } = this.#options
    // A name of its own: another process may be writing the same object.
    const staged = `${path}.${this.#options.randomUint32().toString(16).padStart(8, '0')}${stagedEnding}`
    const checksums = await makeChecksums(body, clock)
    const tail = encodeTail(body.length, checksums)
    const file = disk.open(staged, 'create')
    try {
      for (let at = 0; at < body.length; at += stepBytes) {
        if (signal?.aborted === true) throw objectsErrors.stopped({ operation: 'writing', key, where: this.where })
        file.write(body, at, Math.min(stepBytes, body.length - at), at)
        await clock.turn()
      }
      file.write(tail, 0, tail.length, body.length)
      await file.sync()
    } catch (error) {
      file.close()
      if (disk.exists(staged)) disk.remove(staged)
      throw error
    }
    file.close()
    disk.rename(staged, path)
    await disk.syncDirectory(dirname(path))
  }

  get(key: string): Promise<Uint8Array> {
    return this.#reading(key, (opened) => this.#readBlocks(key, opened, 0, blockCount(opened.bytes)))
  }

  getRange(key: string, start: number, end: number): Promise<Uint8Array> {
    return this.#reading(key, async (opened) => {
      const stop = Math.min(end, opened.bytes)
      if (start >= stop) return new Uint8Array(0)
      const first = Math.floor(start / blockBytes)
      const bytes = await this.#readBlocks(key, opened, first, blockCount(stop))
      return bytes.subarray(start - first * blockBytes, stop - first * blockBytes)
    })
  }

  async #readBlocks(key: string, { file, bytes, checksums }: Opened, first: number, end: number): Promise<Uint8Array> {
    const from = first * blockBytes
    const body = new Uint8Array(Math.min(bytes, end * blockBytes) - from)
    for (let at = 0; at < body.length; ) {
      const read = await file.readAsync(body, at, Math.min(stepBytes, body.length - at), from + at)
      if (read === 0) throw this.#corrupt(key, from + at, 'the file ends here')
      at += read
    }
    const damaged = await findDamage(body, first, checksums, this.#options.clock)
    if (damaged !== undefined) throw this.#corrupt(key, damaged, 'the checksum of a MiB does not match')
    return body
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      return await this.#reading(key, async ({ bytes }) => ({ key, bytes }))
    } catch (error) {
      if (hasCode(error, 'objects.not_found')) return undefined
      throw error
    }
  }

  async *list(prefix: string, options: RequestOptions = {}): AsyncIterable<string> {
    // Only the last folder of the prefix and what lies below it can hold such keys.
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    yield* this.#listFolder(folder, prefix, options.signal)
  }

  async *#listFolder(folder: string, prefix: string, signal: AbortSignal | undefined): AsyncIterable<string> {
    if (signal?.aborted === true) {
      throw objectsErrors.stopped({ operation: 'listing', key: prefix, where: this.where })
    }
    for (const name of this.#names(folder === '' ? this.#path : `${this.#path}/${folder.slice(0, -1)}`)) {
      const key = `${folder}${name}`
      if (name.endsWith(ending)) {
        const whole = key.slice(0, -ending.length)
        if (whole.startsWith(prefix)) yield whole
      } else if (key.startsWith(prefix) && !name.includes('.')) {
        yield* this.#listFolder(`${key}/`, prefix, signal)
      }
    }
  }

  /** The names in a folder; none where it is no folder. */
  #names(path: string): string[] {
    const { disk } = this.#options
    if (!disk.exists(path)) return []
    try {
      return disk.list(path)
    } catch (error) {
      if (hasCode(error, 'disk.not_a_directory')) return []
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    const { disk } = this.#options
    const path = this.#pathOf(key)
    if (!disk.exists(path)) return
    await disk.discard(path)
    await disk.syncDirectory(dirname(path))
  }

  async sweep(prefix: string): Promise<number> {
    const { disk } = this.#options
    const folder = `${this.#path}/${prefix}`.replace(/\/*$/, '')
    const staged = this.#names(folder).filter((name) => name.endsWith(`${stagedEnding}`))
    for (const name of staged) await disk.discard(`${folder}/${name}`)
    return staged.length
  }

  close(): void {}

  #pathOf(key: string): string {
    return `${this.#path}/${key}${ending}`
  }

  async #reading<Result>(key: string, use: (opened: Opened) => Promise<Result>): Promise<Result> {
    checkKey(key)
    let file: DiskFile
    try {
      file = this.#options.disk.open(this.#pathOf(key), 'read')
    } catch (error) {
      if (hasCode(error, 'disk.not_found')) throw objectsErrors.not_found({ key, where: this.where }, error)
      throw error
    }
    try {
      return await use({ file, ...this.#readTail(key, file) })
    } finally {
      file.close()
    }
  }

  #readTail(key: string, file: DiskFile): { bytes: number; checksums: Uint32Array } {
    const size = file.size()
    const found = decodeTail(file, size)
    if ('problem' in found) throw this.#corrupt(key, Math.max(0, size - footerBytes), found.problem)
    return found
  }

  #corrupt(key: string, offset: number, problem: string): Error {
    return objectsErrors.corrupt({ key, where: this.where, offset, problem })
  }

  /** One process at a time creates; who comes second waits for a moment. */
  #lock(): Promise<DiskLock> {
    const { disk } = this.#options
    return retrying(
      { ...this.#options, retryCount: lockRetries },
      async () => disk.lock(`${this.#path}/lock`),
      (error) => ({ mayPass: hasCode(error, 'disk.locked'), error: () => error as Error }),
    )
  }

  /** Makes a folder and those above it, so that they outlive a power cut. */
  async #makeDirectory(path: string): Promise<void> {
    if (this.#made.has(path)) return
    const { disk } = this.#options
    const missing: string[] = []
    for (let at = path; !disk.exists(at); at = dirname(at)) missing.push(at)
    disk.makeDirectory(path)
    for (const made of missing) await disk.syncDirectory(dirname(made))
    this.#made.add(path)
  }
}

function encodeTail(bytes: number, checksums: Uint32Array): Uint8Array {
  const words = new Uint32Array(checksums.length + footerBytes / 4)
  words.set(checksums)
  const tail = new Uint8Array(words.buffer)
  const at = 4 * checksums.length
  for (let i = 0; i < magic.length; i++) tail[at + i] = magic.charCodeAt(i)
  writeUint64(words, (at + footer.bytes) / 4, bytes)
  words[(at + footer.version) / 4] = formatVersion
  words[(at + footer.checksum) / 4] = crc32c(0, tail, 0, at + footer.checksum)
  return tail
}

function decodeTail(
  file: DiskFile,
  size: number,
): { bytes: number; checksums: Uint32Array; problem?: never } | { problem: string } {
  const end = new Uint8Array(footerBytes)
  if (size < footerBytes || file.read(end, 0, footerBytes, size - footerBytes) !== footerBytes) {
    return { problem: 'it is too short for an object' }
  }
  if (String.fromCharCode(...end.subarray(0, magic.length)) !== magic) {
    return { problem: 'it does not end as an object' }
  }
  const view = new DataView(end.buffer)
  const bytes = view.getUint32(footer.bytes, true) + view.getUint32(footer.bytes + 4, true) * 2 ** 32
  const tableBytes = 4 * blockCount(bytes)
  if (size !== bytes + tableBytes + footerBytes) return { problem: `its length is not that of ${bytes} bytes` }
  const tail = new Uint8Array(tableBytes + footerBytes)
  const read = file.read(tail, 0, tail.length, bytes)
  const words = new Uint32Array(tail.buffer)
  const checksum = words[(tableBytes + footer.checksum) / 4]
  if (read !== tail.length || checksum !== crc32c(0, tail, 0, tableBytes + footer.checksum)) {
    return { problem: 'the checksum of its checksums does not match' }
  }
  const version = words[(tableBytes + footer.version) / 4]
  if (version !== formatVersion) return { problem: `its format version is ${version}` }
  return { bytes, checksums: words.subarray(0, tableBytes / 4) }
}
