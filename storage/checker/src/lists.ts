/**
 * Serializability of histories over lists. A list that was read tells the order of all appends to it so far, so the longest
 * one read of a key is the order of its versions, and every other must be a beginning of it.
 */

import { assert } from '@orbitkv/base'
import { cycleAnomalies } from './cycles.ts'
import { DependencyGraph } from './graph.ts'
import type { Anomaly, CheckOptions, Key, ListHistory, ListOperation, Value, Verdict } from './history.ts'
import { verdictOf } from './history.ts'

interface Appended {
  readonly transaction: number
  /** The last that its transaction appended to the key: others may see it at the end of the list, but no earlier one. */
  isLast: boolean
}

/** A read of a list as it was before the transaction itself changed it. */
interface ExternalRead {
  readonly transaction: number
  readonly values: readonly Value[]
}

interface KeyFacts {
  readonly appended: Map<Value, Appended>
  readonly reads: ExternalRead[]
}

export function checkLists(history: ListHistory, { realTime = false }: CheckOptions = {}): Verdict {
  const anomalies: Anomaly[] = []
  const keys = new Map<Key, KeyFacts>()
  const factsOf = (key: Key): KeyFacts => {
    const facts = keys.get(key) ?? { appended: new Map(), reads: [] }
    keys.set(key, facts)
    return facts
  }
  for (const [transaction, { operations }] of history.entries()) noteAppends(operations, transaction, factsOf)
  for (const [transaction, { operations, outcome }] of history.entries()) {
    if (outcome === 'committed') noteReads(operations, transaction, factsOf, anomalies)
  }
  const graph = new DependencyGraph(history.length)
  for (const [key, facts] of keys) addKey(graph, key, facts, history, anomalies)
  if (realTime) graph.addRealTime(history)
  return verdictOf([...anomalies, ...cycleAnomalies(graph)])
}

function noteAppends(operations: readonly ListOperation[], transaction: number, factsOf: (key: Key) => KeyFacts): void {
  const lastOf = new Map<Key, Appended>()
  for (const operation of operations) {
    if (operation.kind !== 'append') continue
    const { key, value } = operation
    const { appended } = factsOf(key)
    assert(!appended.has(value), `the history appends ${value} to ${key} once`)
    const before = lastOf.get(key)
    if (before !== undefined) before.isLast = false
    const made = { transaction, isLast: true }
    lastOf.set(key, made)
    appended.set(value, made)
  }
}

/** Notes the external reads, and what contradicts the transaction's own operations. */
function noteReads(
  operations: readonly ListOperation[],
  transaction: number,
  factsOf: (key: Key) => KeyFacts,
  anomalies: Anomaly[],
): void {
  const own = new Map<Key, Value[]>()
  const external = new Map<Key, readonly Value[]>()
  for (const operation of operations) {
    const { key } = operation
    const appended = own.get(key) ?? []
    own.set(key, appended)
    if (operation.kind === 'append') {
      appended.push(operation.value)
      continue
    }
    const { values } = operation
    const before = values.slice(0, Math.max(0, values.length - appended.length))
    const known = external.get(key)
    if (!areEqual(values.slice(before.length), appended) || (known !== undefined && !areEqual(before, known))) {
      const explanation = `T${transaction} read ${key} as ${values}, after ${known ?? 'nothing'} and its own ${appended}`
      anomalies.push({ name: 'internal', transactions: [transaction], explanation })
    } else if (known === undefined) {
      external.set(key, before)
      factsOf(key).reads.push({ transaction, values: before })
    }
  }
}

function addKey(
  graph: DependencyGraph,
  key: Key,
  { appended, reads }: KeyFacts,
  history: ListHistory,
  anomalies: Anomaly[],
): void {
  const longest = reads.reduce((most, read) => (read.values.length > most.values.length ? read : most), {
    transaction: 0,
    values: [] as readonly Value[],
  })
  if (new Set(longest.values).size < longest.values.length) {
    const explanation = `T${longest.transaction} read ${key} as ${longest.values}`
    anomalies.push({ name: 'duplicate-elements', transactions: [longest.transaction], explanation })
    return
  }
  const writers = writersOf(key, longest, appended, history, anomalies)
  if (writers === undefined) return
  for (let i = 1; i < writers.length; i++) {
    graph.add(writers[i - 1] as number, writers[i] as number, 'ww', `appended to ${key} after ${longest.values[i - 1]}`)
  }
  // What is committed and was in no list that was read comes after all that was: in which order is not known.
  const inList = new Set(longest.values)
  const unseen = [...appended].filter(
    ([value, { transaction }]) => !inList.has(value) && history[transaction]?.outcome === 'committed',
  )
  const last = writers.at(-1)
  for (const [value, { transaction }] of unseen) {
    if (last !== undefined) graph.add(last, transaction, 'ww', `appended ${value} to ${key}, seen by nobody yet`)
  }
  for (const { transaction, values } of reads) {
    if (!areEqual(values, longest.values.slice(0, values.length))) {
      const explanation = `${key} was read as ${values} by T${transaction} and as ${longest.values} by T${longest.transaction}`
      anomalies.push({ name: 'incompatible-order', transactions: [transaction, longest.transaction], explanation })
      continue
    }
    const end = values.length
    const newest = appended.get(values[end - 1] as Value)
    if (newest !== undefined) {
      graph.add(newest.transaction, transaction, 'wr', `read ${key} with ${values[end - 1]}`)
      if (!newest.isLast && newest.transaction !== transaction) {
        const explanation = `T${transaction} read ${key} in the middle of what T${newest.transaction} appended`
        anomalies.push({ name: 'G1b', transactions: [transaction, newest.transaction], explanation })
      }
    }
    if (end < writers.length) {
      graph.add(transaction, writers[end] as number, 'rw', `appended ${longest.values[end]} to ${key}, not yet read`)
    } else {
      for (const [value, { transaction: writer }] of unseen) {
        graph.add(transaction, writer, 'rw', `appended ${value} to ${key}, not yet read`)
      }
    }
  }
}

/** Who appended each element of the longest list; undefined where nobody can have. */
function writersOf(
  key: Key,
  { transaction, values }: ExternalRead,
  appended: ReadonlyMap<Value, Appended>,
  history: ListHistory,
  anomalies: Anomaly[],
): number[] | undefined {
  const writers: number[] = []
  for (const value of values) {
    const writer = appended.get(value)?.transaction
    if (writer === undefined) {
      const explanation = `T${transaction} read ${value} in ${key}, which nobody appended`
      anomalies.push({ name: 'garbage-read', transactions: [transaction], explanation })
      return undefined
    }
    if (history[writer]?.outcome === 'aborted') {
      const explanation = `T${transaction} read ${value} in ${key}, and T${writer} was aborted`
      anomalies.push({ name: 'G1a', transactions: [transaction, writer], explanation })
      return undefined
    }
    writers.push(writer)
  }
  return writers
}

function areEqual(one: readonly Value[], other: readonly Value[]): boolean {
  return one.length === other.length && one.every((value, i) => value === other[i])
}
