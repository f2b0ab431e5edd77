/**
 * The dependency graph of a history: an edge from one transaction to another that must come after it.
 *
 * ww: the other overwrote what the one wrote. wr: the other read what the one wrote. rw: the other overwrote what the one read.
 * rt: the other began after the one had ended. A history is serializable if there is no cycle.
 */

import { assert } from '@orbitkv/base'
import type { HistoryTransaction } from './history.ts'

export type EdgeKind = 'ww' | 'wr' | 'rw' | 'rt'

export interface Edge {
  readonly from: number
  readonly to: number
  readonly kind: EdgeKind
  /** What shows it, for the explanation of a cycle. */
  readonly because: string
}

export class DependencyGraph {
  readonly edgesFrom: Edge[][]

  constructor(transactions: number) {
    this.edgesFrom = Array.from({ length: transactions }, () => [])
  }

  add(from: number, to: number, kind: EdgeKind, because: string): void {
    assert(from < this.edgesFrom.length && to < this.edgesFrom.length, 'edges are between transactions of the history')
    if (from !== to) this.edgesFrom[from]?.push({ from, to, kind, because })
  }

  /**
   * Adds what real time says, by as few edges as imply the rest: at any moment only the transactions that ended last, each before
   * none of the others began, lead to those that begin.
   */
  addRealTime(history: readonly HistoryTransaction<unknown>[]): void {
    const begins = history.map(({ startedAt }, index) => ({ at: startedAt, index, begins: true }))
    const ends = history.flatMap(({ outcome, endedAt }, index) =>
      outcome === 'committed' ? [{ at: endedAt, index, begins: false }] : [],
    )
    // Of one moment the beginnings come first: neither is after the other.
    const events = [...begins, ...ends].sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins))
    const ahead = new Map<number, readonly number[]>()
    let frontier: number[] = []
    for (const { index, begins } of events) {
      if (begins) {
        ahead.set(index, frontier)
        if (history[index]?.outcome === 'aborted') continue
        for (const before of frontier) this.add(before, index, 'rt', 'began after that had ended')
      } else {
        const implied = new Set(ahead.get(index))
        frontier = [...frontier.filter((before) => !implied.has(before)), index]
      }
    }
  }

  /** Sets of transactions that reach each other, of two or more (R. Tarjan, 1972; with a stack of its own). */
  components(): number[][] {
    const edgesFrom = this.edgesFrom
    const order = new Int32Array(edgesFrom.length).fill(-1)
    const lowest = new Int32Array(edgesFrom.length)
    const isOnStack = new Uint8Array(edgesFrom.length)
    const stack: number[] = []
    const components: number[][] = []
    let visited = 0
    const enter = (node: number): { node: number; next: number } => {
      order[node] = lowest[node] = visited++
      stack.push(node)
      isOnStack[node] = 1
      return { node, next: 0 }
    }
    for (let root = 0; root < edgesFrom.length; root++) {
      if (order[root] !== -1) continue
      const path = [enter(root)]
      for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
        const { node } = step
        const edge = edgesFrom[node]?.[step.next++]
        if (edge !== undefined) {
          if (order[edge.to] === -1) path.push(enter(edge.to))
          else if (isOnStack[edge.to] === 1) lower(lowest, node, order[edge.to] as number)
          continue
        }
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) lower(lowest, parent.node, lowest[node] as number)
        if (lowest[node] !== order[node]) continue
        const component = stack.splice(stack.lastIndexOf(node))
        for (const member of component) isOnStack[member] = 0
        if (component.length > 1) components.push(component)
      }
    }
    return components
  }
}

function lower(lowest: Int32Array, node: number, to: number): void {
  lowest[node] = Math.min(lowest[node] as number, to)
}
