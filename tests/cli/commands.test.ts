/** Each command on a folder and on a running server: what it does, what it prints, its JSON, its exit code. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { schemas } from '@orbitkv/node'
import { orbit, orbitJson, orbitOk, startServer, temporaryFolder } from './orbit.ts'

const binary = Buffer.from([0, 0xff, 0x0a, 0x1b, 0xc3])

/** The same steps hold for a folder and for a server. */
async function steps(where: readonly string[], folder: string): Promise<void> {
  const options = { folder }
  assert.equal((await orbitOk(['put', 'user:1', 'grüße', ...where], options)).stdout, 'stored user:1\n')
  assert.equal((await orbitOk(['get', 'user:1', ...where], options)).stdout, 'grüße', 'byte for byte, nothing added')

  await orbitOk(['put', 'bin', '-', ...where], { ...options, input: binary })
  assert.deepEqual((await orbitOk(['get', 'bin', ...where], options)).bytes, binary)
  assert.equal((await orbitOk(['get', '--hex', '62696e', ...where], options)).stdout, '00ff0a1bc3\n')
  assert.equal((await orbitOk(['get', '--base64', 'Ymlu', ...where], options)).stdout, 'AP8KG8M=\n')
  assert.deepEqual((await orbitOk(['get', '--hex', '62696e', '--raw', ...where], options)).bytes, binary)
  await orbitOk(['put', '--hex', 'ff00', '0a', ...where], options)
  await orbitOk(['put', ...where, 'dash', '--', '-'], options)
  assert.equal((await orbitOk(['get', 'dash', ...where], options)).stdout, '-')
  await orbitOk(['put', 'empty', '', ...where], options)
  assert.equal((await orbitOk(['get', 'empty', ...where], options)).stdout, '')

  const all = 'bin\t\\x00\\xff\\x0a\\x1b\\xc3\ndash\t-\nempty\t\nuser:1\tgrüße\n\\xff\\x00\t\\n\n'
  assert.equal((await orbitOk(['scan', ...where], options)).stdout, all)
  const lines = all.trimEnd().split('\n')
  assert.equal(
    (await orbitOk(['scan', '--reverse', '--limit', '2', ...where], options)).stdout,
    `${lines.slice(-2).reverse().join('\n')}\n`,
  )
  assert.equal((await orbitOk(['scan', '--prefix', 'user:', ...where], options)).stdout, 'user:1\tgrüße\n')
  assert.equal(
    (await orbitOk(['scan', '--gt', 'bin', '--lte', 'empty', '--keys-only', ...where], options)).stdout,
    'dash\nempty\n',
  )
  assert.equal(
    (await orbitOk(['scan', '--gte', 'bin', '--lt', 'dash', '--keys-only', ...where], options)).stdout,
    'bin\n',
  )
  assert.equal((await orbitOk(['scan', '--limit', '0', ...where], options)).stdout, '')

  const found = await orbitJson(['get', 'bin', ...where], schemas.get.fields, options)
  assert.deepEqual(found, { key: 'bin', found: true, value: { base64: 'AP8KG8M=' } })
  const stored = await orbitJson<{ key: string; bytes: number }>(
    ['put', 'k', 'ä', ...where],
    schemas.put.fields,
    options,
  )
  assert.equal(stored.bytes, 2)
  const deleted = await orbitJson(['del', 'k', 'k', 'nobody', ...where], schemas.del.fields, options)
  assert.deepEqual(deleted, {
    deleted: 1,
    keys: [
      { key: 'k', deleted: true },
      { key: 'k', deleted: false },
      { key: 'nobody', deleted: false },
    ],
  })
  assert.equal((await orbitOk(['del', 'dash', 'empty', 'nobody', ...where], options)).stdout, 'deleted 2 of 3\n')
  const documents = (await orbitOk(['scan', '--json', ...where], options)).stdout.trimEnd().split('\n')
  assert.deepEqual(
    documents.map((line) => JSON.parse(line) as unknown),
    [
      { key: 'bin', value: { base64: 'AP8KG8M=' } },
      { key: 'user:1', value: 'grüße' },
      { key: { base64: '/wA=' }, value: '\n' },
    ],
  )

  const missing = await orbit(['get', 'nobody', ...where], options)
  assert.equal(missing.code, 1)
  assert.equal(missing.stderr, 'orbit: the key nobody has no value (cli.not_found)\n')
  const missingJson = await orbit(['get', 'nobody', '--json', ...where], options)
  assert.equal(missingJson.code, 1)
  assert.deepEqual(JSON.parse(missingJson.stdout), { key: 'nobody', found: false })

  await orbitOk(['put', '--ttl', '1h', 'later', 'x', ...where], options)
  await orbitOk(['put', '--ttl', '1', 'soon', 'x', ...where], options)
  assert.equal((await orbitOk(['get', 'later', ...where], options)).stdout, 'x')
  assert.equal((await orbit(['get', 'soon', ...where], options)).code, 1, 'gone after a millisecond')

  await orbitJson(['stats', ...where], schemas.stats.fields, options)
  assert.match((await orbitOk(['stats', ...where], options)).stdout, /durability +always/)
}

test('commands on a folder', async (context) => {
  const folder = temporaryFolder(context)
  await steps(['--data', 'store'], folder.path)
  const sound = await orbitOk(['verify', '--data', 'store'], { folder: folder.path })
  assert.match(sound.stdout, /^sound: store, [\d,]+ records in [\d,]+ batches, /)
  const report = await orbitJson<{ ok: boolean; faults: unknown[] }>(
    ['verify', '--data', 'store'],
    schemas.verify.fields,
    { folder: folder.path },
  )
  assert.equal(report.ok, true)
  const compacted = await orbitJson<{ bytesBefore: number; bytesAfter: number }>(
    ['compact', '--data', 'store'],
    schemas.compact.fields,
    { folder: folder.path },
  )
  assert.ok(compacted.bytesAfter < compacted.bytesBefore)
  await orbitOk(['verify', '--data', 'store'], { folder: folder.path })
})

test('commands on a running server', async (context) => {
  const folder = temporaryFolder(context)
  const server = await startServer(['--data', join(folder.path, 'store')])
  try {
    await steps(['--url', server.url], folder.path)
    const busy = await orbit(['get', 'x', '--data', join(folder.path, 'store')])
    assert.equal(busy.code, 4)
    assert.match(busy.stderr, /is in use by another process; talk to its server with --url .*\(cli\.folder_in_use\)\n$/)
  } finally {
    assert.equal((await server.stop()).code, 0)
  }
})

test('the folder comes from the configuration, and the server from ORBIT_URL; a typed flag wins', async (context) => {
  const folder = temporaryFolder(context)
  const env = { ORBIT_DATA_DIR: join(folder.path, 'from-variable') }
  await orbitOk(['put', 'a', '1'], { folder: folder.path, env })
  assert.equal((await orbitOk(['get', 'a', '--data', 'from-variable'], { folder: folder.path })).stdout, '1')
  const unreachable = { ...env, ORBIT_URL: 'redis://127.0.0.1:1' }
  assert.equal((await orbit(['get', 'a'], { folder: folder.path, env: unreachable })).code, 6)
  assert.equal(
    (await orbitOk(['get', 'a', '--data', 'from-variable'], { folder: folder.path, env: unreachable })).stdout,
    '1',
  )
})

test('help, version, and the overview', async () => {
  const help = await orbitOk(['help'])
  assert.match(help.stdout, /Commands\n {2}serve /)
  assert.equal((await orbitOk(['--help'])).stdout, help.stdout)
  const command = await orbitOk(['help', 'import'])
  assert.match(command.stdout, /Examples\n/)
  assert.equal((await orbitOk(['import', '--help'])).stdout, command.stdout)
  assert.match((await orbitOk(['--version'])).stdout, /^orbit \d+\.\d+\.\d+\n$/)
  await orbitJson(['--version'], schemas.version.fields)
  const nothing = await orbit([])
  assert.equal(nothing.code, 2)
  assert.equal(nothing.stderr, help.stdout)
  assert.equal(nothing.stdout, '')
})

test('output is not coloured in a pipe, and a reader that goes away ends the command quietly', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const rows = Array.from({ length: 20_000 }, (_, i) => `{"key":"k${i}","value":"${'v'.repeat(100)}"}\n`).join('')
  await orbitOk(['import', '-', '--format', 'ndjson', '--data', 'store'], { ...options, input: rows })
  const { Run } = await import('./orbit.ts')
  const run = new Run(['scan', '--data', 'store'], options)
  await run.says(/k0\t/)
  run.child.stdout?.destroy()
  const { code, stderr } = await run.finished
  assert.equal(code, 141)
  assert.equal(stderr, '')
})

test('bench measures within its bounds and describes itself', async (context) => {
  const folder = temporaryFolder(context)
  const document = await orbitJson<{
    results: { name: string; operations: number; p50_microseconds: number; p999_microseconds: number }[]
    settings: unknown
  }>(['bench', '--keys', '2000', '--value-bytes', '64', '--seconds', '1', '--data', 'bench'], schemas.bench.fields, {
    folder: folder.path,
  })
  assert.deepEqual(
    document.results.map(({ name }) => name),
    ['put_batch', 'put', 'put_durable', 'put_durable_100', 'get', 'view', 'range_100'],
  )
  for (const { name, operations, p50_microseconds, p999_microseconds } of document.results) {
    assert.ok(operations > 0, name)
    assert.ok(p50_microseconds > 0 && p50_microseconds <= p999_microseconds, name)
  }
  assert.equal(
    (await orbitOk(['scan', '--keys-only', '--data', 'bench'], { folder: folder.path })).stdout.trimEnd().split('\n')
      .length,
    2000,
  )
  const again = await orbit(['bench', '--data', 'bench'], { folder: folder.path })
  assert.equal(again.code, 2)
  assert.match(again.stderr, /bench is not empty; name a new folder for the benchmark \(cli\.folder_not_empty\)/)
})
