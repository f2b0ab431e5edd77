/** Tidy rule: docs/errors.md lists exactly the error codes that the packages declare, as tools/docs-errors.ts writes it. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defineErrors } from '@orbitkv/base'
import { collectTables, errorsPage, pagePath, tablesIn } from '../docs-errors.ts'
import { root } from './repository.ts'

test('docs/errors.md is in step with the error tables', async () => {
  const written = readFileSync(join(root, pagePath), 'utf8')
  const wanted = errorsPage(await collectTables())
  const linesOnlyIn = (one: string, other: string) => {
    const lines = new Set(other.split('\n'))
    return one.split('\n').filter((line) => !lines.has(line))
  }
  const difference = { missing: linesOnlyIn(wanted, written), outdated: linesOnlyIn(written, wanted) }
  assert.deepEqual(difference, { missing: [], outdated: [] }, `${pagePath} is out of step; run: npm run docs:errors`)
  assert.ok(written === wanted, `${pagePath} has another order; run: npm run docs:errors`)
})

test('canary: a new code, a changed text and a hidden table are found', () => {
  const page = (specs: Parameters<typeof defineErrors>[1]) =>
    errorsPage([{ folder: 'storage/a', area: 'a', specs: defineErrors('a', specs).specs }])
  const before = page({ full: { retry: 'later', text: 'no space' } })
  assert.notEqual(page({ full: { retry: 'later', text: 'no room' } }), before)
  assert.notEqual(page({ full: { retry: 'later', text: 'no space' }, lost: { retry: 'no', text: 'lost' } }), before)
  const source = `export const a = defineErrors('a', {})\nconst b = defineErrors('b', {})\n`
  assert.throws(() => tablesIn('storage/a/src/errors.ts', source, { a: defineErrors('a', {}) }), /exports 1 of 2/)
})
