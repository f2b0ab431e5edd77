/**
 * Which watchers of ranges a key lies in: a treap of intervals by where they start, each node knowing where the last one below it
 * ends, so that a look-up passes by what ends before the key. O(log n) and as many steps again as watchers are found.
 */

import { compareBytes } from '@orbitkv/bytes'
import type { Interested } from './hashed-index.ts'

interface Node<Watcher> {
  readonly watcher: Watcher
  readonly start: Uint8Array
  readonly end: Uint8Array | undefined
  /** Tells intervals with the same start apart. */
  readonly order: number
  /** A parent's is at most its children's: this is what keeps the tree shallow. */
  readonly priority: number
  /** Where the last interval at or below this node ends; undefined: at the end of the keyspace. */
  lastEnd: Uint8Array | undefined
  left: Tree<Watcher>
  right: Tree<Watcher>
}

type Tree<Watcher> = Node<Watcher> | undefined

/** Spreads whole numbers over 32 bits, each to another. */
const spread = 0x9e3779b1

export class IntervalIndex<Watcher extends Interested> {
  #root: Tree<Watcher>
  #added = 0
  readonly #orderOf = new Map<Watcher, number>()

  add(watcher: Watcher): void {
    const order = this.#added++
    this.#orderOf.set(watcher, order)
    const { start, end } = watcher.interest
    const priority = Math.imul(order + 1, spread) >>> 0
    this.#root = insert(this.#root, {
      watcher,
      start,
      end,
      order,
      priority,
      lastEnd: end,
      left: undefined,
      right: undefined,
    })
  }

  remove(watcher: Watcher): void {
    const order = this.#orderOf.get(watcher)
    if (order === undefined) return
    this.#orderOf.delete(watcher)
    this.#root = remove(this.#root, watcher.interest.start, order)
  }

  /** Whether a range has the key `bytes[start, end)`. Adds the watchers of those that do to `into`; without that it stops at the first. */
  match(bytes: Uint8Array, start: number, end: number, into?: Watcher[]): boolean {
    return this.#root !== undefined && collect(this.#root, bytes, start, end, into)
  }
}

function collect<Watcher>(
  node: Node<Watcher>,
  bytes: Uint8Array,
  from: number,
  to: number,
  into: Watcher[] | undefined,
): boolean {
  if (endsBefore(node.lastEnd, bytes, from, to)) return false
  let isFound = node.left !== undefined && collect(node.left, bytes, from, to, into)
  if (isFound && into === undefined) return true
  const { start } = node
  if (compareBytes(start, 0, start.length, bytes, from, to) > 0) return isFound
  if (!endsBefore(node.end, bytes, from, to)) {
    isFound = true
    into?.push(node.watcher)
  }
  if (isFound && into === undefined) return true
  return (node.right !== undefined && collect(node.right, bytes, from, to, into)) || isFound
}

function endsBefore(end: Uint8Array | undefined, bytes: Uint8Array, from: number, to: number): boolean {
  return end !== undefined && compareBytes(end, 0, end.length, bytes, from, to) <= 0
}

function insert<Watcher>(tree: Tree<Watcher>, node: Node<Watcher>): Node<Watcher> {
  if (tree === undefined) return node
  if (compareNodes(node.start, node.order, tree) < 0) {
    tree.left = insert(tree.left, node)
    return tree.left.priority < tree.priority ? turnRight(tree, tree.left) : measured(tree)
  }
  tree.right = insert(tree.right, node)
  return tree.right.priority < tree.priority ? turnLeft(tree, tree.right) : measured(tree)
}

function remove<Watcher>(tree: Tree<Watcher>, start: Uint8Array, order: number): Tree<Watcher> {
  if (tree === undefined) return undefined
  const side = compareNodes(start, order, tree)
  if (side === 0) return merge(tree.left, tree.right)
  if (side < 0) tree.left = remove(tree.left, start, order)
  else tree.right = remove(tree.right, start, order)
  return measured(tree)
}

/** Two trees as one, everything in the first before everything in the second. */
function merge<Watcher>(first: Tree<Watcher>, second: Tree<Watcher>): Tree<Watcher> {
  if (first === undefined) return second
  if (second === undefined) return first
  if (first.priority < second.priority) {
    first.right = merge(first.right, second)
    return measured(first)
  }
  second.left = merge(first, second.left)
  return measured(second)
}

function turnRight<Watcher>(node: Node<Watcher>, left: Node<Watcher>): Node<Watcher> {
  node.left = left.right
  left.right = measured(node)
  return measured(left)
}

function turnLeft<Watcher>(node: Node<Watcher>, right: Node<Watcher>): Node<Watcher> {
  node.right = right.left
  right.left = measured(node)
  return measured(right)
}

function compareNodes<Watcher>(start: Uint8Array, order: number, node: Node<Watcher>): number {
  return compareBytes(start, 0, start.length, node.start, 0, node.start.length) || order - node.order
}

/** Sets where the last interval at or below a node ends, from its children. */
function measured<Watcher>(node: Node<Watcher>): Node<Watcher> {
  let last = node.end
  for (const child of [node.left, node.right]) {
    if (last === undefined) break
    if (child === undefined) continue
    const { lastEnd } = child
    if (lastEnd === undefined || compareBytes(lastEnd, 0, lastEnd.length, last, 0, last.length) > 0) last = lastEnd
  }
  node.lastEnd = last
  return node
}
