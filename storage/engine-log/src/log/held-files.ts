/**
 * Files held for a copy: what compaction has left behind stays on the disk until whoever copies it lets go. Nothing else
 * waits: reads, writes and compaction go on. Closing ends all holds, and so does a crash; the next opening removes what they kept.
 */

import { assert } from '@orbitkv/base'
import type { FilesHold, HeldFile } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { segmentFileName, segmentHeaderBytes, shardName } from './format.ts'
import type { Log } from './log.ts'
import type { BatchHead } from './scan.ts'
import { decodeHeader, type Segment } from './segment.ts'

interface BatchEnd {
  readonly segment: Segment
  readonly head: BatchHead
}

export interface HoldSource {
  readonly disk: Disk
  /** The folder of the store. */
  readonly path: string
  readonly storeId: string
  readonly log: Log
}

export class HeldFiles {
  readonly #source: HoldSource
  /** By path, how many hold it. */
  readonly #holders = new Map<string, number>()
  /** Left behind while it was held. */
  readonly #leftBehind = new Set<string>()
  #isEnded = false

  constructor(source: HoldSource) {
    this.#source = source
  }

  /**
   * Holds every file that counts now, the log up to a position. `newest` is its batch, if that is still in the log; `oldestTime`
   * that of the oldest state which reads can ask for.
   */
  hold(upTo: number, newest: BatchEnd | undefined, oldestTime: number): FilesHold {
    const { storeId, log } = this.#source
    const { contents } = log
    const isInLog = newest !== undefined && newest.head.position === upTo
    const { position, revision, time } = isInLog ? newest.head : contents.base
    assert(position === upTo, 'what is published is in the log, or before it')
    const files = [...this.#sortedFiles(), ...(isInLog ? this.#logFiles(newest) : [])]
    // Nothing of the log goes before the first compaction.
    const isWhole = contents.generation === 0
    const oldest = { revision: isWhole ? 0 : contents.oldestRevision, time: isWhole ? 0 : oldestTime }
    for (const { path } of files) this.#holders.set(path, (this.#holders.get(path) ?? 0) + 1)
    let isHeld = true
    const release = async (): Promise<void> => {
      if (!isHeld || this.#isEnded) return
      isHeld = false
      for (const { path } of files) await this.#letGo(path)
    }
    return { storeId, files, contents: { ...contents }, position, revision, time, oldest, release }
  }

  /** Removes a file that nothing leads to any more, at once or when it is let go. */
  async discard(path: string): Promise<void> {
    if (this.#holders.has(path)) this.#leftBehind.add(path)
    else await this.#source.disk.discard(path)
  }

  /** The store is closing. What is let go from here on is the next opening's, in which other files may have these names. */
  end(): void {
    this.#isEnded = true
  }

  async #letGo(path: string): Promise<void> {
    const holders = this.#holders.get(path) ?? 0
    assert(holders > 0, 'only what is held is let go')
    if (holders > 1) this.#holders.set(path, holders - 1)
    else {
      this.#holders.delete(path)
      if (this.#leftBehind.delete(path)) await this.#source.disk.discard(path)
    }
  }

  #sortedFiles(): HeldFile[] {
    const { path: folder, log } = this.#source
    return log.contents.sorted.map(({ number, bytes }) => {
      const path = `${folder}/${shardName}/${segmentFileName(number, 'sorted')}`
      const segment = log.segments[number]
      // What compaction has just named may not be open yet.
      const seed = segment?.kind === 'sorted' ? segment.seed : this.#readSeed(path)
      return { kind: 'sorted', number, seed, path, bytes }
    })
  }

  #logFiles({ segment: last, head }: BatchEnd): HeldFile[] {
    const { log } = this.#source
    const files: HeldFile[] = []
    for (const { kind, number, seed, file, end } of log.inOrder()) {
      if (kind !== 'log' || number < log.contents.logStart || number > last.number) continue
      const bytes = number === last.number ? head.offset + head.batchBytes : end
      files.push({ kind, number, seed, path: file.path, bytes })
    }
    return files
  }

  #readSeed(path: string): number {
    const file = this.#source.disk.open(path, 'read')
    try {
      const image = new Uint8Array(segmentHeaderBytes)
      const header = decodeHeader(path, image, file.read(image, 0, segmentHeaderBytes, 0))
      return 'problem' in header ? 0 : header.seed
    } finally {
      file.close()
    }
  }
}
