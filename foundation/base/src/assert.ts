/**
 * Assertions that stay on in production.
 *
 * An assertion states what our own code guarantees; it is never used for a caller's input or for what the
 * world may do (those are coded errors, see errors.ts). A failed one is a bug of ours: the caller stops.
 */

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
  readonly code = 'base.assertion'
}

/** Throws an AssertionError unless `condition` holds. One condition a call, so that the message names it. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the branch that the types rule out. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
