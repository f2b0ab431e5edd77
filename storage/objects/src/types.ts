/**
 * What an object store does, and nothing else. Implementations: `FolderObjects` (folder.ts) and `S3Objects` (s3.ts).
 *
 * What must hold:
 * 1. An object is there whole or not at all; it is durable once `put` has resolved. Nobody changes a part of one.
 * 2. Bytes that a read returns have the checksums of those that were written; otherwise it fails: `objects.corrupt`.
 * 3. Keys are names of letters, digits, dots, dashes and underscores, with slashes between them (keys.ts).
 */

export interface RequestOptions {
  /** Ends it early: `objects.stopped`. What was done of it may or may not count. */
  readonly signal?: AbortSignal
}

export interface PutOptions extends RequestOptions {
  /** Fails with `objects.exists` where the key is taken, and leaves what is there. */
  readonly ifAbsent?: boolean
}

export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
}

export interface ObjectStore {
  /** How messages name it. */
  readonly where: string
  /** At most `objectBytesMax`. The bytes must not change until it has resolved. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<void>
  /** All of an object. `objects.not_found` where there is none. */
  get(key: string, options?: RequestOptions): Promise<Uint8Array>
  /** The bytes from `start` to before `end`, fewer where the object ends. Reads whole MiB, so that they can be checked. */
  getRange(key: string, start: number, end: number, options?: RequestOptions): Promise<Uint8Array>
  /** Undefined where there is none. */
  head(key: string, options?: RequestOptions): Promise<ObjectInfo | undefined>
  /** The keys that begin with a prefix, in the order of their bytes within a folder. */
  list(prefix: string, options?: RequestOptions): AsyncIterable<string>
  /** No error where there is none. */
  delete(key: string, options?: RequestOptions): Promise<void>
  /**
   * Removes what writers that died have left in a folder of keys; resolves to how many. A writer that is under way there may
   * fail: its object is then not there.
   */
  sweep(folder: string, options?: RequestOptions): Promise<number>
  close(): void
}
