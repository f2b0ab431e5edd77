/**
 * Faults that a test orders from a simulated disk, and the count of what was done to it.
 */

import { diskErrors } from '../errors.ts'

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'map'
  | 'syncDirectory'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'lock'

export interface Fault {
  readonly operation: DiskOperation
  /** The how-manyth such operation from now on fails; default 1, the next. */
  readonly nth?: number
  /** Counts and hits only operations on paths that end so; default all. */
  readonly pathEnd?: string
  /** `failed` is EIO. */
  readonly error: 'full' | 'failed' | 'read_only' | 'too_many_open_files'
  /** For writes: so many bytes are written before the error; default 0. */
  readonly partialBytes?: number
  /** Every later one fails, too, until `clearFaults`. */
  readonly lasting?: boolean
}

export class FaultPlan {
  #waiting: { fault: Fault; left: number }[] = []

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.nth ?? 1 })
  }

  clear(): void {
    this.#waiting = []
  }

  /** The fault that hits this operation, if one does; each one that waits for such an operation counts it. */
  next(operation: DiskOperation, path: string): Fault | undefined {
    let hit: Fault | undefined
    for (const waiting of this.#waiting) {
      const { fault } = waiting
      if (fault.operation !== operation || !path.endsWith(fault.pathEnd ?? '')) continue
      waiting.left--
      if (waiting.left <= 0) hit ??= fault
    }
    this.#waiting = this.#waiting.filter(({ fault, left }) => left > 0 || fault.lasting === true)
    return hit
  }
}

export function faultError(fault: Fault, path: string): Error {
  const reason = fault.error === 'failed' ? 'EIO: i/o error, simulated' : 'simulated'
  return diskErrors[fault.error]({ operation: fault.operation, path, reason })
}
