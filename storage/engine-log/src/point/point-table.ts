/**
 * One table of the point index: from hashes of 28 bits to locations of 40, in slots of 8 bytes.
 *
 * The slots are in order of hash. An entry's *home* is its hash scaled to the number of slots; where that is taken, it stands
 * in a lower slot, behind all entries of a greater hash. So a search ends at the first smaller hash or empty slot,
 * no entry of a full table is far from its home, and moving to a larger table is a walk along both.
 *
 * A slot is two words: the low 32 bits of the location, and the *tagged* word: 22 bits of the hash, 2 bits of kind (never
 * 0, so that a tagged word of 0 is an empty slot), the high 8 bits of the location. The other 6 bits of the hash follow
 * from the slot's number: entries are less than `reach` from home, and within that distance 22 bits are not ambiguous.
 *
 * What must hold:
 * 1. Hashes ascend with the slots; between an entry and its home no slot is empty; slot 0 is.
 * 2. An entry is less than `reach` slots from home. Where one would not be, the table is made larger.
 * 3. While a table grows, hashes from `boundary` on are in `current`, the others in `former`; each insert moves some on.
 *    Slots of `former` that were moved keep what they held: searches from above pass over it.
 */

import { assert } from '@orbitkv/base'
import { largeBuffer } from '@orbitkv/bytes'

/** The other 4 bits of a key's hash choose the table. */
export const hashBits = 28
const tagBits = 22
const tagMask = (1 << tagBits) - 1
/** Where the tag begins in the tagged word; below it are kind and location. */
export const tagShift: number = 32 - tagBits
export const belowTag: number = (1 << tagShift) - 1

/** Two hashes are compared by their tags: right as long as they are less than half of the tags' range apart. */
const sections = 2 ** (hashBits - tagBits + 1)
const countMin = 4 * sections
const loadMax = 0.85
/** Where tables are spread over a step of growth, its size does not make the peak; a small one moves entries more often. */
const growth = 2
/** A table of fewer slots grows at once. */
const gradualCountMin = 4096
const movedPerInsert = 64
/** From here on a builtin moves slots faster than a loop. */
const movedByLoopMax = 16

export class Slots {
  readonly count: number
  /** Slots that an entry may be from home; and as many there are in front of the first home. */
  readonly reach: number
  /** Slots a hash, and hashes a slot. */
  readonly scale: number
  readonly step: number
  readonly words: Int32Array

  /** With a count of 0 there is one empty slot, where every search ends. */
  constructor(count: number) {
    this.count = count
    // Two less than the tags allow: a search looks one slot further, and scaling rounds.
    this.reach = Math.max(0, Math.floor(count / sections) - 2)
    this.scale = count / 2 ** hashBits
    this.step = 2 ** hashBits / count
    this.words = new Int32Array(largeBuffer(Math.max(1, count + this.reach) * 8))
  }

  homeOf(hash: number): number {
    return ((hash * this.scale) | 0) + this.reach
  }

  /** The hash of the entry in a slot. */
  hashAt(slot: number): number {
    const least = (((slot - this.reach) * this.step) | 0) - 2
    return least + ((((this.words[2 * slot + 1] as number) >>> tagShift) - least) & tagMask)
  }

  /** The slot where an entry of a hash would be added: behind all that are not smaller. 0 where it is too far from home. */
  slotFor(hash: number): number {
    const { words, reach } = this
    const tag = hash << tagShift
    const home = this.homeOf(hash)
    for (let slot = home; home - slot < reach; slot--) {
      const tagged = words[2 * slot + 1] as number
      if (tagged === 0 || ((tagged - tag) | 0) < 0) return slot
    }
    return 0
  }

  /**
   * Adds an entry at its slot; those from there on move down by one. False, with nothing changed, where one would come too
   * far from home. `low` is what stands below the tag.
   */
  putAt(slot: number, hash: number, low: number, location: number): boolean {
    const { words, reach } = this
    const home = this.homeOf(hash)
    if (home - slot >= reach) return false
    let free = slot
    while (words[2 * free + 1] !== 0) free--
    // None of those that move is further from its home than the new entry's home is from the free slot.
    if (home - free >= reach && !this.#canMoveDown(free, slot)) return false
    if (slot - free < movedByLoopMax) {
      for (let at = 2 * free; at < 2 * slot; at++) words[at] = words[at + 2] as number
    } else {
      words.copyWithin(2 * free, 2 * free + 2, 2 * slot + 2)
    }
    words[2 * slot] = location
    words[2 * slot + 1] = (hash << tagShift) | low
    return true
  }

  /** Whether no entry from above `free` to `last` comes too far from home one slot lower. */
  #canMoveDown(free: number, last: number): boolean {
    // Homes ascend, so from one entry to the next lower one the way home grows by no more than one: some tell of all.
    const stride = 1 + (this.reach >>> 2)
    for (let slot = last; slot > free; slot -= stride) {
      if (this.homeOf(this.hashAt(slot)) - slot + stride >= this.reach) return false
    }
    return true
  }

  /** Empties a slot, and lets the entries behind it move up. */
  removeAt(slot: number): void {
    const { words } = this
    for (let below = slot - 1; words[2 * below + 1] !== 0 && this.homeOf(this.hashAt(below)) !== below; below--) {
      words[2 * slot] = words[2 * below] as number
      words[2 * slot + 1] = words[2 * below + 1] as number
      slot = below
    }
    words[2 * slot] = 0
    words[2 * slot + 1] = 0
  }

  /** The lowest slot of an entry, where no entry has a smaller hash than this one; above the last slot where there is none. */
  lowestFrom(hash: number): number {
    let slot = Math.min(this.homeOf(hash), this.last)
    while (slot >= 0 && this.words[2 * slot + 1] !== 0) slot--
    return slot + 1
  }

  /** Adds an entry below all others, the lowest of which is in slot `lowest`; returns its slot, or 0 where that is too far. */
  putBelow(lowest: number, hash: number, low: number, location: number): number {
    const home = this.homeOf(hash)
    const slot = home < lowest ? home : lowest - 1
    if (home - slot >= this.reach) return 0
    this.words[2 * slot] = location
    this.words[2 * slot + 1] = (hash << tagShift) | low
    return slot
  }

  get last(): number {
    return this.count + this.reach - 1
  }
}

const noSlots = new Slots(0)

export class PointTable {
  current: Slots = noSlots
  former: Slots = noSlots
  boundary = 0
  /** No slot of `former` above this one has an entry that is not moved. */
  #unmoved = 0
  #used = 0
  /** Its sizes so far. */
  #sizes = 0
  /** The slot of the last `restore`. */
  #lowest = 0
  readonly #stagger: number

  /** `stagger` in [0, 1): how far this table's sizes are on the way from each step of growth to the next. */
  constructor(stagger: number) {
    this.#stagger = stagger
  }

  get used(): number {
    return this.#used
  }

  get bytes(): number {
    return bytesOf(this.current) + bytesOf(this.former)
  }

  /** The bytes of the table that so many more entries would begin; 0 where there is room for them. */
  growthBytesMax(entries: number): number {
    if (this.boundary > 0 || this.#used + entries < this.current.count * loadMax) return 0
    const needed = Math.max(this.#countOf(this.#sizes), (growth * (this.#used + entries)) / loadMax)
    return needed * (1 + 1 / sections) * 8
  }

  /** Where the entries of a hash are. */
  slotsOf(hash: number): Slots {
    return hash >= this.boundary ? this.current : this.former
  }

  /** Adds an entry at the slot where the search for it ended. What searches came to before is not valid any more. */
  insert(slots: Slots, slot: number, hash: number, low: number, location: number): void {
    if (!slots.putAt(slot, hash, low, location)) {
      let fits = false
      while (!fits) {
        this.#rebuild()
        const { current } = this
        fits = current.putAt(current.slotFor(hash), hash, low, location)
      }
    }
    this.#used++
    if (this.boundary > 0) this.#moveSome()
    else if (this.#used >= this.current.count * loadMax) this.#grow()
  }

  remove(slots: Slots, slot: number): void {
    slots.removeAt(slot)
    this.#used--
  }

  /**
   * Calls for the entries with hashes in a range, from the highest on, with what stands in their slots. What stands in
   * slots changes with every insert and remove, which entries there are does not but for these.
   */
  forEachDown(from: number, to: number, visit: (hash: number, tagged: number, low: number) => void): void {
    if (to > this.boundary) visitDown(this.current, Math.max(from, this.boundary), to, visit)
    if (from < this.boundary) visitDown(this.former, from, Math.min(to, this.boundary), visit)
  }

  /** Makes an empty table ready for so many entries, which `restore` adds. */
  begin(entries: number): void {
    if (entries === 0) return
    let count = this.#nextCount()
    while (entries >= count * loadMax) count = this.#nextCount()
    this.current = new Slots(count)
    this.#lowest = this.current.last + 1
  }

  /** Adds an entry whose hash is not above that of any other. */
  restore(hash: number, low: number, location: number): void {
    let slot = this.current.putBelow(this.#lowest, hash, low, location)
    while (slot === 0) {
      this.#rebuild()
      slot = this.current.putBelow(this.current.lowestFrom(hash), hash, low, location)
    }
    this.#lowest = slot
    this.#used++
  }

  #grow(): void {
    const { current } = this
    if (current.count < gradualCountMin) {
      this.#rebuild()
      return
    }
    this.former = current
    this.current = new Slots(this.#nextCount())
    this.boundary = 2 ** hashBits
    this.#unmoved = current.last
  }

  #moveSome(): void {
    const { former, current } = this
    const { words } = former
    let { boundary } = this
    let lowest = current.lowestFrom(boundary)
    let left = movedPerInsert
    let slot = this.#unmoved
    // Not below the empty slots that follow the last one moved: an entry may yet come there.
    let unmoved = slot
    for (; slot > 0; slot--) {
      const tagged = words[2 * slot + 1] as number
      if (tagged === 0) continue
      const hash = former.hashAt(slot)
      // Entries of one hash stay together.
      if (left <= 0 && hash !== boundary) break
      lowest = current.putBelow(lowest, hash, tagged & belowTag, words[2 * slot] as number)
      if (lowest === 0) break
      left--
      boundary = hash
      unmoved = slot - 1
    }
    this.boundary = boundary
    this.#unmoved = unmoved
    if (lowest === 0) this.#rebuild()
    else if (slot === 0) this.#endGrowth(current)
  }

  /** Moves everything at once: small tables, and hashes that crowd so much that chance does not explain it. */
  #rebuild(): void {
    for (;;) {
      const slots = new Slots(this.#nextCount())
      const lowest = takeAll(slots, slots.last + 1, this.current, this.current.last)
      if (lowest === 0 || takeAll(slots, lowest, this.former, this.#unmoved) === 0) continue
      this.#endGrowth(slots)
      return
    }
  }

  #endGrowth(slots: Slots): void {
    this.current = slots
    this.former = noSlots
    this.boundary = 0
    this.#unmoved = 0
  }

  #nextCount(): number {
    const count = this.#countOf(this.#sizes)
    assert(count <= 2 ** hashBits, 'a table has no more slots than there are hashes')
    this.#sizes++
    return count
  }

  #countOf(size: number): number {
    return Math.ceil(countMin * growth ** (size + this.#stagger))
  }

  /** Throws where an invariant does not hold; visits every slot. */
  validate(): void {
    const entries = validateSlots(this.former, this.#unmoved) + validateSlots(this.current, this.current.last)
    assert(entries === this.#used, 'the number of entries is right')
  }
}

function bytesOf(slots: Slots): number {
  return slots === noSlots ? 0 : slots.words.byteLength
}

/** Calls for the entries with hashes in [from, to), from the highest on. */
function visitDown(
  slots: Slots,
  from: number,
  to: number,
  visit: (hash: number, tagged: number, low: number) => void,
): void {
  const { words, reach } = slots
  const least = Math.max(0, slots.homeOf(from) - reach)
  for (let slot = Math.min(slots.homeOf(to), slots.last); slot >= least; slot--) {
    const tagged = words[2 * slot + 1] as number
    if (tagged === 0) continue
    const hash = slots.hashAt(slot)
    if (hash >= from && hash < to) visit(hash, tagged, words[2 * slot] as number)
  }
}

/** Adds the entries of `from` up to slot `last` below those there are; returns the lowest slot, or 0 where one does not fit. */
function takeAll(into: Slots, lowest: number, from: Slots, last: number): number {
  const { words } = from
  for (let slot = last; slot > 0 && lowest > 0; slot--) {
    const tagged = words[2 * slot + 1] as number
    if (tagged === 0) continue
    lowest = into.putBelow(lowest, from.hashAt(slot), tagged & belowTag, words[2 * slot] as number)
  }
  return lowest
}

/** Checks every slot, and counts the entries up to one. */
function validateSlots(slots: Slots, last: number): number {
  const { words, reach } = slots
  assert(words[1] === 0, 'slot 0 is empty')
  let entries = 0
  let least = 2 ** hashBits
  let leastEmpty = slots.last + 1
  for (let slot = slots.last; slot > 0; slot--) {
    if (words[2 * slot + 1] === 0) {
      leastEmpty = slot
      continue
    }
    const hash = slots.hashAt(slot)
    const home = slots.homeOf(hash)
    assert(hash <= least, 'hashes ascend with the slots')
    assert(home >= slot, 'an entry is at home or in a lower slot')
    assert(home < leastEmpty, 'no slot between an entry and its home is empty')
    assert(home - slot < reach, 'an entry is near its home')
    least = hash
    if (slot <= last) entries++
  }
  return entries
}
