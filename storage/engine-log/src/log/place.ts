/** Where the state of a revision ends in the log: the position and time of its last batch, and how much log follows it. */

import type { StatePlace } from '@orbitkv/engine'
import type { BatchDirectory } from './batch-directory.ts'
import type { Log } from './log.ts'
import { walkBatches } from './walk.ts'

export interface PlaceOptions {
  readonly log: Log
  readonly directory: BatchDirectory
  readonly isDamaged: boolean
  readonly publishedPosition: number
}

/** The place of a kept revision. What follows is counted in whole batches, to the end of the log. */
export function placeAt(revision: number, { log, directory, isDamaged, publishedPosition }: PlaceOptions): StatePlace {
  const { base } = log.contents
  const place = { position: base.position, time: base.time, bytesAfter: 0 }
  let segmentNumber = 0
  let end = 0
  const from = directory.before('revision', revision)
  if (from !== undefined) {
    for (const { segment, head } of walkBatches(log, directory, from.position - 1, isDamaged)) {
      if (head.revision > revision || head.position > publishedPosition) break
      place.position = head.position
      place.time = head.time
      segmentNumber = segment.number
      end = head.offset + head.batchBytes
    }
  }
  for (const segment of log.inOrder()) {
    if (segment.kind !== 'log' || segment.number < segmentNumber) continue
    place.bytesAfter += segment.end - (segment.number === segmentNumber ? end : 0)
  }
  return place
}
