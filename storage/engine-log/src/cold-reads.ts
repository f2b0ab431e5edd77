/**
 * Reads that never stall the event loop on a page that is not in memory.
 *
 * A look-up touches log bytes to compare keys. Before each, the kernel is asked for the bytes without waiting
 * (`readResident`); where it would have to wait, or cannot tell, they are fetched by an asynchronous read, which brings
 * the page in, and the look-up starts again. The record itself is then copied, or fetched the same way: records never
 * change, so it is what the last look-up saw, but where writes are taken back meanwhile: then the look-up starts again too.
 */

import { align8 } from '@orbitkv/bytes'
import { type At, copyKey, type Engine, engineErrors, type Keyspace, type Range } from '@orbitkv/engine'
import type { Clock } from '@orbitkv/runtime'
import { checkRecord } from './log/check-record.ts'
import { bytesBeforeKey, knownFlags, recordHeaderBytes } from './log/format.ts'
import type { Log } from './log/log.ts'
import { LogRecord } from './log/record.ts'
import type { VersionIndex } from './versions/version-index.ts'

/** Each try brings in a page that the look-up needs, and it needs few: more tries mean that the state moves all the time. */
const triesMax = 64
const headBytes = 64
/** Records of a range between two turns of the loop: reading them may wait for nothing. */
const recordsPerTurn = 256

/** What a guarded look-up throws to stop before a cold page. */
class ColdPage {
  readonly segment: number
  readonly offset: number
  readonly bytes: number
  constructor(segment: number, offset: number, bytes: number) {
    this.segment = segment
    this.offset = offset
    this.bytes = bytes
  }
}

const scratch = new Uint8Array(16 * 1024)

/** The record of a key as a copy of the caller's own. */
export async function readCold(
  log: Log,
  index: VersionIndex,
  keyspace: Keyspace,
  key: Uint8Array,
  at: At,
): Promise<LogRecord | undefined> {
  /** Places of the log that were fetched for this read: segments and offsets. */
  const fetched = new Set<string>()
  for (let tries = 0; tries < triesMax; tries++) {
    const found = lookUp(log, index, keyspace, key, at, fetched)
    if (found === undefined) return undefined
    if (found instanceof ColdPage) await fetch(log, found, fetched)
    else {
      const copy = await copyRecord(log, index, found)
      if (copy !== undefined) return copy
    }
  }
  throw engineErrors.evicting({ tries: triesMax })
}

export interface ColdRangeOptions {
  readonly log: Log
  readonly index: VersionIndex
  readonly clock: Clock
  readonly engine: Pick<Engine, 'range'>
}

/** The records of a range, each a copy of the caller's own. `assertOpen` is asked after each wait. */
export async function* rangeCold(
  { log, index, clock, engine }: ColdRangeOptions,
  assertOpen: () => void,
  keyspace: Keyspace,
  range: Range,
): AsyncGenerator<LogRecord> {
  const walk = (part: Range) => engine.range(keyspace, part)[Symbol.iterator]() as Iterator<LogRecord, undefined>
  let last: LogRecord | undefined
  let left = range.limit ?? Number.POSITIVE_INFINITY
  let fetched = new Set<string>()
  let cursor = walk(range)
  try {
    for (let recordsRead = 1, tries = 0; left > 0; ) {
      const found = guarded(log, index, fetched, () => cursor.next().value)
      if (found === undefined) return
      const copy = found instanceof ColdPage ? undefined : await copyRecord(log, index, found)
      if (copy === undefined) {
        if (++tries === triesMax) throw engineErrors.evicting({ tries })
        // A cursor that was stopped on its way does not know where it is, nor one whose record was taken back.
        cursor.return?.()
        if (found instanceof ColdPage) await fetch(log, found, fetched)
        assertOpen()
        cursor = walk(last === undefined ? range : beyond(range, copyKey(last)))
        continue
      }
      last = copy
      if (fetched.size > 0) fetched = new Set()
      tries = 0
      left--
      yield last
      if (recordsRead++ % recordsPerTurn === 0) await clock.turn()
      assertOpen()
    }
  } finally {
    cursor.return?.()
  }
}

/** What is left of a range once a key was seen. Its limit is counted elsewhere. */
function beyond({ gt, gte, lt, lte, reverse, at }: Range, key: Uint8Array): Range {
  const state = at === undefined ? {} : { at }
  if (reverse === true) {
    return { ...state, ...(gt === undefined ? {} : { gt }), ...(gte === undefined ? {} : { gte }), lt: key, reverse }
  }
  return { ...state, gt: key, ...(lt === undefined ? {} : { lt }), ...(lte === undefined ? {} : { lte }) }
}

/** Brings a page in, off the loop. */
async function fetch(log: Log, { segment, offset, bytes }: ColdPage, fetched: Set<string>): Promise<void> {
  await log.segment(segment).file.readAsync(new Uint8Array(bytes), 0, bytes, offset)
  fetched.add(`${segment}:${offset}`)
}

function lookUp(
  log: Log,
  index: VersionIndex,
  keyspace: Keyspace,
  key: Uint8Array,
  at: At,
  fetched: ReadonlySet<string>,
): LogRecord | undefined | ColdPage {
  return guarded(log, index, fetched, () => index.get(keyspace, key, 0, key.length, at))
}

/** What a look-up finds, or the page that it would have to wait for. */
function guarded(
  log: Log,
  index: VersionIndex,
  fetched: ReadonlySet<string>,
  find: () => LogRecord | undefined,
): LogRecord | undefined | ColdPage {
  index.guard = (segment, offset8) => {
    const cold = coldKey(log, segment, offset8 << 3)
    if (cold !== undefined && !fetched.has(`${cold.segment}:${cold.offset}`)) throw cold
  }
  try {
    return find()
  } catch (error) {
    if (error instanceof ColdPage) return error
    throw error
  } finally {
    index.guard = undefined
  }
}

/** Whether the header and the key of the record at a place would have to be waited for. */
function coldKey(log: Log, segment: number, offset: number): ColdPage | undefined {
  const { mapping, file, end } = log.segment(segment)
  if (mapping === undefined) return undefined
  const head = Math.min(headBytes, end - offset)
  if (file.readResident(scratch, 0, head, offset) !== head) return new ColdPage(segment, offset, head)
  const keyStart = bytesBeforeKey[(scratch[10] as number) & knownFlags] as number
  const keyEnd = keyStart + ((scratch[8] as number) | ((scratch[9] as number) << 8))
  if (keyEnd <= head || file.readResident(scratch, 0, keyEnd, offset) === keyEnd) return undefined
  return new ColdPage(segment, offset, keyEnd)
}

/**
 * Copies a record whose header and key are in memory; its value may not be. Undefined where writes were taken back meanwhile: other
 * bytes may stand in its place then.
 */
async function copyRecord(log: Log, index: VersionIndex, record: LogRecord): Promise<LogRecord | undefined> {
  const { foundSegment, checksReads } = index
  const { cuts } = log
  // Compaction may give it up meanwhile.
  const segment = log.segment(foundSegment)
  const { mapping, file } = segment
  const { start } = record
  const bytes = record.valueStart + record.valueBytes - start
  const copy = new Uint8Array(align8(Math.max(bytes, recordHeaderBytes)))
  if (mapping === undefined) copy.set(record.bytes.subarray(start, start + bytes))
  else if (file.readResident(copy, 0, bytes, start) !== bytes) await file.readAsync(copy, 0, bytes, start)
  if (log.cuts !== cuts) return undefined
  const copied = new LogRecord().moveTo(copy, new Uint32Array(copy.buffer), 0)
  if (checksReads) checkRecord(log, segment, start, copied)
  return copied
}
