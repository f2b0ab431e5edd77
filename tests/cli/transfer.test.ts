/** Import and export: real data, round trips, faults with their places, and going on after an interruption. */

import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Random } from '@orbitkv/base'
import { differences, schemas } from '@orbitkv/node'
import { open } from 'orbitkv'
import {
  afterChanges,
  type Finished,
  noOrders,
  orbit,
  orbitJson,
  orbitOk,
  ordersFile,
  Run,
  startServer,
  temporaryFolder,
} from './orbit.ts'

interface Summary {
  readonly records: number
  readonly resumed_at: number
  readonly stored: number
  readonly replaced: number
  readonly rejected: number
  readonly expired: number
  readonly rejects_file: string | null
}

const importJson = (args: readonly string[], folder: string) =>
  orbitJson<Summary>(['import', ...args], schemas.import.fields, { folder })

/** Everything in a store, orbit's own keys included, as latin1 so that bytes compare. */
async function contents(path: string): Promise<Map<string, string>> {
  const store = await open(path, { createIfMissing: false })
  const found = new Map<string, string>()
  for (const { key, value } of store.range())
    found.set(Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1'))
  await store.close()
  return found
}

test('the exchange events load, and scan reads them back equal to the rows of the file', {
  skip: noOrders,
}, async (context) => {
  const folder = temporaryFolder(context)
  const summary = await importJson([ordersFile, '--key', '{row}', '--data', 'store'], folder.path)
  assert.equal(summary.stored, 50_414)
  assert.equal(summary.replaced, 0)
  // No field of this file is quoted, so that its lines are split by hand here and not by the parser under test.
  const [header, ...lines] = readFileSync(ordersFile, 'utf8').trimEnd().split('\n')
  const columns = (header as string).split(',')
  const expected = lines.map((line) =>
    Object.fromEntries(line.split(',').map((field, index) => [columns[index], field])),
  )
  const { stdout } = await orbitOk(['scan', '--json', '--data', 'store'], { folder: folder.path })
  const found = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value: string })
  assert.deepEqual(
    found.map(({ key }) => key),
    lines.map((_, index) => String(index + 1).padStart(10, '0')),
  )
  assert.deepEqual(
    found.map(({ value }) => JSON.parse(value) as unknown),
    expected,
  )

  const byId = await importJson([ordersFile, '--key', 'id', '--data', 'by-id'], folder.path)
  assert.equal(
    byId.replaced,
    50_414 - new Set(expected.map(({ id }) => id)).size,
    'ids repeat, and the summary says how often',
  )
})

/** Entries of every kind: text, bytes, line breaks, quotes, empty, and some that expire much later. */
async function fill(path: string, random: Random): Promise<void> {
  const store = await open(path)
  const batch = store.batch()
  const texts = [
    '',
    'plain',
    'with "quotes", and\r\nlines\n',
    'grüße 你好 🎉',
    '\ufeffmark',
    '{"base64":"no"}',
    '=1+1',
    ' blanks ',
  ]
  for (const [index, text] of texts.entries()) batch.put(`text:${index}`, text).put(`${text}!`, 'x')
  for (let i = 0; i < 300; i++) batch.put(random.bytes(random.between(1, 20)), random.bytes(random.below(200)))
  for (let i = 0; i < 5; i++) batch.put(`later:${i}`, 'x', { ttl: 3_600_000 * (i + 1) })
  batch.put('', 'the empty key')
  await batch.commit()
  await store.close()
}

const seed = Number(process.env.ORBIT_SEED ?? 1)

for (const format of ['ndjson', 'csv']) {
  test(`export to ${format} and import give an equal store, bytes and expiry included, seed ${seed}`, async (context) => {
    const folder = temporaryFolder(context)
    const options = { folder: folder.path }
    await fill(join(folder.path, 'one'), new Random(seed))
    const file = `all.${format}`
    const exported = await orbitJson<{ records: number }>(
      ['export', file, '--data', 'one'],
      schemas.export.fields,
      options,
    )
    const wanted = await contents(join(folder.path, 'one'))
    assert.equal(exported.records, wanted.size)
    const summary = await importJson([file, '--data', 'two'], folder.path)
    assert.equal(summary.stored, wanted.size)
    assert.deepEqual(await contents(join(folder.path, 'two')), wanted)
    // Expiry times are in the second export again, to the millisecond.
    await orbitOk(['export', `again.${format}`, '--data', 'two'], options)
    const text = readFileSync(join(folder.path, file), 'utf8')
    assert.equal(readFileSync(join(folder.path, `again.${format}`), 'utf8'), text)
    assert.equal(text.match(/\d{13}/g)?.length, 5)
    if (format === 'ndjson') {
      for (const line of text.trimEnd().split('\n'))
        assert.deepEqual(differences(JSON.parse(line), schemas.record.fields), [])
    }

    const server = await startServer(['--backend', 'memory'])
    try {
      await orbitOk(['import', file, '--url', server.url], options)
      await orbitOk(['export', `served.${format}`, '--url', server.url], options)
      const withoutTimes = (export_: string) => export_.replaceAll(/\d{13}/g, 'time')
      assert.equal(withoutTimes(readFileSync(join(folder.path, `served.${format}`), 'utf8')), withoutTimes(text))
    } finally {
      await server.stop()
    }
  })
}

test('records that have expired since the export are left out and counted', async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(
    join(folder.path, 'a.ndjson'),
    '{"key":"old","value":"x","expires_at":1000}\n{"key":"new","value":"y"}\n',
  )
  const summary = await importJson(['a.ndjson', '--data', 'store'], folder.path)
  assert.deepEqual([summary.stored, summary.expired], [1, 1])
  assert.deepEqual([...(await contents(join(folder.path, 'store'))).keys()], ['new'])
})

test('a faulty record stops the import with file, line and column; what came before is stored; corrected, it goes on', async (context) => {
  const folder = temporaryFolder(context)
  const file = join(folder.path, 'people.csv')
  writeFileSync(file, 'id,name\n1,"Ada\nLovelace"\n2,Grace"\n3,Edith\n')
  const failed = await orbit(['import', 'people.csv', '--key', 'id', '--value', 'name', '--data', 'store'], {
    folder: folder.path,
  })
  assert.equal(failed.code, 7)
  assert.match(
    failed.stderr,
    /^orbit: people\.csv:4:8: there is a quote inside a field [^\n]*--on-error skip \(cli\.bad_record\)\n$/,
  )
  writeFileSync(file, 'id,name\n1,"Ada\nLovelace"\n2,Grace\n3,Edith\n')
  const summary = await importJson(['people.csv', '--key', 'id', '--value', 'name', '--data', 'store'], folder.path)
  assert.deepEqual([summary.resumed_at, summary.records, summary.stored], [1, 3, 3])
  assert.deepEqual(
    [...(await contents(join(folder.path, 'store')))],
    [
      ['1', 'Ada\nLovelace'],
      ['2', 'Grace'],
      ['3', 'Edith'],
    ],
  )
})

test('skipped records are counted and kept with their places', async (context) => {
  const folder = temporaryFolder(context)
  const bad = '{"key":"b","value":1}\nnonsense\n'
  writeFileSync(join(folder.path, 'a.ndjson'), `{"key":"a","value":"1"}\n${bad}{"key":"c","value":"3"}\n`)
  const summary = await importJson(['a.ndjson', '--on-error', 'skip', '--data', 'store'], folder.path)
  assert.deepEqual([summary.records, summary.stored, summary.rejected], [4, 2, 2])
  assert.equal(summary.rejects_file, join(folder.path, 'a.ndjson.rejects.ndjson'))
  const rejects = readFileSync(summary.rejects_file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; record: string })
  for (const reject of rejects) assert.deepEqual(differences(reject, schemas.reject.fields), [])
  assert.deepEqual(
    rejects.map(({ line }) => line),
    [2, 3],
  )
  assert.equal(`${rejects.map(({ record }) => record).join('\n')}\n`, bad)
})

test('a byte order mark, CRLF, semicolons, a missing end: all read; UTF-16 is refused by name', async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'a.csv'), '\ufeffid;name\r\n1;Ada\r\n2;"Gr;ace"')
  await importJson(['a.csv', '--key', 'id', '--value', 'name', '--delimiter', ';', '--data', 'store'], folder.path)
  assert.deepEqual(
    [...(await contents(join(folder.path, 'store')))],
    [
      ['1', 'Ada'],
      ['2', 'Gr;ace'],
    ],
  )
  writeFileSync(join(folder.path, 'b.csv'), Buffer.from('\ufeffid,name\n1,Ada\n', 'utf16le'))
  const { code, stderr } = await orbit(['import', 'b.csv', '--key', 'id', '--data', 'store'], { folder: folder.path })
  assert.equal(code, 7)
  assert.match(stderr, /b\.csv is UTF-16; convert it to UTF-8 \(cli\.not_utf8_file\)/)
})

test('mistakes in flags and files are named before anything is stored', async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'a.csv'), 'id,name\n1,Ada\n')
  writeFileSync(join(folder.path, 'empty.csv'), '')
  writeFileSync(join(folder.path, 'twice.csv'), 'a,a\n')
  const fails = async (args: readonly string[], exit: number, text: RegExp) => {
    const { code, stderr } = await orbit([...args, '--data', 'store'], { folder: folder.path })
    assert.equal(code, exit, stderr)
    assert.match(stderr, text)
  }
  await fails(['import', 'a.csv'], 2, /no columns key and value; name the key with --key COLUMN \(columns: id, name\)/)
  await fails(['import', 'a.csv', '--key', 'nobody'], 2, /no column nobody; its columns are id, name/)
  await fails(['import', 'a.csv', '--value', 'name'], 2, /--value says nothing without --key/)
  await fails(['import', 'a.csv', '--key', 'id', '--delimiter', '::'], 2, /must be one ASCII character/)
  await fails(['import', 'none.csv', '--key', 'id'], 7, /none\.csv cannot be read \(ENOENT\)/)
  await fails(['import', '.', '--format', 'csv', '--key', 'id'], 7, /\. cannot be read \(EISDIR\)/)
  await fails(['import', 'a.txt'], 2, /say one of --format csv, --format ndjson, /)
  await fails(['import', '-', '--format', 'csv', '--restart'], 2, /--restart needs a file/)
  await fails(['import', 'empty.csv', '--key', 'id'], 7, /empty\.csv:1:1: there is no header line/)
  await fails(['import', 'twice.csv', '--key', 'a'], 7, /the header names "a" twice/)
  await fails(['export', 'a.csv'], 7, /a\.csv exists already; continue it with --resume, or replace it with --force/)
  await fails(['export', 'a.csv', '--resume'], 2, /no columns key and value/)
  await fails(['export', '/nowhere/a.csv'], 7, /\/nowhere\/a\.csv cannot be written \(ENOENT\)/)
  assert.equal(readFileSync(join(folder.path, 'a.csv'), 'utf8'), 'id,name\n1,Ada\n')
})

/** A CSV file whose fields have quotes and line breaks, and what it holds. */
function makeFile(path: string, rows: number, random: Random): Map<string, string> {
  const wanted = new Map<string, string>()
  const lines = ['id,text\n']
  for (let row = 0; row < rows; row++) {
    const text = random.pick(['plain', 'with "quotes"', 'two\nlines', 'a,b', 'ü']) + 'x'.repeat(random.below(80))
    const id = `r${String(row).padStart(6, '0')}`
    lines.push(`${id},"${text.replaceAll('"', '""')}"\n`)
    wanted.set(id, Buffer.from(text).toString('latin1'))
  }
  writeFileSync(path, lines.join(''))
  return wanted
}

/** Kills an import at a random change of the log, again and again, until one run gets through. Returns how often one resumed. */
async function importThroughKills(
  args: readonly string[],
  folder: string,
  log: string,
  random: Random,
): Promise<number> {
  let resumed = 0
  for (let kills = 0; kills < 8; kills++) {
    const run = new Run(['import', 'big.csv', '--key', 'id', '--value', 'text', ...args], { folder })
    await afterChanges(log, random.between(3, 24), run.finished)
    run.child.kill('SIGKILL')
    const { stderr, signal } = await run.finished
    if (/^continuing big\.csv after record [\d,]+$/m.test(stderr)) resumed++
    if (signal === null) return resumed
  }
  const last = await orbitOk(['import', 'big.csv', '--key', 'id', '--value', 'text', ...args], { folder })
  return resumed + (/^continuing/m.test(last.stderr) ? 1 : 0)
}

test(`an import that is killed again and again ends with exactly the file's content, seed ${seed}`, async (context) => {
  const folder = temporaryFolder(context)
  const random = new Random(seed)
  const wanted = makeFile(join(folder.path, 'big.csv'), 40_000, random)
  const store = join(folder.path, 'store')
  await (await open(store)).close()
  const resumed = await importThroughKills(['--data', 'store'], folder.path, join(store, 'log-00'), random)
  assert.ok(resumed > 0, 'at least one run went on where another was killed')
  assert.deepEqual(await contents(store), wanted)
  await orbitOk(['verify', '--data', 'store'], { folder: folder.path })
})

test(`the same through a server, seed ${seed}`, async (context) => {
  const folder = temporaryFolder(context)
  const random = new Random(seed + 1)
  const wanted = makeFile(join(folder.path, 'big.csv'), 40_000, random)
  const store = join(folder.path, 'store')
  const server = await startServer(['--data', store])
  const resumed = await importThroughKills(['--url', server.url], folder.path, join(store, 'log-00'), random)
  assert.equal((await server.stop()).code, 0)
  assert.ok(resumed > 0)
  assert.deepEqual(await contents(store), wanted)
})

/** Interrupts an import after its first changes of the log. */
async function interrupted(args: readonly string[], folder: string, signal: NodeJS.Signals): Promise<Finished> {
  const run = new Run(['import', 'big.csv', '--key', 'id', '--value', 'text', '--data', 'store', ...args], { folder })
  await afterChanges(join(folder, 'store', 'log-00'), 20, run.finished)
  run.child.kill(signal)
  return run.finished
}

test('an interrupted import says how to go on; other options and a changed file are refused; --restart begins again', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const file = join(folder.path, 'big.csv')
  const wanted = makeFile(file, 120_000, new Random(seed))
  await (await open(join(folder.path, 'store'))).close()
  const stopped = await interrupted([], folder.path, 'SIGINT')
  assert.equal(stopped.code, 130, stopped.stderr)
  assert.match(
    stopped.stderr,
    /orbit: interrupted; [\d,]+ records of big\.csv in the store, the same command continues it \(cli\.interrupted\)\n$/,
  )
  const terminated = await interrupted([], folder.path, 'SIGTERM')
  assert.equal(terminated.code, 143, terminated.stderr)
  assert.match(terminated.stderr, /^continuing big\.csv after record [\d,]+\norbit: told to stop; /)

  assert.ok(
    ![...(await orbitOk(['scan', '--keys-only', '--limit', '3', '--data', 'store'], options)).stdout].includes('\0'),
  )
  const scanned = await orbitOk(['scan', '--keys-only', '--limit', '1', '--data', 'store'], options)
  assert.equal(scanned.stdout, 'r000000\n', 'the progress is not shown')

  const other = await orbit(['import', 'big.csv', '--key', 'id', '--data', 'store'], options)
  assert.equal(other.code, 7)
  assert.match(
    other.stderr,
    /big\.csv ran with other options \(--format csv --key id --value text\); .*\(cli\.import_options_changed\)/,
  )

  const original = readFileSync(file)
  const changed = Buffer.from(original)
  changed[20] = 'Z'.charCodeAt(0)
  writeFileSync(file, changed)
  const refused = await orbit(['import', 'big.csv', '--key', 'id', '--value', 'text', '--data', 'store'], options)
  assert.equal(refused.code, 7)
  assert.match(
    refused.stderr,
    /big\.csv is not the file whose import was interrupted \(its first [\d,]+ records differ\); .*\(cli\.file_changed\)/,
  )
  writeFileSync(file, original.subarray(0, 100))
  const shorter = await orbit(['import', 'big.csv', '--key', 'id', '--value', 'text', '--data', 'store'], options)
  assert.match(shorter.stderr, /it has 100 bytes, \d+ were imported.*\(cli\.file_changed\)/)

  writeFileSync(file, original)
  const again = await importJson(
    ['big.csv', '--key', 'id', '--value', 'text', '--restart', '--data', 'store'],
    folder.path,
  )
  assert.equal(again.resumed_at, 0)
  assert.deepEqual(await contents(join(folder.path, 'store')), wanted)
})

test('rejects are in their file once, however often the import was killed', async (context) => {
  const folder = temporaryFolder(context)
  const rows = Array.from({ length: 60_000 }, (_, row) =>
    row % 100 === 7 ? `bad ${row}` : `{"key":"k${row}","value":"${'v'.repeat(40)}"}`,
  )
  writeFileSync(join(folder.path, 'a.ndjson'), `${rows.join('\n')}\n`)
  await (await open(join(folder.path, 'store'))).close()
  const random = new Random(seed)
  const args = ['import', 'a.ndjson', '--on-error', 'skip', '--data', 'store']
  for (let kills = 0; kills < 4; kills++) {
    const run = new Run(args, { folder: folder.path })
    await afterChanges(join(folder.path, 'store', 'log-00'), random.between(3, 24), run.finished)
    run.child.kill('SIGKILL')
    await run.finished
  }
  const summary = await importJson(args.slice(1), folder.path)
  assert.equal(summary.records, 60_000)
  const rejects = readFileSync(join(folder.path, 'a.ndjson.rejects.ndjson'), 'utf8').trimEnd().split('\n')
  assert.deepEqual(
    rejects.map((line) => (JSON.parse(line) as { record: string }).record),
    rows.filter((row) => row.startsWith('bad')),
  )
  assert.equal((await contents(join(folder.path, 'store'))).size, 60_000 - rejects.length)
})

for (const format of ['ndjson', 'csv']) {
  test(`an export to ${format} cut off anywhere goes on with --resume to the same file, seed ${seed}`, async (context) => {
    const folder = temporaryFolder(context)
    const options = { folder: folder.path }
    await fill(join(folder.path, 'store'), new Random(seed))
    const path = join(folder.path, `whole.${format}`)
    await orbitOk(['export', `whole.${format}`, '--data', 'store'], options)
    const whole = readFileSync(path)
    const random = new Random(seed)
    const cuts = [0, 5, whole.length - 1, whole.length, ...Array.from({ length: 4 }, () => random.below(whole.length))]
    for (const cut of cuts) {
      truncateSync(path, cut)
      await orbitOk(['export', `whole.${format}`, '--data', 'store', '--resume'], options)
      assert.ok(readFileSync(path).equals(whole), `cut at ${cut} of ${whole.length}`)
    }
    // A file that is no export is left alone.
    appendFileSync(path, 'neither\nfish\n')
    const before = statSync(path).size
    assert.equal((await orbit(['export', `whole.${format}`, '--data', 'store', '--resume'], options)).code, 7)
    assert.equal(statSync(path).size, before)
    await orbitOk(['export', `whole.${format}`, '--data', 'store', '--force'], options)
    assert.ok(readFileSync(path).equals(whole))
  })
}

test('a part of a store, a resumed part, and standard output', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const rows = Array.from({ length: 50 }, (_, i) => `{"key":"k${String(i).padStart(2, '0')}","value":"v"}\n`)
  await orbitOk(['import', '-', '--format', 'ndjson', '--data', 'store'], { ...options, input: rows.join('') })
  const part = ['--data', 'store', '--prefix', 'k1', '--limit', '5']
  const { stdout } = await orbitOk(['export', '-', '--format', 'ndjson', ...part], options)
  assert.equal(stdout, rows.slice(10, 15).join(''))
  writeFileSync(join(folder.path, 'part.ndjson'), rows.slice(10, 12).join(''))
  await orbitOk(['export', 'part.ndjson', '--resume', ...part], options)
  assert.equal(readFileSync(join(folder.path, 'part.ndjson'), 'utf8'), stdout)
  await orbitOk(['export', 'new.ndjson', '--resume', '--data', 'store', '--gt', 'k48'], options)
  assert.equal(readFileSync(join(folder.path, 'new.ndjson'), 'utf8'), rows[49])
  assert.equal(existsSync(join(folder.path, 'new.ndjson.rejects.ndjson')), false)
})
