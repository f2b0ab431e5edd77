/** Typed keyspaces as their users see them: `Store.keyspace` gives one. keyspace.ts implements them. */

import type { Codec, TupleElement } from '@orbitkv/codecs'
import type { Transaction } from '../transactions/types.ts'
import type { BatchBuilder, ConditionOptions, DeleteOptions, ExpiryOptions, Snapshot, WriteOptions } from '../types.ts'

/** A schema that speaks Standard Schema 1 (https://standardschema.dev), as those of zod, valibot and arktype do. */
export interface StandardSchema<Value> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Value> | Promise<SchemaResult<Value>>
  }
}

export type SchemaResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export interface KeyspaceOptions<Key, Value, IndexName extends string = never> {
  /** Its bytes give the order of keys. A keyspace keeps the codec of its first write. */
  readonly key: Codec<Key>
  readonly value: Codec<Value>
  /** Every value is put as the schema gives it, or refused; what is stored already is not asked. It must be synchronous. */
  readonly schema?: StandardSchema<Value>
  readonly indexes?: Readonly<Record<IndexName, IndexOptions<Key, Value>>>
}

export interface IndexOptions<Key, Value> {
  /**
   * What a value is found by: a single element or, to be found by its leading parts too, a tuple. Undefined: the value is not in
   * the index. It must depend on nothing but what it is given.
   */
  readonly by: (value: Value, key: Key) => TupleElement | undefined
  /** Refuses a second key with the same. False by default. */
  readonly unique?: boolean
  /** To be raised when `by` changes: the index is then built anew. 1 by default. */
  readonly version?: number
}

export interface TypedEntry<Key, Value> {
  readonly key: Key
  readonly value: Value
  /** The revision that wrote it. */
  readonly revision: number
}

/** A key or, where keys are tuples, the first elements of one. */
export type LeadingPart<Key> = Key extends readonly [...infer Rest, unknown] ? Key | LeadingPart<Rest> : Key

interface Bounds<Bound, Part> {
  readonly gt?: Bound
  readonly gte?: Bound
  readonly lt?: Bound
  readonly lte?: Bound
  /** Every key that begins with it; not together with the four bounds. For keys of utf8, bytes and tuples. */
  readonly prefix?: Part
  readonly reverse?: boolean
  /** Entries at most. */
  readonly limit?: number
}

export interface TypedRange<Key> extends Bounds<Key, LeadingPart<Key>> {}

/** Bounds by what an index finds by. Of a tuple the first elements do: `lte: ['de']` is up to every tuple that begins so. */
export interface IndexRange extends Bounds<TupleElement, TupleElement> {}

/** What can be read from a keyspace at some state. */
export interface KeyspaceReads<Key, Value> {
  /** The value, decoded from the store's memory; undefined where there is none. `store.bad_record` where the codec cannot. */
  get(key: Key): Value | undefined
  /** The bytes of a value without copying them: see `Reader.view`. */
  view<Result>(key: Key, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined
  /** As `get`, without ever stalling the event loop on a cold page. */
  getAsync(key: Key): Promise<Value | undefined>
  getMany(keys: readonly Key[]): (Value | undefined)[]
  has(key: Key): boolean
  /** Entries in the order of their keys. */
  range(options?: TypedRange<Key>): Iterable<TypedEntry<Key, Value>>
  /** The three above as `getAsync` is to `get`. */
  getManyAsync(keys: readonly Key[]): Promise<(Value | undefined)[]>
  hasAsync(key: Key): Promise<boolean>
  rangeAsync(options?: TypedRange<Key>): AsyncIterable<TypedEntry<Key, Value>>
}

/** What can be read from a keyspace now, or from a snapshot of it. */
export interface KeyspaceReader<Key, Value, IndexName extends string = never> extends KeyspaceReads<Key, Value> {
  index(name: IndexName): IndexReader<Key, Value>
}

/** Reads by an index at some state. They fail with `store.index_building` until it is built. */
export interface IndexReads<Key, Value> {
  /** The first entry that the index finds by exactly this. */
  get(by: TupleElement): TypedEntry<Key, Value> | undefined
  /** Entries in the order of what they are found by, then of their keys' bytes. */
  range(options?: IndexRange): Iterable<TypedEntry<Key, Value>>
  /** As `get`, without ever stalling the event loop on a cold page. */
  getAsync(by: TupleElement): Promise<TypedEntry<Key, Value> | undefined>
  /** As `range`, without ever stalling the event loop on a cold page. */
  rangeAsync(options?: IndexRange): AsyncIterable<TypedEntry<Key, Value>>
}

/** Reads by an index now, or at a snapshot. */
export interface IndexReader<Key, Value> extends IndexReads<Key, Value> {
  /**
   * Resolves once the index is built. Fails with why it cannot be: `store.not_unique` or `store.index_failed` name the key;
   * asked again, it goes on from there.
   */
  ready(): Promise<void>
}

export interface KeyspacePutOptions extends WriteOptions, ConditionOptions, ExpiryOptions {
  readonly ifAbsent?: boolean
}

export interface MergeOptions extends WriteOptions {
  /** Milliseconds from now; absent: the key stays due when it was. */
  readonly ttl?: number
  /** 0 for none; absent: the key stays with the lease that it has. */
  readonly lease?: number
}

/** Changes of a keyspace in a batch; its other changes may be those of other keyspaces, or raw ones. */
export interface KeyspaceBatch<Key, Value> {
  put(key: Key, value: Value, options?: ExpiryOptions): this
  delete(key: Key): this
  /** Changes collected in the whole batch so far. */
  readonly size: number
  /** Writes the whole batch; resolves to its revision. */
  commit(options?: WriteOptions): Promise<number>
}

/** A keyspace inside a transaction: reads are the transaction's, and see its own writes. */
export interface KeyspaceTransaction<Key, Value, IndexName extends string = never> extends KeyspaceReads<Key, Value> {
  put(key: Key, value: Value, options?: ExpiryOptions): void
  delete(key: Key): void
  /** What the transaction put is found by what it put, and no longer by what was there before. */
  index(name: IndexName): IndexReads<Key, Value>
}

export interface TypedKeyspace<Key, Value, IndexName extends string = never>
  extends KeyspaceReader<Key, Value, IndexName> {
  readonly name: string
  /** Resolves to the revision of the write. Key and value are encoded before it returns. */
  put(key: Key, value: Value, options?: KeyspacePutOptions): Promise<number>
  /** Resolves to whether the key was there. */
  delete(key: Key, options?: DeleteOptions): Promise<boolean>
  /** A batch of its own or, with one of `store.batch()`, a typed view of that: what both collect is written as one. */
  batch(shared?: BatchBuilder): KeyspaceBatch<Key, Value>
  /**
   * Puts what a function makes of the newest value (undefined where there is none), deletes it where that is undefined; nothing
   * comes between. Resolves to what was put. The function must be synchronous and must not write.
   */
  merge(
    key: Key,
    change: (value: Value | undefined) => Value | undefined,
    options?: MergeOptions,
  ): Promise<Value | undefined>
  /** Adds to the newest number, 0 where there is none; 1 if nothing is said. Resolves to the sum. */
  increment(key: Key, by?: Value & (number | bigint), options?: MergeOptions): Promise<Value>
  /** Reads the keyspace as it was at a snapshot, for as long as that is open. */
  at(snapshot: Snapshot): KeyspaceReader<Key, Value, IndexName>
  /** Reads and writes the keyspace inside a transaction of its store, for as long as that runs. */
  in(tx: Transaction): KeyspaceTransaction<Key, Value, IndexName>
  /** Deletes an index that is no longer declared, or is to be built anew when it is declared next. */
  dropIndex(name: string): Promise<void>
}
