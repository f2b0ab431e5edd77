/**
 * Moving records from one place to another under the feet of readers: what compaction asks of the indexes.
 *
 * Compaction gives up a set of segments, its *inputs*. Everything here is done in slices between which the store goes on:
 * a record may be overwritten after it was copied and before it is moved, so each step looks at things as they are.
 *
 * What must hold at the end, so that the inputs may go: no entry of an index, no note and no alias leads to a place in them.
 *   - The point index and the notes lead to newest records and to older ones that a retained state sees: `move` redirects them.
 *   - The ordered index may hold any superseded record of a key: `sweep` brings such entries up to date, `move` redirects the others.
 *   - A delete that all retained states have behind them is the same as no record at all: `gatherOlder` ends chains there.
 */

import { assert } from '@orbitkv/base'
import type { LogRecord } from '../log/record.ts'
import type { PointIndex } from '../point/point-index.ts'
import type { Aliases } from '../versions/aliases.ts'
import type { Superseded } from '../versions/superseded.ts'
import type { KeyspaceIndex, VersionIndex } from '../versions/version-index.ts'
import { deadBit, segmentMask, type Versions } from '../versions/versions.ts'

interface RelocationParts {
  readonly index: VersionIndex
  readonly point: PointIndex
  readonly versions: Versions
  readonly aliases: Aliases
  readonly superseded: Superseded
  readonly supersede: (segment: number, offset8: number) => void
}

/** By segment number: 1 for the segments of a set. */
export type SegmentSet = Uint8Array

type Push = (segment: number, offset8: number) => void
/** `note` is for `move`. */
type PushOlder = (segment: number, offset8: number, note: number) => void

/** For `move`: no note is known that leads to the record. */
export const noNote = 0
/** Numbers of notes go on for ever; among those that are kept at one time, this tells them apart. */
const notesMax = 2 ** 32 - 1

/** Entries, or notes, between two looks at the time. */
const stepsPerLook = 64

export class Relocation {
  readonly #parts: RelocationParts

  constructor(parts: RelocationParts) {
    this.#parts = parts
  }

  /** Bytes of a segment whose records are not the newest of their keys. */
  deadBytes(segment: number): number {
    return this.#parts.superseded.deadBytes(segment)
  }

  /**
   * Looks at the keys of a keyspace in order, from `from` on (undefined: from the first): pushes the places of newest
   * records that stand in an input, and brings entries up to date. `looked` holds the inputs and every sorted segment: an entry
   * elsewhere cannot lead to a key with its newest record in an input, since inputs hold the oldest of the log. Returns the
   * key to go on from when its time was up, undefined at the end.
   */
  sweep(
    space: KeyspaceIndex,
    from: Uint8Array | undefined,
    inputs: SegmentSet,
    looked: SegmentSet,
    push: Push,
    mayGoOn: () => boolean,
  ): Uint8Array | undefined {
    const { index } = space
    let isEntry: boolean
    if (from === undefined) isEntry = index.toEntry(index.firstLeaf(), 0)
    else {
      index.find(from, 0, from.length)
      isEntry = index.toEntry(index.placeLeaf, index.placeSlot)
    }
    for (let steps = 1; isEntry; steps++, isEntry = index.toNext()) {
      if (steps % stepsPerLook === 0 && !mayGoOn()) return this.#parts.index.keyCopy(index.segment, index.offset8)
      if (looked[index.segment & segmentMask] !== 1) continue
      this.#sweepEntry(space, index.placeLeaf, index.placeSlot, inputs, push)
    }
    return undefined
  }

  #sweepEntry(space: KeyspaceIndex, leaf: number, slot: number, inputs: SegmentSet, push: Push): void {
    const { index, aliases } = this.#parts
    index.newest(space, leaf, slot)
    const { newestSegment, newestOffset8 } = index
    const segment = newestSegment & segmentMask
    if (segment === 0) {
      // Deleted with its range: the ordered index holds the record that the delete took over from. It moves even if its
      // note is dropped meanwhile: the entry stays when the key is written again.
      const olderSegment = aliases.olderSegment(newestOffset8)
      const olderOffset8 = aliases.olderOffset8(newestOffset8)
      space.index.storeAt(leaf, slot, olderSegment, olderOffset8)
      if (inputs[olderSegment & segmentMask] === 1) push(olderSegment & segmentMask, olderOffset8)
    } else if (inputs[segment] === 1) {
      assert((newestSegment & deadBit) === 0, 'a delete that all states have behind them has left the index')
      push(segment, newestOffset8)
    }
  }

  /**
   * Looks at the notes from a number on: pushes the places of older puts that stand in an input, and ends chains at older
   * deletes there. Returns the number to go on from, -1 at the end.
   */
  gatherOlder(from: number, inputs: SegmentSet, push: PushOlder, mayGoOn: () => boolean): number {
    const { versions, aliases } = this.#parts
    let number = Math.max(from, versions.firstNumber)
    for (let steps = 1; number < versions.nextNumber; steps++, number++) {
      if (steps % stepsPerLook === 0 && !mayGoOn()) return number
      versions.loadOlder(number)
      const { olderSegment, olderOffset8 } = versions
      const isAlias = (olderSegment & segmentMask) === 0 && olderOffset8 !== 0
      const segment = isAlias ? aliases.segment(olderOffset8) : olderSegment & segmentMask
      if (inputs[segment] !== 1) continue
      if ((olderSegment & deadBit) === 0) push(segment, olderOffset8, (number % notesMax) + 1)
      else {
        versions.storeOlder(number, 0, 0)
        if (isAlias) aliases.remove(olderOffset8)
      }
    }
    return -1
  }

  /** Readies the indexes for records of a segment that compaction made. */
  admit(segment: number, bytes: number): void {
    this.#parts.point.admit(segment, bytes)
  }

  /** Redirects whatever leads to a record's old place to its new one, where `record` stands. `note` as it was found with. */
  move(
    record: LogRecord,
    oldSegment: number,
    oldOffset8: number,
    segment: number,
    note: number,
    inputs: SegmentSet,
  ): void {
    const { index, point, supersede } = this.#parts
    const { keyspace, bytes, keyStart, keyBytes, start } = record
    const offset8 = start >>> 3
    if (note !== noNote && this.#redirectNote(note, oldSegment, oldOffset8, segment, offset8)) {
      supersede(segment, offset8)
      return
    }
    if (!point.find(keyspace, bytes, keyStart, keyStart + keyBytes)) {
      supersede(segment, offset8)
      return
    }
    if (point.segment === oldSegment && point.offset8 === oldOffset8) point.replace(segment, offset8)
    else {
      supersede(segment, offset8)
      this.#relink(oldSegment, oldOffset8, segment, offset8)
    }
    const ordered = index.space(keyspace).index
    const found = ordered.find(bytes, keyStart, keyStart + keyBytes)
    assert(found, 'a key of the point index is in the ordered index')
    if (inputs[ordered.segment & segmentMask] === 1) ordered.replace(segment, offset8)
  }

  /**
   * Redirects the note with which a record was found, if it still leads there; false where more may lead to the record: that of
   * a range's delete leaves the key in the ordered index as it was.
   */
  #redirectNote(note: number, oldSegment: number, oldOffset8: number, segment: number, offset8: number): boolean {
    const { versions } = this.#parts
    const first = versions.firstNumber
    const number = first + ((((note - 1 - first) % notesMax) + notesMax) % notesMax)
    if (number >= versions.nextNumber || versions.aliasOf(number) !== 0) return false
    versions.loadOlder(number)
    if (versions.olderSegment !== oldSegment || versions.olderOffset8 !== oldOffset8) return false
    versions.storeOlder(number, segment, offset8)
    return true
  }

  /** Follows the found key's notes from its newest record, and redirects the one that leads to the old place. */
  #relink(oldSegment: number, oldOffset8: number, segment: number, offset8: number): void {
    const { point, versions, aliases } = this.#parts
    let atSegment = point.segment & segmentMask
    let at = point.offset8
    for (;;) {
      const alias = atSegment === 0 ? at : 0
      const number =
        alias === 0
          ? versions.numberOf(atSegment, at, 0)
          : versions.numberOf(aliases.segment(alias), aliases.offset8(alias), alias)
      if (number === -1) return
      versions.loadOlder(number)
      const { olderSegment, olderOffset8 } = versions
      if (olderSegment === oldSegment && olderOffset8 === oldOffset8) {
        versions.storeOlder(number, segment, offset8)
        if (alias !== 0) aliases.relocateOlder(alias, segment, offset8)
        return
      }
      if (olderSegment === 0 && olderOffset8 === 0) return
      atSegment = olderSegment & segmentMask
      at = olderOffset8
    }
  }

  /** The segment is about to go: nothing leads to it any more. */
  forget(segment: number): void {
    this.#parts.index.leave(segment)
    this.#parts.point.release(segment)
    this.#parts.superseded.forget(segment)
  }
}
