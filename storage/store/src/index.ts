/** The store over any engine, its public types, settings and errors. */

export { type CacheKeys, type CachePolicy, type CacheSettings, type CacheStats, cachedBytes } from './cache/types.ts'
export { type StoreConfig, storeConfig } from './config.ts'
export { storeErrors } from './errors.ts'
export type { Holder, PinStats } from './history.ts'
export type {
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
  MergeOptions,
  SchemaIssue,
  SchemaResult,
  StandardSchema,
  TypedEntry,
  TypedKeyspace,
  TypedRange,
} from './keyspaces/types.ts'
export type * from './leases/types.ts'
export { EngineStore, type EngineStoreOptions } from './store.ts'
export { type Transaction, type TransactOptions, transactionLimits } from './transactions/types.ts'
export * from './types.ts'
export type * from './watch/types.ts'
