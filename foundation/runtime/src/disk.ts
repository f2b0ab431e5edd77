/**
 * The disk door: all that storage may do to a disk, and nothing else.
 *
 * Implementations: `realDisk` (real-disk.ts), on the native addon where it is built and in plain JavaScript where it is
 * not, and `SimulatedDisk` (simulated/disk.ts), which loses, tears and reorders whatever was not synced. One suite
 * (disk-suite.ts) holds for all of them.
 *
 * What must hold: bytes are durable only once a `sync` that began after their `write` has resolved, and a name
 * only once `syncDirectory` of its folder has. Offsets and lengths are bytes. Errors are `disk.*` (errors.ts).
 */

export type OpenMode =
  /** An existing file, for reading. */
  | 'read'
  /** An existing file, for reading and writing. */
  | 'write'
  /** A file that must not exist yet, for reading and writing. */
  | 'create'

export interface Disk {
  /** What carries it. Mappings of `native` and `simulated` share the memory of the file; the others are copies. */
  readonly kind: 'native' | 'javascript' | 'memory' | 'simulated'
  open(path: string, mode: OpenMode): DiskFile
  exists(path: string): boolean
  /** The names in a folder, sorted; an error if it is no folder. */
  list(directory: string): string[]
  /** Makes a folder and its parents; no error if it is there. */
  makeDirectory(path: string): void
  remove(path: string): void
  /** As `remove`, off the event loop: giving back the blocks of a large file takes a while. */
  discard(path: string): Promise<void>
  /** Moves a file over another atomically. */
  rename(from: string, to: string): void
  /** Makes the names in a folder (created, renamed, removed) durable. */
  syncDirectory(path: string): Promise<void>
  /** Bytes that an ordinary writer may still allocate there. */
  freeBytes(path: string): number
  /**
   * Takes the one lock on `path` (made if absent) or throws `disk.locked`. The lock belongs to this open file: a
   * second attempt in the same process fails too, and the end of the process, however it ends, releases it.
   */
  lock(path: string): DiskLock
}

export interface DiskLock {
  release(): void
}

export interface DiskFile {
  readonly path: string
  size(): number
  /** Writes all of `length` bytes of `source` from `start` on at `offset`, or throws. */
  write(source: Uint8Array, start: number, length: number, offset: number): void
  /** Reads up to `length` bytes into `target` at `start`; returns how many, fewer only at the end of the file. */
  read(target: Uint8Array, start: number, length: number, offset: number): number
  /** As `read`, off the event loop. */
  readAsync(target: Uint8Array, start: number, length: number, offset: number): Promise<number>
  /**
   * As `read`, but only if no disk access is needed: -1 when it would have to wait. Where the system cannot tell
   * (plain JavaScript), it always answers -1.
   */
  readResident(target: Uint8Array, start: number, length: number, offset: number): number
  /**
   * Makes sure of room for a range, which must hold nothing yet: it reads as zeros and counts to the size of the file.
   * Cheaper than writing zeros where the system can; a later sync then has more to do than on blocks once written.
   */
  allocate(offset: number, length: number): void
  /** Makes every earlier write durable. After a failure the caller must treat unsynced bytes as lost. */
  sync(): Promise<void>
  /**
   * As `sync`, but done before it returns, on the event loop: for who has nothing else to do and saves the trip through
   * a thread. False, with nothing done, where the disk cannot.
   */
  trySync(): boolean
  /** Lets the system take the memory of a range that is synced and in no mapping; a hint that changes no byte. Off the event loop. */
  dropCached(offset: number, length: number): Promise<void>
  /** Sets the size; new bytes are zero. */
  truncate(size: number): void
  /**
   * Reads a range through memory. `offset` is a multiple of `mapAlignmentBytes`. Later writes to the range through
   * this door are visible in it only with `kind` native and simulated: map what is no longer written.
   */
  map(offset: number, length: number): Mapping
  close(): void
}

/** Page size that holds on all platforms we map on. */
export const mapAlignmentBytes = 65_536

export interface Mapping {
  /** Private to this process: a stray write reaches neither the file nor a crash. Detached by `release`. */
  readonly bytes: Uint8Array
  /**
   * Bytes of the range, or of a part that starts at a multiple of `mapAlignmentBytes`, that are in memory now; all of them where
   * the system cannot tell. It takes some milliseconds for 64 MiB.
   */
  residentBytes(start?: number, length?: number): number
  /** Of the whole range or a part of it; a hint that changes no byte. */
  advise(advice: MapAdvice, start?: number, length?: number): void
  release(): void
}

export type MapAdvice = 'normal' | 'random' | 'sequential' | 'will-need' | 'cold' | 'page-out'
