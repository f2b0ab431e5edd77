/**
 * What a plan is made from: one table of inputs, from which reading, checking, flags, the guided dialogue and
 * docs/operating/planner.md are made. An input's id is its place in the file: `workload.peak_factor` is `peak_factor` in
 * `[workload]`.
 *
 * Ranges refuse what cannot be meant; how inputs must agree with each other is in relations.ts.
 */

import { formatQuantity, isShareId } from '../model/format.ts'
import { type Unit, unit } from '../model/units.ts'
import { data, growth, memory, storage, workload } from './demand.ts'
import { machine, money, safety, service, work } from './means.ts'
import type { InputSpec } from './spec.ts'

export type { InputSpec } from './spec.ts'

export interface InputSection {
  readonly title: string
  readonly inputs: readonly InputSpec[]
}

export const inputSections: readonly InputSection[] = [
  { title: 'Work to be done', inputs: workload },
  { title: 'Data', inputs: data },
  { title: 'Growth', inputs: growth },
  { title: 'Storage and tiers', inputs: storage },
  { title: 'Memory', inputs: memory },
  { title: 'Machines', inputs: machine },
  { title: 'What an operation takes', inputs: work },
  { title: 'Regions, recovery and backup', inputs: safety },
  { title: 'Consistency, placement, upgrades and simulation', inputs: service },
  { title: 'Money', inputs: money },
]

export const inputSpecs: readonly InputSpec[] = inputSections.flatMap(({ inputs }) => inputs)
export const inputById: ReadonlyMap<string, InputSpec> = new Map(inputSpecs.map((spec) => [spec.id, spec]))
export const unitsOfInputs: ReadonlyMap<string, Unit> = new Map(
  inputSpecs.filter((spec) => spec.isCheckOnly !== true).map((spec) => [spec.id, unit(spec.unit)]),
)

/** An amount in the unit of an input, exact enough to be typed again: `16.777216 MB/key`. */
export function shownInput(id: string, value: number): string {
  return formatQuantity(value, unit(inputById.get(id)?.unit ?? '1'), { digits: 10, isShare: isShareId(id) })
}
