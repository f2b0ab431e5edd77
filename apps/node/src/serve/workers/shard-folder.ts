/**
 * The folder of a server with several workers: the file `shards.json`, and a store in a folder for each shard.
 *
 *   { "format": 1, "shards": 4, "nodeId": "32 hexadecimal digits", "createdAt": milliseconds since 1970 }
 *
 * What must hold: the number of shards never changes, since it says where each key is. The file comes into being by a
 * rename, before any shard does; without it a folder that is not empty is not ours. Format: docs/formats/shards-v1.md.
 */

import { dirname } from 'node:path'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { engineErrors, shardsFileName } from '@orbitkv/engine'
import { type Disk, type DiskLock, realRandomUint32 } from '@orbitkv/runtime'
import { cliErrors } from '../../errors.ts'

export interface ShardFolder {
  readonly shards: number
  /** 32 hexadecimal digits. */
  readonly nodeId: string
}

const formatVersion = 1
const lockName = 'lock'
/** What a crash may leave of the file while it was being made. */
const stagedName = `${shardsFileName}.new`
const shardsMax = 1024
const fileBytesMax = 64 * 1024

export interface OpenShardFolderOptions {
  readonly workers: number
  /** 0: whatever the folder has, or as many as workers for a new one. */
  readonly shards: number
  readonly now: number
}

/** Whether the keys of this folder are dealt out already. */
export function hasShards(disk: Disk, path: string): boolean {
  return disk.exists(`${path}/${shardsFileName}`)
}

export function shardPath(path: string, shard: number): string {
  return `${path}/shard-${String(shard).padStart(3, '0')}`
}

/**
 * Reads the file, or makes it in a new folder; the lock is the caller's to release. Errors: `cli.*` of this file,
 * `engine.not_a_store`, `engine.newer_format`, `disk.*`.
 */
export async function openShardFolder(
  disk: Disk,
  path: string,
  options: OpenShardFolderOptions,
): Promise<ShardFolder & { readonly lock: DiskLock }> {
  const { workers, shards: asked } = options
  if (!hasShards(disk, path)) refuseOthers(disk, path)
  await makeDurableFolder(disk, path)
  const lock = disk.lock(`${path}/${lockName}`)
  try {
    const folder = hasShards(disk, path) ? readFile(disk, path) : await makeFile(disk, path, options)
    const { shards } = folder
    if (asked !== 0 && asked !== shards) throw cliErrors.shards_fixed({ path, shards, asked })
    if (workers > shards) throw cliErrors.too_few_shards({ path, shards })
    return { ...folder, lock }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** As a folder has it, for a server whose data are in memory. */
export function shardsInMemory({ workers, shards }: OpenShardFolderOptions): ShardFolder {
  return { shards: Math.max(shards, workers), nodeId: newNodeId() }
}

/** Of a folder without the file: one with other things in it is not ours to write to. */
function refuseOthers(disk: Disk, path: string): void {
  if (!disk.exists(path)) return
  const names = disk.list(path)
  if (names.includes('orbit.json')) throw cliErrors.not_sharded({ path })
  const foreign = names.find((name) => name !== lockName && name !== stagedName)
  if (foreign !== undefined) throw engineErrors.not_a_store({ path, found: foreign })
}

async function makeFile(
  disk: Disk,
  path: string,
  { workers, shards, now }: OpenShardFolderOptions,
): Promise<ShardFolder> {
  const staged = `${path}/${stagedName}`
  if (disk.exists(staged)) disk.remove(staged)
  const folder = { shards: shards === 0 ? workers : shards, nodeId: newNodeId() }
  if (workers > folder.shards) throw cliErrors.too_few_shards({ path, shards: folder.shards })
  const bytes = encodeText(`${JSON.stringify({ format: formatVersion, ...folder, createdAt: now }, undefined, 2)}\n`)
  const file = disk.open(staged, 'create')
  try {
    file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(staged, `${path}/${shardsFileName}`)
  await disk.syncDirectory(path)
  return folder
}

/** Makes a folder and the missing ones above it, so that they outlive a power cut. */
async function makeDurableFolder(disk: Disk, path: string): Promise<void> {
  const missing: string[] = []
  for (let at = path; !disk.exists(at); at = dirname(at)) missing.push(at)
  disk.makeDirectory(path)
  for (const made of missing) await disk.syncDirectory(dirname(made))
}

function readFile(disk: Disk, path: string): ShardFolder {
  const name = `${path}/${shardsFileName}`
  const bytes = new Uint8Array(fileBytesMax)
  const file = disk.open(name, 'read')
  let length: number
  try {
    length = file.read(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const { format, shards, nodeId } = parse(decodeText(bytes.subarray(0, length)))
  if (typeof format === 'number' && format > formatVersion) {
    throw engineErrors.newer_format({ path: name, found: format, known: formatVersion })
  }
  const isCount = typeof shards === 'number' && Number.isInteger(shards) && shards >= 1 && shards <= shardsMax
  if (format !== formatVersion || !isCount) {
    throw cliErrors.bad_shards_file({ file: name, problem: 'it says no format or number of shards' })
  }
  if (typeof nodeId !== 'string' || !/^[0-9a-f]{32}$/.test(nodeId)) {
    throw cliErrors.bad_shards_file({ file: name, problem: 'it says no node id' })
  }
  return { shards, nodeId }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function newNodeId(): string {
  return Array.from({ length: 4 }, () => realRandomUint32().toString(16).padStart(8, '0')).join('')
}
