/** A pending change as a record, for whoever reads it before it is written (pending.ts). */

import type { Change, RecordView } from '@orbitkv/engine'

export class PendingRecord implements RecordView {
  readonly kind = 'put'
  readonly revision = 0
  readonly createRevision = 0
  readonly version = 0
  readonly previousRevision = 0
  readonly lease = 0
  readonly expired = false
  /** The key's bytes and the value's lie in two buffers, and a record has one: joined when it is asked for. */
  bytes: Uint8Array = new Uint8Array(0)
  keyStart = 0
  keyBytes = 0
  valueStart = 0
  valueBytes = 0
  keyspace = 0
  expiresAt = 0
  tag = 0

  moveTo({ key, keyStart, keyEnd, value, valueStart, valueEnd, keyspace, expiresAt, tag }: Change): this {
    this.keyBytes = keyEnd - keyStart
    this.valueStart = this.keyBytes
    this.valueBytes = valueEnd - valueStart
    const bytes = new Uint8Array(this.keyBytes + this.valueBytes)
    bytes.set(key.subarray(keyStart, keyEnd))
    bytes.set(value.subarray(valueStart, valueEnd), this.keyBytes)
    this.bytes = bytes
    this.keyspace = keyspace
    this.expiresAt = expiresAt
    this.tag = tag
    return this
  }
}
