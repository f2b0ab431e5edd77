/**
 * Checking every byte of a store on the disk, segment by segment (check-segment.ts), and that they follow one another.
 */

import type { Fault, VerifyReport } from '@orbitkv/engine'
import type { Log } from '../log/log.ts'
import { checkSegment } from './check-segment.ts'

export interface VerifyOptions {
  readonly progress: ((bytesDone: number, bytesTotal: number) => void) | undefined
  /** Called after each step of reading: what it throws ends the check. */
  readonly assertGoesOn: () => void
}

/** `known` are the faults that opening found: they are part of the report. */
export async function verifyLog(
  log: Log,
  known: readonly Fault[],
  { progress, assertGoesOn }: VerifyOptions,
): Promise<VerifyReport> {
  // Only what was written when it began: the log may go on meanwhile.
  const targets = Array.from(log.inOrder(), (segment) => ({ segment, end: segment.writtenEnd }))
  const total = targets.reduce((sum, { end }) => sum + end, 0)
  const faults = [...known]
  let batchesChecked = 0
  let recordsChecked = 0
  let bytesChecked = 0
  let position = 0
  for (const { segment, end } of targets) {
    const { path } = segment.file
    const fault = (offset: number, problem: string): void => {
      const isKnown = faults.some((other) => other.file === path && other.offset === offset)
      if (!isKnown) faults.push({ file: path, offset, problem })
    }
    const step = (bytes: number): void => {
      assertGoesOn()
      bytesChecked += bytes
      progress?.(Math.min(bytesChecked, total), total)
    }
    const checked = await checkSegment(segment, end, () => {}, fault, step)
    if (position !== 0 && checked.firstPosition !== 0 && checked.firstPosition !== position + 1) {
      fault(0, `its first position is ${checked.firstPosition}, and ${position} came before`)
    }
    position = checked.lastPosition === 0 ? position : checked.lastPosition
    batchesChecked += checked.batches
    recordsChecked += checked.records
  }
  return { faults, batchesChecked, recordsChecked, bytesChecked }
}
