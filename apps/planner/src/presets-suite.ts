/** The presets and node kinds as the tests of this package read them; not part of what is built. */

import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { makePlan, type Plan, sourceOf } from './analysis/plan.ts'
import { type NodeKind, readKinds } from './inputs/kinds.ts'
import type { Source } from './inputs/read.ts'

type Table = Readonly<Record<string, unknown>>

function readTable(path: string): Table {
  return parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
}

export const kindsRead: ReturnType<typeof readKinds> = readKinds(readTable('node-kinds.toml'), 'node-kinds.toml')
export const kinds: readonly NodeKind[] = kindsRead.kinds
export const presetNames = ['kv-100b-ops', 'orbit-1pb'] as const

export function preset(name: string): Source {
  return { origin: `preset ${name}`, table: readTable(`presets/${name}.toml`) }
}

/** A plan that must be one: these sources, then these changes. */
export function planOf(sources: readonly Source[], changes: Readonly<Record<string, unknown>> = {}): Plan {
  const { plan, faults } = makePlan({ sources: [...sources, sourceOf('the test', changes)], kinds })
  if (plan === undefined) throw new Error(faults.map(({ field, fault }) => `${field} ${fault}`).join('; '))
  return plan
}

/** The smallest plan there is. */
export const smallest: Source = sourceOf('the smallest plan', {
  'data.keys': 1e9,
  'data.value_bytes': 1000,
  'workload.operations_per_day': 1e9,
})
