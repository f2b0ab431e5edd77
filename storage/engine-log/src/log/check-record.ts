/**
 * Checking a record as it is read (`checksums: 'always'`): what is damaged in memory or on the disk since the segment was
 * opened is an error, never an answer.
 */

import { crc32c } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Log } from './log.ts'
import type { LogRecord } from './record.ts'
import type { Segment } from './segment.ts'

/**
 * Throws `engine.corrupt` where a record is not what was written at `start` of a segment. Records of the newest segment are left
 * alone: they are the writer's own memory, and get their checksums when their batch is complete.
 */
export function checkRecord(log: Log, segment: Segment, start: number, record: LogRecord): void {
  if (segment === log.newestLog) return
  const { file, seed } = segment
  const { bytes, words, valueStart, valueBytes } = record
  if (words[record.start >>> 2] === crc32c(seed, bytes, record.start + 4, valueStart + valueBytes)) return
  throw engineErrors.corrupt({ file: file.path, offset: start, problem: 'the checksum of the record does not match' })
}
