/**
 * Serializability of histories over registers. A register shows only its newest value, so the order of its versions is known in part:
 * none comes before the first, and who read one version and wrote the next puts them in order. More of the order is known the more
 * transactions read what they overwrite. What is not known is not held against the history.
 */

import { assert } from '@orbitkv/base'
import { cycleAnomalies } from './cycles.ts'
import { DependencyGraph } from './graph.ts'
import type { Anomaly, CheckOptions, Key, RegisterHistory, RegisterOperation, Value, Verdict } from './history.ts'
import { verdictOf } from './history.ts'

interface Written {
  readonly transaction: number
  /** The last that its transaction wrote to the key. */
  isLast: boolean
}

interface KeyFacts {
  readonly written: Map<Value, Written>
  /** Who read each version before writing the key, undefined standing for the state before all versions. */
  readonly readers: Map<Value | undefined, number[]>
  /** Versions known to come after one. */
  readonly after: Map<Value | undefined, Set<Value>>
}

export function checkRegisters(history: RegisterHistory, { realTime = false }: CheckOptions = {}): Verdict {
  const anomalies: Anomaly[] = []
  const keys = new Map<Key, KeyFacts>()
  const factsOf = (key: Key): KeyFacts => {
    const facts = keys.get(key) ?? { written: new Map(), readers: new Map(), after: new Map() }
    keys.set(key, facts)
    return facts
  }
  for (const [transaction, { operations }] of history.entries()) noteWrites(operations, transaction, factsOf)
  for (const [transaction, { operations, outcome }] of history.entries()) {
    if (outcome === 'committed') noteReads(operations, transaction, factsOf, history, anomalies)
  }
  const graph = new DependencyGraph(history.length)
  for (const [key, facts] of keys) addKey(graph, key, facts, history, anomalies)
  if (realTime) graph.addRealTime(history)
  return verdictOf([...anomalies, ...cycleAnomalies(graph)])
}

function noteWrites(
  operations: readonly RegisterOperation[],
  transaction: number,
  factsOf: (key: Key) => KeyFacts,
): void {
  const lastOf = new Map<Key, Written>()
  for (const operation of operations) {
    if (operation.kind !== 'write') continue
    const { key, value } = operation
    const { written } = factsOf(key)
    assert(!written.has(value), `the history writes ${value} to ${key} once`)
    const before = lastOf.get(key)
    if (before !== undefined) before.isLast = false
    const made = { transaction, isLast: true }
    lastOf.set(key, made)
    written.set(value, made)
  }
}

function noteReads(
  operations: readonly RegisterOperation[],
  transaction: number,
  factsOf: (key: Key) => KeyFacts,
  history: RegisterHistory,
  anomalies: Anomaly[],
): void {
  /** What the next read of each key must give. */
  const current = new Map<Key, Value | undefined>()
  const external = new Map<Key, Value | undefined>()
  const last = new Map<Key, Value>()
  for (const { kind, key, value } of operations) {
    if (kind === 'write') {
      current.set(key, value)
      last.set(key, value)
    } else if (!current.has(key)) {
      current.set(key, value)
      external.set(key, value)
      const problem = problemOf(key, value, transaction, factsOf(key), history)
      if (problem !== undefined) anomalies.push(problem)
    } else if (current.get(key) !== value) {
      const explanation = `T${transaction} read ${key} as ${value} where it had ${current.get(key)}`
      anomalies.push({ name: 'internal', transactions: [transaction], explanation })
    }
  }
  for (const [key, value] of external) {
    const { readers, after } = factsOf(key)
    readers.set(value, [...(readers.get(value) ?? []), transaction])
    const next = last.get(key)
    if (next !== undefined) after.set(value, (after.get(value) ?? new Set()).add(next))
  }
}

/** What is wrong with a version that a transaction read. */
function problemOf(
  key: Key,
  value: Value | undefined,
  transaction: number,
  { written }: KeyFacts,
  history: RegisterHistory,
): Anomaly | undefined {
  if (value === undefined) return undefined
  const writer = written.get(value)
  if (writer === undefined) {
    const explanation = `T${transaction} read ${key} as ${value}, which nobody wrote`
    return { name: 'garbage-read', transactions: [transaction], explanation }
  }
  const transactions = [transaction, writer.transaction]
  if (history[writer.transaction]?.outcome === 'aborted') {
    return { name: 'G1a', transactions, explanation: `T${transaction} read ${key} as ${value}, which was aborted` }
  }
  if (!writer.isLast && writer.transaction !== transaction) {
    return { name: 'G1b', transactions, explanation: `T${transaction} read ${key} as ${value}, which was not the last` }
  }
  return undefined
}

function addKey(
  graph: DependencyGraph,
  key: Key,
  { written, readers, after }: KeyFacts,
  history: RegisterHistory,
  anomalies: Anomaly[],
): void {
  // Every version comes after the state before all of them; those that come after another one follow from that.
  const followers = new Set([...after.values()].flatMap((next) => [...next]))
  const first = new Set(after.get(undefined))
  for (const [value, { transaction, isLast }] of written) {
    if (isLast && !followers.has(value) && happened(value, transaction, readers, history)) first.add(value)
  }
  after.set(undefined, first)
  if (hasCycle(after)) {
    const explanation = `the versions of ${key} come after each other in a circle`
    anomalies.push({ name: 'cyclic-versions', transactions: [], explanation })
  }
  for (const [value, transactions] of readers) {
    const writer = value === undefined ? undefined : written.get(value)?.transaction
    for (const reader of transactions) {
      if (writer !== undefined) graph.add(writer, reader, 'wr', `read ${key} as ${value}`)
      for (const next of after.get(value) ?? []) {
        const overwriter = written.get(next)?.transaction as number
        graph.add(reader, overwriter, 'rw', `wrote ${next} to ${key} over ${value}`)
      }
    }
  }
  for (const [value, next] of after) {
    const writer = value === undefined ? undefined : written.get(value)?.transaction
    if (writer === undefined) continue
    for (const newer of next) {
      graph.add(writer, written.get(newer)?.transaction as number, 'ww', `wrote ${newer} to ${key} over ${value}`)
    }
  }
}

/** Whether a write is known to have taken effect. */
function happened(value: Value, transaction: number, readers: KeyFacts['readers'], history: RegisterHistory): boolean {
  const outcome = history[transaction]?.outcome
  return outcome === 'committed' || (outcome === 'unknown' && readers.has(value))
}

function hasCycle(after: KeyFacts['after']): boolean {
  const values = [...after.keys()]
  const numberOf = new Map(values.map((value, index) => [value, index]))
  const graph = new DependencyGraph(values.length)
  for (const [value, next] of after) {
    for (const newer of next) {
      const to = numberOf.get(newer)
      if (to !== undefined) graph.add(numberOf.get(value) as number, to, 'ww', '')
    }
  }
  return graph.components().length > 0
}
