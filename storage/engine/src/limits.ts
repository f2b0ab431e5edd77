/** Limits that hold for every engine; what is larger is refused by name. */

import { MiB } from '@orbitkv/base'
import type { EngineLimits } from './contract.ts'

/** The longest key that a user may give. */
export const userKeyBytesMax = 8 * 1024

export const defaultLimits: EngineLimits = {
  // 8 KiB for keys of users, and room for what the store puts before one (a due time, a keyspace).
  keyBytesMax: userKeyBytesMax + 64,
  valueBytesMax: 1 * MiB,
  batchBytesMax: 64 * MiB,
  batchRecordsMax: 1_000_000,
}

/** The highest that `valueBytesMax` may be set to. */
export const valueBytesMaxMax = 16 * MiB
