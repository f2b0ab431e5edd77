/**
 * Reads that never stall the event loop on a page that is not in memory.
 *
 * A look-up touches log bytes to compare keys. Before each, the kernel is asked for the bytes without waiting
 * (`readResident`); where it would have to wait, or cannot tell, they are fetched by an asynchronous read, which brings
 * the page in, and the look-up starts again. The record itself is then copied, or fetched the same way: records never
 * change, so it is what the last look-up saw.
 */

import { align8 } from '@orbitkv/bytes'
import { type At, engineErrors, type Keyspace } from '@orbitkv/engine'
import { bytesBeforeKey, knownFlags, recordHeaderBytes } from './log/format.ts'
import type { Log } from './log/log.ts'
import { LogRecord } from './log/record.ts'
import type { VersionIndex } from './versions/version-index.ts'

/** Each try brings in a page that the look-up needs, and it needs few: more tries mean that the state moves all the time. */
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
  /** Places of the log that were fetched for this read: segments and offsets. */
  const fetched = new Set<string>()
  for (let tries = 0; tries < triesMax; tries++) {
    const found = lookUp(log, index, keyspace, key, at, fetched)
    if (!(found instanceof ColdPage)) {
      return found === undefined ? undefined : copyRecord(log, found, index.foundSegment)
    }
    const { file } = log.segment(found.segment)
    await file.readAsync(new Uint8Array(found.bytes), 0, found.bytes, found.offset)
    fetched.add(`${found.segment}:${found.offset}`)
  }
  throw engineErrors.evicting({ tries: triesMax })
}

function lookUp(
  log: Log,
  index: VersionIndex,
  keyspace: Keyspace,
  key: Uint8Array,
  at: At,
  fetched: ReadonlySet<string>,
): LogRecord | undefined | ColdPage {
  index.guard = (segment, offset8) => {
    const cold = coldKey(log, segment, offset8 << 3)
    if (cold !== undefined && !fetched.has(`${cold.segment}:${cold.offset}`)) throw cold
  }
  try {
    return index.get(keyspace, key, 0, key.length, at)
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
async function copyRecord(log: Log, record: LogRecord, segment: number): Promise<LogRecord> {
  const { mapping, file } = log.segment(segment)
  const { start } = record
  const bytes = record.valueStart + record.valueBytes - start
  const copy = new Uint8Array(align8(Math.max(bytes, recordHeaderBytes)))
  if (mapping === undefined) copy.set(record.bytes.subarray(start, start + bytes))
  else if (file.readResident(copy, 0, bytes, start) !== bytes) await file.readAsync(copy, 0, bytes, start)
  return new LogRecord().moveTo(copy, new Uint32Array(copy.buffer), 0)
}
