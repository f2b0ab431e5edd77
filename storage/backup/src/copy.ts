/**
 * Copying ranges of files to pieces: read, check, checksum, encrypt, put; one piece is read while others are on their way.
 *
 * What must hold: of a file whose own checksums do not match, no piece gets into a manifest. The pieces of a file are checked in
 * their order, since batches and records go on from one to the next.
 */

import { MiB } from '@orbitkv/base'
import { crc32c } from '@orbitkv/bytes'
import type { HeldFile } from '@orbitkv/engine'
import { FileCheck, type FileFault } from '@orbitkv/engine-log'
import type { Clock, Disk } from '@orbitkv/runtime'
import { backupErrors } from './errors.ts'
import type { Piece } from './manifest.ts'
import type { RateLimit } from './rate.ts'
import type { Vault } from './vault.ts'

/** Small enough that a few of them fit memory, large enough that a request costs little beside it. */
export const pieceBytesMax = 16 * MiB
/** Of pieces that are under way: one is read while others are encrypted or put. */
const piecesAtOnce = 3
const readBytes = 4 * MiB
/** Checked between two turns of the event loop: a millisecond or two. */
const checkBytes = 1 * MiB

/** What of a file is to be copied. */
export interface FileRange {
  readonly file: HeldFile
  readonly from: number
}

export interface CopyOptions {
  readonly vault: Vault
  readonly disk: Disk
  readonly clock: Clock
  readonly storeId: string
  readonly sequence: number
  readonly rate: RateLimit
  /** Pieces that an earlier attempt left, by their names. */
  readonly present: ReadonlySet<string>
  readonly signal: AbortSignal | undefined
  readonly progress: (bytes: number) => void
}

interface PieceRange {
  readonly file: HeldFile
  readonly from: number
  readonly to: number
  readonly check: InOrder
}

/** The check of a file, which takes its pieces one after another, whoever reads them. */
class InOrder {
  readonly #file: HeldFile
  readonly #check: FileCheck
  readonly #clock: Clock
  /** Everything that was asked for before. */
  #last: Promise<void> = Promise.resolve()

  constructor(file: HeldFile, from: number, clock: Clock) {
    this.#file = file
    this.#check = new FileCheck(file, from)
    this.#clock = clock
  }

  /** To be called in the order of the pieces; takes one once it is there. `read` resolves to the bytes of it. */
  next(read: Promise<Uint8Array>, isLast: boolean): Promise<void> {
    const before = this.#last
    this.#last = (async () => {
      const [bytes] = await Promise.all([read, before])
      for (let at = 0; at < bytes.length; at += checkBytes) {
        this.#assertSound(this.#check.take(bytes.subarray(at, Math.min(bytes.length, at + checkBytes))))
        await this.#clock.turn()
      }
      if (isLast) this.#assertSound(this.#check.end())
    })()
    return this.#last
  }

  #assertSound(fault: FileFault | undefined): void {
    if (fault === undefined) return
    const { path: file } = this.#file
    throw backupErrors.source_damaged({ file, offset: fault.offset, problem: fault.problem })
  }
}

/** Copies ranges to their ends; resolves to their pieces, in the order of the ranges. */
export async function copyRanges(ranges: readonly FileRange[], options: CopyOptions): Promise<Piece[]> {
  const wanted = ranges.flatMap(({ file, from }) => piecesOf(file, from, options.clock))
  const pieces: Piece[] = []
  let next = 0
  let hasFailed = false
  const work = async (): Promise<void> => {
    // One for all its pieces: the system takes longer to give fresh memory than the disk to fill it.
    let buffer = new Uint8Array(0)
    for (let i = next++; i < wanted.length && !hasFailed; i = next++) {
      const range = wanted[i] as PieceRange
      const length = range.to - range.from
      if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length)
      try {
        pieces[i] = await copyPiece(range, buffer.subarray(0, length), options)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(piecesAtOnce, wanted.length) }, work))
  for (const result of ended) if (result.status === 'rejected') throw result.reason
  return pieces
}

function piecesOf(file: HeldFile, from: number, clock: Clock): PieceRange[] {
  const count = Math.ceil((file.bytes - from) / pieceBytesMax)
  const check = new InOrder(file, from, clock)
  return Array.from({ length: count }, (_, i) => {
    const at = from + i * pieceBytesMax
    return { file, from: at, to: Math.min(file.bytes, at + pieceBytesMax), check }
  })
}

async function copyPiece(range: PieceRange, bytes: Uint8Array, options: CopyOptions): Promise<Piece> {
  const { vault, storeId, sequence, present, signal, progress } = options
  const { file, from, to, check } = range
  const { kind, number, seed } = file
  const reading = readPiece(range, bytes, options)
  const checking = check.next(
    reading.then(() => bytes),
    to === file.bytes,
  )
  // Both, whichever fails: nothing may go on in a file that is let go.
  const [read, checked] = await Promise.allSettled([reading, checking])
  if (read.status === 'rejected') throw read.reason
  if (checked.status === 'rejected') throw checked.reason
  const piece: Piece = { kind, number, seed, from, to, crc32c: read.value, sequence }
  if (!present.has(vault.pieceKey(storeId, piece))) await vault.writePiece(storeId, piece, bytes, signal)
  progress(bytes.length)
  return piece
}

/** Fills `bytes`; resolves to their checksum. */
async function readPiece({ file, from }: PieceRange, bytes: Uint8Array, options: CopyOptions): Promise<number> {
  const { disk, rate, signal } = options
  const source = disk.open(file.path, 'read')
  try {
    let checksum = 0
    for (let at = 0; at < bytes.length; ) {
      const wanted = Math.min(readBytes, bytes.length - at)
      await rate.take(wanted, signal)
      if (signal?.aborted === true) throw backupErrors.stopped()
      const read = await source.readAsync(bytes, at, wanted, from + at)
      if (read === 0) throw backupErrors.source_short({ file: file.path, offset: from + at, bytes: file.bytes })
      checksum = crc32c(checksum, bytes, at, at + read)
      at += read
    }
    return checksum
  } finally {
    source.close()
  }
}
