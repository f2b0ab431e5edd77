/**
 * OrbitKV, embedded: `open` and the types of what it gives.
 *
 * This file may know everything below it: it wires an engine, the real disk and clock, and the store.
 */

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
  ConditionOptions,
  DeleteOptions,
  Durability,
  Entry,
  GrantOptions,
  Holder,
  IndexOptions,
  IndexRange,
  IndexReader,
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
  Store,
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
export { transactionLimits } from '@orbitkv/store'
export { type Backend, backends, type OpenOptions, open, openConfig } from './open.ts'
