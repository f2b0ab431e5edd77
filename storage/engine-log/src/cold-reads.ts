/**
 * Reads that never stall the event loop on a page that is not in memory.
 *
 * A look-up touches log bytes in two places: to compare keys and to hand the record out. Before each, the kernel is asked
 * for the bytes without waiting (`readResident`); where it would have to wait, they are fetched by an asynchronous read,
 * which brings the page in, and the look-up starts again. The state may have moved on by then: a read sees one state,
 * that of its last try.
 */

import { align8 } from '@orbitkv/bytes'
import { type At, engineErrors, type Keyspace } from '@orbitkv/engine'
import { bytesBeforeKey, knownFlags, recordHeaderBytes } from './format.ts'
import type { Log } from './log.ts'
import { LogRecord } from './record.ts'
import type { VersionIndex } from './version-index.ts'

/** Each try brings in a page that a look-up needs; a look-up needs few, so more tries than this mean heavy eviction. */
const triesMax = 64
const headBytes = 64

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
  for (let tries = 0; tries < triesMax; tries++) {
    const cold = lookUp(log, index, keyspace, key, at)
    if (!(cold instanceof ColdPage)) return cold
    const { file } = log.segment(cold.segment)
    await file.readAsync(new Uint8Array(cold.bytes), 0, cold.bytes, cold.offset)
  }
  throw engineErrors.evicting({ tries: triesMax })
}

function lookUp(log: Log, index: VersionIndex, keyspace: Keyspace, key: Uint8Array, at: At): LogRecord | ColdPage | undefined {
  index.guard = (segment, offset8) => {
    const cold = coldKey(log, segment, offset8 << 3)
    if (cold !== undefined) throw cold
  }
  try {
    const record = index.get(keyspace, key, 0, key.length, at)
    return record === undefined ? undefined : copyRecord(log, record, index.foundSegment)
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

/** Copies a record whose header and key are in memory; its value may not be. */
function copyRecord(log: Log, record: LogRecord, segment: number): LogRecord | ColdPage {
  const { mapping, file } = log.segment(segment)
  const bytes = record.valueStart + record.valueBytes - record.start
  const copy = new Uint8Array(align8(Math.max(bytes, recordHeaderBytes)))
  if (mapping === undefined) copy.set(record.bytes.subarray(record.start, record.start + bytes))
  else if (file.readResident(copy, 0, bytes, record.start) !== bytes) return new ColdPage(segment, record.start, bytes)
  return new LogRecord().moveTo(copy, new Uint32Array(copy.buffer), 0)
}
