/**
 * An LMDB environment, through lmdb: a folder with data.mdb, or the file by itself. Others may have it open.
 *
 * Keys and values come as the bytes that they are: what lmdb itself packed (its default encoding is MessagePack) stays
 * packed. Of a named database a key in the main one tells; such keys are not entries and are left out.
 */

import { type FileHandle, open as openFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { cliErrors } from '../errors.ts'
import { loadPeer } from '../peers.ts'
import { pageBytesMax, pageEntriesMax } from '../targets/target.ts'
import type { FolderSource, SourceEntry } from './folder-source.ts'

type Database = Pick<RootDatabase<Uint8Array, Uint8Array>, 'getRange' | 'getStats'>

/**
 * The first page begins with a page header, then `u32 magic, u32 data format`, in the byte order of the machine. The
 * header has 16 bytes in format 1 (LMDB 0.9) and 24 in format 2; a build of the package lmdb reads one of them, and
 * ends the process over the other.
 */
const magicAt = { 1: 16, 2: 24 } as const
const magic = 0xbeefc0de
/** From this patch of LMDB 0.9 on, which is what will be 1.0, the format is 2. */
const format2Patch = 90
/** The record of a named database is of this size, and its key ends with a zero byte. */
const namedBytes = 48
const namedMax = 1024
const asBytes = { keyEncoding: 'binary', encoding: 'binary' } as const

/**
 * `database` names one inside the environment; undefined is the main one. Errors: `cli.not_that_source`,
 * `cli.source_failed`, `cli.no_such_database`, `cli.peer_missing`.
 */
export async function openLmdb(name: string, path: string, database: string | undefined): Promise<FolderSource> {
  const lmdb = await loadPeer('lmdb', 'importing from LMDB', () => import('lmdb'))
  const { open, version } = lmdb as typeof lmdb & { readonly version: { readonly patch: number } }
  const isFile = !(await stat(path)).isDirectory()
  await checkFormat(name, isFile ? path : join(path, 'data.mdb'), version.patch < format2Patch ? 1 : 2)
  let root: RootDatabase<Uint8Array, Uint8Array>
  try {
    root = open<Uint8Array, Uint8Array>({ path, noSubdir: isFile, readOnly: true, maxDbs: namedMax, ...asBytes })
  } catch (error) {
    throw cliErrors.source_failed({ source: name, reason: (error as Error).message }, error)
  }
  try {
    const inside = namedDatabases(root)
    if (database === undefined) return new LmdbSource(name, root, root, inside)
    if (!inside.includes(database))
      throw cliErrors.no_such_database({ source: name, database, databases: inside.join(', ') || 'none' })
    return new LmdbSource(name, root, named(root, database), [])
  } catch (error) {
    await root.close()
    throw error
  }
}

/** What is no environment must not reach lmdb, which would make one of it or end the process. */
async function checkFormat(name: string, file: string, readable: 1 | 2): Promise<void> {
  const refuse = (problem: string, error?: unknown) =>
    cliErrors.not_that_source({ source: name, kind: 'LMDB environment', problem }, error)
  let handle: FileHandle
  try {
    handle = await openFile(file, 'r')
  } catch (error) {
    throw refuse(`data.mdb cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
  try {
    const head = Buffer.alloc(32)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    const format = ([1, 2] as const).find((one) => head.readUInt32LE(magicAt[one]) === magic)
    if (bytesRead < head.length || format === undefined) throw refuse('data.mdb is something else')
    if (format !== readable) {
      throw refuse(
        `its data format is ${format}, and the package lmdb as it is installed reads ${readable}: npm install lmdb --build-from-source --use_data_v1=${format === 1}`,
      )
    }
  } finally {
    await handle.close()
  }
}

function named(root: RootDatabase<Uint8Array, Uint8Array>, database: string): Database {
  return root.openDB<Uint8Array, Uint8Array>(database, asBytes)
}

/** The named databases of an environment: the keys of the main one that LMDB itself takes for such. */
function namedDatabases(root: RootDatabase<Uint8Array, Uint8Array>): string[] {
  const candidates: string[] = []
  for (const { key, value } of root.getRange({})) {
    if (mayBeNamed(key, value)) candidates.push(nameOf(key))
  }
  return candidates.filter((candidate) => isNamed(root, candidate))
}

function mayBeNamed(key: Uint8Array, value: Uint8Array): boolean {
  return value.length === namedBytes && key.length > 1 && key.at(-1) === 0
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.subarray(0, -1)).toString('utf8')
}

function isNamed(root: RootDatabase<Uint8Array, Uint8Array>, candidate: string): boolean {
  try {
    return named(root, candidate) !== undefined
  } catch (error) {
    // MDB_INCOMPATIBLE: an ordinary entry that only looks like one.
    if ((error as { code?: unknown }).code === incompatible) return false
    throw error
  }
}

const incompatible = -30784

class LmdbSource implements FolderSource {
  readonly name: string
  readonly state: string
  readonly total: number
  readonly passedOver: readonly string[]
  readonly #root: RootDatabase<Uint8Array, Uint8Array>
  readonly #database: Database
  readonly #named: ReadonlySet<string>

  constructor(
    name: string,
    root: RootDatabase<Uint8Array, Uint8Array>,
    database: Database,
    namedInside: readonly string[],
  ) {
    const { lastTxnId } = root.getStats() as { lastTxnId: number }
    const { entryCount } = database.getStats() as { entryCount: number }
    this.name = name
    this.state = `transaction ${lastTxnId}`
    this.total = entryCount - namedInside.length
    this.passedOver = namedInside.map((one) => `the named database ${one} (--database ${one})`)
    this.#root = root
    this.#database = database
    this.#named = new Set(namedInside)
  }

  async *pages(after: Uint8Array | undefined): AsyncGenerator<readonly SourceEntry[]> {
    const range = after === undefined ? {} : { start: after, exclusiveStart: true }
    let page: SourceEntry[] = []
    let pageBytes = 0
    let last: Uint8Array | undefined
    for (const { key, value } of this.#database.getRange(range)) {
      if (mayBeNamed(key, value) && this.#named.has(nameOf(key))) continue
      const isAgain = last !== undefined && Buffer.compare(last, key) === 0
      page.push(
        isAgain
          ? { key, value, problem: 'the key has several values (dupSort), of which one is taken' }
          : { key, value },
      )
      last = key
      pageBytes += key.length + value.length
      if (page.length < pageEntriesMax && pageBytes < pageBytesMax) continue
      yield page
      page = []
      pageBytes = 0
    }
    if (page.length > 0) yield page
  }

  async donePast(_key: Uint8Array, records: number): Promise<number> {
    return records
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
