/**
 * Reads ahead of ranges. Mappings are advised random, since look-ups are; a range over records that stand in the order of their
 * keys, as compaction leaves them, would then wait for one page after the other (60 MiB/s where 390 are possible).
 *
 * A range tells the places that it comes to next, some at a time. Where they go on upwards in one segment, what follows there is asked
 * for a stretch at a time, before the range is there. One range at a time is followed: of several the last.
 */

import { KiB } from '@orbitkv/base'
import type { Log } from '../log/log.ts'
import { segmentMask } from '../versions/versions.ts'

const stretchBytes = 512 * KiB
/** The first and the last of the places told at a time are no further apart than this, and the next ones from those. */
const strideBytesMax = 256 * KiB
/** Times in a row that places must go on before anything is read. */
const runMin = 3

export class ReadAhead {
  readonly #log: Pick<Log, 'segments'>
  #segment = 0
  #lastBytes = 0
  #run = 0
  /** Up to here of the segment it was asked for. */
  #askedEnd = 0

  constructor(log: Pick<Log, 'segments'>) {
    this.#log = log
  }

  /** The next places of a range, as pairs of segment and offset8. */
  look(places: Uint32Array, count: number): void {
    if (count === 0) return
    const segment = (places[2 * count - 2] as number) & segmentMask
    const firstBytes = (places[1] as number) * 8
    const lastBytes = (places[2 * count - 1] as number) * 8
    const isRun =
      segment === this.#segment &&
      ((places[0] as number) & segmentMask) === segment &&
      isAhead(this.#lastBytes, firstBytes) &&
      isAhead(firstBytes, lastBytes)
    this.#lastBytes = lastBytes
    if (!isRun) {
      this.#segment = segment
      this.#run = 0
      this.#askedEnd = 0
    } else if (++this.#run >= runMin && lastBytes + stretchBytes > this.#askedEnd) this.#ask()
  }

  #ask(): void {
    const mapping = this.#log.segments[this.#segment]?.mapping
    if (mapping === undefined) return
    const start = Math.max(this.#askedEnd, this.#lastBytes)
    const length = Math.min(2 * stretchBytes, mapping.bytes.length - start)
    if (length > 0) mapping.advise('will-need', start, length)
    // Behind the end there is nothing to ask for again.
    this.#askedEnd = length > 0 ? start + length : Number.POSITIVE_INFINITY
  }
}

function isAhead(fromBytes: number, toBytes: number): boolean {
  return toBytes >= fromBytes && toBytes - fromBytes <= strideBytesMax
}
