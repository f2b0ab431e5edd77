/** The example in docs/operating/planner.md is a plan, as it stands there. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makePlan, scenariosOf } from '@orbitkv/planner'
import { parse } from 'smol-toml'
import { readKindFiles } from './files.ts'
import { plannerPage } from './page.ts'

test('the example of a plan file is one', () => {
  const example = /```toml\n([\s\S]*?)```/.exec(plannerPage())?.[1]
  assert.ok(example !== undefined)
  const request = { sources: [{ origin: 'example', table: parse(example) }], kinds: readKindFiles(undefined, '').kinds }
  const { plan, faults } = makePlan(request)
  assert.deepEqual(faults, [])
  assert.equal(plan?.inputs.values.get('data.value_bytes'), 0.8 * 300 + 0.2 * 4000)
  const { scenarios, faults: later } = scenariosOf(request, plan as NonNullable<typeof plan>)
  assert.deepEqual(later, [])
  assert.equal(scenarios.at(-1)?.plan.values.get('storage.replicas'), 5)
})
