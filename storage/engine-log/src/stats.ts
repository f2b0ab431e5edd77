/** What the indexes and the files of a log engine amount to. */

import type { EngineStats } from '@orbitkv/engine'
import type { BatchDirectory } from './log/batch-directory.ts'
import type { Log } from './log/log.ts'
import type { VersionIndex } from './versions/version-index.ts'

type LogStats = Pick<EngineStats, 'keysIndexed' | 'keysLive' | 'indexBytes' | 'logBytes' | 'diskBytes' | 'segments'>

export function logStats(log: Log, index: VersionIndex, directory: BatchDirectory): LogStats {
  let keysIndexed = 0
  let keysLive = 0
  for (const space of index.spaces()) {
    keysIndexed += space.index.size
    keysLive += space.live
  }
  let logBytes = 0
  let diskBytes = 0
  let segments = 0
  for (const segment of log.inOrder()) {
    logBytes += segment.end
    diskBytes += Math.max(segment.end, segment.zeroedEnd)
    segments++
  }
  return { keysIndexed, keysLive, indexBytes: index.bytes + directory.bytes, logBytes, diskBytes, segments }
}
