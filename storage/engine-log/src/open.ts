/**
 * Opening a log engine: the folder, its lock, its manifest, recovery.
 *
 *   DIR/orbit.json   format, store id, number of shards (manifest.ts)
 *   DIR/lock         held while a writer has the folder open
 *   DIR/log-00/      log segments, `durable`, `reserve`
 *   DIR/shard-000/   sorted segments, `contents` (contents.ts), `checkpoint` (checkpoint/); there once it was compacted, or has grown
 */

import type { Engine } from '@orbitkv/engine'
import { type Clock, type Disk, type RandomUint32, realClock, realRandomUint32 } from '@orbitkv/runtime'
import { readCheckpoint, removeCheckpoint } from './checkpoint/read-checkpoint.ts'
import { type LogConfig, logConfig } from './config.ts'
import { LogEngine } from './engine.ts'
import { BatchDirectory } from './log/batch-directory.ts'
import { shardName } from './log/format.ts'
import { Log } from './log/log.ts'
import { makeDurableDirectory, openManifest, prepareFolder } from './log/manifest.ts'
import { placeBuffers } from './memory/memory.ts'
import { prefaultSegments } from './memory/prefault.ts'
import { findContents } from './recovery/find-contents.ts'
import { logFileBytes, recoverLog, type Tail } from './recovery/recovery.ts'
import { findStrays, recoverSorted } from './recovery/sorted-recovery.ts'
import { VersionIndex } from './versions/version-index.ts'

export interface OpenLogOptions {
  readonly disk: Disk
  readonly clock?: Clock
  /** Raw settings, checked against `logConfig`. */
  readonly config?: Partial<LogConfig>
  readonly randomUint32?: RandomUint32
  /** False: a folder without a store is an error. True by default. */
  readonly createIfMissing?: boolean
  /** Called while recovery reads, with bytes done and in all. */
  readonly progress?: (bytesDone: number, bytesTotal: number) => void
}

/**
 * Opens the store in a folder, making it if there is none. Errors: `disk.not_a_directory`, `disk.read_only`, `disk.locked`,
 * `engine.newer_format`, `engine.not_a_store`. Damage does not fail it: the engine is then for reading only and says why.
 */
export async function openLogEngine(path: string, options: OpenLogOptions): Promise<Engine & { validate(): void }> {
  const { disk, clock = realClock, randomUint32 = realRandomUint32 } = options
  const config = logConfig.parse({ ...options.config })
  placeBuffers(config)
  await prepareFolder(disk, path, options.createIfMissing ?? true)
  const lock = disk.lock(`${path}/lock`)
  let log: Log | undefined
  try {
    const { storeId } = await openManifest(disk, path, { randomUint32, now: clock.now() })
    const directory = `${path}/log-00`
    await makeDurableDirectory(disk, directory)
    log = new Log({ disk, clock, directory, config, storeId, randomUint32 })
    const shard = `${path}/${shardName}`
    const { contents, faults } = findContents({ disk, directory: shard, logDirectory: directory, storeId })
    log.contents = contents
    const checkpoint =
      faults.length > 0 || config.checkpointBytes === 0
        ? { problem: 'it is not looked for' }
        : readCheckpoint({ disk, log, storeId, folder: shard })
    const loaded = 'index' in checkpoint ? checkpoint : undefined
    const index = loaded?.index ?? new VersionIndex(log)
    const batches = loaded?.directory ?? new BatchDirectory()
    const engine = new LogEngine({ disk, clock, storeId, path, config, log, lock, index, directory: batches })
    engine.recoverBase(loaded ?? log.contents)
    const done = tellProgress(options.progress, () => bytesToRead(disk, log as Log, loaded?.tail))
    const replay = { disk, log, storeId, directory: shard, replay: index.sortedReplay, done }
    const sorted = loaded === undefined ? recoverSorted(replay) : { faults: [], orphans: findStrays(replay, faults) }
    const { segmentBytes } = config
    const recovered = recoverLog({ disk, log, storeId, segmentBytes, done, tail: loaded?.tail }, (segment, batch) =>
      engine.recover(segment, batch),
    )
    faults.push(...sorted.faults, ...recovered.faults)
    if (faults.length === 0) {
      for (const orphan of [...sorted.orphans, ...recovered.orphans]) disk.remove(orphan)
      if (loaded === undefined) await removeCheckpoint(disk, shard)
      await log.start(recovered.cut)
      await log.finish()
    }
    if (config.prefault) await prefaultSegments(log, config)
    engine.start(faults, {
      checkpoint: loaded?.known,
      problem: 'problem' in checkpoint ? checkpoint.problem : '',
      replayedBytes: log.storedBytes - (loaded?.coveredBytes ?? 0),
    })
    return engine
  } catch (error) {
    log?.close()
    lock.release()
    throw error
  }
}

function bytesToRead(disk: Disk, log: Log, tail: Tail | undefined): number {
  const sorted = tail === undefined ? log.contents.sorted : []
  return sorted.reduce((sum, { bytes }) => sum + bytes, logFileBytes(disk, log, tail))
}

/** Adds up what is done for who wants to know; the total is only asked for then. */
function tellProgress(progress: OpenLogOptions['progress'], totalBytes: () => number): (bytes: number) => void {
  if (progress === undefined) return () => {}
  const total = totalBytes()
  let done = 0
  return (bytes) => {
    done += bytes
    progress(done, total)
  }
}
