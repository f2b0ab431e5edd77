/**
 * OrbitKV, embedded: `open` and the types of what it gives.
 *
 * This file may know everything below it: it wires an engine, the real disk and clock, and the store.
 */

export type { RestoreReport } from '@orbitkv/backup'
export { OrbitError } from '@orbitkv/base'
export {
  bytes,
  type Codec,
  float64,
  i32,
  type Json,
  json,
  jsonOf,
  type MessagePack,
  msgpack,
  type TupleElement,
  tuple,
  u32,
  u64,
  u64Big,
  utf8,
} from '@orbitkv/codecs'
export type { Fault, VerifyReport } from '@orbitkv/engine'
export { type Lost, type RepairOptions, type RepairReport, repairStore } from '@orbitkv/engine-log'
export type {
  BatchBuilder,
  Bytes,
  CacheKeys,
  CachePolicy,
  CacheSettings,
  CacheStats,
  ConditionOptions,
  DeleteOptions,
  Durability,
  Entry,
  GrantOptions,
  Holder,
  IndexOptions,
  IndexRange,
  IndexReader,
  IndexReads,
  KeyspaceBatch,
  KeyspaceOptions,
  KeyspacePutOptions,
  KeyspaceReader,
  KeyspaceReads,
  KeyspaceTransaction,
  LeadingPart,
  Leases,
  MergeOptions,
  Owner,
  PinStats,
  PreviousEntry,
  PutOptions,
  RangeOptions,
  Reader,
  ReadOptions,
  SchemaIssue,
  SchemaResult,
  Snapshot,
  SnapshotOptions,
  StandardSchema,
  StoreStats,
  Transaction,
  TransactOptions,
  TypedEntry,
  TypedKeyspace,
  TypedRange,
  Watch,
  WatchChange,
  WatchEvent,
  WatchedDelete,
  WatchedPut,
  Watcher,
  WatchMark,
  WatchOptions,
  WriteOptions,
} from '@orbitkv/store'
export { cachedBytes, transactionLimits } from '@orbitkv/store'
export {
  type Backup,
  type BackupOptions,
  type PlaceOptions,
  type RestoreOptions,
  restore,
  type Store,
} from './backup.ts'
export { type Backend, backends, type OpenOptions, open, openConfig } from './open.ts'
