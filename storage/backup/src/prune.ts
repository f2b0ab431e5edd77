/**
 * Removing backups that are too old. Whole chains go: the newest full backup that is older than what is kept is where the
 * rest begins, and nothing from it on needs anything from before it.
 *
 * What must hold: manifests go before their pieces, and the newest of them first; so whatever a crash leaves is whole. Nothing is
 * removed while a manifest cannot be read, since it may need anything.
 */

import type { Clock } from '@orbitkv/runtime'
import { dataPrefix, type Manifest, manifestKey, manifestPrefix, sequenceOf } from './manifest.ts'
import type { Vault } from './vault.ts'

export interface PruneOptions {
  readonly vault: Vault
  readonly clock: Clock
  readonly storeId: string
  /** Any moment of this time can still be restored afterwards, as far as it could before. */
  readonly keepMs: number
  readonly signal?: AbortSignal
}

export interface PruneReport {
  readonly backupsRemoved: number
  readonly piecesRemoved: number
  readonly backupsKept: number
}

export async function pruneBackups({ vault, clock, storeId, keepMs, signal }: PruneOptions): Promise<PruneReport> {
  const manifests = await vault.manifests(storeId)
  const oldestKept = firstKept(manifests, clock.now() - keepMs)
  const removed = manifests.filter(({ sequence }) => sequence < oldestKept)
  const kept = manifests.filter(({ sequence }) => sequence >= oldestKept)
  const isStopped = (): boolean => signal?.aborted === true
  let backupsRemoved = 0
  for (const { sequence } of removed.toReversed()) {
    if (isStopped()) break
    await vault.objects.delete(manifestKey(storeId, sequence))
    backupsRemoved++
  }
  const needed = new Set(kept.flatMap(({ pieces }) => pieces.map((piece) => vault.pieceKey(storeId, piece))))
  // What is above may belong to a backup that is under way.
  const newest = kept.at(-1)?.sequence ?? 0
  let piecesRemoved = 0
  for (const folder of [manifestPrefix(storeId), dataPrefix(storeId)]) await vault.objects.sweep(folder)
  if (backupsRemoved === removed.length) {
    const unneeded: string[] = []
    for await (const key of vault.objects.list(dataPrefix(storeId))) {
      if (sequenceOf(key) <= newest && !needed.has(key)) unneeded.push(key)
    }
    for (const key of unneeded) {
      if (isStopped()) break
      await vault.objects.delete(key)
      piecesRemoved++
    }
  }
  return { backupsRemoved, piecesRemoved, backupsKept: manifests.length - backupsRemoved }
}

/** The number of the full backup that what is kept begins with; 0 where everything is. */
function firstKept(manifests: readonly Manifest[], keepFrom: number): number {
  const anchor = manifests.findLast(({ kind, finishedAt }) => kind === 'full' && finishedAt <= keepFrom)
  return anchor?.sequence ?? 0
}
