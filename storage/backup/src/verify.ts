/** Checking backups: every manifest can be read, its files are covered, and every byte of every piece is what was copied. */

import { hasCode } from '@orbitkv/base'
import { backupErrors } from './errors.ts'
import { fileName, isComplete, type Manifest, type Piece } from './manifest.ts'
import { PieceIndex } from './pieces.ts'
import type { Vault } from './vault.ts'

/** What is wrong with an object, and which file of the store it has a part of. */
export interface BackupFault {
  readonly object: string
  readonly file: string
  readonly problem: string
}

export interface BackupVerifyReport {
  readonly faults: readonly BackupFault[]
  readonly backupsChecked: number
  readonly piecesChecked: number
  readonly bytesChecked: number
}

const readsAtOnce = 4

export async function verifyBackups(
  vault: Vault,
  storeId: string,
  progress: (bytesDone: number, bytesTotal: number) => void = () => {},
): Promise<BackupVerifyReport> {
  const faults: BackupFault[] = []
  const manifests: Manifest[] = []
  for (const key of await vault.manifestKeys(storeId)) {
    try {
      manifests.push(await vault.readManifest(key))
    } catch (error) {
      // Without the key nothing can be told.
      if (hasCode(error, 'backup.needs_key')) throw error
      faults.push({ object: key, file: '', problem: messageOf(error) })
    }
  }
  if (manifests.length === 0 && faults.length === 0) throw backupErrors.none({ where: vault.where })
  faults.push(...uncovered(manifests))
  const pieces = [...new Map(allPieces(manifests).map((piece) => [vault.pieceKey(storeId, piece), piece]))]
  const total = pieces.reduce((sum, [, { from, to }]) => sum + to - from, 0)
  let bytesChecked = 0
  let next = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < pieces.length; i = next++) {
      const [object, piece] = pieces[i] as [string, Piece]
      try {
        await vault.readPiece(storeId, piece)
      } catch (error) {
        faults.push({ object, file: fileName(piece), problem: messageOf(error) })
      }
      bytesChecked += piece.to - piece.from
      progress(bytesChecked, total)
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, work))
  return { faults, backupsChecked: manifests.length, piecesChecked: pieces.length, bytesChecked }
}

function allPieces(manifests: readonly Manifest[]): Piece[] {
  return manifests.flatMap(({ pieces }) => pieces)
}

/** Files of backups that no pieces of their chain cover. */
function uncovered(manifests: readonly Manifest[]): BackupFault[] {
  const faults: BackupFault[] = []
  for (const manifest of manifests.filter(isComplete)) {
    const chain = manifests.filter(({ sequence, chain }) => chain === manifest.chain && sequence <= manifest.sequence)
    const index = new PieceIndex(allPieces(chain))
    for (const file of manifest.files) {
      const { end } = index.cover(file)
      if (end === file.bytes) continue
      const problem = `bytes ${end} to ${file.bytes} are in no piece`
      faults.push({ object: `backup ${manifest.sequence}`, file: fileName(file), problem })
    }
  }
  return faults
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
