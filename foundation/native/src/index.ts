/**
 * The native addon, typed: memory maps, reads that never wait, locks, fdatasync and hardware crc32c.
 *
 * It is used by the disk door (foundation/runtime) and the checksums (foundation/bytes) and by nobody else; both have a
 * plain JavaScript way for when `native` is undefined. The C sources in c/ say what must hold for each function.
 *
 * A wrong argument throws a TypeError with code ERR_ORBITKV_ARGUMENT that names it. A failed system call throws (or
 * rejects with) an Error as Node's own file functions do: `code` such as ENOSPC, `errno`, `syscall`. File offsets are
 * exact up to 2^53 - 1. Set ORBIT_NATIVE=0 to do without the addon.
 */

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export type NativeAdvice = 'normal' | 'random' | 'sequential' | 'will-need' | 'cold' | 'page-out' | 'huge-pages'

export interface NativeBinding {
  /**
   * Maps a range that lies within the file, `offset` a multiple of the page size. Private and writable: stray writes do
   * not reach the file. Unmapped by `unmap`, by collection, or with the thread. The file must not be cut while
   * it is mapped: reading behind its end then ends the process.
   */
  map(fd: number, offset: number, length: number): ArrayBuffer
  /** Detaches the buffer and takes its memory away at once; a second call is an error. */
  unmap(buffer: ArrayBuffer): void
  /** madvise; `buffer` may be any memory (huge pages for an index). False where the kernel knows no such advice. */
  advise(buffer: ArrayBuffer, start: number, length: number, advice: NativeAdvice): boolean
  /** How many bytes of a part of a mapping lie in memory now (mincore); `start` is a multiple of the page size. */
  residentBytes(buffer: ArrayBuffer, start: number, length: number): number
  /** The pages of a buffer come from this NUMA node while it has any; false where there is no such node or no choice. */
  preferNode(buffer: ArrayBuffer, node: number): boolean
  /** The NUMA node of the first whole page of a buffer, -1 where the system does not say. */
  nodeOf(buffer: ArrayBuffer): number
  /** pread until `length` or the end of the file; returns how many bytes. */
  read(fd: number, target: Uint8Array, start: number, length: number, offset: number): number
  /** As `read`, but -1 where it would wait for the disk, or where the system cannot tell (preadv2, RWF_NOWAIT). */
  readNoWait(fd: number, target: Uint8Array, start: number, length: number, offset: number): number
  /** pwrite until all is written. What was written before an error stays. */
  write(fd: number, source: Uint8Array, start: number, length: number, offset: number): void
  /** Off the event loop. The descriptor must stay open until it settles. */
  fdatasync(fd: number): Promise<void>
  /** Gives a range its blocks, growing the file if need be. EOPNOTSUPP where the system cannot. */
  fallocate(fd: number, offset: number, length: number): void
  /** Lets the system take the memory of a range that is not mapped and on the disk already (posix_fadvise, DONTNEED); as `fdatasync`. */
  dropCached(fd: number, offset: number, length: number): Promise<void>
  /** Takes the lock of this open file without waiting: false if another open file, of whatever process, has it. */
  lock(fd: number): boolean
  unlock(fd: number): void
  /** CRC-32C of `bytes[start, end)`, going on from `seed` (0 at the start). */
  crc32c(seed: number, bytes: Uint8Array, start: number, end: number): number
  /** The same by tables, for tests and measurements. */
  crc32cTables(seed: number, bytes: Uint8Array, start: number, end: number): number
  /**
   * `spans` holds `count` pairs (start, end): the CRC-32C of `bytes[start + 4, end)` is stored little-endian in the
   * four bytes at `start`. A wrong pair throws before anything is stored.
   */
  crc32cMany(seed: number, bytes: Uint8Array, spans: Uint32Array, count: number): void
  /** What computes the checksums here. */
  readonly crc32cWay: 'sse4.2' | 'armv8' | 'tables'
}

const functionNames = [
  'map',
  'unmap',
  'advise',
  'residentBytes',
  'preferNode',
  'nodeOf',
  'read',
  'readNoWait',
  'write',
  'fdatasync',
  'fallocate',
  'dropCached',
  'lock',
  'unlock',
  'crc32c',
  'crc32cTables',
  'crc32cMany',
] as const satisfies readonly (keyof NativeBinding)[]

/** Why there is no addon, for `nativeProblem`, when it was switched off on purpose. */
export const switchedOff = 'switched off by ORBIT_NATIVE=0'

function load(): { binding?: NativeBinding; problem?: string } {
  if (process.env['ORBIT_NATIVE'] === '0') return { problem: switchedOff }
  try {
    const require = createRequire(import.meta.url)
    const findAndLoad = require('node-gyp-build') as (directory: string) => Partial<NativeBinding>
    const binding = findAndLoad(fileURLToPath(new URL('..', import.meta.url)))
    const missing = functionNames.filter((name) => typeof binding[name] !== 'function')
    if (missing.length > 0) return { problem: `the built addon is of another version (it lacks ${missing.join(', ')})` }
    return { binding: binding as NativeBinding }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return { problem: text.trim().replace(/\s*\n\s*/g, '; ') }
  }
}

const loaded = load()

/** The addon, or undefined where it is not built, does not load or is switched off. */
export const native: NativeBinding | undefined = loaded.binding

/** Why `native` is undefined, in one line; undefined when it is there. */
export const nativeProblem: string | undefined = loaded.problem
