/**
 * Formulas: a text such as `storage.keys * data.value_bytes` is the one source of the calculation, of its inputs, of
 * its unit and of its explanation, so that none of these can say something else than the others.
 *
 *   formula = term { (+|-) term }      term = factor { (*|/) factor }
 *   factor  = number [ "[" unit "]" ] | id | function "(" formula { "," formula } ")" | "(" formula ")"
 *
 * Ids are words with dots. A bare number is a ratio. Only like adds to like; the parser does not check that, `unitOf`
 * does, and model/graph.ts calls it for every formula when the table is made.
 */

import { assert, unreachable } from '@orbitkv/base'
import { per, ratio, sameUnit, times, type Unit, unit, unitText } from './units.ts'

type Operator = '+' | '-' | '*' | '/'

export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly unit: Unit }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }

type FunctionName = keyof typeof functions

/** `rule`: what its arguments' units must be; `pow` takes plain ratios only. */
const functions = {
  max: { rule: 'same', run: (values: readonly number[]) => Math.max(...values) },
  min: { rule: 'same', run: (values: readonly number[]) => Math.min(...values) },
  ceil: { rule: 'same', run: ([value]: readonly number[]) => roundUp(value as number) },
  /** The first that is not zero: what somebody chose, or else what is worked out. */
  either: { rule: 'same', run: (values: readonly number[]) => values.find((value) => value !== 0) ?? 0 },
  pow: { rule: 'ratio', run: ([base, exponent]: readonly number[]) => (base as number) ** (exponent as number) },
} as const

/** Rounds up, but not because of the last digits of a division: 100.00000000000001 nodes are 100. */
function roundUp(value: number): number {
  const nearest = Math.round(value)
  return Math.abs(value - nearest) <= 1e-9 * Math.abs(value) ? nearest : Math.ceil(value)
}

export function parseFormula(text: string): Expression {
  const tokens = [...text.matchAll(/\s*(?:(\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)|([a-z_][\w.]*)|\[([^\]]*)\]|([-+*/(),]))/gy)]
  assert(tokens.map(([whole]) => whole).join('') === text.trimEnd(), `${text}: every character is understood`)
  let at = 0
  const sign = () => tokens[at]?.[4]
  const take = (wanted: string) => assert(tokens[at++]?.[4] === wanted, `${text}: ${wanted} is expected`)

  function sum(): Expression {
    let left = product()
    for (let operator = sign(); operator === '+' || operator === '-'; operator = sign()) {
      at++
      left = { kind: 'binary', operator, left, right: product() }
    }
    return left
  }
  function product(): Expression {
    let left = factor()
    for (let operator = sign(); operator === '*' || operator === '/'; operator = sign()) {
      at++
      left = { kind: 'binary', operator, left, right: factor() }
    }
    return left
  }
  function factor(): Expression {
    const [, number, id] = tokens[at] ?? []
    if (number !== undefined) {
      at++
      const unitOfNumber = tokens[at]?.[3]
      if (unitOfNumber !== undefined) at++
      return { kind: 'number', value: Number(number.replaceAll('_', '')), unit: unit(unitOfNumber ?? '1') }
    }
    if (id === undefined) {
      take('(')
      const inner = sum()
      take(')')
      return inner
    }
    at++
    if (sign() !== '(') return { kind: 'id', id }
    assert(Object.hasOwn(functions, id), `${text}: ${id} is a function`)
    const args: Expression[] = []
    do {
      at++
      args.push(sum())
    } while (sign() === ',')
    take(')')
    return { kind: 'call', name: id as FunctionName, args }
  }

  const expression = sum()
  assert(at === tokens.length, `${text}: nothing follows the formula`)
  return expression
}

/** The ids that a formula reads, each once, in its order. */
export function idsOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'number':
      return []
    case 'id':
      return [expression.id]
    case 'binary':
      return [...new Set([...idsOf(expression.left), ...idsOf(expression.right)])]
    case 'call':
      return [...new Set(expression.args.flatMap(idsOf))]
    default:
      return unreachable(expression)
  }
}

/** The unit of a formula's value; throws where units mix. */
export function unitOf(expression: Expression, unitOfId: (id: string) => Unit): Unit {
  switch (expression.kind) {
    case 'number':
      return expression.unit
    case 'id':
      return unitOfId(expression.id)
    case 'binary': {
      const left = unitOf(expression.left, unitOfId)
      const right = unitOf(expression.right, unitOfId)
      if (expression.operator === '*') return times(left, right)
      if (expression.operator === '/') return per(left, right)
      mustBeSame(left, right, expression.operator)
      return left
    }
    case 'call': {
      const [first, ...others] = expression.args.map((arg) => unitOf(arg, unitOfId))
      assert(first !== undefined, `${expression.name} has an argument`)
      const wanted = functions[expression.name].rule === 'ratio' ? ratio : first
      for (const other of [first, ...others]) mustBeSame(wanted, other, expression.name)
      return first
    }
    default:
      return unreachable(expression)
  }
}

function mustBeSame(left: Unit, right: Unit, operation: string): void {
  assert(sameUnit(left, right), `units mix: ${unitText(left)} ${operation} ${unitText(right)}`)
}

export function evaluate(expression: Expression, valueOf: (id: string) => number): number {
  switch (expression.kind) {
    case 'number':
      return expression.value
    case 'id':
      return valueOf(expression.id)
    case 'binary': {
      const left = evaluate(expression.left, valueOf)
      const right = evaluate(expression.right, valueOf)
      if (expression.operator === '+') return left + right
      if (expression.operator === '-') return left - right
      return expression.operator === '*' ? left * right : left / right
    }
    case 'call':
      return functions[expression.name].run(expression.args.map((arg) => evaluate(arg, valueOf)))
    default:
      return unreachable(expression)
  }
}

const shownOperator: Readonly<Record<Operator, string>> = { '+': '+', '-': '−', '*': '×', '/': '/' }

/** The formula as people write it, with `show` for its ids and numbers: names for the formula, values for the sum. */
export function render(
  expression: Expression,
  show: { readonly id: (id: string) => string; readonly number: (value: number, unit: Unit) => string },
): string {
  switch (expression.kind) {
    case 'number':
      return show.number(expression.value, expression.unit)
    case 'id':
      return show.id(expression.id)
    case 'binary': {
      const { operator, left, right } = expression
      const weak = (one: Expression) => one.kind === 'binary' && '+-'.includes(one.operator)
      const isStrong = operator === '*' || operator === '/'
      const bracketsLeft = isStrong && weak(left)
      const bracketsRight = isStrong
        ? weak(right) || (operator === '/' && right.kind === 'binary')
        : operator === '-' && weak(right)
      const bracket = (one: Expression, needed: boolean) => (needed ? `(${render(one, show)})` : render(one, show))
      return `${bracket(left, bracketsLeft)} ${shownOperator[operator]} ${bracket(right, bracketsRight)}`
    }
    case 'call':
      return `${expression.name}(${expression.args.map((arg) => render(arg, show)).join(', ')})`
    default:
      return unreachable(expression)
  }
}
