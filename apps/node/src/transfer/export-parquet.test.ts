/**
 * Export to Parquet, read back by a reader that is not the writer: equal, in row groups that are bounded, and a file only
 * once it is whole.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { copyKey, copyValue } from '@orbitkv/engine'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { open, type Store } from 'orbitkv'
import { groupBytesMax, groupRowsMax } from '../formats/parquet.ts'
import { jsonInProcess, runInProcess } from '../in-process.ts'
import { schemas } from '../schemas.ts'

interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly revision: bigint | null
  readonly expires_at: Date | null
}

const seed = Number(process.env.ORBIT_SEED ?? 1)
const hour = 3_600_000

function temporaryFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'orbit-parquet-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function fill(folder: string, use: (store: Store) => Promise<void>): Promise<void> {
  const store = await open(join(folder, 'store'), { durability: 'none' })
  await use(store)
  await store.close()
}

function fileOf(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

async function rowsOf(bytes: Buffer): Promise<Row[]> {
  return (await parquetReadObjects({ file: fileOf(bytes), utf8: false })) as unknown as Row[]
}

/** Each entry as one text, so that bytes and times compare. */
const textOf = (key: Uint8Array, value: Uint8Array, revision: number, expiresAt: number) =>
  `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')} ${revision} ${expiresAt}`

async function storeTexts(folder: string): Promise<string[]> {
  const store = await open(join(folder, 'store'))
  store.owner.beginTurn()
  const texts: string[] = []
  for (const record of store.owner.range(0, {}))
    texts.push(textOf(copyKey(record), copyValue(record), record.revision, record.expiresAt))
  await store.close()
  return texts
}

/** Without showing everything where one differs. */
function assertSame(found: readonly string[], wanted: readonly string[]): void {
  assert.equal(found.length, wanted.length)
  const other = wanted.findIndex((text, place) => text !== found[place])
  assert.equal(other, -1, `row ${other} differs`)
}

const rowTexts = (rows: readonly Row[]) =>
  rows.map(({ key, value, revision, expires_at }) =>
    textOf(key, value, Number(revision ?? -1), expires_at === null ? 0 : expires_at.getTime()),
  )

test(`every entry is in the file with its revision and its time of expiry, seed ${seed}`, async (context) => {
  const folder = temporaryFolder(context)
  const random = new Random(seed)
  await fill(folder, async (store) => {
    await store.put('', 'the empty key')
    await store.put('empty', '')
    await store.put('text', 'grüße 你好')
    await store.put('later', 'x', { ttl: hour })
    for (let batches = 0; batches < 5; batches++) {
      const batch = store.batch()
      for (let i = 0; i < 100; i++) batch.put(random.bytes(random.between(1, 30)), random.bytes(random.below(300)))
      await batch.commit()
    }
  })
  const args = ['export', 'all.parquet', '--data', 'store']
  const summary = await jsonInProcess<{ records: number; left_out: number }>(args, schemas.export.fields, { folder })
  const bytes = readFileSync(join(folder, 'all.parquet'))
  const rows = await rowsOf(bytes)
  assert.equal(rows.length, summary.records)
  assert.equal(summary.left_out, 0)
  assertSame(rowTexts(rows), await storeTexts(folder))
  assert.match(parquetMetadata(fileOf(bytes)).created_by ?? '', /^OrbitKV /)

  const part = await runInProcess(['export', '-', '--format', 'parquet', '--prefix', 'te', '--data', 'store'], {
    folder,
  })
  assert.equal(part.code, 0, part.stderr)
  assert.deepEqual(
    (await rowsOf(part.bytes)).map(({ value }) => Buffer.from(value).toString('utf8')),
    ['grüße 你好'],
  )
})

test('row groups are bounded in rows and in bytes', async (context) => {
  const folder = temporaryFolder(context)
  const large = 900_000
  await fill(folder, async (store) => {
    for (let start = 0; start < groupRowsMax + 500; start += 5000) {
      const batch = store.batch()
      for (let i = start; i < start + 5000; i++) batch.put(`small ${String(i).padStart(9, '0')}`, '')
      await batch.commit()
    }
    for (let i = 0; i < 20; i++) await store.put(`tall ${i}`, Buffer.alloc(large, i))
  })
  const { code, stderr } = await runInProcess(['export', 'all.parquet', '--data', 'store'], { folder })
  assert.equal(code, 0, stderr)
  const bytes = readFileSync(join(folder, 'all.parquet'))
  const groups = parquetMetadata(fileOf(bytes)).row_groups
  assert.ok(groups.length >= 3)
  for (const { num_rows, total_byte_size } of groups) {
    assert.ok(Number(num_rows) <= groupRowsMax)
    // One entry may go beyond; the rest is lengths and levels.
    assert.ok(Number(total_byte_size) <= groupBytesMax + large + 16 * groupRowsMax, `${total_byte_size} bytes`)
  }
  assertSame(rowTexts(await rowsOf(bytes)), await storeTexts(folder))
})

test('an empty store makes a file without rows', async (context) => {
  const folder = temporaryFolder(context)
  await fill(folder, async () => undefined)
  const { code, stderr } = await runInProcess(['export', 'none.parquet', '--data', 'store'], { folder })
  assert.equal(code, 0, stderr)
  assert.deepEqual(await rowsOf(readFileSync(join(folder, 'none.parquet'))), [])
})

test('a file gets its name once it is whole, is not continued, and is replaced only when asked', async (context) => {
  const folder = temporaryFolder(context)
  await fill(folder, async (store) => void (await store.put('a', '1')))
  const args = ['export', 'all.parquet', '--data', 'store']
  const stopped = await runInProcess(args, { folder, isInterrupted: true })
  assert.equal(stopped.code, 130)
  assert.match(stopped.stderr, /nothing is in all\.parquet, run the same command again/)
  assert.deepEqual(readdirSync(folder), ['store'])
  assert.equal((await runInProcess([...args, '--resume'], { folder })).code, 2)

  writeFileSync(join(folder, 'all.parquet'), 'mine')
  const exists = await runInProcess(args, { folder })
  assert.equal(exists.code, 7)
  assert.match(exists.stderr, /\(cli\.file_exists\)/)
  assert.equal(readFileSync(join(folder, 'all.parquet'), 'utf8'), 'mine')
  assert.equal((await runInProcess([...args, '--force'], { folder })).code, 0)
  assert.equal((await rowsOf(readFileSync(join(folder, 'all.parquet')))).length, 1)
  assert.equal(existsSync(join(folder, 'all.parquet.partial')), false)
  const away = await runInProcess(['export', 'nowhere/all.parquet', '--data', 'store'], { folder })
  assert.equal(away.code, 7)
  assert.match(away.stderr, /nowhere\/all\.parquet\.partial cannot be written \(ENOENT\)/)
})
