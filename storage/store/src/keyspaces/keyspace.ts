/**
 * A typed keyspace: reads and writes by its codecs, values as its schema gives them, counters and merges. `Store.keyspace`
 * makes one; any number of them may stand for one name.
 */

import type { Codec } from '@orbitkv/codecs'
import { type Change, deleteChange, latest, putChange, type RecordView } from '@orbitkv/engine'
import { StoreBatch } from '../batch.ts'
import { storeErrors } from '../errors.ts'
import { checkFunction, checkOptions, leaseOf } from '../options.ts'
import { toBytes } from '../reader.ts'
import { StoreSnapshot } from '../snapshot.ts'
import { expectedRevision } from '../transactions/condition.ts'
import { StoreTransaction } from '../transactions/transaction.ts'
import { type ChangesOf, TypedTransaction } from '../transactions/typed-transaction.ts'
import type { Transaction } from '../transactions/types.ts'
import type { BatchBuilder, DeleteOptions, ExpiryOptions, Snapshot, WriteOptions } from '../types.ts'
import type { IndexSettings, KeyspaceHost, Keyspaces, NamedKeyspace } from './keyspaces.ts'
import { decodedValue, isExpired, type State, stateNow } from './reading.ts'
import { shown, validated } from './schema.ts'
import { StateReader } from './state-reader.ts'
import type {
  IndexOptions,
  KeyspaceBatch,
  KeyspaceOptions,
  KeyspacePutOptions,
  KeyspaceReader,
  KeyspaceTransaction,
  MergeOptions,
  StandardSchema,
  TypedKeyspace,
} from './types.ts'

const nameCharsMax = 255

export class StoreKeyspace<Key, Value, IndexName extends string>
  extends StateReader<Key, Value, IndexName>
  implements TypedKeyspace<Key, Value, IndexName>
{
  readonly name: string
  readonly #options: KeyspaceOptions<Key, Value, IndexName>
  readonly #keyspaces: Keyspaces
  readonly #host: KeyspaceHost
  readonly #keyspace: NamedKeyspace
  /** The state that writes go on from, published or not. */
  readonly #newest: State

  constructor(keyspaces: Keyspaces, name: string, options: KeyspaceOptions<Key, Value, IndexName>) {
    const { host } = keyspaces
    host.assertReadable()
    checkKeyspace(name, options)
    const indexes = Object.entries<IndexOptions<Key, Value>>(options.indexes ?? {})
    const settings = indexes.map(([indexName, index]) => indexSettings(name, options, indexName, index))
    const keyspace = keyspaces.open(name, options.key.name, settings)
    const state = stateNow(host)
    super({
      engine: host.engine,
      meter: host.meter,
      state,
      keyspace,
      codecs: options,
      build: (index) => keyspaces.build(keyspace, index),
    })
    this.name = name
    this.#options = options
    this.#keyspaces = keyspaces
    this.#host = host
    this.#keyspace = keyspace
    this.#newest = { ...state, at: latest }
  }

  at(snapshot: Snapshot): KeyspaceReader<Key, Value, IndexName> {
    if (!(snapshot instanceof StoreSnapshot) || !snapshot.isOf(this.#host.engine)) {
      throw storeErrors.bad_argument({ name: 'snapshot', expected: 'a snapshot of this store', found: typeof snapshot })
    }
    const { revision, time } = snapshot
    const state = { at: revision, now: () => time, assertReadable: () => snapshot.assertReadable() }
    return new StateReader({ ...this.reading, state })
  }

  in(tx: Transaction): KeyspaceTransaction<Key, Value, IndexName> {
    if (!(tx instanceof StoreTransaction) || !tx.isOf(this.#host.engine)) {
      throw storeErrors.bad_argument({ name: 'tx', expected: 'a transaction of this store', found: typeof tx })
    }
    return new TypedTransaction(this.reading, tx, this.#changes)
  }

  // ---- writing

  async put(key: Key, value: Value, options: KeyspacePutOptions = {}): Promise<number> {
    const change = this.#changes.put(key, value, options)
    return this.#host.commit([change], options, expectedRevision(options))
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    this.#host.assertReadable()
    checkOptions(options)
    const expected = expectedRevision(options)
    const change = this.#deleteChange(key)
    const record = this.#newestOf(change)
    const isLive = record !== undefined && !isExpired(this.#newest, record)
    if (record === undefined && (expected ?? 0) === 0) {
      // That it is gone may be news which is not published yet, and may still be taken back.
      await this.#host.settle(options)
      return false
    }
    change.expired = !isLive
    await this.#host.commit([change], options, expected)
    return isLive
  }

  batch(shared?: BatchBuilder): KeyspaceBatch<Key, Value> {
    this.#host.assertReadable()
    const { engine, expiry, commit } = this.#host
    if (shared !== undefined && !(shared instanceof StoreBatch && shared.isOf(engine))) {
      throw storeErrors.bad_argument({ name: 'batch', expected: 'one of store.batch()', found: typeof shared })
    }
    return new TypedBatch(shared ?? new StoreBatch({ engine, expiry, commit }), this.#changes)
  }

  async merge(
    key: Key,
    change: (value: Value | undefined) => Value | undefined,
    options: MergeOptions = {},
  ): Promise<Value | undefined> {
    this.#host.assertReadable()
    checkOptions(options)
    checkFunction(change, 'change')
    const expiry = options.ttl === undefined ? undefined : this.#host.expiry(options.ttl)
    const gone = this.#deleteChange(key)
    const record = this.#newestOf(gone)
    const live = record !== undefined && !isExpired(this.#newest, record) ? record : undefined
    const expiresAt = expiry ?? live?.expiresAt ?? 0
    const lease = options.lease === undefined ? (live?.lease ?? 0) : leaseOf(options)
    const before = live && decodedValue(this.reading, key, live)
    const made = this.#keyspaces.merging(() => change(before))
    if (made instanceof Promise) {
      // What it comes to is nobody's, and a rejection must not end the process.
      made.catch(ignoredOfMistake)
      throw storeErrors.bad_argument({
        name: 'change',
        expected: 'a synchronous function',
        found: 'one with a promise',
      })
    }
    if (made !== undefined) {
      const after = this.#validated(key, made)
      await this.#host.commit([this.#putChange(key, after, { expiresAt, lease })], options)
      return after
    }
    if (live !== undefined) await this.#host.commit([gone], options)
    else await this.#host.settle(options)
    return undefined
  }

  async increment(key: Key, by?: Value & (number | bigint), options: MergeOptions = {}): Promise<Value> {
    const sum = await this.merge(key, (value) => this.#sum(key, value, by) as Value, options)
    return sum as Value
  }

  #sum(key: Key, value: unknown, by: number | bigint | undefined): number | bigint {
    const details = { keyspace: this.name, key: shown(key) }
    if (typeof value === 'bigint' || (value === undefined && typeof by === 'bigint')) {
      const step = by ?? 1n
      if (typeof step === 'bigint') return ((value as bigint | undefined) ?? 0n) + step
      throw storeErrors.not_a_number({ ...details, found: 'a bigint', by: String(by) })
    }
    const from = value ?? 0
    const step = by ?? 1
    if (typeof from !== 'number' || typeof step !== 'number') {
      throw storeErrors.not_a_number({ ...details, found: typeof value, by: String(by ?? 1) })
    }
    const sum = from + step
    const isExact = !Number.isInteger(from) || !Number.isInteger(step) || Number.isSafeInteger(sum)
    if (!isExact) throw storeErrors.counter_too_large({ ...details, max: Number.MAX_SAFE_INTEGER })
    return sum
  }

  dropIndex(name: string): Promise<void> {
    return this.#keyspaces.drop(this.#keyspace, name)
  }

  // ---- changes

  get #changes(): ChangesOf<Key, Value> {
    return {
      put: (key, value, options) => {
        checkOptions(options)
        const expiresAt = this.#host.expiry(options.ttl)
        return this.#putChange(key, this.#validated(key, value), { expiresAt, lease: leaseOf(options) })
      },
      delete: (key) => this.#deleteChange(key),
    }
  }

  #newestOf({ keyspace, key }: Change): RecordView | undefined {
    return this.#host.engine.get(keyspace, key, 0, key.length, latest)
  }

  #validated(key: Key, value: Value): Value {
    const { schema } = this.#options
    return schema === undefined ? value : validated(schema, this.name, key, value)
  }

  #putChange(key: Key, value: Value, expiry: { readonly expiresAt: number; readonly lease: number }): Change {
    const keyBytes = toBytes(this.#options.key.encode(key), 'a key')
    let valueBytes: Uint8Array
    try {
      valueBytes = toBytes(this.#options.value.encode(value), 'a value')
    } catch (cause) {
      const issue = cause instanceof Error ? cause.message : String(cause)
      throw storeErrors.invalid_value({ keyspace: this.name, key: shown(key), issue }, cause)
    }
    return putChange(this.#keyspace.record.id, keyBytes, valueBytes, expiry)
  }

  #deleteChange(key: Key): Change {
    return deleteChange(this.#keyspace.record.id, toBytes(this.#options.key.encode(key), 'a key'))
  }
}

class TypedBatch<Key, Value> implements KeyspaceBatch<Key, Value> {
  readonly #batch: StoreBatch
  readonly #changes: ChangesOf<Key, Value>

  constructor(batch: StoreBatch, changes: ChangesOf<Key, Value>) {
    this.#batch = batch
    this.#changes = changes
  }

  get size(): number {
    return this.#batch.size
  }

  put(key: Key, value: Value, options: ExpiryOptions = {}): this {
    this.#batch.add(this.#changes.put(key, value, options))
    return this
  }

  delete(key: Key): this {
    this.#batch.add(this.#changes.delete(key))
    return this
  }

  commit(options?: WriteOptions): Promise<number> {
    return this.#batch.commit(options)
  }
}

interface UncheckedOptions {
  readonly key: unknown
  readonly value: unknown
  readonly schema?: Partial<StandardSchema<unknown>> | undefined
  readonly indexes?: unknown
}

function checkKeyspace(name: string, options: UncheckedOptions): void {
  checkOptions(options)
  const { key, value, schema, indexes } = options
  if (schema !== undefined) checkFunction(schema?.['~standard']?.validate, 'the validate of schema')
  if (indexes !== undefined) checkOptions(indexes, 'indexes')
  if (typeof name !== 'string' || name === '' || name.length > nameCharsMax) {
    const expected = `text of 1 to ${nameCharsMax} characters`
    throw storeErrors.bad_argument({ name: "a keyspace's name", expected, found: shown(name) })
  }
  for (const [which, codec] of Object.entries({ key, value })) {
    if (isCodec(codec)) continue
    throw storeErrors.bad_argument({ name: which, expected: 'a codec', found: typeof codec })
  }
}

/** Of a promise where none may be: the caller is told of that, which is all there is to say. */
function ignoredOfMistake(): void {}

function isCodec(value: unknown): value is Codec<unknown> {
  const { encode, decode } = (value ?? {}) as Partial<Codec<unknown>>
  return typeof encode === 'function' && typeof decode === 'function'
}

function indexSettings<Key, Value, IndexName extends string>(
  keyspace: string,
  codecs: KeyspaceOptions<Key, Value, IndexName>,
  name: string,
  options: IndexOptions<Key, Value>,
): IndexSettings {
  checkOptions(options, `the index ${name} of ${keyspace}`)
  const { by, unique = false, version = 1 } = options
  if (typeof by !== 'function' || !Number.isInteger(version) || version < 1) {
    const expected = 'a function `by` and, if any, a version from 1 on'
    throw storeErrors.bad_argument({ name: `the index ${name} of ${keyspace}`, expected, found: shown(version) })
  }
  return {
    name,
    unique,
    version,
    by: (key, bytes, offset, length) =>
      by(codecs.value.decode(bytes, offset, length), codecs.key.decode(key, 0, key.length)),
    shownKey: (key) => shown(codecs.key.decode(key, 0, key.length)),
  }
}
