/** Ids of the keyspaces that the store itself gives out; named keyspaces and fronts get theirs above these. */

/** Raw keys of the embedded interface and of the Redis front. */
export const defaultKeyspace = 0
/** The due index (due-index.ts). */
export const dueKeyspace = 1
/** Leases, and which keys they carry (leases/lease-records.ts). */
export const leaseKeyspace = 2
export const leasedKeyspace = 3
/** The revision that was compacted to, under the empty key (history.ts). */
export const historyKeyspace = 4
/** The directory of named keyspaces and indexes (keyspaces/directory.ts). */
export const directoryKeyspace = 16
// 32 to 34 hold the collections of the Redis front (serve/redis/src/collections/keyspaces.ts).
/** The first number that a named keyspace, or an index, may have. */
export const namedKeyspaceMin = 1024
