/** Reads of a keyspace now, or at a snapshot: those that any state has, and by indexes that can be waited for. */

import { StoreIndexReader } from './index-reader.ts'
import { declaredIndex } from './reading.ts'
import { TypedReader } from './typed-reader.ts'
import type { IndexReader, KeyspaceReader } from './types.ts'

export class StateReader<Key, Value, IndexName extends string>
  extends TypedReader<Key, Value>
  implements KeyspaceReader<Key, Value, IndexName>
{
  index(name: IndexName): IndexReader<Key, Value> {
    return new StoreIndexReader(this.reading, declaredIndex(this.reading, name))
  }
}
