/**
 * A history: what clients asked of a store and what they were answered. Either all of its transactions are over lists or all are
 * over registers. Everything that is written to one key must differ: by its value a write is known again.
 */

export type Key = string
export type Value = string | number

/** Adds a value at the end of a key's list. */
export interface Append {
  readonly kind: 'append'
  readonly key: Key
  readonly value: Value
}
/** The list of a key as it was read; empty where there was none. */
export interface ReadList {
  readonly kind: 'read-list'
  readonly key: Key
  readonly values: readonly Value[]
}
export type ListOperation = Append | ReadList

export interface Write {
  readonly kind: 'write'
  readonly key: Key
  readonly value: Value
}
/** The value of a key as it was read; undefined where there was none. */
export interface Read {
  readonly kind: 'read'
  readonly key: Key
  readonly value: Value | undefined
}
export type RegisterOperation = Write | Read

export interface HistoryTransaction<Operation> {
  /** In the order in which its function made them. */
  readonly operations: readonly Operation[]
  /** `unknown`: nobody was told, as after a crash; it may have happened or not. */
  readonly outcome: 'committed' | 'aborted' | 'unknown'
  /** On any clock that all of the history shares; what is unknown has not ended. */
  readonly startedAt: number
  readonly endedAt: number
}

export type ListHistory = readonly HistoryTransaction<ListOperation>[]
export type RegisterHistory = readonly HistoryTransaction<RegisterOperation>[]

export interface CheckOptions {
  /** A transaction that began after another had ended must come after it: strict serializability. */
  readonly realTime?: boolean
}

/** What cannot be in a serializable history. Names as A. Adya and the Elle checker of K. Kingsbury and P. Alvaro have them. */
export interface Anomaly {
  readonly name:
    | 'internal'
    | 'garbage-read'
    | 'duplicate-elements'
    | 'incompatible-order'
    | 'cyclic-versions'
    | 'G1a'
    | 'G1b'
    | 'G0'
    | 'G1c'
    | 'G-single'
    | 'G2'
    | 'G0-realtime'
    | 'G1c-realtime'
    | 'G-single-realtime'
    | 'G2-realtime'
  /** Transactions by their place in the history; of a cycle in its order. */
  readonly transactions: readonly number[]
  readonly explanation: string
}

export interface Verdict {
  readonly isSerializable: boolean
  readonly anomalies: readonly Anomaly[]
}

export function verdictOf(anomalies: readonly Anomaly[]): Verdict {
  return { isSerializable: anomalies.length === 0, anomalies }
}
