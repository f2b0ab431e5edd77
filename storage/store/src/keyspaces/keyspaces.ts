/**
 * The named keyspaces of a store: which there are, and what each write adds for them: the directory's records ahead of the
 * first write to a keyspace, the entries of indexes with every write. The store asks `complete` for each batch that it appends.
 *
 * What must hold: a keyspace's number is in the directory no later than its first record, in the same batch; and no batch
 * changes an indexed keyspace without its entries. What is given out in memory only becomes the directory's with a write.
 */

import { type Change, deleteRangeChange, type Engine, type Keyspace } from '@orbitkv/engine'
import type { Clock } from '@orbitkv/runtime'
import { storeErrors } from '../errors.ts'
import type { ReadMeter } from '../read-meter.ts'
import type { WriteOptions } from '../types.ts'
import { type IndexRecord, indexChange, type KeyspaceRecord, keyspaceChange, readDirectory } from './directory.ts'
import { IndexBuilder } from './index-builder.ts'
import { IndexWriter } from './index-writer.ts'
import { type Declared, StoreIndex } from './store-index.ts'

const noBytes = new Uint8Array(0)

/** What keyspaces need of their store. */
export interface KeyspaceHost {
  readonly engine: Engine
  readonly meter: ReadMeter
  readonly clock: Clock
  now(): number
  /** The time at which a ttl given now ends; throws for a bad one. */
  expiry(ttl: number | undefined): number
  assertReadable(): void
  /** Writes a batch of a user's; appends it before it returns, and resolves to its revision once it is published. */
  commit(changes: readonly Change[], options: WriteOptions, expected?: number): Promise<number>
  /** Appends a batch, with a revision or as housekeeping. Throws with nothing changed. */
  append(changes: readonly Change[], kind: 'user' | 'housekeeping'): void
  /** Resolves once all that was appended is published. */
  settle(options: WriteOptions): Promise<void>
}

export interface NamedKeyspace {
  readonly record: KeyspaceRecord
  readonly indexes: StoreIndex[]
  /** Not in the directory yet, so without a record. */
  isNew: boolean
  /** What the directory does not say yet: goes ahead of the next write. */
  unwritten: readonly Change[]
}

export interface IndexSettings extends Declared {
  readonly name: string
  readonly unique: boolean
  readonly version: number
}

export class Keyspaces {
  readonly host: KeyspaceHost
  readonly #byName = new Map<string, NamedKeyspace>()
  /** Those whose writes need something more. */
  readonly #special = new Map<Keyspace, NamedKeyspace>()
  readonly #builder: IndexBuilder
  #nextId: Keyspace
  /** Those whose directory records are in the batch that is being appended. */
  #announcing: NamedKeyspace[] = []
  #isMerging = false

  constructor(host: KeyspaceHost) {
    this.host = host
    this.#builder = new IndexBuilder(host, (keyspace) => this.#announce(keyspace))
    const { keyspaces, indexes, nextId } = readDirectory(host.engine)
    this.#nextId = nextId
    const byId = new Map<Keyspace, NamedKeyspace>()
    for (const record of keyspaces) {
      const keyspace = { record, indexes: [], isNew: false, unwritten: [] }
      this.#byName.set(record.name, keyspace)
      byId.set(record.id, keyspace)
    }
    for (const record of indexes) {
      const keyspace = byId.get(record.of)
      // Lost by damage: without it nobody asks for its index.
      if (keyspace === undefined) continue
      keyspace.indexes.push(new StoreIndex(keyspace.record.name, record))
      this.#special.set(record.of, keyspace)
    }
  }

  /** The keyspace of a name, new if there is none, with its indexes declared. */
  open(name: string, keyCodec: string, indexes: readonly IndexSettings[]): NamedKeyspace {
    let keyspace = this.#byName.get(name)
    if (keyspace === undefined) {
      const record = { id: this.#nextId++, name, keyCodec }
      keyspace = { record, indexes: [], isNew: true, unwritten: [keyspaceChange(record)] }
      this.#byName.set(name, keyspace)
      this.#special.set(record.id, keyspace)
    }
    const { keyCodec: found } = keyspace.record
    if (found !== keyCodec) throw storeErrors.keyspace_codec({ keyspace: name, found, asked: keyCodec })
    for (const settings of indexes) this.#declare(keyspace, settings)
    return keyspace
  }

  #declare(keyspace: NamedKeyspace, { name, unique, version, ...declared }: IndexSettings): void {
    const { id: of, name: keyspaceName } = keyspace.record
    let index = keyspace.indexes.find(({ record }) => record.name === name)
    if (index !== undefined && (index.record.unique !== unique || index.record.version !== version)) {
      keyspace.unwritten = [...keyspace.unwritten, ...dropChanges(index.record)]
      keyspace.indexes.splice(keyspace.indexes.indexOf(index), 1)
      index = undefined
    }
    if (index === undefined) {
      // Where nothing was ever written there is nothing to build.
      const built = keyspace.isNew ? { builtAt: 0 } : {}
      index = new StoreIndex(keyspaceName, { id: this.#nextId++, of, name, unique, version, ...built })
      keyspace.indexes.push(index)
      keyspace.unwritten = [...keyspace.unwritten, indexChange(index.record)]
      this.#special.set(of, keyspace)
    }
    index.declared = declared
    if (index.record.builtAt === undefined) this.#builder.start(keyspace, index)
  }

  /** Goes on building an index that failed; resolves once it is built. */
  build(keyspace: NamedKeyspace, index: StoreIndex): Promise<void> {
    return this.#builder.ready(keyspace, index)
  }

  async drop(keyspace: NamedKeyspace, name: string): Promise<void> {
    this.host.assertReadable()
    const index = keyspace.indexes.find(({ record }) => record.name === name)
    if (index === undefined) throw storeErrors.no_such_index({ keyspace: keyspace.record.name, index: name })
    this.#announce(keyspace)
    this.host.append(dropChanges(index.record), 'user')
    keyspace.indexes.splice(keyspace.indexes.indexOf(index), 1)
    this.#forget(keyspace)
    await this.host.settle({})
  }

  /** Writes what the directory does not say yet. */
  #announce(keyspace: NamedKeyspace): void {
    if (keyspace.unwritten.length === 0) return
    this.host.append(keyspace.unwritten, 'user')
    this.#written(keyspace)
  }

  #written(keyspace: NamedKeyspace): void {
    keyspace.unwritten = []
    keyspace.isNew = false
    this.#forget(keyspace)
  }

  #forget({ record, indexes, unwritten }: NamedKeyspace): void {
    if (indexes.length === 0 && unwritten.length === 0) this.#special.delete(record.id)
  }

  /** Runs what must not write meanwhile: the function of a merge. */
  merging<Result>(run: () => Result): Result {
    const wasMerging = this.#isMerging
    this.#isMerging = true
    try {
      return run()
    } finally {
      this.#isMerging = wasMerging
    }
  }

  /** The changes of a batch with what named keyspaces add to them. Throws with nothing changed. */
  complete(changes: readonly Change[], now: number): readonly Change[] {
    if (this.#isMerging) throw storeErrors.inside_merge()
    // Of a batch that was refused: its records are not in the directory.
    if (this.#announcing.length > 0) this.#announcing = []
    if (this.#special.size === 0 || !changes.some(({ keyspace }) => this.#special.has(keyspace))) return changes
    const writer = new IndexWriter(this.host.engine, now)
    for (const change of changes) {
      const keyspace = this.#special.get(change.keyspace)
      if (keyspace === undefined) {
        writer.changes.push(change)
        continue
      }
      if (keyspace.unwritten.length > 0 && !this.#announcing.includes(keyspace)) {
        this.#announcing.push(keyspace)
        writer.changes.push(...keyspace.unwritten)
      }
      if (keyspace.indexes.length > 0) writer.add(change, keyspace.indexes)
      else writer.changes.push(change)
    }
    writer.assertUnique()
    return writer.changes
  }

  /** Says that the batch of the last `complete` is appended. */
  appended(): void {
    if (this.#announcing.length === 0) return
    for (const keyspace of this.#announcing) {
      this.#written(keyspace)
    }
    this.#announcing = []
  }

  stop(): void {
    this.#builder.stop()
  }
}

/** Deletes the entries of an index, and says so in the directory. */
function dropChanges(record: IndexRecord): Change[] {
  return [indexChange({ ...record, isDropped: true }), deleteRangeChange(record.id, noBytes)]
}
