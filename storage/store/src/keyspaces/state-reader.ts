/**
 * Reads of a keyspace now, or at a snapshot: those that any state has, those that never stall the event loop, and indexes.
 */

import type { Engine } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { keysAtOnce } from '../reader.ts'
import { StoreIndexReader } from './index-reader.ts'
import { isExpired, type Reading, typedEntry } from './reading.ts'
import { TypedReader } from './typed-reader.ts'
import type { IndexReader, KeyspaceReader, TypedEntry, TypedRange } from './types.ts'

export interface StateReading<Key, Value> extends Reading<Key, Value> {
  readonly engine: Engine
}

export class StateReader<Key, Value, IndexName extends string>
  extends TypedReader<Key, Value>
  implements KeyspaceReader<Key, Value, IndexName>
{
  protected readonly stateReading: StateReading<Key, Value>

  constructor(reading: StateReading<Key, Value>) {
    super(reading)
    this.stateReading = reading
  }

  async getManyAsync(keys: readonly Key[]): Promise<(Value | undefined)[]> {
    const values: (Value | undefined)[] = []
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const some = keys.slice(from, from + keysAtOnce)
      values.push(...(await Promise.all(some.map((key) => this.getAsync(key)))))
    }
    return values
  }

  async hasAsync(key: Key): Promise<boolean> {
    return (await this.getAsync(key)) !== undefined
  }

  async *rangeAsync(options: TypedRange<Key> = {}): AsyncIterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace } = this.stateReading
    state.assertReadable()
    let left = options.limit ?? Number.POSITIVE_INFINITY
    const range = this.toRange(options)
    if (left === 0) return
    for await (const record of engine.rangeAsync(keyspace.record.id, range)) {
      state.assertReadable()
      if (isExpired(state, record)) continue
      yield typedEntry(this.stateReading, record)
      if (--left === 0) return
    }
  }

  index(name: IndexName): IndexReader<Key, Value> {
    const { keyspace } = this.stateReading
    const index = keyspace.indexes.find(({ record, declared }) => record.name === name && declared !== undefined)
    if (index === undefined) throw storeErrors.no_such_index({ keyspace: keyspace.record.name, index: name })
    return new StoreIndexReader(this.stateReading, index)
  }
}
