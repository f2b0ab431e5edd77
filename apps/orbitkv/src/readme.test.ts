/** The examples of our pages, run as they stand there: what each prints is what its page says that it prints. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const flags = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning']

/** The blocks of code of a page, by language. */
function blocksOf(markdown: string): { language: string; text: string }[] {
  const blocks = markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)
  return Array.from(blocks, ([, language = '', text = '']) => ({ language, text }))
}

const pages = [
  'apps/orbitkv/README.md',
  'apps/level/README.md',
  'docs/transactions.md',
  'docs/keyspaces.md',
  'docs/watch.md',
  'docs/leases.md',
  'docs/cache.md',
  'docs/operating/backup.md',
]

for (const page of pages) {
  test(`the example of ${page} runs, and prints what stands below it`, async () => {
    const blocks = blocksOf(readFileSync(join(root, page), 'utf8'))
    const example = blocks.find(({ language }) => language === 'ts')
    const expected = blocks.find(({ language }) => language === '')
    assert.ok(example !== undefined && expected !== undefined)
    const folder = mkdtempSync(join(tmpdir(), 'orbit-readme-'))
    try {
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
      writeFileSync(join(folder, 'example.mts'), example.text)
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, 'example.mts'], { cwd: folder })
      assert.equal(stderr, '')
      assert.equal(stdout, expected.text)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
