/**
 * Graves: generations to be looked at from a time on. If the key that a grave names does not lead to the generation then,
 * its elements are taken away.
 *
 *   0 u64 time, ms since 1970, 0 for at once | 8 u64 generation      (big-endian, so that bytes sort as times)
 *
 * The value is the key under which the collection was.
 */

import { copyKey, copyValue, type RecordView } from '@orbitkv/engine'

export interface Grave {
  readonly at: number
  readonly generation: number
}

export function graveKey({ at, generation }: Grave): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(at / 2 ** 32))
  view.setUint32(4, at >>> 0)
  view.setUint32(8, Math.floor(generation / 2 ** 32))
  view.setUint32(12, generation >>> 0)
  return bytes
}

/** A grave and the key that it names. */
export function readGrave(record: RecordView): Grave & { readonly key: Uint8Array } {
  const bytes = copyKey(record)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    at: view.getUint32(0) * 2 ** 32 + view.getUint32(4),
    generation: view.getUint32(8) * 2 ** 32 + view.getUint32(12),
    key: copyValue(record),
  }
}
