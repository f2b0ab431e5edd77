/**
 * The graph of figures: formulas over inputs and over each other, checked once when it is made.
 *
 * Holds for every graph: ids are unique; each id that a formula reads is declared; no figure depends on itself; the
 * unit of each formula is the unit that its figure declares. So whatever can be evaluated has units that fit.
 */

import { assert } from '@orbitkv/base'
import { type Expression, evaluate, idsOf, parseFormula, unitOf } from './formula.ts'
import { sameUnit, type Unit, unit, unitText } from './units.ts'

export interface FigureSpec {
  /** Stable for ever: programs read it in `orbit plan --json`. */
  readonly id: string
  /** For people, in a few words. */
  readonly label: string
  readonly unit: string
  readonly formula: string
}

export interface Figure extends Omit<FigureSpec, 'unit'> {
  readonly unit: Unit
  readonly expression: Expression
  /** Ids of inputs and figures that the formula reads. */
  readonly reads: readonly string[]
}

export interface Graph {
  /** In an order in which each figure comes after all that it reads. */
  readonly figures: readonly Figure[]
  readonly byId: ReadonlyMap<string, Figure>
  readonly unitOfId: (id: string) => Unit
}

export type Values = ReadonlyMap<string, number>

export function makeGraph(specs: readonly FigureSpec[], unitsOfInputs: ReadonlyMap<string, Unit>): Graph {
  const byId = new Map<string, Figure>()
  for (const spec of specs) {
    assert(!byId.has(spec.id) && !unitsOfInputs.has(spec.id), `${spec.id} is declared once`)
    const expression = parseFormula(spec.formula)
    byId.set(spec.id, { ...spec, unit: unit(spec.unit), expression, reads: idsOf(expression) })
  }
  const unitOfId = (id: string): Unit => {
    const found = byId.get(id)?.unit ?? unitsOfInputs.get(id)
    assert(found !== undefined, `${id} is an input or a figure`)
    return found
  }
  for (const { id, unit: declared, expression } of byId.values()) {
    const found = unitOf(expression, unitOfId)
    assert(
      sameUnit(found, declared),
      `${id} is declared in ${unitText(declared)}, and its formula is in ${unitText(found)}`,
    )
  }
  return { figures: inOrder(byId), byId, unitOfId }
}

function inOrder(byId: ReadonlyMap<string, Figure>): Figure[] {
  const done = new Set<string>()
  const open = new Set<string>()
  const order: Figure[] = []
  const visit = (figure: Figure): void => {
    if (done.has(figure.id)) return
    assert(!open.has(figure.id), `${figure.id} does not depend on itself`)
    open.add(figure.id)
    for (const id of figure.reads) {
      const read = byId.get(id)
      if (read !== undefined) visit(read)
    }
    done.add(figure.id)
    order.push(figure)
  }
  for (const figure of byId.values()) visit(figure)
  return order
}

/** The values of all inputs and figures. */
export function evaluateGraph(graph: Graph, inputs: Values): Values {
  const values = new Map(inputs)
  const valueOf = (id: string): number => {
    const value = values.get(id)
    assert(value !== undefined, `${id} has a value before it is read`)
    return value
  }
  for (const { id, expression } of graph.figures) values.set(id, evaluate(expression, valueOf))
  return values
}

/** Every figure that reads one of these, directly or through others. */
export function dependentsOf(graph: Graph, id: string): Set<string> {
  const found = new Set([id])
  for (const figure of graph.figures) if (figure.reads.some((read) => found.has(read))) found.add(figure.id)
  found.delete(id)
  return found
}
