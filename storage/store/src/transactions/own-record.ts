/** Records that a transaction hands out and no engine holds: of its own writes, and copies of those that would be gone. */

import { copyKey, copyValue, type Keyspace, type RecordView } from '@orbitkv/engine'

const noBytes = new Uint8Array(0)

/** Of a write that is not committed: it has no revision yet. */
export class OwnRecord implements RecordView {
  bytes: Uint8Array = noBytes
  keyStart = 0
  keyBytes = 0
  valueStart = 0
  valueBytes = 0
  keyspace: Keyspace = 0
  readonly kind = 'put'
  revision = 0
  readonly createRevision = 0
  readonly version = 0
  readonly previousRevision = 0
  expiresAt = 0
  readonly lease = 0
  readonly tag = 0
  readonly expired = false
}

/** A record with bytes of its own. */
export function holdRecord(record: RecordView): RecordView {
  const key = copyKey(record)
  const value = copyValue(record)
  const held = new OwnRecord()
  held.bytes = new Uint8Array(key.length + value.length)
  held.bytes.set(key)
  held.bytes.set(value, key.length)
  held.keyBytes = held.valueStart = key.length
  held.valueBytes = value.length
  held.keyspace = record.keyspace
  held.revision = record.revision
  held.expiresAt = record.expiresAt
  return held
}
