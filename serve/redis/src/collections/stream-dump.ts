/**
 * Streams as parts of a payload of DUMP: first the state of its header, then of every element its key without the generation,
 * and its value. Pending entries are there once, in the order of ids.
 *
 * What RESTORE is given is looked at part by part, so that a stream made of it is one that commands could have made.
 */

import { copyValue } from '@orbitkv/engine'
import { type Collection, memberOf } from './collection.ts'
import { elementOrder, generationBytes } from './element-keys.ts'
import { streamStateBytes } from './header.ts'
import { readState, Stream, unpackFields } from './stream.ts'
import {
  consumerMember,
  consumerOrder,
  consumerValueBytes,
  findGroup,
  groupOrder,
  groupValueBytes,
  ownedOrder,
  pendingHeadBytes,
  pendingOrder,
  splitName,
} from './stream-groups.ts'
import { idBytes, readId } from './stream-ids.ts'

export function streamParts(collection: Collection): Uint8Array[] {
  const parts = [collection.state]
  for (const record of collection.everything()) {
    const part = memberOf(record, generationBytes)
    if (part[0] !== ownedOrder) parts.push(part, copyValue(record))
  }
  return parts
}

/** Fills a new collection; false where the parts are those of no stream. */
export function fillStream(collection: Collection, parts: readonly Uint8Array[]): boolean {
  const [state, ...elements] = parts
  if (state?.length !== streamStateBytes || elements.length % 2 === 1) return false
  const stream = new Stream(collection)
  for (let place = 0; place < elements.length; place += 2) {
    const isSound = addElement(stream, elements[place] as Uint8Array, elements[place + 1] as Uint8Array)
    if (!isSound) return false
  }
  const { lastId, maxDeletedId, entriesAdded } = readState(state)
  // The largest deleted id may lie above the last id: XSETID sets that of a stream without entries back.
  if (stream.lastId > lastId || entriesAdded < BigInt(stream.length)) return false
  Object.assign(stream, { lastId, maxDeletedId, entriesAdded })
  stream.store()
  return true
}

/** False where it is no element of a stream, or not of this one. */
function addElement(stream: Stream, part: Uint8Array, value: Uint8Array): boolean {
  const { collection } = stream
  const order = part[0]
  const member = part.subarray(1)
  if (order === elementOrder) return addEntry(stream, member, value)
  if (order === groupOrder) {
    collection.putOf(groupOrder, member, value)
    return value.length === groupValueBytes
  }
  const [name, rest] = splitName(member) ?? []
  const group = name === undefined ? undefined : findGroup(stream, name)
  if (group === undefined || rest === undefined) return false
  if (order === consumerOrder) {
    collection.putOf(consumerOrder, member, value)
    return value.length === consumerValueBytes && hasTime(value)
  }
  if (order !== pendingOrder || rest.length !== idBytes || value.length < pendingHeadBytes) return false
  if (!hasTime(value)) return false
  const consumer = value.subarray(pendingHeadBytes)
  if (collection.getOf(consumerOrder, consumerMember(group.name, consumer)) === undefined) return false
  const view = new DataView(value.buffer, value.byteOffset)
  const id = readId(rest, 0)
  const deliveredAt = Number(view.getBigUint64(0))
  group.putPending({ id, consumer, deliveredAt, deliveries: view.getBigUint64(8) }, group.pending(id))
  return true
}

/** Whether a value begins with a time that a clock may show. */
function hasTime(value: Uint8Array): boolean {
  return new DataView(value.buffer, value.byteOffset).getBigUint64(0) <= BigInt(Number.MAX_SAFE_INTEGER)
}

function addEntry(stream: Stream, member: Uint8Array, value: Uint8Array): boolean {
  if (member.length !== idBytes) return false
  const id = readId(member, 0)
  const strings = unpackFields(value, 0, value.length, () => {})
  if (id <= stream.lastId || strings === undefined || strings === 0 || strings % 2 === 1) return false
  stream.add(id, value, value.length)
  return true
}
