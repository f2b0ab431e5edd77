/**
 * The memory of the yardstick: nodes of one stride in Int32Array chunks that are never moved. A node's words:
 *
 *   0 count | 1 next leaf | 2 previous leaf | 3 prefixBytes | 4..15 zero
 *   16.. headHigh[64] | 80.. headLow[64] | 144.. a[64] | 208.. b[64]
 *
 * For a leaf (a, b) is the location of a record; for a branch a is the child and b the separator. A head is 8 bytes of a
 * key after the node's prefix, zero-padded, as two words with the top bit flipped: signed order is byte order.
 */

import { largeBuffer } from '@orbitkv/bytes'

export const nodeCapacity = 64
export const nodeCount = 0
export const nodeNext = 1
export const nodePrevious = 2
export const nodePrefix = 3
export const nodeHigh = 16
export const nodeLow = nodeHigh + nodeCapacity
export const nodeA = nodeLow + nodeCapacity
export const nodeB = nodeA + nodeCapacity
export const nodeWords = nodeB + nodeCapacity

const chunkShift = 12
const chunkNodes = 1 << chunkShift
const chunkMask = chunkNodes - 1

/** No node. Ids begin at 1. */
export const noNode = 0

export class NodePool {
  readonly chunks: Int32Array[] = []
  #used = 1

  /** Bytes of the nodes in use. */
  get bytes(): number {
    return this.#used * nodeWords * 4
  }

  /** The chunk of a node; the node begins at `base(id)` in it. */
  chunk(id: number): Int32Array {
    return this.chunks[id >>> chunkShift] as Int32Array
  }

  base(id: number): number {
    return (id & chunkMask) * nodeWords
  }

  allocate(): number {
    const id = this.#used++
    if (id >>> chunkShift === this.chunks.length)
      this.chunks.push(new Int32Array(largeBuffer(chunkNodes * nodeWords * 4)))
    return id
  }
}

/** Makes room at a slot: everything from it on moves up by one. */
export function openSlot(words: Int32Array, base: number, slot: number): void {
  const count = words[base + nodeCount] as number
  for (let i = base + count; i > base + slot; i--) {
    words[nodeHigh + i] = words[nodeHigh + i - 1] as number
    words[nodeLow + i] = words[nodeLow + i - 1] as number
    words[nodeA + i] = words[nodeA + i - 1] as number
    words[nodeB + i] = words[nodeB + i - 1] as number
  }
  words[base + nodeCount] = count + 1
}

/** Moves the entries from `keep` on to an empty node. */
export function moveTail(from: Int32Array, fromBase: number, keep: number, to: Int32Array, toBase: number): void {
  const count = from[fromBase + nodeCount] as number
  for (let array = nodeHigh; array < nodeWords; array += nodeCapacity) {
    for (let slot = keep; slot < count; slot++)
      to[toBase + array + slot - keep] = from[fromBase + array + slot] as number
  }
  from[fromBase + nodeCount] = keep
  to[toBase + nodeCount] = count - keep
}
