/**
 * Searching one node of the learned index: heads, the model's prediction, and the bound near it.
 *
 * A head is 8 bytes of a key behind its node's prefix, zero-padded, as two words with the top bit flipped: signed order is
 * byte order. The heads of a node's slots never descend; a gap's head is one that keeps this so, and nothing else is
 * known of it.
 */

import {
  headerShift,
  kindAlphabet,
  type LearnedPool,
  modelShift,
  nodeBaseHigh,
  nodeBaseLow,
  nodeIntercept,
  nodeKind,
  nodeSlope,
  nodeSlots,
  slotWords,
} from './learned-pool.ts'

export const headBytes = 8
/** The halves of the lowest and the highest head. */
export const lowestWord = 0x80000000 | 0
export const highestWord = 0x7fffffff
const flipTop = lowestWord

/** Tried one by one before the search doubles its strides: most predictions are this near. */
const nearSlots = 6

/** Half a head: the four bytes of `key[.., end)` from `at` on. */
export function headWord(key: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (((key[at] as number) << 24) |
        ((key[at + 1] as number) << 16) |
        ((key[at + 2] as number) << 8) |
        (key[at + 3] as number)) ^
      flipTop
    )
  }
  let word = 0
  for (let i = at; i < at + 4; i++) word = (word << 8) | (i < end ? (key[i] as number) : 0)
  return word ^ flipTop
}

/** How far a head is from the model's base, exact for what is near it. */
export function headDistance(high: number, low: number, baseHigh: number, baseLow: number): number {
  return (high - baseHigh) * 2 ** 32 + (low - baseLow)
}

/** What a node's model is a line over. */
export function modelInput(pool: LearnedPool, node: number, high: number, low: number): number {
  const at = node << headerShift
  const { header } = pool
  const kind = header[at + nodeKind] as number
  if (kind >= kindAlphabet) return pool.alphabets.valueOf(kind - kindAlphabet, high, low)
  return headDistance(high, low, header[at + nodeBaseHigh] as number, header[at + nodeBaseLow] as number)
}

/** The slot where a node's model expects a head; any slot where it has none. */
export function predictSlot(pool: LearnedPool, node: number, high: number, low: number): number {
  const { models } = pool
  const slots = pool.header[(node << headerShift) + nodeSlots] as number
  const model = node << modelShift
  const slope = models[model + nodeSlope] as number
  const slot = slope * modelInput(pool, node, high, low) + (models[model + nodeIntercept] as number)
  if (slot < 1) return 0
  return slot < slots ? slot | 0 : slots - 1
}

/** The first slot whose head is not below the wanted one; looks outward from `near`, in growing strides. */
export function lowerBound(
  words: Int32Array,
  base: number,
  slots: number,
  near: number,
  high: number,
  low: number,
): number {
  let from = near
  let to = near
  if (isBelow(words, base + near * slotWords, high, low)) {
    from = near + 1
    for (const end = from + nearSlots; from < end; from++) {
      if (from >= slots || !isBelow(words, base + from * slotWords, high, low)) return from
    }
    for (let stride = nearSlots; ; stride *= 2) {
      to = from + stride
      if (to >= slots) {
        to = slots
        break
      }
      if (!isBelow(words, base + to * slotWords, high, low)) break
      from = to + 1
    }
  } else {
    for (const end = to - nearSlots; to > end; to--) {
      if (to <= 0 || isBelow(words, base + (to - 1) * slotWords, high, low)) return to
    }
    for (let stride = nearSlots; ; stride *= 2) {
      from = to - stride
      if (from <= 0) {
        from = 0
        break
      }
      if (isBelow(words, base + from * slotWords, high, low)) {
        from++
        break
      }
      to = from
    }
  }
  return binaryBound(words, base, from, to, high, low)
}

/** The first slot in [from, to) whose head is not below the wanted one; `to` where there is none. */
export function binaryBound(
  words: Int32Array,
  base: number,
  from: number,
  to: number,
  high: number,
  low: number,
): number {
  while (from < to) {
    const middle = (from + to) >>> 1
    if (isBelow(words, base + middle * slotWords, high, low)) from = middle + 1
    else to = middle
  }
  return from
}

/** Behind `from`, where the head is the wanted one: the first slot with a higher head. */
export function endOfTies(
  words: Int32Array,
  base: number,
  slots: number,
  from: number,
  high: number,
  low: number,
): number {
  let last = from
  let to = slots
  for (let stride = 1; ; stride *= 2) {
    const next = last + stride
    if (next >= slots) break
    if (!isHead(words, base + next * slotWords, high, low)) {
      to = next
      break
    }
    last = next
  }
  let after = last + 1
  while (after < to) {
    const middle = (after + to) >>> 1
    if (isHead(words, base + middle * slotWords, high, low)) after = middle + 1
    else to = middle
  }
  return after
}

function isBelow(words: Int32Array, at: number, high: number, low: number): boolean {
  const slotHigh = words[at] as number
  return slotHigh < high || (slotHigh === high && (words[at + 1] as number) < low)
}

export function isHead(words: Int32Array, at: number, high: number, low: number): boolean {
  return words[at] === high && words[at + 1] === low
}
