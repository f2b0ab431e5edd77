/** Makers of changes for whoever has whole keys and values; hot paths fill a Change of their own. */

import { Change, type Keyspace } from './contract.ts'

export interface PutOptions {
  readonly expiresAt?: number
  readonly lease?: number
  readonly tag?: number
}

export function putChange(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, options: PutOptions = {}): Change {
  const change = withKey('put', keyspace, key)
  change.value = value
  change.valueEnd = value.length
  change.expiresAt = options.expiresAt ?? 0
  change.lease = options.lease ?? 0
  change.tag = options.tag ?? 0
  return change
}

export function deleteChange(keyspace: Keyspace, key: Uint8Array, options: { expired?: boolean } = {}): Change {
  const change = withKey('delete', keyspace, key)
  change.expired = options.expired ?? false
  return change
}

/** Deletes every key from `first` to before `end`; without an end, to the end of the keyspace. */
export function deleteRangeChange(keyspace: Keyspace, first: Uint8Array, end?: Uint8Array): Change {
  const change = withKey('delete-range', keyspace, first)
  if (end !== undefined) {
    change.value = end
    change.valueEnd = end.length
  }
  return change
}

function withKey(kind: Change['kind'], keyspace: Keyspace, key: Uint8Array): Change {
  const change = new Change()
  change.kind = kind
  change.keyspace = keyspace
  change.key = key
  change.keyEnd = key.length
  return change
}
