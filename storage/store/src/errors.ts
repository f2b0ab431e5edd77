/** Errors of the store; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

export const storeErrors = defineErrors('store', {
  closed: { retry: 'no', text: 'the store in {path} is closed' },
  snapshot_closed: { retry: 'no', text: 'the snapshot of revision {revision} is closed' },
  committed: { retry: 'no', text: 'this batch is committed already; make a new one with store.batch()' },
  conflict: { retry: 'no', text: 'the key is at revision {found}, not at {expected} (0: it is not there)' },
  transaction_conflict: {
    retry: 'later',
    text: 'others changed what the transaction read, {attempts} times in a row; it wrote nothing: try again, or allow more attempts',
  },
  transaction_ended: {
    retry: 'no',
    text: 'the transaction has ended: its reads and writes belong inside its function',
  },
  transaction_read_only: { retry: 'no', text: 'the transaction was begun with readOnly: it cannot write' },
  transaction_too_old: {
    retry: 'now',
    text: 'the transaction reads revision {revision}, which is no longer kept (the oldest is {oldest}): make it shorter, or keep more history',
  },
  transaction_too_large: {
    retry: 'no',
    text: 'the transaction has {size} {unit}, the most is {max}; split it, or read with readOnly',
  },
  transactions_open: { retry: 'later', text: '{open} transactions are open, the most is {max}' },
  inside_transaction: {
    retry: 'no',
    text: 'while the function of a transaction runs, its store takes writes only through it: use tx.put and tx.delete',
  },
  keyspace_codec: {
    retry: 'no',
    text: 'the keyspace {keyspace} has keys of the codec {found}, not {asked}: use another name for others',
  },
  invalid_value: { retry: 'no', text: 'the value for {key} in {keyspace} is refused: {issue}' },
  bad_record: { retry: 'no', text: 'what is stored at {key} in {keyspace} cannot be read: {problem}' },
  schema_async: { retry: 'no', text: 'the schema of {keyspace} answered with a promise: it must be synchronous' },
  not_a_number: { retry: 'no', text: 'the value at {key} in {keyspace} is {found}: {by} cannot be added to it' },
  counter_too_large: {
    retry: 'no',
    text: 'the counter at {key} in {keyspace} would pass {max}: use a codec of bigints',
  },
  inside_merge: { retry: 'no', text: 'the function of a merge must not write: what it returns is written' },
  no_such_index: { retry: 'no', text: 'the keyspace {keyspace} has no index {index}: declare it in its options' },
  index_undeclared: {
    retry: 'no',
    text: 'the keyspace {keyspace} has the index {index}, of which this program says nothing: declare it, or drop it with dropIndex',
  },
  index_building: { retry: 'later', text: 'the index {index} of {keyspace} is being built: await its ready()' },
  index_not_then: {
    retry: 'no',
    text: 'the index {index} of {keyspace} was built at revision {built}: it cannot find what was there at {asked}',
  },
  index_failed: { retry: 'no', text: 'the index {index} of {keyspace} cannot take in {key}: {problem}' },
  not_unique: { retry: 'no', text: '{key} in {keyspace} has the same in the unique index {index} as {other}' },
  key_of_server: {
    retry: 'no',
    text: 'under the key {key} a server keeps a collection (type {tag}), which can only be read from here: change or delete it through that server',
  },
  bad_ttl: { retry: 'no', text: 'ttl is {value}: it must be a whole number of milliseconds from 1 to {max}' },
  bad_range: { retry: 'no', text: '{problem}' },
  cache_full: {
    retry: 'later',
    text: 'the write takes {needBytes} bytes of the cache, and {heldBytes} of its {bytesMax} are of keys that may not go: delete some, or raise cacheBytesMax',
  },
  no_such_lease: { retry: 'no', text: 'there is no lease {id}, or it has ended: grant another' },
  lease_exists: { retry: 'no', text: 'there is a lease {id} already: choose another id, or let the store choose' },
  watch_slow: {
    retry: 'now',
    text: 'changes for this watch wait for its consumer, more than {bufferBytes} bytes of them; go on with from: {resumeFrom}',
  },
  watch_crowded: {
    retry: 'later',
    text: '{max} calls of next wait for changes of this watch already: await them first',
  },
  watch_threw: { retry: 'no', text: 'what a watch calls when there are changes has thrown: {reason}' },
  pin_broken: {
    retry: 'now',
    text: 'the {holder} has held revision {revision} beyond {limit}, and holds it no more; begin again from a newer one',
  },
  bad_argument: { retry: 'no', text: '{name} must be {expected}, not {found}' },
})
