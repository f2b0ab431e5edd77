/**
 * A figure that a source document states, and how the planner works it out. Whether the two agree is not written down
 * but found: what is stated is compared to the digit, in the document's own unit and rounding. A claim with a reason is
 * one that we know to be wrong; documents.test.ts holds each claim against that.
 */

import { assert } from '@orbitkv/base'
import { makePlan, type Plan, sourceOf } from '../analysis/plan.ts'
import { graph } from '../figures/index.ts'
import type { NodeKind } from '../inputs/kinds.ts'
import type { Source } from '../inputs/read.ts'
import { formatQuantity, isShareId } from '../model/format.ts'
import { type Unit, unit } from '../model/units.ts'

export type Changes = Readonly<Record<string, string | number>>

export interface Claim {
  /** In the words of the document, shortened. */
  readonly what: string
  /** `33 TB`, `4.68-5.85 PB`, `$112,300`; a sentence where there is no number. */
  readonly stated: string
  /** The planner's value, or both ends of a range, from plans that differ from the preset. */
  readonly ours: (at: (changes?: Changes) => Plan) => Quantity
  /** Why the document is wrong; absent where it is right. */
  readonly why?: string
}

export interface Quantity {
  readonly values: readonly number[]
  readonly unit: Unit
  readonly isShare: boolean
  /** What the value is, for a reader of the page. */
  readonly source: string
}

export interface ClaimTable {
  readonly title: string
  readonly claims: readonly Claim[]
}

export interface Checked {
  readonly claim: Claim
  readonly ours: string
  readonly isRight: boolean
  readonly source: string
}

/** A figure, in the preset or with changes; two sets of changes give a range. */
export function figure(id: string, ...changes: readonly Changes[]): Claim['ours'] {
  return (at) => {
    const plans = changes.length === 0 ? [at()] : changes.map(at)
    const values = plans.map((plan) => plan.values.get(id) as number)
    return { values, unit: graph.unitOfId(id), isShare: isShareId(id), source: id }
  }
}

/** What no single figure is: a difference of plans, a sum of what the document lists. */
export function worked(
  unitText: string,
  source: string,
  work: (at: (changes?: Changes) => Plan) => readonly number[],
): Claim['ours'] {
  return (at) => ({ values: work(at), unit: unit(unitText), isShare: false, source })
}

export function checkClaim(claim: Claim, preset: Source, kinds: readonly NodeKind[]): Checked {
  const at = (changes: Changes = {}): Plan => {
    const { plan, faults } = makePlan({ sources: [preset, sourceOf('the document', changes)], kinds })
    assert(plan !== undefined, `${claim.what}: ${faults.map(({ field, fault }) => `${field} ${fault}`).join('; ')}`)
    return plan
  }
  const quantity = claim.ours(at)
  const isRight = agrees(claim.stated, quantity.values)
  const { values, unit: unitOfValues, isShare, source } = quantity
  const natural = values.map((value) => formatQuantity(value, unitOfValues, { digits: 4, isShare })).join(' to ')
  return { claim, ours: isRight && !claim.stated.startsWith('under') ? claim.stated : natural, isRight, source }
}

const sizes: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  billion: 1e9,
  '%': 0.01,
}
const times: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 }

/** Whether the numbers of the text are these values, each rounded as the text rounds it; or the bound holds. */
export function agrees(stated: string, values: readonly number[]): boolean {
  const bound = /^under ([\d.]+) (s|min|h)$/.exec(stated)
  if (bound !== null) return values.every((value) => value < Number(bound[1]) * (times[bound[2] as string] as number))
  const match = /^\$?([\d,.]+)(?:-([\d,.]+))?\s?(billion|[KMGTP%]?)(?:B|\b|$)/.exec(stated)
  if (match === null) return false
  const texts = [match[1], match[2]].flatMap((text) => (text === undefined ? [] : [text.replaceAll(',', '')]))
  const size = sizes[match[3] ?? ''] as number
  return (
    texts.length === values.length && texts.every((text, i) => rounded((values[i] as number) / size, text) === text)
  )
}

function rounded(value: number, like: string): string {
  const digits = like.includes('.') ? like.length - like.indexOf('.') - 1 : 0
  // The last digits of a binary fraction must not decide on which side of a half it is.
  return (Math.round(Number((value * 10 ** digits).toPrecision(12))) / 10 ** digits).toFixed(digits)
}
