/**
 * OrbitKV, embedded: `open` and the types of what it gives.
 *
 * This file may know everything below it: it wires an engine, the real disk and clock, and the store.
 */

export { OrbitError } from '@orbitkv/base'
export type { Fault, VerifyReport } from '@orbitkv/engine'
export { type Lost, type RepairOptions, type RepairReport, repairStore } from '@orbitkv/engine-log'
export type {
  BatchBuilder,
  Bytes,
  Durability,
  Entry,
  Owner,
  PutOptions,
  RangeOptions,
  Reader,
  Snapshot,
  Store,
  StoreStats,
  WriteOptions,
} from '@orbitkv/store'
export { type Backend, backends, type OpenOptions, open, openConfig } from './open.ts'
