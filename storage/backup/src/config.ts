/** Settings of scheduled backups: the section `[backup]`. */

import { bytes, config, day, duration, hour, MiB, minute, second, type Values } from '@orbitkv/base'

export const backupConfig = config(
  {
    archiveEvery: duration({
      default: 1 * minute,
      min: 1 * second,
      max: 1 * hour,
      why: 'the newest part of the log is copied this often: the most that is lost with the machine',
    }),
    incrementalEvery: duration({
      default: 1 * hour,
      min: 1 * minute,
      max: 30 * day,
      why: 'what changed since the last backup is copied this often',
    }),
    fullEvery: duration({
      default: 1 * day,
      min: 1 * hour,
      max: 366 * day,
      why: 'everything is copied anew this often, so that no backup leans on older ones for longer',
    }),
    keep: duration({
      default: 30 * day,
      min: 1 * hour,
      max: 3660 * day,
      why: 'any moment of this time can be restored; what only older moments need is removed',
    }),
    archiveLag: duration({
      default: 1 * hour,
      min: 1 * minute,
      max: 30 * day,
      why: 'while the target is out of reach, the log waits for it this long before compaction may have it',
    }),
    bytesPerSecond: bytes({
      default: 32 * MiB,
      min: 0,
      max: 1024 * 1024 * MiB,
      why: 'copies at most this fast, to leave disk and processor to others; the log as fast as it must to be done before its next turn; 0: no limit',
    }),
  },
  ({ archiveEvery, incrementalEvery, fullEvery, keep }) => [
    ...(archiveEvery > incrementalEvery ? ['archiveEvery must be at most incrementalEvery'] : []),
    ...(incrementalEvery > fullEvery ? ['incrementalEvery must be at most fullEvery'] : []),
    ...(fullEvery > keep ? ['fullEvery must be at most keep'] : []),
  ],
)

export type BackupConfig = Values<typeof backupConfig.settings>
