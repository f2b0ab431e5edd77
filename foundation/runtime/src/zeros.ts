/** Writing zeros: how room is made sure of where a system has no way to ask for it, and how blocks are made ready for a sync. */

import { KiB } from '@orbitkv/base'

const zeros = new Uint8Array(256 * KiB)

/** Writes `length` zeros at `offset`, in pieces; after an error some of them may be there. */
export function writeZeros(
  file: { write(source: Uint8Array, start: number, length: number, offset: number): void },
  offset: number,
  length: number,
): void {
  for (let done = 0; done < length; ) {
    const bytes = Math.min(zeros.length, length - done)
    file.write(zeros, 0, bytes, offset + done)
    done += bytes
  }
}
