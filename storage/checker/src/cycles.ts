/** From a dependency graph to named anomalies: one short cycle for each set of transactions that reach each other. */

import { assert } from '@orbitkv/base'
import type { DependencyGraph, Edge, EdgeKind } from './graph.ts'
import type { Anomaly } from './history.ts'

type CycleName = 'G0' | 'G1c' | 'G-single' | 'G2'

interface Kind {
  readonly name: CycleName
  readonly edges: readonly EdgeKind[]
  /** How many edges of the cycle are rw: none, exactly one, or any number. */
  readonly antiDependencies: 'none' | 'one' | 'any'
}

/** From the worst on: a cycle gets the first name that fits. */
const kinds: readonly Kind[] = [
  { name: 'G0', edges: ['ww'], antiDependencies: 'none' },
  { name: 'G1c', edges: ['ww', 'wr'], antiDependencies: 'none' },
  { name: 'G-single', edges: ['ww', 'wr'], antiDependencies: 'one' },
  { name: 'G2', edges: ['ww', 'wr', 'rw'], antiDependencies: 'any' },
]

export function cycleAnomalies(graph: DependencyGraph): Anomaly[] {
  return graph.components().map((component) => {
    for (const withRealTime of [false, true]) {
      for (const kind of kinds) {
        const edges = new Set<EdgeKind>(withRealTime ? [...kind.edges, 'rt'] : kind.edges)
        const cycle = shortestCycle(graph, new Set(component), edges, kind.antiDependencies === 'one')
        if (cycle !== undefined) return anomalyOf(withRealTime ? `${kind.name}-realtime` : kind.name, cycle)
      }
    }
    throw new Error('transactions that reach each other are on a cycle')
  })
}

/** With `throughOne`, exactly one edge of the cycle is rw, beside those of `kinds`. */
function shortestCycle(
  graph: DependencyGraph,
  members: ReadonlySet<number>,
  kinds: ReadonlySet<EdgeKind>,
  throughOne: boolean,
): readonly Edge[] | undefined {
  let shortest: readonly Edge[] | undefined
  for (const member of members) {
    for (const first of graph.edgesFrom[member] as readonly Edge[]) {
      if (!members.has(first.to) || (throughOne ? first.kind !== 'rw' : !kinds.has(first.kind))) continue
      const rest = shortestPath(graph, members, kinds, first.to, first.from)
      if (rest !== undefined && (shortest === undefined || rest.length + 1 < shortest.length)) {
        shortest = [first, ...rest]
        if (shortest.length === 2) return shortest
      }
    }
  }
  return shortest
}

/** Breadth first. */
function shortestPath(
  graph: DependencyGraph,
  members: ReadonlySet<number>,
  kinds: ReadonlySet<EdgeKind>,
  from: number,
  to: number,
): Edge[] | undefined {
  const reachedBy = new Map<number, Edge | undefined>([[from, undefined]])
  // A Map goes on through what is added while it is walked.
  for (const node of reachedBy.keys()) {
    for (const edge of graph.edgesFrom[node] as readonly Edge[]) {
      if (!kinds.has(edge.kind) || !members.has(edge.to) || reachedBy.has(edge.to)) continue
      reachedBy.set(edge.to, edge)
      if (edge.to === to) return pathBack(reachedBy, to)
    }
  }
  return undefined
}

function pathBack(reachedBy: ReadonlyMap<number, Edge | undefined>, to: number): Edge[] {
  const path: Edge[] = []
  for (let edge = reachedBy.get(to); edge !== undefined; edge = reachedBy.get(edge.from)) path.unshift(edge)
  assert(path.length > 0, 'the path leads somewhere')
  return path
}

function anomalyOf(name: Anomaly['name'], cycle: readonly Edge[]): Anomaly {
  const steps = cycle.map(({ from, to, kind, because }) => `T${from} -${kind}-> T${to} (${because})`)
  return { name, transactions: cycle.map(({ from }) => from), explanation: steps.join('; ') }
}
