/** `orbit plan` as people and programs use it: files, flags, presets, the dialogue, faults, explanation, charts, JSON. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schemas } from '@orbitkv/node'
import { orbit, orbitJson, orbitOk, temporaryFolder } from './orbit.ts'

interface Figure {
  readonly value: number | null
  readonly unit: string
  readonly formula: string
  readonly with_numbers: string
  readonly inputs: readonly string[]
}

interface PlanDocument {
  readonly binding: readonly string[]
  readonly figures: Readonly<Record<string, Figure>>
  readonly inputs: Readonly<Record<string, { readonly value: number; readonly unit: string; readonly origin: string }>>
  readonly notes: readonly { readonly about: string }[]
  readonly scenarios: readonly { readonly name: string; readonly figures: Readonly<Record<string, number>> }[]
  readonly growth: readonly { readonly year: number }[]
  readonly headroom: { readonly days: number | null }
  readonly varied?: { readonly points: readonly { readonly value: number }[] }
  readonly simulation?: { readonly partition_reads: { readonly verdict: string } }
}

const planJson = (args: readonly string[], folder?: string) =>
  orbitJson<PlanDocument>(['plan', ...args], schemas.plan.fields, folder === undefined ? {} : { folder })

const flags = ['--keys', '1 billion', '--value-bytes', '1KB', '--operations-per-day', '2000/s']

test('the presets print the figures of their documents', async () => {
  const { stdout } = await orbitOk(['plan', '--preset', 'kv-100b-ops'])
  assert.match(stdout, /^kv-100b-ops: 100 nodes of kv-32c-96g, lsm; memory binds; \$112,300\/month\n/)
  for (const line of [
    /^ {2}total +33 TB$/m,
    /^ {2}a year +\$1,347,600\/year$/m,
    /^ {2}operations a second +1\.157 million op\/s$/m,
  ])
    assert.match(stdout, line)
  assert.match(stdout, /all of it would cost \$165,000\/month, not \$5,000\/month/)
  const document = await planJson(['--preset', 'orbit-1pb'])
  assert.equal(document.figures['storage.total_bytes']?.value, 5.85e15)
  assert.equal(document.figures['cost.month_total']?.value, 73_000)
  assert.deepEqual(document.binding, ['disk'])
  assert.ok(document.notes.some(({ about }) => about === 'nodes.chosen'))
  assert.deepEqual(
    document.scenarios.map(({ name }) => name),
    ['on demand', 'reserved', 'spot', 'tiered', 'least amplification', 'mmap, 50 nodes'],
  )
})

test('a file, flags over it, and the same plan from JSON', async (context) => {
  const { path } = temporaryFolder(context)
  writeFileSync(
    join(path, 'shop.toml'),
    'title = "shop"\n[data]\nkeys = "1 billion"\nvalue_bytes = "1KB"\n[workload]\noperations_per_second = 2000\n',
  )
  writeFileSync(
    join(path, 'shop.json'),
    JSON.stringify({ data: { keys: 1e9, value_bytes: 1000 }, workload: { operations_per_day: 172_800_000 } }),
  )
  const toml = await planJson(['shop.toml'], path)
  const json = await planJson(['shop.json'], path)
  const typed = await planJson(flags)
  assert.deepEqual(toml.figures, json.figures)
  assert.deepEqual(toml.figures, typed.figures)
  assert.equal(toml.inputs['data.keys']?.origin, 'shop.toml')
  const more = await planJson(['shop.toml', '--keys', '2G', '--set', 'cost.support=5,000,limits.cpu_busy=60%'], path)
  assert.equal(more.inputs['data.keys']?.value, 2e9)
  assert.equal(more.inputs['data.keys']?.origin, '--keys')
  assert.equal(more.inputs['cost.support']?.value, 5000)
  assert.equal(more.inputs['limits.cpu_busy']?.value, 0.6)
})

test('every figure tells its unit, its formula, its numbers and its inputs', async () => {
  const { figures, inputs } = await planJson(flags)
  for (const [id, { unit, formula, with_numbers, inputs: reads }] of Object.entries(figures)) {
    assert.ok(unit !== '' && formula !== '' && with_numbers !== '' && reads.length > 0, id)
    for (const read of reads) assert.ok(read in figures || read in inputs, `${id} reads ${read}`)
  }
  const { stdout } = await orbitOk(['plan', ...flags, '--figures', 'storage.raw_bytes'])
  assert.match(
    stdout,
    /storage\.raw_bytes += 1\.05 TB \(raw data\)\n += storage\.keys × storage\.entry_bytes\n += 1 billion keys × 1\.05 KB\/key\n/,
  )
})

test('all faults are told at once, a line each, and as one document', async () => {
  const wrong = [
    'plan',
    '--keys',
    '0',
    '--value-bytes',
    '2MB',
    '--operations-per-day',
    'nan',
    '--node-kind',
    'nvme-16c',
    '--set',
    'cost.suport=1',
  ]
  const { code, stderr, stdout } = await orbit(wrong)
  assert.equal(code, 7)
  assert.equal(stdout, '')
  const lines = stderr.trimEnd().split('\n')
  assert.equal(lines.length, 6, stderr)
  assert.ok(lines.includes('fault  --keys: data.keys = "0": must be at least 1 key'), stderr)
  assert.match(stderr, /did you mean cost\.support\?/)
  assert.match(stderr, /did you mean nvme-4c-32g\?|did you mean nvme-16c-128g\?|there are nvme-4c-32g/)
  assert.match(lines.at(-1) as string, /^orbit: there is no plan: 5 faults, told above; .*\(cli\.plan_faults\)$/)
  const json = await orbit([...wrong, '--json'])
  const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string; exit: number } }
  assert.equal(error.code, 'cli.plan_faults')
  assert.equal(error.exit, 7)
  for (const text of [/data\.keys = "0": must be at least 1/, /data\.value_bytes = 2000000/, /cost\.suport/])
    assert.match(error.message, text)
})

test('files that are none, or not right, and flags', async (context) => {
  const { path } = temporaryFolder(context)
  writeFileSync(join(path, 'bad.toml'), 'a = \n')
  writeFileSync(join(path, 'bad.json'), '{')
  writeFileSync(join(path, 'list.json'), '[]')
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['none.toml'], 7, /none\.toml cannot be read \(ENOENT\).*\(cli\.file_missing\)/],
    [['bad.toml'], 7, /bad\.toml:1:\d+ is not TOML: .*\(cli\.plan_syntax\)/],
    [['bad.json'], 7, /bad\.json is not JSON: .*\(cli\.plan_syntax\)/],
    [['list.json'], 7, /\(cli\.plan_syntax\)/],
    [[...flags, '--calibrate', 'list.json'], 7, /run `orbit bench --json > bench\.json`.*\(cli\.plan_faults\)/],
    [[...flags, '--kinds', 'bad.toml'], 7, /\(cli\.plan_syntax\)/],
    [['--preset', 'orbit-1bp'], 2, /did you mean orbit-1pb\?/],
    [[...flags, '--vary', 'peek=1..5'], 2, /did you mean peak\?/],
    [
      [...flags, '--explain', '--figures', 'nodess'],
      2,
      /--figures nodess: no figure's id begins with nodess; did you mean nodes\?/,
    ],
    [[...flags, '--set', 'data.keys=5'], 2, /--set 5: sets data\.keys, as --keys does/],
    [[...flags, '--reads', '80%', '--writes', '40%'], 7, /--reads: workload\.read_share = 0\.8: .* is 120%/],
    [[...flags, '--set', 'consistency.read_copies=1'], 7, /R 1 \+ W 2 must be more than the 3 copies/],
    [[...flags, '--set', '5'], 2, /write ID=VALUE/],
    [[...flags, '--simulate', '--target', '2'], 2, /--target 2: must be a share/],
    [['a.toml', 'b.toml'], 2, /takes no further argument b\.toml/],
    [[...flags, '--svg', 'bad.toml'], 7, /bad\.toml exists already; .*\(cli\.plan_exists\)/],
  ]
  for (const [args, exit, text] of cases) {
    const { code, stderr, stdout } = await orbit(['plan', ...args], { folder: path })
    assert.equal(code, exit, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, text)
    assert.equal(stdout, '')
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
  }
})

test('what somebody states is held against the figures', async (context) => {
  const { path } = temporaryFolder(context)
  writeFileSync(join(path, 'stated.toml'), '[stated]\n"disk.reads_per_second" = 30000\n')
  const { code, stderr } = await orbit(['plan', 'stated.toml', ...flags], { folder: path })
  assert.equal(code, 7)
  assert.match(stderr, /stated\.disk\.reads_per_second = 30000: contradicts the inputs, which give 420 io\/s \(/)
})

test('the dialogue asks again until an answer can be used, writes the file, and shows the plan', async (context) => {
  const { path } = temporaryFolder(context)
  const answers = ['2000/s', '90%', '', '0', '20', '', '1 billion', '1KB', '1M', '3', '', 'nobody', 'lsm', '']
  const { stdout, stderr } = await orbitOk(['plan', 'init', 'shop.toml'], {
    folder: path,
    input: `${answers.join('\n')}\n`,
  })
  assert.match(stderr, /no: must be at least 1/)
  assert.match(stderr, /no: it has no default; write an amount/)
  assert.match(stderr, /no: write one of the names above/)
  assert.match(stderr, /wrote shop\.toml; change it and run: orbit plan shop\.toml/)
  assert.match(stdout, /^\d+ nodes of nvme-16c-128g, lsm; /)
  const written = readFileSync(join(path, 'shop.toml'), 'utf8')
  assert.match(written, /^keys = 1000000000 # keys \(key\)$/m)
  assert.match(written, /^read_share = 0\.9 /m)
  assert.equal((await orbitOk(['plan', 'shop.toml'], { folder: path })).stdout, stdout, 'the file is the same plan')
  const again = await orbit(['plan', 'init', 'shop.toml'], { folder: path, input: '' })
  assert.equal(again.code, 7)
  assert.match(again.stderr, /^orbit: shop\.toml exists already/, 'told before anything is asked')
  const ended = await orbit(['plan', 'init', 'other.toml'], { folder: path, input: '5M\n' })
  assert.equal(ended.code, 7)
  assert.match(ended.stderr, /\(cli\.plan_unfinished\)/)
})

test('--inputs writes a plan file that reads back to the same plan', async (context) => {
  const { path } = temporaryFolder(context)
  for (const name of ['kv-100b-ops', 'orbit-1pb']) {
    writeFileSync(join(path, 'all.toml'), (await orbitOk(['plan', '--preset', name, '--inputs'])).stdout)
    const [whole, read] = [await planJson(['--preset', name]), await planJson(['all.toml'], path)]
    for (const [id, { value }] of Object.entries(whole.figures)) {
      const found = read.figures[id]?.value ?? 0
      assert.ok(Math.abs(found - (value ?? 0)) <= 1e-9 * Math.abs(value ?? 0), `${id}: ${value} and ${found}`)
    }
  }
})

test('an input varied: a table, a chart in the terminal, an SVG, a document', async (context) => {
  const { path } = temporaryFolder(context)
  const vary = ['--preset', 'kv-100b-ops', '--vary', 'peak=1..5']
  const { stdout } = await orbitOk(['plan', ...vary, '--svg', 'peak.svg'], { folder: path })
  assert.match(stdout, /workload\.peak_factor varied\n +workload\.peak_factor +nodes\.needed/)
  assert.match(stdout, /times the first\n/)
  assert.match(readFileSync(join(path, 'peak.svg'), 'utf8'), /^<svg/)
  const { varied } = await planJson(vary)
  assert.deepEqual(
    varied?.points.map(({ value }) => value),
    [1, 2, 3, 4, 5],
  )
})

test('Markdown, years of growth, and the simulation', async () => {
  const markdown = (await orbitOk(['plan', ...flags, '--markdown'])).stdout
  assert.match(markdown, /^# \d+ nodes of nvme-16c-128g/)
  assert.match(markdown, /\n## Cost\n\n\|/)
  assert.equal((await planJson([...flags, '--years', '5'])).growth.length, 6)
  const simulated = ['plan', ...flags, '--simulate', '--seed', '7']
  const { stdout } = await orbitOk(simulated)
  assert.match(stdout, /Availability and loss in 365 days/)
  assert.equal((await orbitOk(simulated)).stdout, stdout, 'the same seed, the same answer')
  const { simulation } = await planJson([...flags, '--simulate'])
  assert.equal(simulation?.partition_reads.verdict, 'holds')
})

test('calibration takes what orbit bench measured', async (context) => {
  const { path } = temporaryFolder(context)
  const bench = await orbitOk(['bench', '--keys', '1000', '--seconds', '1', '--json'], { folder: path })
  writeFileSync(join(path, 'bench.json'), bench.stdout)
  const { inputs } = await planJson([...flags, '--calibrate', 'bench.json'], path)
  const read = inputs['cpu.seconds_per_read']
  assert.equal(read?.origin, 'bench.json (1,000 keys, values of 100 B)')
  assert.ok(read !== undefined && read.value > 0 && read.value < 0.001)
})
