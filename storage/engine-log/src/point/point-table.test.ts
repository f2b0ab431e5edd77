/** A table of the point index against a list: growth at every stage, removal, hashes that crowd. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { hashBits, PointTable, tagShift } from './point-table.ts'

interface Entry {
  readonly hash: number
  readonly low: number
  readonly location: number
}

class Pair {
  readonly table: PointTable
  readonly entries: Entry[] = []

  constructor(stagger = 0) {
    this.table = new PointTable(stagger)
  }

  add(hash: number): void {
    const location = (this.entries.length * 2654435761) | 0
    const low = 1 + (this.entries.length % (2 ** tagShift - 1))
    const slots = this.table.slotsOf(hash)
    this.table.insert(slots, slots.slotFor(hash), hash, low, location)
    this.entries.push({ hash, low, location })
  }

  removeAt(place: number): void {
    const [entry] = this.entries.splice(place, 1)
    const { hash } = entry as Entry
    this.table.remove(this.table.slotsOf(hash), this.slotOf(entry as Entry))
  }

  /** A search as the point index makes it: down from home. */
  slotOf({ hash, low, location }: Entry): number {
    const slots = this.table.slotsOf(hash)
    for (let slot = slots.homeOf(hash); ; slot--) {
      const tagged = slots.words[2 * slot + 1] as number
      assert.ok(tagged !== 0 && slots.hashAt(slot) >= hash, `an entry of hash ${hash} is found`)
      const isIt = slots.words[2 * slot] === location && tagged === ((hash << tagShift) | low)
      if (isIt) return slot
    }
  }

  check(): void {
    this.table.validate()
    assert.equal(this.table.used, this.entries.length)
    for (const entry of this.entries) this.slotOf(entry)
  }

  get isGrowing(): boolean {
    return this.table.boundary > 0
  }
}

describe('point table', () => {
  test('takes no memory until its first entry', () => {
    const pair = new Pair()
    assert.equal(pair.table.bytes, 0)
    pair.add(5)
    assert.ok(pair.table.bytes < 8192)
    pair.check()
  })

  test('least and greatest hash, in a table of every size', () => {
    const pair = new Pair()
    const random = new Random(3)
    for (let i = 0; i < 12_000; i++) {
      pair.add(i % 1000 === 0 ? 0 : i % 1000 === 1 ? 2 ** hashBits - 1 : random.below(2 ** hashBits))
      if (i % 1000 === 2) pair.check()
    }
  })

  test('hashes that are all the same, or neighbours, make it larger and are kept apart', () => {
    for (const spread of [1, 50]) {
      const pair = new Pair(0.5)
      for (let i = 0; i < 300; i++) pair.add(123_456_789 + (i % spread))
      pair.check()
      while (pair.entries.length > 0) {
        pair.removeAt(pair.entries.length >>> 1)
        if (pair.entries.length % 20 === 0) pair.check()
      }
      assert.equal(pair.table.used, 0)
    }
  })

  test('many of one hash come while a table grows, on either side of where it is', () => {
    const random = new Random(4)
    for (const hash of [2 ** hashBits - 5, 2 ** (hashBits - 1), 5]) {
      const pair = new Pair()
      while (!pair.isGrowing) pair.add(random.below(2 ** hashBits))
      for (let i = 0; i < 400; i++) pair.add(hash)
      pair.check()
    }
  })

  for (const seed of seedsFor('point-table', { kept: [1], fresh: 3 })) {
    test(`agrees with a list while entries come and go, also at every stage of growth, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair(random.below(16) / 16)
      let stagesSeen = 0
      for (let step = 0; step < 40_000; step++) {
        const crowd = random.chance(1000) ? 0xff00ff : random.below(2 ** hashBits)
        if (pair.entries.length === 0 || random.below(100) < 75) pair.add(crowd)
        else pair.removeAt(random.below(pair.entries.length))
        if (!pair.isGrowing && !random.chance(3000)) continue
        if (pair.isGrowing) stagesSeen++
        if (random.chance(20)) pair.check()
      }
      pair.check()
      assert.ok(stagesSeen > 100, `${stagesSeen} steps while it grew`)
      while (pair.entries.length > 0) pair.removeAt(random.below(pair.entries.length))
      pair.check()
    })
  }
})
