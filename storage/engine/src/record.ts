/**
 * A record as every engine hands it out: a window on bytes that the engine owns.
 *
 * Engines reuse one RecordView for many records: read what is needed, or `copyValue`, before the next call. Whoever
 * is handed one must not keep it, nor write to its bytes.
 */
export interface RecordView {
  readonly bytes: Uint8Array
  readonly keyStart: number
  readonly keyBytes: number
  readonly valueStart: number
  readonly valueBytes: number
  readonly keyspace: number
  readonly kind: 'put' | 'delete' | 'delete-range'
  /** The revision that wrote it. */
  readonly revision: number
  /** The revision that created the key: the first put after nothing or a delete. */
  readonly createRevision: number
  /** How many times the key was put since it was created; 0 for a delete. */
  readonly version: number
  /** The revision of the key's record before this one; 0 for none. */
  readonly previousRevision: number
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAt: number
  readonly lease: number
  readonly tag: number
  /** A delete whose reason is expiry. */
  readonly expired: boolean
}

/** The key as bytes of the caller's own. */
export function copyKey(record: RecordView): Uint8Array {
  return record.bytes.slice(record.keyStart, record.keyStart + record.keyBytes)
}

/** The value as bytes of the caller's own. */
export function copyValue(record: RecordView): Uint8Array {
  return record.bytes.slice(record.valueStart, record.valueStart + record.valueBytes)
}
