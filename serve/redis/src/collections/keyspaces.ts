/**
 * Keyspaces of the Redis front beside the one of its keys: what users see as one key with a collection under it is a
 * header there, and its elements here. Layouts: docs/decisions/redis-types.md
 */

/** Elements: fields, members, items, by the generation of their collection. */
export const elementKeyspace = 32
/** Generations to be looked at from a time on, since the key they belong to may be gone by then. */
export const graveKeyspace = 33
/** Under the empty key, as decimal text: up to which number generations may have been given. */
export const generationKeyspace = 34
