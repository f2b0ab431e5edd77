/**
 * The manifest `orbit.json`: which format a folder has, and whose it is. Written once, when the store is made.
 *
 * It comes into being by a rename, so it is there whole or not at all; a folder without one that is not empty is not
 * ours to write to.
 */

import { dirname } from 'node:path'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { engineErrors, shardsFileName } from '@orbitkv/engine'
import { type Disk, diskErrors } from '@orbitkv/runtime'
import { formatVersion } from './format.ts'

export interface Manifest {
  readonly format: number
  /** 32 hexadecimal digits. */
  readonly storeId: string
  readonly createdAt: number
  readonly shards: number
}

const fileName = 'orbit.json'
const manifestBytesMax = 64 * 1024

interface OpenManifestOptions {
  readonly randomUint32: () => number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Makes sure of the folder of a store before anything is written to it; makes it, where that is wanted. */
export async function prepareFolder(disk: Disk, path: string, createIfMissing: boolean): Promise<void> {
  if (disk.exists(path)) {
    const names = disk.list(path)
    if (names.includes(fileName)) return
    if (names.includes(shardsFileName)) throw engineErrors.sharded({ path })
    // What a crash while it was being made may leave is not another's.
    const foreign = names.filter((name) => name !== `${fileName}.new` && name !== 'lock' && name !== 'log-00')
    if (foreign.length > 0) throw engineErrors.not_a_store({ path, found: foreign[0] })
  }
  if (!createIfMissing) throw diskErrors.not_found({ path })
  await makeDurableDirectory(disk, path)
}

/** Where the manifest of a store is. */
export function manifestPath(path: string): string {
  return `${path}/${fileName}`
}

/** Reads the manifest, or writes that of a new store. Its caller holds the lock: of two openers one makes the store. */
export async function openManifest(disk: Disk, path: string, options: OpenManifestOptions): Promise<Manifest> {
  const file = `${path}/${fileName}`
  if (disk.exists(file)) return readManifest(disk, file)
  const storeId = Array.from({ length: 4 }, () => options.randomUint32().toString(16).padStart(8, '0')).join('')
  const manifest: Manifest = { format: formatVersion, storeId, createdAt: options.now, shards: 1 }
  await writeManifest(disk, path, manifest)
  return manifest
}

/** Makes a folder and the missing ones above it, so that they outlive a power cut. */
export async function makeDurableDirectory(disk: Disk, path: string): Promise<void> {
  const missing: string[] = []
  for (let at = path; !disk.exists(at); at = dirname(at)) missing.push(at)
  disk.makeDirectory(path)
  for (const made of missing) await disk.syncDirectory(dirname(made))
}

export async function writeManifest(disk: Disk, path: string, manifest: Manifest): Promise<void> {
  const bytes = encodeText(`${JSON.stringify(manifest, undefined, 2)}\n`)
  const staged = `${path}/${fileName}.new`
  if (disk.exists(staged)) disk.remove(staged)
  const file = disk.open(staged, 'create')
  try {
    file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(staged, `${path}/${fileName}`)
  await disk.syncDirectory(path)
}

export function readManifest(disk: Disk, path: string): Manifest {
  const bytes = new Uint8Array(manifestBytesMax)
  const file = disk.open(path, 'read')
  let length: number
  try {
    length = file.read(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const manifest = parse(decodeText(bytes.subarray(0, length)))
  if (manifest === undefined) {
    throw engineErrors.corrupt({ file: path, offset: 0, problem: 'it is no manifest of a store' })
  }
  if (manifest.format > formatVersion) {
    throw engineErrors.newer_format({ path, found: manifest.format, known: formatVersion })
  }
  return manifest
}

function parse(text: string): Manifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { format, storeId, createdAt, shards } = (value ?? {}) as Partial<Manifest>
  const sound =
    Number.isInteger(format) &&
    typeof storeId === 'string' &&
    /^[0-9a-f]{32}$/.test(storeId) &&
    Number.isInteger(shards)
  return sound
    ? { format: format as number, storeId, createdAt: Number(createdAt), shards: shards as number }
    : undefined
}
