/** The newest chain of a store's backups: a full one, and what came after it. What the next backup goes on from. */

import { crc32c } from '@orbitkv/bytes'
import type { FilesHold } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { isComplete, type LogPlace, type Manifest, sequenceOf } from './manifest.ts'
import { PieceIndex } from './pieces.ts'
import type { Vault } from './vault.ts'

/** How a log goes on from where a backup ended: without a gap, with one, or it is another log since. */
export type Continuation = 'follows' | 'gap' | 'diverged'

const tailBytes = 4096

export class Chain {
  readonly storeId: string
  /** From the full one on. */
  readonly manifests: Manifest[]
  /** Of the newest manifest there is; 0 where there is none. */
  sequence: number

  constructor(storeId: string, manifests: Manifest[], sequence: number) {
    this.storeId = storeId
    this.manifests = manifests
    this.sequence = sequence
  }

  /** Reads it, from its end back to the full backup. */
  static async read(vault: Vault, storeId: string): Promise<Chain> {
    const keys = await vault.manifestKeys(storeId)
    const manifests: Manifest[] = []
    for (const key of keys.toReversed()) {
      const manifest = await vault.readManifest(key)
      manifests.unshift(manifest)
      if (manifest.kind === 'full') break
    }
    // Without its full backup a chain holds nothing that one could go on from.
    const isWhole = manifests[0]?.kind === 'full'
    return new Chain(storeId, isWhole ? manifests : [], sequenceOf(keys.at(-1) ?? '/0'))
  }

  get newest(): Manifest | undefined {
    return this.manifests.at(-1)
  }

  /** The newest full or incremental backup. */
  get newestComplete(): Manifest | undefined {
    return this.manifests.findLast(isComplete)
  }

  get newestFull(): Manifest | undefined {
    return this.manifests[0]
  }

  /** Archives of the log up to a position, since it last had a gap: what an incremental backup takes the place of. */
  archivesUpTo(position: number): readonly Manifest[] {
    const since = this.manifests.findLastIndex(({ follows }) => !follows)
    return this.manifests.filter((one, i) => i >= since && !isComplete(one) && one.end.position <= position)
  }

  get pieces(): PieceIndex {
    return new PieceIndex(this.manifests.flatMap(({ pieces }) => pieces))
  }

  add(manifest: Manifest): void {
    if (manifest.kind === 'full') this.manifests.length = 0
    this.manifests.push(manifest)
    this.sequence = manifest.sequence
  }
}

export function continuation(disk: Disk, before: LogPlace, hold: FilesHold): Continuation {
  if (before.position > hold.position) return 'diverged'
  const { base } = hold.contents
  const file = hold.files.find(({ kind, number }) => kind === 'log' && number === before.segment)
  if (file === undefined) {
    if (base.position > before.position) return 'gap'
    const isSame = base.position < before.position || base.revision === before.revision
    return isSame ? 'follows' : 'diverged'
  }
  if (file.seed !== before.seed || file.bytes < before.bytes) return 'diverged'
  return tailChecksum(disk, file.path, before.bytes) === before.tail ? 'follows' : 'diverged'
}

/** Where the log of a hold ends. */
export function logPlace(disk: Disk, { files, position, revision, time }: FilesHold): LogPlace {
  const last = files.findLast(({ kind }) => kind === 'log')
  if (last === undefined) return { position, revision, time, segment: 0, seed: 0, bytes: 0, tail: 0 }
  const { number: segment, seed, path, bytes } = last
  return { position, revision, time, segment, seed, bytes, tail: tailChecksum(disk, path, bytes) }
}

function tailChecksum(disk: Disk, path: string, end: number): number {
  const file = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(Math.min(tailBytes, end))
    const read = file.read(bytes, 0, bytes.length, end - bytes.length)
    return crc32c(0, bytes, 0, read)
  } finally {
    file.close()
  }
}
