/**
 * Giving a leaf of the learned index more room without fitting it anew: its line is stretched over more slots, and its entries with
 * it. Cheaper than to gather, fit and lay them (learned-layout.ts), and as good while new keys come in like the old ones.
 */

import { beginNode, fillBehind } from './learned-layout.ts'
import {
  headerShift,
  kindNumber,
  modelShift,
  nodeBase,
  nodeBaseHigh,
  nodeBaseLow,
  nodeChunk,
  nodeCount,
  nodeErrorMax,
  nodeIntercept,
  nodeKind,
  nodeSlope,
  nodeSlots,
  nodeSteps,
  slotA,
  slotB,
  slotWords,
} from './learned-pool.ts'
import { headDistance, lowestWord, modelInput } from './learned-search.ts'
import type { LearnedTree } from './learned-tree.ts'

/** Slots [from, to) of a block whose first slot is at `base`. */
interface SlotRange {
  readonly words: Int32Array
  readonly base: number
  readonly from: number
  readonly to: number
}

export class Stretch {
  readonly #tree: LearnedTree

  constructor(tree: LearnedTree) {
    this.#tree = tree
  }

  /**
   * Moves a leaf's entries to a larger number of slots, its line stretched with them; returns the steps that a search
   * takes on average. Cheaper than to gather, fit and lay, and as good while new keys come in like the old ones.
   */
  enlarge(leaf: number, slots: number): number {
    const tree = this.#tree
    const before = tree.word(leaf, nodeSlots)
    const { pool } = tree
    pool.renew(leaf, slots)
    const old = { words: pool.chunks[pool.oldChunk] as Int32Array, base: pool.oldBase, from: 0, to: before }
    const steps = this.#copyStretched(leaf, leaf, old, tree.word(leaf, nodeCount), slots)
    pool.endRenew()
    return steps
  }

  /** Moves a leaf's slots from `middle` on, with so many entries, to an empty leaf of as many slots, and stretches each part. */
  divide(leaf: number, right: number, middle: number, rightCount: number): void {
    const tree = this.#tree
    const slots = tree.word(leaf, nodeSlots)
    tree.pool.allocate(right, slots)
    const upper = { words: tree.wordsOf(leaf), base: tree.word(leaf, nodeBase), from: middle, to: slots }
    this.#copyStretched(right, leaf, upper, rightCount, slots)
    this.#stretchInPlace(leaf, middle, tree.word(leaf, nodeCount) - rightCount)
  }

  /**
   * Copies so many entries, those in a range of slots, to a node, and the line of the leaf that had them; returns the steps that
   * a search takes on average.
   */
  #copyStretched(node: number, leaf: number, old: SlotRange, count: number, slots: number): number {
    const { words: source, from, to } = old
    const { pool } = this.#tree
    const { header, models, chunks } = pool
    const at = node << headerShift
    for (const field of [nodeKind, nodeBaseHigh, nodeBaseLow]) {
      header[at + field] = header[(leaf << headerShift) + field] as number
    }
    const scale = slots / (to - from)
    const slope = (models[(leaf << modelShift) + nodeSlope] as number) * scale
    const intercept = ((models[(leaf << modelShift) + nodeIntercept] as number) - from) * scale
    models[(node << modelShift) + nodeSlope] = slope
    models[(node << modelShift) + nodeIntercept] = intercept
    const target = chunks[header[at + nodeChunk] as number] as Int32Array
    const base = header[at + nodeBase] as number
    const sourceEnd = old.base + to * slotWords
    const isNumber = header[at + nodeKind] === kindNumber
    const baseHigh = header[at + nodeBaseHigh] as number
    const baseLow = header[at + nodeBaseLow] as number
    let next = base
    let latest = base + (slots - count) * slotWords
    let lastHigh = lowestWord
    let lastLow = lowestWord
    let steps = 0
    let errorMax = 0
    for (let entry = old.base + from * slotWords; entry < sourceEnd; entry += slotWords) {
      const a = source[entry + slotA] as number
      if (a === 0) continue
      const high = source[entry] as number
      const low = source[entry + 1] as number
      const input = isNumber ? headDistance(high, low, baseHigh, baseLow) : modelInput(pool, node, high, low)
      const line = slope * input + intercept
      const predicted = base + (line < 1 ? 0 : line < slots ? line | 0 : slots - 1) * slotWords
      const wanted = predicted < latest ? predicted : latest
      for (; next < wanted; next += slotWords) {
        target[next] = lastHigh
        target[next + 1] = lastLow
        target[next + slotA] = 0
      }
      target[next] = high
      target[next + 1] = low
      target[next + slotA] = a
      target[next + slotB] = source[entry + slotB] as number
      const error = (next > predicted ? next - predicted : predicted - next) / slotWords
      steps += 32 - Math.clz32(error)
      if (error > errorMax) errorMax = error
      lastHigh = high
      lastLow = low
      next += slotWords
      latest += slotWords
    }
    fillBehind(target, next, base + slots * slotWords)
    beginNode(pool, node, count, slots, 'spread')
    header[at + nodeSteps] = steps
    header[at + nodeErrorMax] = errorMax
    return steps / count
  }

  /** Spreads the entries in the first `to` slots of a leaf over all of them, from the last one on; what stood behind is gone. */
  #stretchInPlace(leaf: number, to: number, count: number): void {
    const { pool } = this.#tree
    const { header, models, chunks } = pool
    const at = leaf << headerShift
    const slots = header[at + nodeSlots] as number
    const words = chunks[header[at + nodeChunk] as number] as Int32Array
    const base = header[at + nodeBase] as number
    const scale = slots / to
    const model = leaf << modelShift
    const slope = (models[model + nodeSlope] as number) * scale
    const intercept = (models[model + nodeIntercept] as number) * scale
    models[model + nodeSlope] = slope
    models[model + nodeIntercept] = intercept
    const isNumber = header[at + nodeKind] === kindNumber
    const baseHigh = header[at + nodeBaseHigh] as number
    const baseLow = header[at + nodeBaseLow] as number
    let above = slots
    let steps = 0
    let errorMax = 0
    for (let slot = to - 1; slot >= 0; slot--) {
      const entry = base + slot * slotWords
      const a = words[entry + slotA] as number
      if (a === 0) continue
      const high = words[entry] as number
      const low = words[entry + 1] as number
      const b = words[entry + slotB] as number
      const input = isNumber ? headDistance(high, low, baseHigh, baseLow) : modelInput(pool, leaf, high, low)
      const line = slope * input + intercept
      const predicted = line < 1 ? 0 : line < slots ? line | 0 : slots - 1
      // Not before where it stands: what is before that has not been read.
      const wanted = predicted > slot ? predicted : slot
      const place = wanted < above ? wanted : above - 1
      const gapsEnd = base + above * slotWords
      let next = base + place * slotWords
      words[next] = high
      words[next + 1] = low
      words[next + slotA] = a
      words[next + slotB] = b
      next += slotWords
      if (above === slots) fillBehind(words, next, gapsEnd)
      else {
        for (; next < gapsEnd; next += slotWords) {
          words[next] = high
          words[next + 1] = low
          words[next + slotA] = 0
        }
      }
      const error = place > predicted ? place - predicted : predicted - place
      steps += 32 - Math.clz32(error)
      if (error > errorMax) errorMax = error
      above = place
    }
    for (let gap = base; gap < base + above * slotWords; gap += slotWords) {
      words[gap] = words[gap + 1] = lowestWord
      words[gap + slotA] = 0
    }
    beginNode(pool, leaf, count, slots, 'spread')
    header[at + nodeSteps] = steps
    header[at + nodeErrorMax] = errorMax
  }
}
