/** Walking the log along batch headers, from wherever the directory of batches knows one. */

import { engineErrors } from '@orbitkv/engine'
import type { BatchDirectory } from './batch-directory.ts'
import { batchHeaderBytes, batchMagic, segmentHeaderBytes } from './format.ts'
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
      if (!isDamaged) loadKnownHead(segment, offset, head)
      else if (!findBatch(segment.bytes, segment.words, segment.seed, offset, segment.end, head)) break
      offset = head.offset + head.batchBytes
      if (head.position > position) yield { segment, head }
    }
    offset = segmentHeaderBytes
  }
}

/**
 * Loads the head of a batch that was whole when it was written. It may have been damaged since, or before opening where a
 * checkpoint covers it: throws `engine.corrupt` where there is no batch any more, so that no walk goes astray.
 */
export function loadKnownHead(segment: Segment, offset: number, into: BatchHead): void {
  loadBatchHead(segment.words, offset, into)
  const { batchBytes } = into
  const isBatch = segment.words[offset >>> 2] === batchMagic && batchBytes >= batchHeaderBytes
  if (isBatch && offset + batchBytes <= segment.end) return
  throw engineErrors.corrupt({ file: segment.file.path, offset, problem: 'there is no batch where one stood' })
}
