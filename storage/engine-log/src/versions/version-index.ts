/**
 * The multi-version index: a point index of the newest record of every key, an ordered index for each keyspace, notes of
 * older versions, and the rules of what a read sees.
 *
 * A location is a segment number and an offset in 8-byte units. Segment 0 is no file: there `offset8` is an *alias*, the
 * delete of one key by a delete-range record, so that every key has a location of its own for it (aliases.ts). Locations
 * in the indexes carry `deadBit` in the segment word where the record is a delete.
 *
 * What must hold:
 * 1. The point index has the location of each key's newest record.
 * 2. The ordered index has some record of the same key: the newest, or one in a place that is marked superseded. Overwriting a key
 *    thus leaves the ordered index alone; whoever walks it asks `newest`, which brings the entry up to date. It never has
 *    an alias.
 * 3. The notes lead from a key's newest record to each kept one before it.
 */

import { assert } from '@orbitkv/base'
import { compareBytes } from '@orbitkv/bytes'
import { type At, type Keyspace, latest, published } from '@orbitkv/engine'
import { checkRecord } from '../log/check-record.ts'
import { bytesBeforeKey, knownFlags } from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { type Lineage, LogRecord } from '../log/record.ts'
import { Accesses } from '../memory/accesses.ts'
import type { KeySource } from '../ordered/key-source.ts'
import { LearnedIndex } from '../ordered/learned-index.ts'
import { RangeCount } from '../ordered/range-count.ts'
import { PointIndex, type PointKeys } from '../point/point-index.ts'
import { SortedReplay } from '../recovery/sorted-replay.ts'
import { Relocation } from '../sorted/relocation.ts'
import { Aliases } from './aliases.ts'
import type { IndexParts } from './index-parts.ts'
import { Superseded } from './superseded.ts'
import { deadBit, type Note, newNote, segmentMask, Versions } from './versions.ts'

export interface KeyspaceIndex {
  readonly id: Keyspace
  readonly index: LearnedIndex
  /** Keys whose newest record is a put. */
  live: number
}

export class VersionIndex implements KeySource, PointKeys {
  readonly #log: Log
  readonly #bytesOf: Uint8Array[]
  readonly #wordsOf: Uint32Array[]
  readonly #spaces = new Map<Keyspace, KeyspaceIndex>()
  readonly #point: PointIndex
  readonly #versions = new Versions()
  readonly #aliases = new Aliases()
  /** The record that reads hand out. */
  readonly #record = new LogRecord()
  readonly #keyRecord = new LogRecord()
  readonly #superseded = new Superseded()
  readonly #note: Note = newNote()
  /** How compaction moves records, and how recovery takes them in. */
  readonly relocation: Relocation
  readonly sortedReplay: SortedReplay
  readonly rangeCount: RangeCount
  /** For checkpoints. */
  readonly parts: IndexParts

  /** What is at or behind this place of the log is not published. Nothing is unpublished while `allPublished`. */
  allPublished = true
  publishedSegment = 0
  publishedOffset8 = 0

  /** The segment of the record that the last `resolve` came to. */
  foundSegment = 0
  readonly accesses: Accesses

  /** Cursors that have begun and not ended: they hold a place, and perhaps a view of a segment. */
  readonly cursors: Set<{ leave(segment?: number): void }> = new Set()

  /** Cursors keep no place in a segment from here on, until they go on: its records go. */
  leave(segment: number): void {
    for (const cursor of this.cursors) cursor.leave(segment)
  }

  /** Whether every record that is read is checked. */
  checksReads = false

  /** Asked before the bytes of a record are touched; may throw to keep a cold page from stalling the loop (cold-reads.ts). */
  guard: ((segment: number, offset8: number) => void) | undefined

  constructor(log: Log) {
    this.#log = log
    this.#point = new PointIndex(this, () => log.randomUint32())
    const parts = {
      index: this,
      point: this.#point,
      versions: this.#versions,
      aliases: this.#aliases,
      superseded: this.#superseded,
      supersede: (segment: number, offset8: number) => this.#supersede(segment, offset8),
    }
    this.parts = parts
    this.relocation = new Relocation(parts)
    this.sortedReplay = new SortedReplay(parts)
    this.rangeCount = new RangeCount(parts)
    this.accesses = new Accesses(log)
    this.#bytesOf = log.bytesOf
    this.#wordsOf = log.wordsOf
  }

  /** The index of a keyspace, made if absent. */
  space(keyspace: Keyspace): KeyspaceIndex {
    const present = this.#spaces.get(keyspace)
    if (present !== undefined) return present
    const made: KeyspaceIndex = { id: keyspace, index: new LearnedIndex(this), live: 0 }
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
    let bytes = this.#versions.bytes + this.#aliases.bytes + this.#point.bytes + this.#superseded.bytes
    for (const { index } of this.#spaces.values()) bytes += index.bytes
    return bytes
  }

  // ---- reading

  /** The location that the last `newest` came to. */
  newestSegment = 0
  newestOffset8 = 0

  /** Finds the newest record of the key whose entry of the ordered index is loaded from a place, and keeps it there. */
  newest(space: KeyspaceIndex, leaf: number, slot: number): void {
    const { segment, offset8 } = space.index
    this.newestSegment = segment
    this.newestOffset8 = offset8
    if (!this.#superseded.has(segment & segmentMask, offset8)) return
    const { bytes, keyStart, keyBytes } = this.keyAt(segment, offset8)
    const found = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
    assert(found, 'a key of the ordered index is in the point index')
    this.newestSegment = this.#point.segment
    this.newestOffset8 = this.#point.offset8
    if ((this.newestSegment & segmentMask) !== 0) {
      space.index.storeAt(leaf, slot, this.newestSegment, this.newestOffset8)
    }
  }

  /** The record that a read of the key at a state sees, or undefined. The record is reused. */
  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number, at: At): LogRecord | undefined {
    const point = this.#point
    if (!point.find(keyspace, key, start, end)) return undefined
    return this.resolve(point.segment, point.offset8, at, this.#record)
  }

  /** See Engine.prefetch. */
  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    if (2 * count > this.#places.length) this.#places = new Uint32Array(2 * count)
    const places = this.#places
    this.#point.prefetch(keyspace, bytes, spans, count, places)
    this.touch(places, count)
  }

  #places = new Uint32Array(128)

  /** Brings in the beginnings of the records at so many places (segment, offset8), none of which waits for another. */
  touch(places: Uint32Array, count: number): void {
    const wordsOf = this.#wordsOf
    let sum = 0
    for (let i = 0; i < count; i++) {
      const segment = (places[2 * i] as number) & segmentMask
      if (segment === 0) continue
      const words = wordsOf[segment] as Uint32Array
      const word = (places[2 * i + 1] as number) << 1
      // Three cache lines: a record of 100 bytes. The processor itself goes on from there.
      const last = word + 31 < words.length ? word + 31 : word
      sum ^= (words[word] as number) ^ (words[word + 15] as number) ^ (words[last] as number)
      sum ^= this.#superseded.touch(segment, word >>> 1)
    }
    this.touched = sum
  }

  /** What the last `touch` read, kept so that the reads are made. */
  touched = 0

  /** Moves `into` to the version that a state sees of the entry at a location; undefined where that is none or a delete. */
  resolve(entrySegment: number, entryOffset8: number, at: At, into: LogRecord): LogRecord | undefined {
    let segment = entrySegment
    let offset8 = entryOffset8
    if (at !== latest && (at !== published || !this.allPublished)) {
      while (!this.#sees(segment & segmentMask, offset8, at)) {
        if ((segment & segmentMask) === 0) {
          const alias = offset8
          segment = this.#aliases.olderSegment(alias)
          offset8 = this.#aliases.olderOffset8(alias)
        } else {
          if (!this.#versions.find(segment & segmentMask, offset8)) return undefined
          segment = this.#versions.olderSegment
          offset8 = this.#versions.olderOffset8
        }
      }
    }
    if (segment & deadBit) return undefined
    if (this.guard !== undefined) this.guard(segment, offset8)
    this.foundSegment = segment
    this.accesses.read(segment)
    into.moveTo(this.#bytesOf[segment] as Uint8Array, this.#wordsOf[segment] as Uint32Array, offset8 << 3)
    // Where pages may be cold, the copy is checked instead (cold-reads.ts).
    const checks = this.checksReads && this.guard === undefined
    if (checks) checkRecord(this.#log, this.#log.segment(segment), offset8 << 3, into)
    return into
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
        (inSegment === this.publishedSegment && atOffset8 < this.publishedOffset8) ||
        // Compaction takes only what is published, and numbers what it makes after the newest segment.
        this.#log.segment(inSegment).kind === 'sorted'
      )
    }
    if (this.guard !== undefined) this.guard(inSegment, atOffset8)
    const word = (atOffset8 << 1) + 4
    const words = this.#wordsOf[inSegment] as Uint32Array
    return (words[word] as number) + (words[word + 1] as number) * 2 ** 32 <= at
  }

  compareKeyAt(entrySegment: number, offset8: number, key: Uint8Array, start: number, end: number): number {
    const segment = entrySegment & segmentMask
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
      segment = this.#aliases.olderSegment(entryOffset8)
      offset8 = this.#aliases.olderOffset8(entryOffset8)
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

  /** The key of the record at a location, as bytes of the caller's own. */
  keyCopy(segment: number, offset8: number): Uint8Array {
    const { bytes, keyStart, keyBytes } = this.keyAt(segment, offset8)
    return bytes.slice(keyStart, keyStart + keyBytes)
  }

  keyAt(entrySegment: number, entryOffset8: number): LogRecord {
    let segment = entrySegment & segmentMask
    let offset8 = entryOffset8
    if (segment === 0) {
      segment = this.#aliases.olderSegment(entryOffset8)
      offset8 = this.#aliases.olderOffset8(entryOffset8)
    }
    if (this.guard !== undefined) this.guard(segment, offset8)
    return this.#keyRecord.moveTo(
      this.#bytesOf[segment] as Uint8Array,
      this.#wordsOf[segment] as Uint32Array,
      offset8 << 3,
    )
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
    this.#admit(this.#log.active.number)
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

  #admitted = 0

  /** Makes sure that the point index has numbers for a segment, before the first change of a batch there touches anything. */
  #admit(segment: number): void {
    if (segment === this.#admitted) return
    this.#point.admit(segment, (this.#bytesOf[segment] as Uint8Array).length)
    this.#admitted = segment
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
    const point = this.#point
    const entrySegment = isPut ? segment : segment | deadBit
    if (found) {
      if ((point.segment & deadBit) === 0) space.live--
      this.#supersede(point.segment, point.offset8)
      this.#pushNote(space.id, segment, offset8, !isPut, point.segment, point.offset8, revision, 0)
      point.replace(entrySegment, offset8)
    } else {
      space.index.find(key, start, end)
      space.index.insert(key, start, end, entrySegment, offset8)
      point.insert(entrySegment, offset8)
      if (!isPut) this.#pushNote(space.id, segment, offset8, true, 0, 0, revision, 0)
    }
    if (isPut) space.live++
  }

  /** Marks the record at a location as not the newest of its key. */
  #supersede(entrySegment: number, offset8: number): void {
    const segment = entrySegment & segmentMask
    if (segment === 0) return
    const { recordBytes } = this.#keyRecordAt(segment, offset8)
    this.#superseded.add(segment, offset8, recordBytes, (this.#bytesOf[segment] as Uint8Array).length)
  }

  #pushNote(
    keyspace: number,
    segment: number,
    offset8: number,
    isDelete: boolean,
    olderSegment: number,
    olderOffset8: number,
    revision: number,
    alias: number,
  ): void {
    const note = this.#note
    note.keyspace = keyspace
    note.segment = segment
    note.offset8 = offset8
    note.isDelete = isDelete
    note.olderSegment = olderSegment
    note.olderOffset8 = olderOffset8
    note.revision = revision
    note.alias = alias
    this.#versions.push(note)
  }

  /** Applies a record of the log that recovery found. */
  applyRecord(record: LogRecord, segment: number): void {
    if (record.kind === 'delete-range') {
      this.applyDeleteRange(record, segment)
      return
    }
    const space = this.space(record.keyspace)
    const keyEnd = record.keyStart + record.keyBytes
    const found = this.#point.find(space.id, record.bytes, record.keyStart, keyEnd)
    const offset8 = record.start >>> 3
    this.place(space, found, record.bytes, record.keyStart, keyEnd, segment, offset8, record.isPut, record.revision)
  }

  /** Marks every live key of a delete-range record as deleted by it. */
  applyDeleteRange(record: LogRecord, segment: number): void {
    this.#admit(segment)
    const space = this.space(record.keyspace)
    const { index } = space
    const { revision, start } = record
    const first = record.bytes.slice(record.keyStart, record.keyStart + record.keyBytes)
    const end = record.bytes.slice(record.valueStart, record.valueStart + record.valueBytes)
    index.find(first, 0, first.length)
    for (let isEntry = index.toEntry(index.placeLeaf, index.placeSlot); isEntry; isEntry = index.toNext()) {
      if (end.length > 0 && this.compareKeyAt(index.segment, index.offset8, end, 0, end.length) >= 0) return
      this.newest(space, index.placeLeaf, index.placeSlot)
      if ((this.newestSegment & deadBit) === 0) this.#deleteByRange(space, segment, start >>> 3, revision)
    }
  }

  /** Deletes the key that `newest` came to, by the delete-range record at a location. */
  #deleteByRange(space: KeyspaceIndex, segment: number, offset8: number, revision: number): void {
    const { newestSegment, newestOffset8 } = this
    const { bytes, keyStart, keyBytes } = this.keyAt(newestSegment, newestOffset8)
    const found = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
    assert(found, 'a key of the ordered index is in the point index')
    const alias = this.#aliases.add(segment, offset8, newestSegment, newestOffset8)
    this.#supersede(newestSegment, newestOffset8)
    this.#pushNote(space.id, segment, offset8, true, newestSegment, newestOffset8, revision, alias)
    this.#point.replace(deadBit, alias)
    space.live--
  }

  /** Takes back what a record of the log did: the newest one first, none of them published. */
  undoRecord(record: LogRecord, segment: number): void {
    const space = this.space(record.keyspace)
    const offset8 = record.start >>> 3
    if (record.kind === 'delete-range') {
      this.#undoDeleteRange(space, segment, offset8)
      return
    }
    this.#findBoth(space, record)
    const point = this.#point
    assert((point.segment & segmentMask) === segment && point.offset8 === offset8, 'the newest record is undone')
    if (record.isPut) space.live--
    const note = this.#note
    const hasNote = this.#versions.last(note) && note.segment === segment && note.offset8 === offset8
    if (hasNote) this.#versions.pop()
    if (hasNote && (note.olderSegment !== 0 || note.olderOffset8 !== 0)) {
      this.#backTo(space, note.olderSegment, note.olderOffset8)
    } else {
      this.#removeFound(space)
    }
  }

  /** After `#findBoth`: the key is gone from the indexes. */
  #removeFound(space: KeyspaceIndex): void {
    space.index.remove()
    this.#point.remove()
  }

  /** After `#findBoth`: an older record is the newest of its key again. */
  #backTo(space: KeyspaceIndex, olderSegment: number, olderOffset8: number): void {
    const segment = olderSegment & segmentMask
    if ((olderSegment & deadBit) !== 0 && !this.#isDeleteKept(segment, olderOffset8)) {
      // A delete that would have left the index by now, had it not been overwritten.
      this.#removeFound(space)
      if (segment === 0) this.#aliases.remove(olderOffset8)
      return
    }
    this.#point.replace(olderSegment, olderOffset8)
    if ((olderSegment & deadBit) === 0) space.live++
    if (segment === 0) {
      space.index.replace(this.#aliases.olderSegment(olderOffset8), this.#aliases.olderOffset8(olderOffset8))
    } else {
      space.index.replace(olderSegment, olderOffset8)
    }
  }

  #isDeleteKept(segment: number, offset8: number): boolean {
    if (segment !== 0) return this.#versions.holds(segment, offset8, 0)
    return this.#versions.holds(this.#aliases.segment(offset8), this.#aliases.offset8(offset8), offset8)
  }

  #undoDeleteRange(space: KeyspaceIndex, segment: number, offset8: number): void {
    const note = this.#note
    while (this.#versions.last(note) && note.alias !== 0 && note.segment === segment && note.offset8 === offset8) {
      const { alias, olderSegment, olderOffset8 } = note
      this.#versions.pop()
      this.#findBoth(space, this.keyAt(olderSegment, olderOffset8))
      assert(this.#point.offset8 === alias && (this.#point.segment & segmentMask) === 0, 'the newest delete is undone')
      this.#backTo(space, olderSegment, olderOffset8)
      this.#aliases.remove(alias)
    }
  }

  /** Finds a record's key in both indexes, where it must be. */
  #findBoth(space: KeyspaceIndex, record: LogRecord): void {
    const { bytes, keyStart, keyBytes } = record
    const found = space.index.find(bytes, keyStart, keyStart + keyBytes)
    const foundPoint = this.#point.find(space.id, bytes, keyStart, keyStart + keyBytes)
    assert(found, 'the key is in the ordered index')
    assert(foundPoint, 'the key is in the point index')
  }

  /**
   * Drops versions that no state from `revision` on can see, and keys that have been deleted for as long; at most `most`
   * of them. True when there is nothing left to drop.
   */
  retire(revision: number, most: number): boolean {
    const note = this.#note
    for (let done = 0; done < most; done++) {
      const seenByAll =
        this.#versions.first(note) && note.revision <= revision && this.#sees(note.segment, note.offset8, published)
      if (!seenByAll) return true
      this.#versions.shift()
      this.#retireNote(note)
    }
    return false
  }

  #retireNote(note: Note): void {
    const { keyspace, alias, olderSegment, olderOffset8 } = note
    const deleted = note.isDelete ? this.deletedBy(note) : undefined
    if (deleted !== undefined) {
      const { bytes, keyStart, keyBytes } = deleted
      const space = this.space(keyspace)
      const foundOrdered = space.index.find(bytes, keyStart, keyStart + keyBytes)
      assert(foundOrdered, 'the key is in the ordered index')
      this.#removeFound(space)
      if (alias !== 0) this.#aliases.remove(alias)
    }
    // The alias that this record took over from is not reached any more.
    const olderIsAlias = (olderSegment & segmentMask) === 0 && olderOffset8 !== 0
    if (olderIsAlias) this.#aliases.remove(olderOffset8)
  }

  /** A record with the key that a note says was deleted, found in the point index, if that is still the newest of the key. */
  deletedBy({ keyspace, segment, offset8, alias }: Note): LogRecord | undefined {
    const record = alias === 0 ? this.keyAt(segment, offset8) : this.keyAt(deadBit, alias)
    const { bytes, keyStart, keyBytes } = record
    if (!this.#point.find(keyspace, bytes, keyStart, keyStart + keyBytes)) return undefined
    if (this.#point.segment !== (alias === 0 ? segment | deadBit : deadBit)) return undefined
    return this.#point.offset8 === (alias === 0 ? offset8 : alias) ? record : undefined
  }

  /** Throws where an invariant of the indexes does not hold; visits every entry. */
  validate(): void {
    let entries = 0
    for (const space of this.spaces()) {
      space.index.validate()
      entries += space.index.size
      let live = 0
      const { index } = space
      for (let isEntry = index.toEntry(index.firstLeaf(), 0); isEntry; isEntry = index.toNext()) {
        if (this.#validateEntry(space)) live++
      }
      assert(live === space.live, 'the number of live keys is right')
    }
    this.#point.validate()
    assert(entries === this.#point.size, 'the point index has the keys of the ordered ones and no others')
  }

  /** Checks the loaded entry; true where its key is live. */
  #validateEntry(space: KeyspaceIndex): boolean {
    const { segment, offset8 } = space.index
    const inSegment = segment & segmentMask
    assert(inSegment !== 0, 'the ordered index has no aliases')
    const record = this.keyAt(segment, offset8)
    assert(record.start < this.#log.segment(inSegment).end, 'an entry points into the log')
    assert(record.isPut === ((segment & deadBit) === 0), 'an entry is dead just when its record is a delete')
    const found = this.#point.find(space.id, record.bytes, record.keyStart, record.keyStart + record.keyBytes)
    assert(found, 'a key of the ordered index is in the point index')
    const isNewest = this.#point.segment === segment && this.#point.offset8 === offset8
    assert(isNewest || this.#superseded.has(inSegment, offset8), 'what is not the newest is marked superseded')
    return (this.#point.segment & deadBit) === 0
  }
}
