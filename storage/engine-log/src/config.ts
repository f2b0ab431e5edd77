/** Settings of the log engine. */

import { bytes, choice, config, count, duration, flag, KiB, MiB, type Values } from '@orbitkv/base'
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
    checkpointBytes: bytes({
      default: 256 * MiB,
      min: 0,
      max: 1024 * 1024 * MiB,
      why: 'after so much has been written, the indexes are kept on the disk, so that opening reads only what follows: a second of reading, about; 0 keeps none',
    }),
    checksums: choice({
      default: 'entry',
      choices: ['entry', 'always'],
      why: 'when a record is checked: as its bytes enter memory and by the scrub, or with every read too, which costs about a tenth of it',
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
    adviseRandom: flag({
      default: true,
      why: 'a page that is not in memory is read alone; false lets the system read as much around it as its device is set to, often megabytes',
    }),
    prefault: flag({
      default: false,
      why: 'read sealed segments into memory when the store is opened, as far as residentBytesMax allows, so that no first read waits',
    }),
    residentBytesMax: bytes({
      default: 0,
      min: 0,
      max: 2 ** 53 - 1,
      why: 'what sealed segments may take of memory: beyond it those that are read least give their pages back, below it hot ones are read ahead; 0 leaves it to the system',
    }),
    hugePages: flag({
      default: true,
      why: 'memory of the index on pages of 2 MiB, where the system has them; of the process, as the store opened last says',
    }),
    numaNode: count({
      default: -1,
      min: -1,
      max: 1023,
      why: 'the NUMA node that memory of the index comes from while it has any: that of the processors the process is bound to; -1 leaves it to the system',
    }),
    storedBytesMax: bytes({
      default: 0,
      min: 0,
      max: 2 ** 53 - 1,
      why: 'what log and sorted segments may take together: a write beyond it is refused, a delete is not; 0 sets no limit but the disk',
    }),
    indexBytesMax: bytes({
      default: 0,
      min: 0,
      max: 2 ** 53 - 1,
      why: 'memory for the index, about 50 bytes a key: new keys beyond it are refused, while overwrites and deletes go on; 0 sets no limit',
    }),
    valueBytesMax: bytes({
      default: defaultLimits.valueBytesMax,
      min: 1,
      max: valueBytesMaxMax,
      why: 'a larger value is refused by name',
    }),
  },
  logRelations,
)

/** Below this the tables of the index would be full before there is anything in them. */
const indexBytesMaxMin = 1 * MiB

/** How settings relate: a sentence for each relation that does not hold. */
export function logRelations(values: {
  readonly zeroAheadBytes: number
  readonly segmentBytes: number
  readonly indexBytesMax: number
}): string[] {
  const { zeroAheadBytes, segmentBytes, indexBytesMax } = values
  const faults: string[] = []
  if (zeroAheadBytes > segmentBytes) faults.push('zeroAheadBytes must be at most segmentBytes')
  if (indexBytesMax > 0 && indexBytesMax < indexBytesMaxMin) {
    faults.push(`indexBytesMax must be 0, for no limit, or at least ${indexBytesMaxMin}`)
  }
  return faults
}

export type LogConfig = Values<typeof logConfig.settings>
