/**
 * The checks against the plainest one there is: trying every order. Over random small histories of which about half are
 * serializable, the check of lists must say the same, and that of registers must never refuse what has an order.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import {
  checkLists,
  checkRegisters,
  type HistoryTransaction,
  type ListOperation,
  type RegisterOperation,
  type Value,
} from './index.ts'

const runs = 2000
const keys = ['x', 'y', 'z']

interface Draft<Operation> {
  readonly operations: Operation[]
  startedAt: number
  endedAt: number
}

/** Runs operations of some transactions in a random order on one state; reads may give an older one. */
function randomHistory<Operation>(
  random: Random,
  operate: (own: readonly Operation[], stepsBack: number) => Operation,
  readAll: () => Operation[],
): HistoryTransaction<Operation>[] {
  const drafts = Array.from(
    { length: random.between(2, 5) },
    (): Draft<Operation> => ({
      operations: [],
      startedAt: 0,
      endedAt: 0,
    }),
  )
  const staleness = random.pick([2, 5, 1000])
  const steps = drafts.flatMap((draft) => Array.from({ length: random.between(1, 3) }, () => draft))
  // Some keep to themselves, some interleave.
  if (!random.chance(3)) for (let i = steps.length - 1; i > 0; i--) swap(steps, i, random.below(i + 1))
  for (const [at, draft] of steps.entries()) {
    if (draft.operations.length === 0) draft.startedAt = at
    draft.operations.push(operate(draft.operations, random.chance(staleness) ? random.between(1, 2) : 0))
    draft.endedAt = at + 0.5
  }
  drafts.push({ operations: readAll(), startedAt: steps.length, endedAt: steps.length + 1 })
  return drafts.map((draft) => ({ ...draft, outcome: 'committed' }))
}

function swap<Item>(items: Item[], one: number, other: number): void {
  const item = items[one] as Item
  items[one] = items[other] as Item
  items[other] = item
}

function randomLists(random: Random): HistoryTransaction<ListOperation>[] {
  const state = new Map<string, Value[]>()
  let next = 1
  return randomHistory<ListOperation>(
    random,
    (own, stepsBack) => {
      const key = random.pick(keys)
      const values = state.get(key) ?? []
      if (random.chance(2)) {
        state.set(key, [...values, next])
        return { kind: 'append', key, value: next++ }
      }
      const touched = own.some((operation) => operation.key === key)
      return { kind: 'read-list', key, values: values.slice(0, touched ? values.length : values.length - stepsBack) }
    },
    () => keys.map((key) => ({ kind: 'read-list', key, values: state.get(key) ?? [] })),
  )
}

function randomRegisters(random: Random): HistoryTransaction<RegisterOperation>[] {
  const versions = new Map<string, (Value | undefined)[]>()
  let next = 1
  return randomHistory<RegisterOperation>(
    random,
    (own, stepsBack) => {
      const key = random.pick(keys)
      const known = versions.get(key) ?? [undefined]
      if (random.chance(2)) {
        versions.set(key, [...known, next])
        return { kind: 'write', key, value: next++ }
      }
      const touched = own.some((operation) => operation.key === key)
      return { kind: 'read', key, value: known[Math.max(0, known.length - 1 - (touched ? 0 : stepsBack))] }
    },
    () => keys.map((key) => ({ kind: 'read', key, value: versions.get(key)?.at(-1) })),
  )
}

/** Whether there is an order in which every transaction reads what those before it wrote. */
function hasOrder(
  history: readonly HistoryTransaction<ListOperation | RegisterOperation>[],
  realTime: boolean,
): boolean {
  const tryNext = (left: ReadonlySet<number>, state: ReadonlyMap<string, string>): boolean => {
    if (left.size === 0) return true
    return [...left].some((index) => {
      const transaction = history[index] as (typeof history)[number]
      const isEarly = [...left].some((other) => (history[other]?.endedAt as number) < transaction.startedAt)
      if (realTime && isEarly) return false
      const after = apply(transaction.operations, state)
      return after !== undefined && tryNext(new Set([...left].filter((other) => other !== index)), after)
    })
  }
  return tryNext(new Set(history.keys()), new Map())
}

function apply(
  operations: readonly (ListOperation | RegisterOperation)[],
  before: ReadonlyMap<string, string>,
): Map<string, string> | undefined {
  const state = new Map(before)
  for (const operation of operations) {
    const { key } = operation
    const current = state.get(key) ?? ''
    if (operation.kind === 'append') state.set(key, `${current}${operation.value},`)
    else if (operation.kind === 'write') state.set(key, `${operation.value}`)
    else if (operation.kind === 'read' && current !== `${operation.value ?? ''}`) return undefined
    else if (operation.kind === 'read-list' && current !== operation.values.map((value) => `${value},`).join(''))
      return undefined
  }
  return state
}

test(`${runs} random histories of lists get the verdict of trying every order`, () => {
  let sound = 0
  let unsound = 0
  for (const seed of seedsFor('checker-lists', { kept: [], fresh: runs })) {
    const history = randomLists(new Random(seed))
    for (const realTime of [false, true]) {
      const wanted = hasOrder(history, realTime)
      const { isSerializable, anomalies } = checkLists(history, { realTime })
      assert.equal(
        isSerializable,
        wanted,
        `seed ${seed}, real time ${realTime}: ${JSON.stringify({ anomalies, history })}`,
      )
      if (wanted) sound++
      else unsound++
    }
  }
  if (process.env.ORBIT_SEED === undefined) assert.ok(Math.min(sound, unsound) > runs / 5, `${sound} and ${unsound}`)
})

test(`${runs} random histories of registers: none that has an order is refused, and many that have none are`, () => {
  let found = 0
  let unsound = 0
  for (const seed of seedsFor('checker-registers', { kept: [], fresh: runs })) {
    const history = randomRegisters(new Random(seed))
    for (const realTime of [false, true]) {
      const wanted = hasOrder(history, realTime)
      const { isSerializable, anomalies } = checkRegisters(history, { realTime })
      if (wanted) assert.ok(isSerializable, `seed ${seed}: ${JSON.stringify({ anomalies, history })}`)
      if (!wanted) unsound++
      if (!isSerializable) found++
    }
  }
  if (process.env.ORBIT_SEED === undefined) assert.ok(found > unsound / 3, `${found} of ${unsound}`)
})
