/**
 * The multi-version index: over newest records a point index, and an ordered index for each keyspace; links to older
 * records; and the rules of what a read sees.
 *
 * A location is a segment number and an offset in 8-byte units. Segment 0 is no file: there `offset8` is an *alias*, the
 * delete of one key by a delete-range record, so that every key has a location of its own for it (aliases.ts). A
 * location in the index carries `deadBit` in its segment word where the record is a delete.
 *
 * What must hold: an entry's location is that of the newest record of its key; the chain of links from it visits the
 * key's kept records from new to old.
 */

import { assert } from '@orbitkv/base'
import { compareBytes } from '@orbitkv/bytes'
import { type At, type Keyspace, latest, published } from '@orbitkv/engine'
import { Aliases } from './aliases.ts'
import { bytesBeforeKey, knownFlags } from './format.ts'
import type { Log } from './log.ts'
import { type KeySource, OrderedIndex } from './ordered-index.ts'
import { PointIndex, type PointKeys } from './point-index.ts'
import { type Lineage, LogRecord } from './record.ts'
import { deadBit, type Superseded, segmentMask, Versions } from './versions.ts'

export interface KeyspaceIndex {
  readonly id: Keyspace
  readonly index: OrderedIndex
  /** Keys whose newest record is a put. */
  live: number
}

export class VersionIndex implements KeySource, PointKeys {
  readonly #log: Log
  readonly #bytesOf: Uint8Array[]
  readonly #wordsOf: Uint32Array[]
  readonly #spaces = new Map<Keyspace, KeyspaceIndex>()
  readonly #point = new PointIndex(this)
  readonly #versions = new Versions()
  readonly #aliases = new Aliases()
  /** The record that reads hand out. */
  readonly #record = new LogRecord()
  readonly #keyRecord = new LogRecord()
  readonly #note: Superseded = { keyspace: 0, segment: 0, offset8: 0, revision: 0 }

  /** What is at or behind this place of the log is not published. Nothing is unpublished while `allPublished`. */
  allPublished = true
  publishedSegment = 0
  publishedOffset8 = 0

  /** The segment of the record that the last `resolve` came to. */
  foundSegment = 0

  /** Asked before the bytes of a record are touched; may throw to keep a cold page from stalling the loop (cold-reads.ts). */
  guard: ((segment: number, offset8: number) => void) | undefined

  constructor(log: Log) {
    this.#log = log
    this.#bytesOf = log.bytesOf
    this.#wordsOf = log.wordsOf
  }

  /** The index of a keyspace, made if absent. */
  space(keyspace: Keyspace): KeyspaceIndex {
    const present = this.#spaces.get(keyspace)
    if (present !== undefined) return present
    const made: KeyspaceIndex = { id: keyspace, index: new OrderedIndex(this), live: 0 }
    this.#spaces.set(keyspace, made)
    return made
  }

  existing(keyspace: Keyspace): KeyspaceIndex | undefined {
    return this.#spaces.get(keyspace)
  }

  /** Keyspaces with at least one entry, ascending. */
  *spaces(): Iterable<KeyspaceIndex> {
    const ids = [...this.#spaces.keys()].sort((a, b) => a - b)
    for (const id of ids) {
      const space = this.space(id)
      if (space.index.size > 0) yield space
    }
  }

  get versionsKept(): number {
    return this.#versions.count
  }

  get bytes(): number {
    let bytes = this.#versions.bytes + this.#aliases.bytes + this.#point.bytes
    for (const { index } of this.#spaces.values()) bytes += index.bytes
    return bytes
  }

  // ---- reading

  /** The record that a read of the key at a state sees, or undefined. The record is reused. */
  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number, at: At): LogRecord | undefined {
    const point = this.#point
    if (!point.find(keyspace, key, start, end)) return undefined
    return this.resolve(point.segment, point.offset8, at, this.#record)
  }

  /** Moves `into` to the version that a state sees of the entry at a location; undefined where that is none or a delete. */
  resolve(entrySegment: number, entryOffset8: number, at: At, into: LogRecord): LogRecord | undefined {
    let segment = entrySegment
    let offset8 = entryOffset8
    if (at !== latest && (at !== published || !this.allPublished)) {
      while (!this.#sees(segment & segmentMask, offset8, at)) {
        if (!this.#versions.find(segment & segmentMask, offset8)) return undefined
        segment = this.#versions.olderSegment
        offset8 = this.#versions.olderOffset8
      }
    }
    if (segment & deadBit) return undefined
    this.foundSegment = segment
    return into.moveTo(this.#bytesOf[segment] as Uint8Array, this.#wordsOf[segment] as Uint32Array, offset8 << 3)
  }

  #sees(segment: number, offset8: number, at: At): boolean {
    let inSegment = segment
    let atOffset8 = offset8
    if (segment === 0) {
      inSegment = this.#aliases.segment(offset8)
      atOffset8 = this.#aliases.offset8(offset8)
    }
    if (at === published) {
      return (
        this.allPublished ||
        inSegment < this.publishedSegment ||
        (inSegment === this.publishedSegment && atOffset8 < this.publishedOffset8)
      )
    }
    if (this.guard !== undefined) this.guard(inSegment, atOffset8)
    const word = (atOffset8 << 1) + 4
    const words = this.#wordsOf[inSegment] as Uint32Array
    return (words[word] as number) + (words[word + 1] as number) * 2 ** 32 <= at
  }

  compareKeyAt(entrySegment: number, entryOffset8: number, key: Uint8Array, start: number, end: number): number {
    let segment = entrySegment & segmentMask
    let offset8 = entryOffset8
    if (segment === 0) {
      this.#toKeyOfAlias(offset8)
      segment = this.#versions.olderSegment
      offset8 = this.#versions.olderOffset8
    }
    if (this.guard !== undefined) this.guard(segment, offset8)
    const lengths = (this.#wordsOf[segment] as Uint32Array)[(offset8 << 1) + 2] as number
    const keyStart = (offset8 << 3) + (bytesBeforeKey[(lengths >>> 16) & knownFlags] as number)
    return compareBytes(this.#bytesOf[segment] as Uint8Array, keyStart, keyStart + (lengths & 0xffff), key, start, end)
  }

  equalsAt(
    entrySegment: number,
    entryOffset8: number,
    keyspace: Keyspace,
    key: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    let segment = entrySegment & segmentMask
    let offset8 = entryOffset8
    if (segment === 0) {
      this.#toKeyOfAlias(offset8)
      segment = this.#versions.olderSegment
      offset8 = this.#versions.olderOffset8
    }
    if (this.guard !== undefined) this.guard(segment, offset8)
    const words = this.#wordsOf[segment] as Uint32Array
    const lengths = words[(offset8 << 1) + 2] as number
    if ((lengths & 0xffff) !== end - start || words[(offset8 << 1) + 3] !== keyspace) return false
    const bytes = this.#bytesOf[segment] as Uint8Array
    let at = (offset8 << 3) + (bytesBeforeKey[(lengths >>> 16) & knownFlags] as number)
    for (let i = start; i < end; i++, at++) if (bytes[at] !== key[i]) return false
    return true
  }

  keyAt(entrySegment: number, entryOffset8: number): LogRecord {
    let segment = entrySegment & segmentMask
    let offset8 = entryOffset8
    if (segment === 0) {
      this.#toKeyOfAlias(offset8)
      segment = this.#versions.olderSegment
      offset8 = this.#versions.olderOffset8
    }
    if (this.guard !== undefined) this.guard(segment, offset8)
    return this.#keyRecord.moveTo(
      this.#bytesOf[segment] as Uint8Array,
      this.#wordsOf[segment] as Uint32Array,
      offset8 << 3,
    )
  }

  /** Sets the older location of `#versions` to the put that an alias deleted: the record that holds its key. */
  #toKeyOfAlias(alias: number): void {
    const linked = this.#versions.find(0, alias)
    assert(linked, 'an alias is linked to the record that it deletes')
    assert((this.#versions.olderSegment & deadBit) === 0, 'an alias deletes a live record')
  }

  // ---- writing

  /**
   * Looks a key up before a change is appended for it, and says what its new record inherits; true where it has an
   * entry. `place` must be the next call for this keyspace.
   */
  inherit(
    space: KeyspaceIndex,
    key: Uint8Array,
    start: number,
    end: number,
    revision: number,
    isPut: boolean,
    into: Lineage,
  ): boolean {
    const point = this.#point
    into.createRevision = into.previousRevision = into.version = 0
    into.exists = point.find(space.id, key, start, end)
    if (!into.exists) return false
    const segment = point.segment & segmentMask
    if (segment === 0) {
      const tombstone = this.#keyRecordAt(this.#aliases.segment(point.offset8), this.#aliases.offset8(point.offset8))
      into.previousRevision = tombstone.revision
    } else {
      into.previousRevision = this.#keyRecordAt(segment, point.offset8).revision
    }
    if (!isPut) return true
    // A key that was deleted begins anew.
    if (point.segment & deadBit) {
      into.createRevision = revision
      into.version = 1
    } else {
      into.createRevision = this.#keyRecord.createRevision
      into.version = this.#keyRecord.version + 1
    }
    return true
  }

  #keyRecordAt(segment: number, offset8: number): LogRecord {
    return this.#keyRecord.moveTo(
      this.#bytesOf[segment] as Uint8Array,
      this.#wordsOf[segment] as Uint32Array,
      offset8 << 3,
    )
  }

  /** After `inherit` of the key: its newest record is now the one at a location. */
  place(
    space: KeyspaceIndex,
    found: boolean,
    key: Uint8Array,
    start: number,
    end: number,
    segment: number,
    offset8: number,
    isPut: boolean,
    revision: number,
  ): void {
    const { index } = space
    const point = this.#point
    const entrySegment = isPut ? segment : segment | deadBit
    index.find(key, start, end)
    if (found) {
      if ((point.segment & deadBit) === 0) space.live--
      this.#versions.link(segment, offset8, point.segment, point.offset8)
      index.replace(entrySegment, offset8)
      point.replace(entrySegment, offset8)
    } else {
      index.insert(key, start, end, entrySegment, offset8)
      point.insert(entrySegment, offset8)
    }
    if (isPut) space.live++
    if (found || !isPut) this.#pushNote(space.id, segment, offset8, revision)
  }

  #pushNote(keyspace: Keyspace, segment: number, offset8: number, revision: number): void {
    const note = this.#note
    note.keyspace = keyspace
    note.segment = segment
    note.offset8 = offset8
    note.revision = revision
    this.#versions.push(note)
  }

  /** Applies a record of the log that recovery found. */
  applyRecord(record: LogRecord, segment: number): void {
    const space = this.space(record.keyspace)
    const keyEnd = record.keyStart + record.keyBytes
    const offset8 = record.start >>> 3
    if (record.kind === 'delete-range') {
      this.applyDeleteRange(record, segment)
      return
    }
    const found = this.#point.find(space.id, record.bytes, record.keyStart, keyEnd)
    this.place(space, found, record.bytes, record.keyStart, keyEnd, segment, offset8, record.isPut, record.revision)
  }

  /** Marks every live key of a delete-range record as deleted by it. */
  applyDeleteRange(record: LogRecord, segment: number): void {
    const space = this.space(record.keyspace)
    const { index } = space
    const { revision, start } = record
    const first = record.bytes.slice(record.keyStart, record.keyStart + record.keyBytes)
    const end = record.bytes.slice(record.valueStart, record.valueStart + record.valueBytes)
    index.find(first, 0, first.length)
    let leaf = index.placeLeaf
    let slot = index.placeSlot
    while (leaf !== 0) {
      if (slot >= index.leafCount(leaf)) {
        leaf = index.nextLeaf(leaf)
        slot = 0
        continue
      }
      index.load(leaf, slot)
      const { segment: entrySegment, offset8 } = index
      if (end.length > 0 && this.compareKeyAt(entrySegment, offset8, end, 0, end.length) >= 0) return
      if ((entrySegment & deadBit) === 0) {
        const { bytes, keyStart, keyBytes } = this.keyAt(entrySegment, offset8)
        const found = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
        assert(found, 'the point index has every key of the ordered one')
        const alias = this.#aliases.add(segment, start >>> 3)
        this.#versions.link(0, alias, entrySegment, offset8)
        index.storeAt(leaf, slot, deadBit, alias)
        this.#point.replace(deadBit, alias)
        space.live--
        this.#pushNote(space.id, 0, alias, revision)
      }
      slot++
    }
  }

  /** Takes back what a record of the log did: the newest one first, none of them published. */
  undoRecord(record: LogRecord, segment: number): void {
    const space = this.space(record.keyspace)
    if (record.kind === 'delete-range') {
      this.#undoDeleteRange(space, segment, record.start >>> 3)
      return
    }
    const offset8 = record.start >>> 3
    const isNewest = this.#findBoth(space, record, segment, offset8)
    assert(isNewest, 'the newest record is undone')
    if (record.isPut) space.live--
    if (this.#versions.unlink(segment, offset8)) {
      const { olderSegment, olderOffset8 } = this.#versions
      space.index.replace(olderSegment, olderOffset8)
      this.#point.replace(olderSegment, olderOffset8)
      if ((olderSegment & deadBit) === 0) space.live++
      this.#versions.pop()
    } else {
      space.index.remove()
      this.#point.remove()
      if (!record.isPut) this.#versions.pop()
    }
  }

  /** Finds the record's key in both indexes; true where the location there is the given one. */
  #findBoth(space: KeyspaceIndex, record: LogRecord, segment: number, offset8: number): boolean {
    const { bytes, keyStart, keyBytes } = record
    const found = space.index.find(bytes, keyStart, keyStart + keyBytes)
    const foundPoint = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
    assert(found === foundPoint, 'a key is in both indexes or in none')
    return found && (space.index.segment & segmentMask) === segment && space.index.offset8 === offset8
  }

  #undoDeleteRange(space: KeyspaceIndex, segment: number, offset8: number): void {
    const note = this.#note
    while (this.#versions.last(note) && note.segment === 0) {
      const alias = note.offset8
      if (this.#aliases.segment(alias) !== segment || this.#aliases.offset8(alias) !== offset8) return
      const isNewest = this.#findBoth(space, this.keyAt(0, alias), 0, alias)
      assert(isNewest, 'the newest delete is undone')
      this.#versions.unlink(0, alias)
      space.index.replace(this.#versions.olderSegment, this.#versions.olderOffset8)
      this.#point.replace(this.#versions.olderSegment, this.#versions.olderOffset8)
      space.live++
      this.#aliases.remove(alias)
      this.#versions.pop()
    }
  }

  /**
   * Drops versions that no state from `revision` on can see, and keys that have been deleted for as long; at most `most`
   * of them. True when there is nothing left to drop.
   */
  retire(revision: number, most: number): boolean {
    const note = this.#note
    for (let done = 0; done < most; done++) {
      if (!this.#versions.first(note) || note.revision > revision || !this.#sees(note.segment, note.offset8, published))
        return true
      this.#versions.shift()
      this.#retireOne(this.space(note.keyspace), note.segment, note.offset8)
    }
    return false
  }

  #retireOne(space: KeyspaceIndex, segment: number, offset8: number): void {
    const isAlias = segment === 0
    if (isAlias || !this.#keyRecordAt(segment, offset8).isPut) {
      if (this.#findBoth(space, this.keyAt(segment, offset8), segment, offset8)) {
        space.index.remove()
        this.#point.remove()
        if (isAlias) this.#aliases.remove(offset8)
      }
    }
    if (this.#versions.unlink(segment, offset8)) {
      const { olderSegment, olderOffset8 } = this.#versions
      if ((olderSegment & segmentMask) === 0) this.#aliases.remove(olderOffset8)
    }
  }

  /** Throws where an invariant of the index does not hold; visits every entry. */
  validate(): void {
    let entries = 0
    for (const space of this.spaces()) {
      space.index.validate()
      entries += space.index.size
      let live = 0
      for (let leaf = space.index.firstLeaf(); leaf !== 0; leaf = space.index.nextLeaf(leaf)) {
        for (let slot = 0; slot < space.index.leafCount(leaf); slot++) {
          space.index.load(leaf, slot)
          const { segment, offset8 } = space.index
          const dead = (segment & deadBit) !== 0
          if (!dead) live++
          const { bytes, keyStart, keyBytes } = this.keyAt(segment, offset8)
          const found = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
          assert(found && this.#point.segment === segment && this.#point.offset8 === offset8, 'both indexes agree')
          if ((segment & segmentMask) === 0) continue
          const record = this.#keyRecordAt(segment & segmentMask, offset8)
          assert(record.isPut === !dead, 'an entry is dead just when its record is a delete')
          assert(record.start < this.#log.segment(segment & segmentMask).end, 'an entry points into the log')
        }
      }
      assert(live === space.live, 'the number of live keys is right')
    }
    assert(entries === this.#point.size, 'the point index has no other entries')
  }
}
