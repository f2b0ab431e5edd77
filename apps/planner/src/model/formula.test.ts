/** Formulas: reading, working out, showing; and units, which never mix. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graph } from '../figures/index.ts'
import { inputSpecs, unitsOfInputs } from '../inputs/table.ts'
import { evaluate, idsOf, parseFormula, render, unitOf } from './formula.ts'
import { dependentsOf, makeGraph } from './graph.ts'
import { sameUnit, unit, unitText } from './units.ts'

const plainly = { id: (id: string) => id, number: (value: number) => String(value) }
const valueOf = (id: string) => ({ a: 7, b: 2, 'c.d': 3 })[id] ?? 0

test('formulas are worked out as they are written', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['a + b * c.d', 13],
    ['(a + b) * c.d', 27],
    ['a - b - c.d', 2],
    ['a - (b - c.d)', 8],
    ['a / b / 2', 1.75],
    ['a / (b / 2)', 7],
    ['max(a, b, c.d) + min(a, b)', 9],
    ['ceil(a / b)', 4],
    ['either(0, b)', 2],
    ['either(a, b)', 7],
    ['pow(b, c.d)', 8],
    ['1_000 [B] / 1e3 [B]', 1],
    ['ceil(7.2e12 / 72e9)', 100],
  ]
  for (const [text, wanted] of cases) {
    assert.equal(evaluate(parseFormula(text), valueOf), wanted, text)
    const again = render(parseFormula(text), plainly).replaceAll('×', '*').replaceAll('−', '-')
    assert.equal(evaluate(parseFormula(again), valueOf), wanted, `${text} shown as ${again}`)
  }
  assert.deepEqual(idsOf(parseFormula('a * c.d + max(a, b)')), ['a', 'c.d', 'b'])
})

test('what is no formula is refused', () => {
  for (const text of ['', 'a +', 'a b', '(a', 'a)', 'a $ b', 'sin(a)', 'a [B]', '1 [parsec]'])
    assert.throws(() => parseFormula(text), { code: 'base.assertion' }, text)
})

test('units multiply, divide and cancel', () => {
  assert.equal(unitText(unit('core*s/op')), 'core*s/op')
  assert.equal(unitText(unit('1')), '1')
  assert.equal(unitText(unit('1/day')), '1/day')
  assert.ok(sameUnit(unit('B/s*s'), unit('B')))
  assert.ok(!sameUnit(unit('$/month'), unit('$/year')))
})

test('units never mix: whatever adds, compares or mislabels is refused when the figure is declared', () => {
  const units = new Map(
    Object.entries({
      bytes: 'B',
      seconds: 's',
      day: 'day',
      month: '$/month',
      year: '$/year',
      rate: 'B/s',
      nodes: 'node',
    }).map(([id, text]) => [id, unit(text)] as const),
  )
  const declare = (formula: string, unitOfFigure: string) =>
    makeGraph([{ id: 'figure', label: 'a figure', unit: unitOfFigure, formula }], units)
  const mixed: readonly (readonly [string, string])[] = [
    ['bytes + seconds', 'B'],
    ['seconds + day', 's'],
    ['month + year', '$/month'],
    ['max(bytes, rate)', 'B'],
    ['either(bytes, nodes)', 'B'],
    ['bytes - 1', 'B'],
    ['pow(bytes, 2)', 'B'],
    ['rate * day', 'B'],
    ['rate * seconds', 'B/s'],
    ['bytes', 'GB'],
  ]
  for (const [formula, unitOfFigure] of mixed)
    assert.throws(() => declare(formula, unitOfFigure), /units mix|is declared in/, `${formula} in ${unitOfFigure}`)
  declare('rate * seconds + bytes', 'B')
  declare('rate * day * 86400 [s/day]', 'B')
  declare('month * 12 [month/year] + year', '$/year')
})

test('a graph refuses what it cannot work out', () => {
  const figure = (id: string, formula: string) => ({ id, label: id, unit: '1', formula })
  assert.throws(() => makeGraph([figure('a', 'b'), figure('b', 'a')], new Map()), /depend on itself/)
  assert.throws(() => makeGraph([figure('a', 'nobody')], new Map()), /is an input or a figure/)
  assert.throws(() => makeGraph([figure('a', '1'), figure('a', '2')], new Map()), /declared once/)
})

test('every figure of the planner has the unit of its formula, and reads what is there', () => {
  for (const { id, unit: declared, expression, reads } of graph.figures) {
    assert.ok(sameUnit(unitOf(expression, graph.unitOfId), declared), id)
    for (const read of reads) assert.ok(graph.byId.has(read) || unitsOfInputs.has(read), `${id} reads ${read}`)
  }
})

test('every input is used by a figure, except those that are only checked', () => {
  for (const { id, isCheckOnly } of inputSpecs)
    assert.equal(dependentsOf(graph, id).size === 0, isCheckOnly === true, id)
})
