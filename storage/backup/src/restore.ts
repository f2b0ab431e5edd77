/**
 * Restoring: from pieces to the files of a store, then to a store (`restoreStore` of @orbitkv/engine-log).
 *
 * What must hold: a folder that holds anything is left alone; until the very end the folder is no store (a file in it says that a
 * restore was not finished, and openers refuse it by that name); what was restored goes on above every revision that
 * anyone may have seen of the original.
 */

import { dirname } from 'node:path'
import { MiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { restoreStore, storeFilePath } from '@orbitkv/engine-log'
import type { Clock, Disk, DiskFile, RandomUint32 } from '@orbitkv/runtime'
import { backupErrors } from './errors.ts'
import type { Piece } from './manifest.ts'
import { type Moment, type PlannedFile, planRestore, type RestorePlan } from './plan.ts'
import type { Vault } from './vault.ts'

/** In a folder whose restore has not ended. */
const markerName = 'restore.unfinished'
/** Above what the lost end of the log may have had: a million writes a second for a quarter of an hour. */
export const revisionStepDefault = 1_000_000_000
const piecesAtOnce = 3
/** Between two turns of the event loop. */
const writeBytes = 4 * MiB

export interface RestoreOptions {
  readonly vault: Vault
  /** The disk to restore to. */
  readonly disk: Disk
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** A folder that is empty, or does not exist. */
  readonly path: string
  readonly moment?: Moment
  /** Which store, where there are several. */
  readonly storeId?: string
  /** By how much the restored store goes on above the highest revision that the backups know. */
  readonly revisionStep?: number
  readonly progress?: (bytesDone: number, bytesTotal: number) => void
}

export interface RestoreReport {
  /** Of the store that was backed up, and of the new one. */
  readonly sourceId: string
  readonly storeId: string
  /** The state that was restored, and when it came about. */
  readonly revision: number
  readonly time: number
  /** The revision that the new store goes on from. */
  readonly revisionNext: number
  readonly bytes: number
  readonly files: number
}

export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { vault, disk, clock, randomUint32, path, moment, revisionStep = revisionStepDefault } = options
  const storeId = await pickStore(vault, options.storeId)
  const plan = planRestore(await vault.manifests(storeId), moment, vault.where)
  await claimFolder(disk, path)
  const freeBytes = disk.freeBytes(path)
  if (freeBytes < plan.bytes) throw backupErrors.no_room({ path, needBytes: plan.bytes, freeBytes })
  await new FileWriter(plan, options).run()
  const revisionNext = plan.revisionSeen + revisionStep
  const state = await restoreStore(path, {
    disk,
    clock,
    randomUint32,
    storeId,
    contents: plan.base.contents,
    revisionNext,
    ...(moment !== undefined && 'revision' in moment ? { revisionMax: moment.revision } : {}),
    ...(moment !== undefined && 'time' in moment ? { timeMax: moment.time } : {}),
  })
  disk.remove(`${path}/${markerName}`)
  await disk.syncDirectory(path)
  const { revision, time } = state
  const counts = { bytes: plan.bytes, files: plan.files.length }
  return { sourceId: storeId, storeId: state.storeId, revision, time, revisionNext, ...counts }
}

/** The store that is meant; the only one there is where none is named. */
export async function pickStore(vault: Vault, wanted: string | undefined): Promise<string> {
  const stores = await vault.stores()
  const { where } = vault
  const [only] = stores
  if (only === undefined) throw backupErrors.none({ where })
  if (wanted === undefined) {
    if (stores.length > 1) throw backupErrors.which_store({ where, stores: stores.join(', ') })
    return only
  }
  if (!stores.includes(wanted)) {
    throw backupErrors.no_such_store({ store: wanted, where, stores: stores.join(', ') })
  }
  return wanted
}

/** Makes the folder one whose restore has not ended; what an earlier such restore left goes. */
async function claimFolder(disk: Disk, path: string): Promise<void> {
  const marker = `${path}/${markerName}`
  if (disk.exists(path)) {
    const names = disk.list(path)
    if (names.includes('orbit.json')) throw backupErrors.not_empty({ path, found: 'a store' })
    if (names.length > 0 && !names.includes(markerName)) throw backupErrors.not_empty({ path, found: names[0] })
  }
  const folders = [storeFilePath(path, 'log', 1), storeFilePath(path, 'sorted', 1)].map((file) => dirname(file))
  for (const folder of [path, ...folders]) {
    const missing: string[] = []
    for (let at = folder; !disk.exists(at); at = dirname(at)) missing.push(at)
    disk.makeDirectory(folder)
    for (const made of missing) await disk.syncDirectory(dirname(made))
    // The mark is there before anything else is, and what else there is was marked.
    if (folder === path && !disk.exists(marker)) await writeMarker(disk, path, marker)
    else if (folder !== path) for (const name of disk.list(folder)) disk.remove(`${folder}/${name}`)
  }
}

async function writeMarker(disk: Disk, path: string, marker: string): Promise<void> {
  const file = disk.open(marker, 'create')
  try {
    const text = encodeText('A restore to this folder has not ended. Run it again.\n')
    file.write(text, 0, text.length, 0)
    await file.sync()
  } finally {
    file.close()
  }
  await disk.syncDirectory(path)
}

/** Fetches pieces, a few at a time, and writes them where they belong. */
class FileWriter {
  readonly #plan: RestorePlan
  readonly #options: RestoreOptions
  #done = 0
  /** Nothing more is fetched: without what failed the rest is of no use. */
  #hasFailed = false

  constructor(plan: RestorePlan, options: RestoreOptions) {
    this.#plan = plan
    this.#options = options
  }

  async run(): Promise<void> {
    const { files } = this.#plan
    let next = 0
    const work = async (): Promise<void> => {
      for (let i = next++; i < files.length && !this.#hasFailed; i = next++) {
        try {
          await this.#writeFile(files[i] as PlannedFile)
        } catch (error) {
          this.#hasFailed = true
          throw error
        }
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: piecesAtOnce }, work))
    for (const result of ended) if (result.status === 'rejected') throw result.reason
  }

  async #writeFile({ file: { kind, number, bytes }, pieces }: PlannedFile): Promise<void> {
    const { disk, path } = this.#options
    const file = disk.open(storeFilePath(path, kind, number), 'create')
    try {
      for (const piece of pieces) {
        if (this.#hasFailed) return
        await this.#writePiece(file, piece, bytes)
      }
    } finally {
      // Made durable by who gives it its new header.
      file.close()
    }
  }

  async #writePiece(file: DiskFile, piece: Piece, fileBytes: number): Promise<void> {
    const { vault, clock, progress } = this.#options
    const bytes = await vault.readPiece(this.#plan.storeId, piece)
    const end = Math.min(bytes.length, fileBytes - piece.from)
    for (let at = 0; at < end; at += writeBytes) {
      file.write(bytes, at, Math.min(writeBytes, end - at), piece.from + at)
      await clock.turn()
    }
    this.#done += end
    progress?.(Math.min(this.#done, this.#plan.bytes), this.#plan.bytes)
  }
}
