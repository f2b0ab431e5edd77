/**
 * Which backup a moment is restored from, and which files that takes.
 *
 * A full or incremental backup holds every state from its `oldest` to its end; the log of the manifests after it goes on
 * from there, as long as each follows the one before. The newest backup that reaches the moment is taken: it has the
 * least log to read.
 */

import { backupErrors } from './errors.ts'
import { type BackedFile, type CompleteManifest, fileName, isComplete, type Manifest, type Piece } from './manifest.ts'
import { PieceIndex } from './pieces.ts'

/** A state: by its revision, or as it was at a time (milliseconds since 1970); absent: the newest. */
export type Moment = { readonly revision: number } | { readonly time: number } | undefined

export interface PlannedFile {
  readonly file: BackedFile
  /** In order; two may overlap. */
  readonly pieces: readonly Piece[]
}

export interface RestorePlan {
  readonly storeId: string
  readonly base: CompleteManifest
  /** The last manifest that something is taken from. */
  readonly last: Manifest
  readonly files: readonly PlannedFile[]
  readonly bytes: number
  /** The highest revision that any backup of the store has seen. */
  readonly revisionSeen: number
}

/** `manifests` are all of one store, in their order. Throws `backup.not_covered`, `backup.missing`. */
export function planRestore(manifests: readonly Manifest[], moment: Moment, where: string): RestorePlan {
  const bases = manifests.filter(isComplete).toReversed()
  if (bases.length === 0) throw backupErrors.none({ where })
  for (const base of bases) {
    if (!holds(base.oldest, moment)) continue
    const taken = manifestsFor(manifests, base, moment)
    if (taken !== undefined) return planOf(manifests, base, taken, where)
  }
  throw backupErrors.not_covered({ asked: describe(moment), where, ranges: ranges(manifests) })
}

function holds({ revision, time }: Manifest['oldest'], moment: Moment): boolean {
  if (moment === undefined) return true
  return 'revision' in moment ? revision <= moment.revision : time <= moment.time
}

/** The manifests from a base to the first that has the moment; undefined where the log does not reach it. */
function manifestsFor(manifests: readonly Manifest[], base: Manifest, moment: Moment): Manifest[] | undefined {
  const taken: Manifest[] = []
  for (const manifest of manifests.slice(manifests.indexOf(base))) {
    if (manifest !== base && !manifest.follows) return undefined
    taken.push(manifest)
    const { revision, time } = manifest.end
    // Of one moment there may be several batches: only a later one ends it.
    if (moment !== undefined && ('revision' in moment ? revision >= moment.revision : time > moment.time)) return taken
  }
  // All there is: the newest state, or a time since which nothing is known to have changed.
  return moment === undefined || 'time' in moment ? taken : undefined
}

function planOf(
  manifests: readonly Manifest[],
  base: CompleteManifest,
  taken: readonly Manifest[],
  where: string,
): RestorePlan {
  const last = taken.at(-1) ?? base
  const index = new PieceIndex(
    manifests
      .filter(({ sequence }) => sequence >= base.chain && sequence <= last.sequence)
      .flatMap(({ pieces }) => pieces),
  )
  const logs = new Map<number, BackedFile>()
  for (const { files } of taken) {
    for (const file of files)
      if (file.kind === 'log' && file.number >= base.contents.logStart) logs.set(file.number, file)
  }
  const wanted = [...base.files.filter(({ kind }) => kind === 'sorted'), ...logs.values()]
  const files = wanted.map((file) => {
    const { pieces, end } = index.cover(file)
    if (end < file.bytes) throw backupErrors.missing({ file: fileName(file), from: end, to: file.bytes, where })
    return { file, pieces }
  })
  return {
    storeId: base.storeId,
    base,
    last,
    files,
    bytes: wanted.reduce((sum, { bytes }) => sum + bytes, 0),
    revisionSeen: Math.max(...manifests.map(({ end }) => end.revision)),
  }
}

function describe(moment: Moment): string {
  if (moment === undefined) return 'the newest state'
  return 'revision' in moment ? `revision ${moment.revision}` : `the state of ${new Date(moment.time).toISOString()}`
}

/** What can be restored, for people. */
function ranges(manifests: readonly Manifest[]): string {
  const found: { from: Manifest['oldest']; to: Manifest['end'] }[] = []
  for (const manifest of manifests) {
    const last = found.at(-1)
    const goesOn = last !== undefined && (manifest.follows || manifest.oldest.revision <= last.to.revision)
    if (goesOn) last.to = manifest.end.revision > last.to.revision ? manifest.end : last.to
    else if (isComplete(manifest)) found.push({ from: manifest.oldest, to: manifest.end })
  }
  return found
    .map(({ from, to }) => `revisions ${from.revision} to ${to.revision} (until ${new Date(to.time).toISOString()})`)
    .join(' and ')
}
