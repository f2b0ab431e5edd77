/** Ids of the keyspaces that the store itself gives out; named keyspaces and fronts get theirs above these. */

/** Raw keys of the embedded interface and of the Redis front. */
export const defaultKeyspace = 0
/** The due index (due-index.ts). */
export const dueKeyspace = 1
