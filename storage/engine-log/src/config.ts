/** Settings of the log engine. */

import { bytes, config, duration, flag, KiB, MiB, type Values } from '@orbitkv/base'
import { defaultLimits, valueBytesMaxMax } from '@orbitkv/engine'
import { segmentBytesMax } from './log/format.ts'

export const logConfig = config(
  {
    segmentBytes: bytes({
      default: 64 * MiB,
      min: 16 * KiB,
      max: segmentBytesMax,
      why: 'one file and one map; recovery reads one at a time, compaction frees one at a time',
    }),
    zeroAheadBytes: bytes({
      default: 1 * MiB,
      min: 4 * KiB,
      max: 64 * MiB,
      why: 'room made ahead of the log at a time: a full disk shows before a write, not in it',
    }),
    zeroAhead: flag({
      default: true,
      why: 'write zeros ahead, for stores whose writes are synced; false only allocates, which is cheaper where they are not',
    }),
    reserveBytes: bytes({
      default: 4 * MiB,
      min: 0,
      max: 1024 * MiB,
      why: 'a file given up when the disk is full, so that deletes still work',
    }),
    sliceMs: duration({
      default: 2,
      min: 1,
      max: 1000,
      why: 'compaction gives the event loop back after this long',
    }),
    scrubBytesPerSecond: bytes({
      default: 10 * MiB,
      min: 0,
      max: 1024 * MiB,
      why: 'segments that were not checked for long are read again this fast: a twentieth of what a small disk reads; 0 sets the scrub off',
    }),
    scrubEveryMs: duration({
      default: 7 * 24 * 3_600_000,
      min: 60_000,
      max: 20 * 24 * 3_600_000,
      why: 'a segment is checked again after this long: a week is well within the time in which a second copy fails too',
    }),
    valueBytesMax: bytes({
      default: defaultLimits.valueBytesMax,
      min: 1,
      max: valueBytesMaxMax,
      why: 'a larger value is refused by name',
    }),
  },
  (c) => (c.zeroAheadBytes > c.segmentBytes ? ['zeroAheadBytes must be at most segmentBytes'] : []),
)

export type LogConfig = Values<typeof logConfig.settings>
