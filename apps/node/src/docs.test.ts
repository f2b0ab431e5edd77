/** The pages in docs that are made from tables are in step with them. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { renderDocs } from './docs.ts'

for (const [path, text] of Object.entries(renderDocs())) {
  test(`${path} is in step; make it again with npm run docs:pages`, () => {
    assert.equal(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'), text)
  })
}
