/** Where a figure comes from: its formula by names, the same with the numbers put in, and what it reads. */

import { assert } from '@orbitkv/base'
import { graph } from '../figures/index.ts'
import { formatQuantity, isShareId, significant } from '../model/format.ts'
import { render } from '../model/formula.ts'
import type { Values } from '../model/graph.ts'
import { type Unit, unitText } from '../model/units.ts'

export interface Explanation {
  readonly id: string
  readonly label: string
  readonly value: number
  readonly unit: Unit
  /** `storage.keys × storage.entry_bytes` */
  readonly formula: string
  /** `10 billion keys × 1 KB/key` */
  readonly withNumbers: string
  /** Ids of inputs and figures. */
  readonly inputs: readonly string[]
}

export function explain(id: string, values: Values): Explanation {
  const figure = graph.byId.get(id)
  assert(figure !== undefined, `${id} is a figure`)
  const { label, unit, expression, reads } = figure
  return {
    id,
    label,
    value: valueOf(values, id),
    unit,
    formula: render(expression, { id: (read) => read, number: shownNumber }),
    withNumbers: render(expression, { id: (read) => shownValue(read, values), number: shownNumber }),
    inputs: reads,
  }
}

/** A value of an input or figure with its unit. */
export function shownValue(id: string, values: Values): string {
  return formatQuantity(valueOf(values, id), graph.unitOfId(id), { isShare: isShareId(id) })
}

export function valueOf(values: Values, id: string): number {
  const value = values.get(id)
  assert(value !== undefined, `${id} has a value`)
  return value
}

function shownNumber(value: number, unit: Unit): string {
  const number = value >= 1e9 ? value.toExponential().replace('e+', 'e') : significant(value, 6)
  return unit.size === 0 ? number : `${number} ${unitText(unit)}`
}
