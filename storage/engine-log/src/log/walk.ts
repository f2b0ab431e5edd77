/** Walking the log along batch headers, from wherever the directory of batches knows one. */

import type { BatchDirectory } from './batch-directory.ts'
import { segmentHeaderBytes } from './format.ts'
import type { Log } from './log.ts'
import { type BatchHead, findBatch, loadBatchHead, newBatchHead } from './scan.ts'
import type { Segment } from './segment.ts'

/**
 * Every batch above a position, in order. The head is reused. `isDamaged`: recovery passed over damage, so only what is
 * sound counts.
 */
export function* walkBatches(
  log: Log,
  directory: BatchDirectory,
  position: number,
  isDamaged: boolean,
): Iterable<{ segment: Segment; head: BatchHead }> {
  const from = directory.before('position', position + 1) ?? directory.first()
  if (from === undefined) return
  const head = newBatchHead()
  let { offset } = from
  for (let number = from.segment; number < log.segments.length; number++) {
    const segment = log.segments[number]
    if (segment?.kind !== 'log') continue
    while (offset < segment.end) {
      if (!isDamaged) loadBatchHead(segment.words, offset, head)
      else if (!findBatch(segment.bytes, segment.words, segment.seed, offset, segment.end, head)) break
      offset = head.offset + head.batchBytes
      if (head.position > position) yield { segment, head }
    }
    offset = segmentHeaderBytes
  }
}
