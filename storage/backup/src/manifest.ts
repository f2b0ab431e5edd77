/**
 * Manifests: what each backup is, and which pieces it has. Spec: docs/formats/backup-v1.md
 *
 * What must hold:
 * 1. A manifest is written last, and never replaced: with it the backup is there, without it there is none.
 * 2. Its pieces, with those of the manifests before it from the full one of its chain on, are all that its files take.
 * 3. Numbers of manifests ascend; of two backups that end at once, one is refused.
 */

import type { HeldContents } from '@orbitkv/engine'

export const formatVersion = 1

export type BackupKind = 'full' | 'incremental' | 'archive'

/** A file of the store as it was backed up. */
export interface BackedFile {
  readonly kind: 'log' | 'sorted'
  readonly number: number
  readonly seed: number
  readonly bytes: number
}

/** A range of a file, as one object. */
export interface Piece extends Omit<BackedFile, 'bytes'> {
  readonly from: number
  readonly to: number
  /** Of the bytes as they are in the file. */
  readonly crc32c: number
  /** Number of the backup that copied it. */
  readonly sequence: number
}

/** Where the log ended, so that the next backup can tell whether it is the same log that goes on. */
export interface LogPlace {
  readonly position: number
  readonly revision: number
  readonly time: number
  /** 0 where the newest batch was no longer in the log. */
  readonly segment: number
  readonly seed: number
  readonly bytes: number
  /** CRC-32C of the last bytes before it, at most 4096. */
  readonly tail: number
}

export interface Manifest {
  readonly format: number
  readonly storeId: string
  readonly sequence: number
  readonly kind: BackupKind
  /** Number of the full backup that it needs nothing from before. */
  readonly chain: number
  /** Whether no batch is missing between the end of the manifest before it and its own. */
  readonly follows: boolean
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly end: LogPlace
  /** The oldest state that can be restored from its files alone; of an archive, that of the backup before. */
  readonly oldest: { readonly revision: number; readonly time: number }
  /** None in an archive, which has a part of the log only. */
  readonly contents?: HeldContents
  /** All files; of an archive those of the log that it has something of. */
  readonly files: readonly BackedFile[]
  /** What it copied, and what the archives before it copied since the last other backup. */
  readonly pieces: readonly Piece[]
  /** Bytes that it copied itself, and bytes of all its files. */
  readonly bytesCopied: number
  readonly bytesTotal: number
}

const problemOfShape = 'it is no manifest'

/** What is wrong with what was read as the manifest of a name; undefined where nothing is. Names of files are made from it. */
export function problemOf(value: unknown, key: string): string | undefined {
  const { storeId, sequence, kind, chain, end, oldest, contents, files, pieces } = (value ?? {}) as Partial<Manifest>
  const isWhole = [sequence, chain, end?.position, end?.revision, end?.time, oldest?.revision, oldest?.time].every(
    isCount,
  )
  if (!isWhole || !/^[0-9a-f]{32}$/.test(storeId ?? '')) return problemOfShape
  if (manifestKey(storeId as string, sequence as number) !== key) return 'it is the manifest of another backup'
  if ((contents === undefined) !== (kind === 'archive')) return problemOfShape
  const listed: unknown[] = [files, pieces, contents === undefined ? [] : contents.sorted]
  if (!listed.every(Array.isArray)) return problemOfShape
  const isFile = (file: Partial<BackedFile>): boolean =>
    (file.kind === 'log' || file.kind === 'sorted') && isCount(file.number) && isCount(file.seed)
  const sound =
    (files ?? []).every((file) => isFile(file) && isCount(file.bytes)) &&
    (pieces ?? []).every((piece) => {
      const { from, to, crc32c, sequence: copiedBy } = piece
      return isFile(piece as Partial<BackedFile>) && [from, to, crc32c, copiedBy].every(isCount) && from < to
    }) &&
    (contents === undefined || (isCount(contents.logStart) && contents.sorted.every(({ number }) => isCount(number))))
  return sound ? undefined : problemOfShape
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** A full or incremental backup: one that a store can be made of. */
export type CompleteManifest = Manifest & { readonly contents: HeldContents }

export function isComplete(manifest: Manifest): manifest is CompleteManifest {
  return manifest.contents !== undefined
}

const sequenceDigits = 12
/** Full and incremental backups have multiples of it, but for the first: what is archived while they are made goes before them. */
const sequenceStep = 10_000

/** The number of the next backup; the same for another attempt at it. */
export function nextSequence(kind: BackupKind, newest: number): number {
  return kind === 'archive' || newest === 0 ? newest + 1 : (Math.floor(newest / sequenceStep) + 1) * sequenceStep
}

/** The object whose name says that there are backups of a store. */
export function storeKey(storeId: string): string {
  return `stores/${storeId}`
}

export function manifestPrefix(storeId: string): string {
  return `${storeId}/manifests/`
}

export function manifestKey(storeId: string, sequence: number): string {
  return `${manifestPrefix(storeId)}${digits(sequence)}`
}

export function dataPrefix(storeId: string): string {
  return `${storeId}/data/`
}

/** The names of all pieces that one backup copied begin so. */
export function sequencePrefix(storeId: string, sequence: number): string {
  return `${dataPrefix(storeId)}${digits(sequence)}-`
}

/** `keyId`: of encrypted backups. */
export function pieceKey(storeId: string, piece: Piece, keyId: string | undefined): string {
  const { kind, number, from, to, sequence } = piece
  const sum = piece.crc32c.toString(16).padStart(8, '0')
  const name = `${number}.${kind}-${from}-${to}-${sum}${keyId === undefined ? '' : `-${keyId}`}`
  return `${sequencePrefix(storeId, sequence)}${name}`
}

/** The number in the name of a manifest or a piece. */
export function sequenceOf(key: string): number {
  return Number.parseInt(key.slice(key.lastIndexOf('/') + 1, key.lastIndexOf('/') + 1 + sequenceDigits), 10)
}

/** How messages and users name a file of a store. */
export function fileName({ kind, number }: Pick<BackedFile, 'kind' | 'number'>): string {
  return `${String(number).padStart(10, '0')}.${kind}`
}

/** Of one file among all that ever were. */
export function fileId({ kind, number, seed }: Omit<BackedFile, 'bytes'>): string {
  return `${kind}-${number}-${seed}`
}

function digits(sequence: number): string {
  return String(sequence).padStart(sequenceDigits, '0')
}
