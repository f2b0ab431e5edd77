/** The pages in docs/operating that are made from tables are in step with them. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { renderDocs } from './docs.ts'

for (const [path, text] of Object.entries(renderDocs())) {
  test(`${path} is in step; make it again with apps/node/src/docs.ts`, () => {
    assert.equal(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'), text)
  })
}
