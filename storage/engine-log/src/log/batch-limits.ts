/** The limits of what is appended: what is larger is refused by name, before anything has changed. */

import { type Change, defaultLimits, engineErrors } from '@orbitkv/engine'
import { batchHeaderBytes } from './format.ts'
import { recordBytesMax } from './record.ts'

/** Checks a batch; returns the most bytes that it can take. */
export function checkBatch(changes: readonly Change[], valueBytesMax: number): number {
  const { batchBytesMax, batchRecordsMax, keyBytesMax } = defaultLimits
  if (changes.length > batchRecordsMax) {
    throw engineErrors.batch_too_large({ size: changes.length, unit: 'records', max: batchRecordsMax })
  }
  let bytes = batchHeaderBytes
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i] as Change
    const keyBytes = change.keyEnd - change.keyStart
    const valueBytes = change.valueEnd - change.valueStart
    if (keyBytes > keyBytesMax) throw engineErrors.key_too_large({ bytes: keyBytes, max: keyBytesMax })
    if (valueBytes > valueBytesMax) throw engineErrors.value_too_large({ bytes: valueBytes, max: valueBytesMax })
    bytes += recordBytesMax(change)
  }
  if (bytes > batchBytesMax) throw engineErrors.batch_too_large({ size: bytes, unit: 'bytes', max: batchBytesMax })
  return bytes
}

/** Whether `checkBatch` would take a change. */
export function fitsLimits({ keyStart, keyEnd, valueStart, valueEnd }: Change, valueBytesMax: number): boolean {
  return keyEnd - keyStart <= defaultLimits.keyBytesMax && valueEnd - valueStart <= valueBytesMax
}

/** Whether a batch gives space back sooner or later, so that it may use the reserve. */
export function onlyDeletes(changes: readonly Change[]): boolean {
  for (let i = 0; i < changes.length; i++) if ((changes[i] as Change).kind === 'put') return false
  return true
}
