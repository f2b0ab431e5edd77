/** What callers give as options, checked before anything is taken from it. Within the store only. */

import { storeErrors } from './errors.ts'

/** Options are an object, or left out; null, a callback or a number is a mistake of the caller's that must be named. */
export function checkOptions(options: unknown, name = 'options'): void {
  if (typeof options === 'object' && options !== null) return
  throw storeErrors.bad_argument({ name, expected: 'an object', found: found(options) })
}

export function checkFunction(given: unknown, name: string): void {
  if (typeof given === 'function') return
  throw storeErrors.bad_argument({ name, expected: 'a function', found: found(given) })
}

export function checkArray(given: unknown, name: string): void {
  if (Array.isArray(given)) return
  throw storeErrors.bad_argument({ name, expected: 'an array', found: found(given) })
}

/** The lease that a put asks for, 0 for none. Whether it is held is seen when the put is appended. */
export function leaseOf({ lease = 0 }: { readonly lease?: number }): number {
  if (Number.isSafeInteger(lease) && lease >= 0) return lease
  throw storeErrors.no_such_lease({ id: lease })
}

function found(given: unknown): string {
  return given === null ? 'null' : typeof given
}
