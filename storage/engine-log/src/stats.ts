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

/** Nodes that one call looks at: some tens of microseconds. */
const nodesLookedAt = 2048

/**
 * What the ordered indexes look like, for `details`:
 * - `orderedDepth`: nodes from the root to a leaf, in the deepest keyspace
 * - `orderedNodes`: nodes of all keyspaces, and `orderedPlainNodes`, those of them that are searched without a model
 * - `orderedGaps`: slots without an entry, kept so that new keys find room
 * - `orderedErrorBits`: the mean of log2(1 + distance) between where a model expects a key and where it was laid
 *
 * Exact in small stores; in larger ones estimated from nodes spread over all of them.
 */
export function orderedStats(index: VersionIndex): Readonly<Record<string, number>> {
  const spaces = [...index.spaces()]
  const nodesMost = Math.max(16, Math.floor(nodesLookedAt / Math.max(1, spaces.length)))
  let orderedDepth = 0
  let orderedNodes = 0
  let orderedPlainNodes = 0
  let orderedGaps = 0
  let errorBits = 0
  let entries = 0
  for (const space of spaces) {
    const shape = space.index.shape(nodesMost)
    orderedDepth = Math.max(orderedDepth, shape.depth)
    orderedNodes += shape.leaves + shape.branches
    orderedPlainNodes += shape.plainNodes
    orderedGaps += shape.gaps
    errorBits += shape.errorBitsMean * space.index.size
    entries += space.index.size
  }
  const orderedErrorBits = entries === 0 ? 0 : Math.round((errorBits / entries) * 1000) / 1000
  return { orderedDepth, orderedNodes, orderedPlainNodes, orderedGaps, orderedErrorBits }
}
