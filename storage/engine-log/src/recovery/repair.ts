/**
 * Repair: from a damaged store to a sound one in another folder, with everything that is sound, and a list of what is lost.
 *
 * The damaged folder is only read (but for its lock): it is evidence, a disk that fails is not to be written to, and a
 * repair that is cut short can simply be run again. The new folder becomes a store by its manifest, which is written last.
 *
 *   sound files are copied as they are; damaged sorted segments keep their sound records;
 *   damaged log segments keep their sound batches, and of the others the sound records; where a batch is lost an empty one
 *   stands in, so that positions go on without a gap.
 *
 * A batch of which records are lost is no longer atomic, and a key whose newest record is lost shows an older one, or none:
 * the list says which positions and keys that may be.
 */

import { assert } from '@orbitkv/base'
import { engineErrors, type Fault } from '@orbitkv/engine'
import { type Clock, type Disk, realClock, realRandomUint32 } from '@orbitkv/runtime'
import { type LogConfig, logConfig } from '../config.ts'
import { shardName } from '../log/format.ts'
import { Log } from '../log/log.ts'
import { makeDurableDirectory, manifestPath, readManifest, writeManifest } from '../log/manifest.ts'
import { openLogEngine } from '../open.ts'
import { commitContents, type SortedEntry, stageContents } from '../sorted/contents.ts'
import { findContents } from './find-contents.ts'
import { salvageLog } from './repair-log.ts'
import { salvageSorted } from './repair-sorted.ts'

/** A stretch of a file that could not be saved. */
export interface Lost {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /** Of the log: the positions of the batches that stood there, and how many of their records were saved. */
  readonly positions?: { readonly first: number; readonly last: number }
  readonly recordsSaved?: number
  /** Of a sorted segment: the keys of its records lay between these; undefined where nothing is known on that side. */
  readonly keys?: { readonly after: Uint8Array | undefined; readonly before: Uint8Array | undefined }
  /** Of a sorted segment that is gone: how many records it had. */
  readonly records?: number
}

export interface RepairReport {
  /** What is damaged; nothing was done where that is nothing. */
  readonly faults: readonly Fault[]
  readonly lost: readonly Lost[]
  readonly batchesKept: number
  /** Of the log and of sorted segments. */
  readonly recordsKept: number
  /** Whether the new store was made. */
  readonly isWritten: boolean
}

export interface RepairOptions {
  readonly disk: Disk
  /** The folder of the sound store; it must not exist, or be empty. */
  readonly target: string
  /** True: nothing is written, only told. */
  readonly dryRun?: boolean
  readonly clock?: Clock
  readonly config?: Partial<LogConfig>
}

/** What the parts of a repair share. */
export interface Salvage {
  readonly disk: Disk
  readonly storeId: string
  readonly lost: Lost[]
  /** Undefined: nothing is written. */
  readonly target: string | undefined
}

/** Repairs the store in a folder into another. Errors: `disk.locked`, `engine.newer_format`, `engine.not_a_store`, … */
export async function repairStore(path: string, options: RepairOptions): Promise<RepairReport> {
  const { disk, dryRun = false, clock = realClock } = options
  const config = logConfig.parse({ ...options.config })
  const manifest = readManifest(disk, manifestPath(path))
  if (disk.exists(options.target) && disk.list(options.target).length > 0) {
    throw engineErrors.not_a_store({ path: options.target, found: disk.list(options.target)[0] })
  }
  const lock = disk.lock(`${path}/lock`)
  const { storeId } = manifest
  const logDirectory = `${path}/log-00`
  const log = new Log({ disk, clock, directory: logDirectory, config, storeId, randomUint32: realRandomUint32 })
  try {
    const { contents, faults } = findContents({ disk, directory: `${path}/${shardName}`, logDirectory, storeId })
    log.contents = contents
    const lost: Lost[] = []
    const survey: Salvage = { disk, storeId, lost, target: undefined }
    // A first pass only looks: it costs a read, and a store that is sound is left alone.
    const found = await salvage(survey, path, log, config)
    faults.push(...found.faults)
    const report = { faults, lost, batchesKept: found.batchesKept, recordsKept: found.recordsKept }
    if (faults.length === 0 || dryRun) return { ...report, isWritten: false }
    await makeDurableDirectory(disk, `${options.target}/log-00`)
    await makeDurableDirectory(disk, `${options.target}/${shardName}`)
    const writing: Salvage = { disk, storeId, lost: [], target: options.target }
    const { sorted, base } = await salvage(writing, path, log, config)
    const oldestRevision = Math.min(Math.max(contents.oldestRevision, base.revision), found.revision)
    const next = { generation: contents.generation + 1, oldestRevision, logStart: 1, base, sorted }
    await stageContents(disk, `${options.target}/${shardName}`, storeId, next)
    await commitContents(disk, `${options.target}/${shardName}`)
    await disk.syncDirectory(`${options.target}/log-00`)
    await writeManifest(disk, options.target, manifest)
    await assertSound(options.target, disk, clock, config)
    return { ...report, isWritten: true }
  } finally {
    log.close()
    lock.release()
  }
}

interface Salvaged {
  readonly faults: Fault[]
  readonly sorted: SortedEntry[]
  readonly base: Log['contents']['base']
  readonly revision: number
  readonly batchesKept: number
  readonly recordsKept: number
}

async function salvage(parts: Salvage, path: string, log: Log, config: LogConfig): Promise<Salvaged> {
  const sorted = await salvageSorted(parts, `${path}/${shardName}`, log.contents)
  const kept = await salvageLog(parts, log, config)
  return {
    ...kept,
    faults: [...sorted.faults, ...kept.faults],
    sorted: sorted.entries,
    revision: Math.max(kept.revision, ...sorted.entries.map(({ maxRevision }) => maxRevision)),
    recordsKept: sorted.recordsKept + kept.recordsKept,
  }
}

/** The new store opens for writing, and every byte of it is right. */
async function assertSound(path: string, disk: Disk, clock: Clock, config: LogConfig): Promise<void> {
  const engine = await openLogEngine(path, { disk, clock, config, createIfMissing: false })
  try {
    const { faults } = await engine.verify()
    assert(faults.length === 0, `what was repaired is sound: ${faults[0]?.file} ${faults[0]?.problem}`)
  } finally {
    await engine.close()
  }
}
