/** `orbit repair`: what it says, what it makes, and that the damaged folder stays as it was. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schemas } from '@orbitkv/node'
import { orbit, orbitOk, parseDocument, temporaryFolder } from './orbit.ts'

interface Report {
  readonly ok: boolean
  readonly repaired?: string
  readonly faults: readonly { readonly file: string }[]
  readonly lost: readonly { readonly file: string; readonly positions: { readonly first: number } }[]
  readonly recordsKept: number
}

test('repair leaves a sound store alone', async (context) => {
  const folder = temporaryFolder(context).path
  await orbitOk(['put', 'a', 'one', '--data', 'store'], { folder })
  const { stdout } = await orbitOk(['repair', '--data', 'store'], { folder })
  assert.match(stdout, /^sound: store, 1 record; nothing to repair\n$/)
})

test('repair makes a sound store of a damaged one, and lists what is lost', async (context) => {
  const folder = temporaryFolder(context).path
  for (const key of ['a', 'b', 'c']) await orbitOk(['put', key, `value of ${key}`, '--data', 'store'], { folder })
  const segment = join(folder, 'store', 'log-00', '0000000001.log')
  const bytes = readFileSync(segment)
  const at = bytes.indexOf('value of b')
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(segment, bytes)

  const dry = await orbit(['repair', '--data', 'store', '--dry-run'], { folder })
  assert.equal(dry.code, 5)
  assert.match(dry.stdout, /0000000001\.log: damaged at byte \d+.*\nlost: .*position 2\n2 records kept by a repair/)
  assert.equal((await orbit(['repair', '--data', 'store', '--dry-run', '--json'], { folder })).code, 5)

  const made = await orbit(['repair', '--data', 'store', '--json'], { folder })
  assert.equal(made.code, 0, made.stderr)
  const report = parseDocument(made.stdout, schemas.repair.fields) as Report
  assert.equal(report.ok, false)
  assert.equal(report.repaired, 'store.repaired')
  assert.equal(report.recordsKept, 2)
  assert.equal(report.lost[0]?.positions.first, 2)
  assert.deepEqual(readFileSync(segment), bytes, 'the damaged folder is as it was')

  assert.equal(
    (await orbitOk(['scan', '--data', 'store.repaired'], { folder })).stdout,
    'a\tvalue of a\nc\tvalue of c\n',
  )
  await orbitOk(['verify', '--data', 'store.repaired'], { folder })
  await orbitOk(['put', 'b', 'again', '--data', 'store.repaired'], { folder })

  const again = await orbit(['repair', '--data', 'store'], { folder })
  assert.equal(again.code, 4)
  assert.match(again.stderr, /engine\.not_a_store|store\.repaired holds/)
  const elsewhere = await orbitOk(['repair', '--data', 'store', '--to', 'other'], { folder })
  assert.match(elsewhere.stdout, /repaired: other, 2 records kept; store is as it was/)
})

test('repair refuses what is no store, or in use', async (context) => {
  const folder = temporaryFolder(context).path
  assert.equal((await orbit(['repair', '--data', 'nowhere'], { folder })).code, 4)
})
