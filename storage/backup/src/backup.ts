/**
 * Making a backup: which ranges of which files, copied, then the manifest. The store goes on being read and written.
 *
 *   full         all files, leaning on no earlier backup
 *   incremental  sorted segments that are new, and the log from where it was last copied
 *   archive      the log from where it was last copied, and nothing else
 *
 * An incremental backup where there is none before it, or where the log is another since, is a full one; an archive where some of
 * the log is gone is an incremental one: `kind` in the report says what was made.
 */

import { hasCode, second } from '@orbitkv/base'
import type { FilesHold, HeldFile } from '@orbitkv/engine'
import type { Clock, Disk } from '@orbitkv/runtime'
import { Chain, type Continuation, continuation, logPlace } from './chain.ts'
import { copyRanges, type FileRange } from './copy.ts'
import { backupErrors } from './errors.ts'
import {
  type BackupKind,
  formatVersion,
  isComplete,
  type Manifest,
  manifestKey,
  nextSequence,
  type Piece,
  sequencePrefix,
} from './manifest.ts'
import { PieceIndex } from './pieces.ts'
import { RateLimit } from './rate.ts'
import type { Vault } from './vault.ts'

/** What is backed up: an open store. */
export interface BackupSource {
  holdFiles(): Promise<FilesHold>
}

export interface BackupOptions {
  readonly vault: Vault
  /** The disk of the store. */
  readonly disk: Disk
  readonly clock: Clock
  readonly kind: BackupKind
  /** 0 or absent: as fast as it goes. */
  readonly bytesPerSecond?: number
  /** An archive is copied faster than that where it would take longer than this: or it would never catch up with who writes. */
  readonly archiveMsMax?: number
  readonly signal?: AbortSignal
  /** Called as pieces arrive, with bytes done and in all. */
  readonly progress?: (bytesDone: number, bytesTotal: number) => void
  /** Runs what must not meet another backup of this store that is made meanwhile: an archive, beside a long copy. */
  readonly exclusive?: <Result>(run: () => Promise<Result>) => Promise<Result>
  /** What the last backup left, so that it need not be read again. */
  readonly chain?: Chain | undefined
}

export interface BackupReport {
  /** Undefined: nothing was new, so nothing was written. */
  readonly manifest: Manifest | undefined
  /** Why it is of another kind than was asked for; empty where it is not. */
  readonly because: string
  /** For the next backup. */
  readonly chain: Chain
}

/** Backs a store up. On failure the target is as it was, but for pieces that the next backup uses or `prune` removes. */
export async function backUp(source: BackupSource, options: BackupOptions): Promise<BackupReport> {
  const hold = await source.holdFiles()
  try {
    return await new Backup(hold, options).run()
  } catch (error) {
    if (hasCode(error, 'objects.stopped')) throw backupErrors.stopped({}, error)
    throw error
  } finally {
    await hold.release()
  }
}

class Backup {
  readonly #hold: FilesHold
  readonly #options: BackupOptions
  readonly #startedAt: number

  constructor(hold: FilesHold, options: BackupOptions) {
    this.#hold = hold
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  async run(): Promise<BackupReport> {
    const { vault, disk, kind } = this.#options
    const { storeId } = this.#hold
    const given = this.#options.chain
    const chain = given !== undefined && given.storeId === storeId ? given : await Chain.read(vault, storeId)
    const { newest } = chain
    if (newest === undefined) return this.#make(chain, 'full', 'gap', kind === 'full' ? '' : 'there is none before it')
    const how = continuation(disk, newest.end, this.#hold)
    if (kind === 'full') {
      // The old chain's log ends where the new one's begins, so that every moment between the two can be restored.
      if (how === 'follows' && this.#hasNews(newest)) {
        await this.#exclusive(() => this.#make(chain, 'archive', how, ''))
      }
      return this.#make(chain, 'full', how, '')
    }
    if (how === 'diverged') return this.#make(chain, 'full', 'gap', 'the store went back behind the last backup')
    if (kind === 'incremental') return this.#make(chain, 'incremental', how, '')
    if (how === 'gap') {
      return this.#make(chain, 'incremental', how, 'compaction took log that had not been copied')
    }
    if (!this.#hasNews(newest)) return { manifest: undefined, because: '', chain }
    return this.#make(chain, 'archive', how, '')
  }

  #hasNews(before: Manifest): boolean {
    return this.#hold.position > before.end.position
  }

  async #make(chain: Chain, kind: BackupKind, how: Continuation, because: string): Promise<BackupReport> {
    const sequence = nextSequence(kind, chain.sequence)
    const known = kind === 'full' ? new PieceIndex() : chain.pieces
    const copied = await this.#copy(this.#missing(known, kind === 'archive'), sequence, kind === 'archive')
    const end = (): Promise<BackupReport> => this.#end(chain, kind, how, because, sequence, copied)
    return kind === 'archive' ? end() : this.#exclusive(end)
  }

  #exclusive<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#options.exclusive?.(run) ?? run()
  }

  /** Makes a backup of what has been copied. */
  async #end(
    chain: Chain,
    kind: BackupKind,
    how: Continuation,
    because: string,
    sequence: number,
    copied: readonly Piece[],
  ): Promise<BackupReport> {
    const { vault, signal } = this.#options
    if (signal?.aborted === true) throw backupErrors.stopped()
    if (sequence <= chain.sequence) throw backupErrors.conflict({ where: vault.where, sequence: chain.sequence })
    const replaced = kind === 'incremental' && how === 'follows' ? chain.archivesUpTo(this.#hold.position) : []
    const manifest = this.#describe(chain, kind, how, sequence, [
      ...replaced.flatMap(({ pieces }) => pieces),
      ...copied,
    ])
    await vault.writeManifest(manifest, signal)
    chain.add(manifest)
    // It has their pieces now. The newest go first, so that a crash leaves what still hangs together.
    for (const archive of replaced.toReversed()) {
      await vault.objects.delete(manifestKey(archive.storeId, archive.sequence))
      chain.manifests.splice(chain.manifests.indexOf(archive), 1)
    }
    return { manifest, because, chain }
  }

  /** What no piece has yet. */
  #missing(known: PieceIndex, logOnly: boolean): FileRange[] {
    return this.#hold.files
      .filter(({ kind }) => !logOnly || kind === 'log')
      .map((file) => ({ file, from: known.cover(file).end }))
      .filter(({ file, from }) => from < file.bytes)
  }

  async #copy(ranges: readonly FileRange[], sequence: number, isArchive: boolean): Promise<Piece[]> {
    const { vault, disk, clock, signal } = this.#options
    const { storeId } = this.#hold
    const present = new Set<string>()
    for await (const key of vault.objects.list(sequencePrefix(storeId, sequence))) present.add(key)
    // Of the two that a full backup may consist of, its own is what takes time.
    const progress = isArchive && this.#options.kind === 'full' ? undefined : this.#options.progress
    const total = ranges.reduce((sum, { file, from }) => sum + file.bytes - from, 0)
    let done = 0
    progress?.(0, total)
    return copyRanges(ranges, {
      vault,
      disk,
      clock,
      storeId,
      sequence,
      rate: new RateLimit(clock, this.#bytesPerSecond(total, isArchive)),
      present,
      signal,
      progress: (bytes) => {
        done += bytes
        progress?.(done, total)
      },
    })
  }

  #bytesPerSecond(total: number, isArchive: boolean): number {
    const { bytesPerSecond = 0, archiveMsMax = Number.POSITIVE_INFINITY } = this.#options
    if (bytesPerSecond === 0 || !isArchive) return bytesPerSecond
    return Math.max(bytesPerSecond, (total / archiveMsMax) * second)
  }

  #describe(chain: Chain, kind: BackupKind, how: Continuation, sequence: number, pieces: readonly Piece[]): Manifest {
    const hold = this.#hold
    const isArchive = kind === 'archive'
    const touched = new Set(pieces.map(({ number }) => number))
    const files = isArchive
      ? hold.files.filter(({ kind, number }) => kind === 'log' && touched.has(number))
      : hold.files
    return {
      format: formatVersion,
      storeId: hold.storeId,
      sequence,
      kind,
      chain: kind === 'full' ? sequence : (chain.newestFull?.sequence ?? sequence),
      follows: how === 'follows',
      startedAt: this.#startedAt,
      finishedAt: this.#options.clock.now(),
      end: logPlace(this.#options.disk, hold),
      oldest: isArchive ? (chain.manifests.findLast(isComplete)?.oldest ?? hold.oldest) : hold.oldest,
      ...(isArchive ? {} : { contents: hold.contents }),
      files: files.map(describeFile),
      pieces,
      bytesCopied: pieces.reduce((sum, piece) => sum + (piece.sequence === sequence ? piece.to - piece.from : 0), 0),
      bytesTotal: hold.files.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }
}

function describeFile({ kind, number, seed, bytes }: HeldFile): Manifest['files'][number] {
  return { kind, number, seed, bytes }
}
