/** The checks against histories whose verdict is plain: one for each anomaly, and their neighbours that are sound. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  checkLists,
  checkRegisters,
  type HistoryTransaction,
  type ListOperation,
  type RegisterOperation,
  type Value,
} from './index.ts'

type Outcome = HistoryTransaction<unknown>['outcome']

/** A transaction; without times all overlap. */
function did<Operation>(operations: Operation[], outcome: Outcome = 'committed', startedAt = 0, endedAt = 1000) {
  return { operations, outcome, startedAt, endedAt: outcome === 'unknown' ? Number.POSITIVE_INFINITY : endedAt }
}

const append = (key: string, value: Value): ListOperation => ({ kind: 'append', key, value })
const list = (key: string, ...values: Value[]): ListOperation => ({ kind: 'read-list', key, values })
const write = (key: string, value: Value): RegisterOperation => ({ kind: 'write', key, value })
const read = (key: string, value?: Value): RegisterOperation => ({ kind: 'read', key, value })

const lists: readonly (readonly [string, string, HistoryTransaction<ListOperation>[]])[] = [
  ['nothing', '', []],
  [
    'one after the other',
    '',
    [did([list('x'), append('x', 1)]), did([list('x', 1), append('x', 2)]), did([list('x', 1, 2)])],
  ],
  ['reads of its own appends', '', [did([append('x', 1), list('x', 1), append('x', 2), list('x', 1, 2)])]],
  ['an unknown one that was seen', '', [did([append('x', 1)], 'unknown'), did([list('x', 1)])]],
  ['an unknown one that was not', '', [did([append('x', 1)], 'unknown'), did([list('x')]), did([list('x')])]],
  ['an aborted one that nobody saw', '', [did([append('x', 1)], 'aborted'), did([list('x')])]],
  ['not its own append', 'internal', [did([append('x', 1), list('x')])]],
  ['two reads that differ', 'internal', [did([list('x'), list('x', 1)]), did([append('x', 1)])]],
  ['what nobody appended', 'garbage-read', [did([list('x', 1)])]],
  ['an append twice in a list', 'duplicate-elements', [did([append('x', 1)]), did([list('x', 1, 1)])]],
  [
    'two orders',
    'incompatible-order',
    [did([append('x', 1)]), did([append('x', 2)]), did([list('x', 1, 2)]), did([list('x', 2)])],
  ],
  ['what was aborted', 'G1a', [did([append('x', 1)], 'aborted'), did([list('x', 1)])]],
  [
    'half of a transaction',
    'G1b',
    [did([append('x', 1), append('x', 2)]), did([list('x', 1)]), did([list('x', 1, 2)])],
  ],
  [
    'writes that are in two orders',
    'G0',
    [
      did([append('x', 1), append('y', 1)]),
      did([append('x', 2), append('y', 2)]),
      did([list('x', 1, 2), list('y', 2, 1)]),
    ],
  ],
  ['reads of each other', 'G1c', [did([append('x', 1), list('y', 1)]), did([append('y', 1), list('x', 1)])]],
  [
    'a lost update',
    'G-single',
    [did([list('x'), append('x', 1)]), did([list('x'), append('x', 2)]), did([list('x', 1, 2)])],
  ],
  ['a skewed read', 'G-single', [did([append('x', 1), append('y', 1)]), did([list('x'), list('y', 1)])]],
  [
    'a skewed write',
    'G2',
    [did([list('x'), append('y', 1)]), did([list('y'), append('x', 1)]), did([list('x', 1), list('y', 1)])],
  ],
  ['a phantom seen by nobody else', 'G2', [did([list('x'), append('y', 1)]), did([list('y'), append('x', 1)])]],
  [
    'a long fork',
    'G2',
    [did([append('x', 1)]), did([append('y', 1)]), did([list('x', 1), list('y')]), did([list('x'), list('y', 1)])],
  ],
]

const registers: readonly (readonly [string, string, HistoryTransaction<RegisterOperation>[]])[] = [
  [
    'one after the other',
    '',
    [did([read('x'), write('x', 1)]), did([read('x', 1), write('x', 2)]), did([read('x', 2)])],
  ],
  [
    'blind writes in no known order',
    '',
    [did([write('x', 1)]), did([write('x', 2)]), did([read('x', 1)]), did([read('x', 2)])],
  ],
  ['an unknown one that was seen', '', [did([write('x', 1)], 'unknown'), did([read('x', 1)])]],
  ['not its own write', 'internal', [did([write('x', 1), read('x')])]],
  ['what nobody wrote', 'garbage-read', [did([read('x', 1)])]],
  ['what was aborted', 'G1a', [did([write('x', 1)], 'aborted'), did([read('x', 1)])]],
  ['what was overwritten at once', 'G1b', [did([write('x', 1), write('x', 2)]), did([read('x', 1)])]],
  ['versions in a circle', 'cyclic-versions', [did([read('x', 2), write('x', 1)]), did([read('x', 1), write('x', 2)])]],
  ['reads of each other', 'G1c', [did([write('x', 1), read('y', 1)]), did([write('y', 1), read('x', 1)])]],
  [
    'a lost update',
    'G2',
    [did([read('x', 1), write('x', 2)]), did([read('x', 1), write('x', 3)]), did([write('x', 1)])],
  ],
  ['a skewed read', 'G-single', [did([write('x', 1), write('y', 1)]), did([read('x'), read('y', 1)])]],
  ['a skewed write', 'G2', [did([read('x'), write('y', 1)]), did([read('y'), write('x', 1)])]],
]

describe('verdicts', () => {
  for (const [name, anomaly, history] of lists) {
    test(`lists: ${anomaly === '' ? 'sound' : anomaly} is ${name}`, () => {
      const found = namesOf(checkLists(history))
      if (anomaly === '') assert.deepEqual(found, [])
      else assert.ok(found.includes(anomaly), `${found}`)
    })
  }
  for (const [name, anomaly, history] of registers) {
    test(`registers: ${anomaly === '' ? 'sound' : anomaly} is ${name}`, () => {
      const found = namesOf(checkRegisters(history))
      if (anomaly === '') assert.deepEqual(found, [])
      else assert.ok(found.includes(anomaly), `${found}`)
    })
  }

  test('real time: a read that misses what was acknowledged before it began', () => {
    const history = [did([append('x', 1)], 'committed', 0, 10), did([list('x')], 'committed', 20, 30)]
    assert.deepEqual(namesOf(checkLists(history)), [])
    const { anomalies } = checkLists(history, { realTime: true })
    assert.deepEqual(namesOf({ anomalies }), ['G-single-realtime'])
    assert.deepEqual([...(anomalies[0]?.transactions ?? [])].sort(), [0, 1])
    const overlapping = [did([append('x', 1)], 'committed', 0, 20), did([list('x')], 'committed', 20, 30)]
    assert.deepEqual(namesOf(checkLists(overlapping, { realTime: true })), [])
  })

  test('real time reaches through those between', () => {
    const between = Array.from({ length: 20 }, (_, i) => did([list('y')], 'committed', 20 + 10 * i, 25 + 10 * i))
    const history = [did([append('x', 1)], 'committed', 0, 10), ...between, did([list('x')], 'committed', 900, 910)]
    assert.deepEqual(namesOf(checkLists(history, { realTime: true })), ['G-single-realtime'])
  })

  test('a cycle is told step by step', () => {
    const [anomaly] = checkLists([did([list('x'), append('y', 1)]), did([list('y'), append('x', 1)])]).anomalies
    assert.equal(
      anomaly?.explanation,
      'T0 -rw-> T1 (appended 1 to x, not yet read); T1 -rw-> T0 (appended 1 to y, not yet read)',
    )
  })
})

function namesOf({ anomalies }: { anomalies: ReturnType<typeof checkLists>['anomalies'] }): string[] {
  return anomalies.map(({ name }) => name)
}
