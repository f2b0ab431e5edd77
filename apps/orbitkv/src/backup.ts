/**
 * The doors to backup and restore: `store.backup(target)` and `restore(source, path)`. What they do is in @orbitkv/backup, which is
 * loaded when one of them is first called, and not before.
 *
 * What must hold: closing a store ends its backups, and waits for them: none copies files that the next opening may remove.
 */

import type { BackupKind, Moment, RestoreReport, Vault } from '@orbitkv/backup'
import type { S3Config } from '@orbitkv/objects'
import { type Clock, type Disk, realClock, realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { EngineStore, type EngineStoreOptions, type Store as OpenStore, storeErrors } from '@orbitkv/store'

/** How a place of backups is reached. */
export interface PlaceOptions {
  /** 32 bytes, or these as 64 hexadecimal digits or base64: everything is encrypted with it. */
  readonly key?: Uint8Array | string
  /** Of `s3://` targets, what they do not say themselves. */
  readonly s3?: Readonly<Partial<S3Config>>
  /** Called as bytes arrive, with those done and all. */
  readonly progress?: (bytesDone: number, bytesTotal: number) => void
}

export interface BackupOptions extends PlaceOptions {
  /** `incremental` by default: what is new since the last backup there, which is everything where there is none. */
  readonly kind?: 'full' | 'incremental'
  /** Copies at most this fast; 0, the default, is as fast as it goes. */
  readonly bytesPerSecond?: number
  readonly signal?: AbortSignal
}

/** A backup that was made. */
export interface Backup {
  readonly kind: BackupKind
  /** Why it is of another kind than was asked for; empty where it is not. */
  readonly because: string
  /** Which store it is of, and its number among the backups of that store. */
  readonly storeId: string
  readonly sequence: number
  /** The newest state in it, and when that came about (milliseconds since 1970). */
  readonly revision: number
  readonly time: number
  /** Bytes that were copied, and bytes of all files that it leads to. */
  readonly bytesCopied: number
  readonly bytesTotal: number
}

export interface RestoreOptions extends PlaceOptions {
  /** A revision, or a moment: the state after the last write that was made by then. Absent: the newest state there is. */
  readonly at?: number | Date
  /** Which store, where the place has backups of several. */
  readonly storeId?: string
  /** The disk and clock to use instead of the real ones. */
  readonly disk?: Disk
  readonly clock?: Clock
}

/** A store as `open` gives it. */
export interface Store extends OpenStore {
  /**
   * Copies the store, while it is read and written, to a folder or to `s3://BUCKET/PREFIX`. It has all that was acknowledged when it
   * began. Errors: `backup.*` and `objects.*`; what was there before stands whatever happens.
   */
  backup(target: string, options?: BackupOptions): Promise<Backup>
}

interface Machine {
  readonly disk: Disk
  readonly clock: Clock
}

/** Makes a store of the backups at a place, in a folder that is empty or not there: errors as of `Store.backup`. */
export async function restore(source: string, path: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  checkOptions(options)
  const { at, storeId, progress, disk = realDisk(), clock = realClock } = options
  const moment = momentOf(at)
  const { restore: restoreBackup } = await import('@orbitkv/backup')
  const vault = await openVault(source, options, { disk, clock })
  try {
    return await restoreBackup({
      vault,
      disk,
      clock,
      randomUint32: realRandomUint32,
      path,
      moment,
      ...(storeId === undefined ? {} : { storeId }),
      ...(progress === undefined ? {} : { progress }),
    })
  } finally {
    vault.objects.close()
  }
}

export class EmbeddedStore extends EngineStore implements Store {
  readonly #machine: Machine
  /** Of the machine that backups go to. */
  readonly #targetDisk: Disk
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(
    engine: ConstructorParameters<typeof EngineStore>[0],
    options: EngineStoreOptions & { readonly disk: Disk; readonly targetDisk: Disk },
  ) {
    super(engine, options)
    this.#machine = options
    this.#targetDisk = options.targetDisk
  }

  async backup(target: string, options: BackupOptions = {}): Promise<Backup> {
    this.assertReadable()
    checkOptions(options)
    const running = this.#backUp(target, options)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #backUp(target: string, options: BackupOptions): Promise<Backup> {
    const { kind = 'incremental', bytesPerSecond = 0, signal, progress } = options
    if (kind !== 'full' && kind !== 'incremental') throw wrong('kind', 'full or incremental', kind)
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrong('signal', 'an AbortSignal', signal)
    if (!Number.isSafeInteger(bytesPerSecond) || bytesPerSecond < 0) {
      throw wrong('bytesPerSecond', 'a whole number from 0 on', bytesPerSecond)
    }
    const { disk, clock } = this.#machine
    const closing = this.#closing.signal
    const vault = await openVault(target, options, { disk: this.#targetDisk, clock })
    try {
      const { backUp } = await import('@orbitkv/backup')
      const { manifest, because } = await backUp(this, {
        vault,
        disk,
        clock,
        kind,
        bytesPerSecond,
        signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
        ...(progress === undefined ? {} : { progress }),
      })
      if (manifest === undefined) throw new TypeError('only an archive may find nothing to copy')
      const { storeId, sequence, end, bytesCopied, bytesTotal } = manifest
      const { revision, time } = end
      return { kind: manifest.kind, because, storeId, sequence, revision, time, bytesCopied, bytesTotal }
    } finally {
      vault.objects.close()
    }
  }

  override close(): Promise<void> {
    this.#closing.abort()
    this.#closed ??= this.#closeAll(super.close())
    return this.#closed
  }

  /** Their callers hear how backups ended; whoever closes, how that went, and not before the last of them is over. */
  async #closeAll(closing: Promise<void>): Promise<void> {
    await Promise.allSettled([closing, ...this.#running])
    await closing
  }
}

async function openVault(target: string, { key, s3 }: PlaceOptions, { disk, clock }: Machine): Promise<Vault> {
  if (typeof target !== 'string') throw wrong('target', 'the path of a folder, or s3://BUCKET/PREFIX', target)
  const [{ parseKey, Vault }, { openObjects }] = await Promise.all([
    import('@orbitkv/backup'),
    import('@orbitkv/objects'),
  ])
  if (key !== undefined && typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw wrong('key', 'text or a Uint8Array', key)
  }
  const parts = { clock, randomUint32: realRandomUint32 }
  const bytes =
    key === undefined ? undefined : parseKey(typeof key === 'string' ? key : Buffer.from(key).toString('hex'))
  const objects = await openObjects(target, { disk, ...parts, ...(s3 === undefined ? {} : { s3 }) })
  return new Vault({ objects, ...parts, ...(bytes === undefined ? {} : { key: bytes }) })
}

function momentOf(at: number | Date | undefined): Moment {
  if (at === undefined) return undefined
  if (at instanceof Date && !Number.isNaN(at.getTime())) return { time: at.getTime() }
  if (typeof at === 'number' && Number.isSafeInteger(at) && at >= 0) return { revision: at }
  throw wrong('at', 'a whole number from 0 on, or a Date', at)
}

function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object', options)
  const { progress } = options as PlaceOptions
  if (progress !== undefined && typeof progress !== 'function') throw wrong('progress', 'a function', progress)
}

function wrong(name: string, expected: string, found: unknown): Error {
  return storeErrors.bad_argument({ name, expected, found: String(found) })
}
