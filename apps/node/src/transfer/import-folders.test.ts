/**
 * Import from real LevelDB folders and LMDB environments: everything is read back equal, an import that ended midway goes
 * on behind its last key, and what cannot be imported is refused by name and leaves no trace. Kills: tests/cli.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { open as openLmdb } from 'lmdb'
import { asBytes, contents, type Entries, fillLevel, fillLmdb, someEntries, sorted } from '../foreign-folders-suite.ts'
import { jsonInProcess, runInProcess } from '../in-process.ts'
import { differences, schemas } from '../schemas.ts'

interface Summary {
  readonly records: number
  readonly resumed_at: number
  readonly stored: number
  readonly rejected: number
  readonly rejects_file: string | null
}

const seed = Number(process.env.ORBIT_SEED ?? 1)
const importJson = (args: readonly string[], folder: string) =>
  jsonInProcess<Summary>(['import', ...args], schemas.import.fields, { folder })

function temporaryFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'orbit-import-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test(`a LevelDB folder and an LMDB environment come over byte by byte, seed ${seed}`, async (context) => {
  const folder = temporaryFolder(context)
  const entries = someEntries(5000, seed)
  await (await fillLevel(join(folder, 'level'), entries)).close()
  await fillLmdb(join(folder, 'lmdb'), entries)
  for (const source of ['level', 'lmdb']) {
    const summary = await importJson([source, '--data', `from-${source}`], folder)
    assert.deepEqual([summary.records, summary.stored, summary.rejected], [entries.size, entries.size, 0])
    assert.deepEqual(await contents(join(folder, `from-${source}`)), sorted(entries))
  }
  const { stdout } = await runInProcess(['import', 'lmdb/data.mdb', '--data', 'from-file'], { folder })
  assert.match(stdout, /imported 5,000 of 5,000 records of lmdb\/data\.mdb/)
  assert.deepEqual(await contents(join(folder, 'from-file')), sorted(entries))
})

test('named databases of LMDB are left out of the main one and told, and imported by name', async (context) => {
  const folder = temporaryFolder(context)
  const looksNamed = 'x\0'
  const main: Entries = new Map([
    ['a', '1'],
    [looksNamed, '\x01'.repeat(48)],
  ])
  await fillLmdb(join(folder, 'env'), main)
  await fillLmdb(join(folder, 'env'), new Map([['k', 'v']]), 'users')
  const { stderr } = await runInProcess(['import', 'env', '--data', 'main'], { folder })
  assert.match(stderr, /env: left out the named database users \(--database users\)/)
  assert.deepEqual(await contents(join(folder, 'main')), sorted(main))
  await runInProcess(['import', 'env', '--database', 'users', '--data', 'users'], { folder })
  assert.deepEqual(await contents(join(folder, 'users')), [['k', 'v']])
  const none = await runInProcess(['import', 'env', '--database', 'nobody', '--data', 'none'], { folder })
  assert.equal(none.code, 7)
  assert.match(
    none.stderr,
    /env has no database nobody; name one of those that it has: users \(cli\.no_such_database\)/,
  )
})

for (const source of ['level', 'lmdb'] as const) {
  test(`an import from ${source} that ended midway goes on behind its last key, seed ${seed}`, async (context) => {
    const folder = temporaryFolder(context)
    const entries = someEntries(3000, seed)
    const bad: Entries = new Map([['m', 'x'.repeat(2_000_000)]])
    const fill = async (more: Entries) =>
      source === 'level' ? (await fillLevel(join(folder, source), more)).close() : fillLmdb(join(folder, source), more)
    await fill(new Map([...entries, ...bad]))
    const args = ['import', source, '--data', 'store']
    const stopped = await runInProcess(args, { folder })
    assert.equal(stopped.code, 7)
    assert.match(stopped.stderr, new RegExp(`${source}, key m: the value has 2000000 bytes, the most is 1048576`))
    const other = await runInProcess([...args, '--on-error', 'skip'], { folder })
    assert.match(other.stderr, /\(cli\.import_options_changed\)/)

    // Mended in the source. LMDB tells that it was written to, LevelDB does not.
    await fill(new Map([['m', 'short']]))
    entries.set('m', 'short')
    const again = await runInProcess(args, { folder })
    if (source === 'level') {
      assert.equal(again.code, 0, again.stderr)
      assert.match(again.stderr, /continuing level after record [\d,]+/)
    } else {
      assert.equal(again.code, 7)
      assert.match(again.stderr, /it is at transaction \d+, was at transaction \d+.*\(cli\.file_changed\)/)
      const summary = await importJson([source, '--data', 'store', '--restart'], folder)
      assert.equal(summary.resumed_at, 0)
    }
    assert.deepEqual(await contents(join(folder, 'store')), sorted(entries))
  })
}

test('what the store cannot take is named, and skipped only when asked', async (context) => {
  const folder = temporaryFolder(context)
  const entries: Entries = new Map([
    ['a', '1'],
    ['big', 'x'.repeat(2_000_000)],
    ['\0orbit\0mine', 'x'],
    [`k${'k'.repeat(9000)}`, 'x'],
    ['z', '2'],
  ])
  await (await fillLevel(join(folder, 'level'), entries)).close()
  const stopped = await runInProcess(['import', 'level', '--data', 'store'], { folder })
  assert.equal(stopped.code, 7)
  assert.match(
    stopped.stderr,
    /level, key \\x00orbit\\x00mine: the key begins like.*--on-error skip \(cli\.bad_entry\)/,
  )
  const summary = await importJson(['level', '--data', 'skipped', '--on-error', 'skip'], folder)
  assert.deepEqual([summary.records, summary.stored, summary.rejected], [5, 2, 3])
  assert.deepEqual(await contents(join(folder, 'skipped')), [
    ['a', '1'],
    ['z', '2'],
  ])
  const rejects = readFileSync(summary.rejects_file as string, 'utf8')
    .trimEnd()
    .split('\n')
  const documents = rejects.map((line) => JSON.parse(line) as { key: string; problem: string })
  for (const document of documents) assert.deepEqual(differences(document, schemas.rejectedKey.fields), [])
  assert.deepEqual(
    documents.map(({ problem }) => problem.replace(/\d+/g, 'N')),
    [
      'the key begins like those that orbit keeps for itself',
      'the value has N bytes, the most is N (store.value_bytes_max)',
      'the key has N bytes, the most is N',
    ],
  )
})

test('several values under one key of LMDB are told, and not taken for one', async (context) => {
  const folder = temporaryFolder(context)
  const root = openLmdb<Buffer, Buffer>({ path: join(folder, 'env'), noSubdir: false, ...asBytes })
  const many = root.openDB<Buffer, Buffer>('many', { ...asBytes, dupSort: true })
  await many.put(Buffer.from('a'), Buffer.from('1'))
  await many.put(Buffer.from('a'), Buffer.from('2'))
  await root.close()
  const { code, stderr } = await runInProcess(['import', 'env', '--database', 'many', '--data', 'store'], { folder })
  assert.equal(code, 7)
  assert.match(stderr, /env, key a: the key has several values \(dupSort\)/)
})

test('sources that are none, are in use, or are missing are refused by name and left as they are', async (context) => {
  const folder = temporaryFolder(context)
  const refused = async (args: readonly string[], code: number, message: RegExp) => {
    const finished = await runInProcess(['import', ...args, '--data', 'store'], { folder })
    assert.equal(finished.code, code, finished.stderr)
    assert.match(finished.stderr, message)
  }
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'notes.txt'), 'no database'.repeat(1000))
  writeFileSync(join(folder, 'old.mdb'), oldFormat())
  const before = readdirSync(folder).sort()
  await refused(['gone', '--format', 'level'], 7, /gone cannot be read \(ENOENT\).*\(cli\.file_missing\)/)
  await refused(['gone', '--format', 'lmdb'], 7, /gone cannot be read \(ENOENT\).*\(cli\.file_missing\)/)
  await refused(['empty', '--format', 'level'], 7, /empty is no LevelDB folder: it has no file CURRENT/)
  await refused(['empty', '--format', 'lmdb'], 7, /empty is no LMDB environment: data\.mdb cannot be read \(ENOENT\)/)
  await refused(['notes.txt', '--format', 'lmdb'], 7, /notes\.txt is no LMDB environment: data\.mdb is something else/)
  await refused(['old.mdb'], 7, /its data format is 1, and the package lmdb .* reads 2.*--use_data_v1=true/)
  await refused(
    ['empty'],
    2,
    /the format of empty is not clear from its name; say one of --format csv, .*--format redis/,
  )
  await refused(['empty', '--format', 'level', '--key', 'id'], 2, /--key says nothing about the format level/)
  await refused(['empty', '--format', 'level', '--database', 'x'], 2, /--database says nothing about/)
  assert.deepEqual(readdirSync(folder).sort(), before)
  assert.deepEqual(readdirSync(join(folder, 'empty')), [])

  const level = await fillLevel(join(folder, 'level'), new Map([['a', '1']]))
  await refused(['level'], 7, /level is open in another process.*\(cli\.source_in_use\)/)
  await level.close()
  writeFileSync(join(folder, 'level', 'CURRENT'), 'MANIFEST-999999\n')
  await refused(['level'], 7, /level cannot be read: .*\(cli\.source_failed\)/)
  assert.equal(existsSync(join(folder, 'store')), false)
})

/** The first page of an environment in the format of LMDB 0.9. */
function oldFormat(): Buffer {
  const page = Buffer.alloc(8192)
  page.writeUInt32LE(0xbeefc0de, 16)
  page.writeUInt32LE(1, 20)
  return page
}
