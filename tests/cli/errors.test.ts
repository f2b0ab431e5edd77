/** What can go wrong with folders, servers and ports: one line, the code, the exit code, and never a stack trace. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { exitCodes, schemas } from '@orbitkv/node'
import { type Finished, orbit, orbitOk, parseDocument, startServer, temporaryFolder } from './orbit.ts'

/** One line with this code and this text, and the exit code; the same as JSON. */
async function fails(
  args: readonly string[],
  exit: number,
  code: string,
  text: RegExp,
  options: Parameters<typeof orbit>[1] = {},
): Promise<Finished> {
  const finished = await orbit(args, options)
  const shown = `orbit ${args.join(' ')}: ${finished.stderr}`
  assert.equal(finished.code, exit, shown)
  assert.match(finished.stderr, /^orbit: [^\n]+\n$/, 'one line')
  assert.ok(finished.stderr.endsWith(`(${code})\n`), shown)
  assert.match(finished.stderr, text)
  assert.equal(finished.stdout, '')
  const json = await orbit([...args, '--json'], options)
  assert.equal(json.code, exit)
  const { error } = parseDocument(json.stderr, schemas.error.fields) as {
    error: { code: string; exit: number; message: string }
  }
  assert.equal(error.code, code)
  assert.equal(error.exit, exit)
  assert.equal(`orbit: ${error.message} (${code})\n`, finished.stderr)
  return finished
}

test('usage', async () => {
  await fails(['gett', 'x'], 2, 'cli.unknown_command', /did you mean `orbit get`\?/)
  await fails(['get', 'x', '--dta', 'y'], 2, 'cli.unknown_flag', /did you mean --data\?/)
  await fails(['scan', '--prefix', 'a', '--gt', 'b'], 2, 'cli.flags_conflict', /--prefix and --gt/)
  await fails(['scan', '--hex', '--base64'], 2, 'cli.flags_conflict', /--hex and --base64/)
  await fails(['get', '--hex', 'xyz'], 2, 'cli.bad_encoding', /KEY is not hex: xyz/)
  await fails(['get', 'x', '--url', 'http://localhost'], 2, 'cli.bad_url', /http:\/\/ is not redis:\/\//)
  await fails(['get', 'x', '--url', 'redis://localhost', '--data', 'y'], 2, 'cli.flags_conflict', /--data and --url/)
  await fails(['verify', '--url', 'redis://localhost'], 2, 'cli.unknown_flag', /verify has no flag --url/)
  await fails(['put', 'k', '-', '--data', 'nowhere'], 2, 'cli.input_too_large', /more than 16777216 bytes/, {
    input: Buffer.alloc(16 * 1024 * 1024 + 1),
  })
})

test('folders: missing, a file, something else, a newer format, in use', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  for (const args of [['get', 'x'], ['del', 'x'], ['scan'], ['stats'], ['verify'], ['export', 'x.csv']]) {
    await fails([...args, '--data', 'none'], 4, 'cli.no_store', /there is no store in none/, options)
  }
  assert.deepEqual(readdirSync(folder.path), [], 'nothing was made')
  writeFileSync(join(folder.path, 'file'), 'x')
  for (const args of [['put', 'a', 'b'], ['serve']])
    await fails([...args, '--data', 'file'], 4, 'disk.not_a_directory', /file is not a folder/, options)
  mkdirSync(join(folder.path, 'other'))
  writeFileSync(join(folder.path, 'other', 'letter.txt'), 'x')
  await fails(['put', 'a', 'b', '--data', 'other'], 4, 'engine.not_a_store', /other holds/, options)
  await orbitOk(['put', 'a', 'b', '--data', 'store'], options)
  const manifest = join(folder.path, 'store', 'orbit.json')
  const sound = readFileSync(manifest, 'utf8')
  const newer = sound.replace(/"format":\s*1\b/, '"format": 99')
  assert.notEqual(newer, sound)
  writeFileSync(manifest, newer)
  await fails(['get', 'a', '--data', 'store'], 4, 'engine.newer_format', /format 99/, options)
  await fails(['serve', '--data', 'store'], 4, 'engine.newer_format', /format 99/, options)
  writeFileSync(manifest, sound)
  const server = await startServer(['--data', 'store'], options)
  try {
    await fails(['put', 'a', 'b', '--data', 'store'], 4, 'cli.folder_in_use', /--url redis:/, options)
    await fails(
      ['serve', '--data', 'store', '--redis-port', '0'],
      4,
      'disk.locked',
      /in use by another process/,
      options,
    )
  } finally {
    await server.stop()
  }
})

const rootOnly = process.getuid?.() === 0 ? false : 'mounting needs root'

/** A small disk of its own; undefined where mounting is not allowed even to root. */
function mountSmallDisk(path: string, options: string): (() => void) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return () => execFileSync('umount', [path])
}

test('a folder that cannot be written, and a disk that fills', { skip: rootOnly }, async (context) => {
  const folder = temporaryFolder(context)
  const disk = join(folder.path, 'disk')
  mkdirSync(disk)
  const unmount = mountSmallDisk(disk, 'size=12m')
  if (unmount === undefined) {
    context.skip('mounting is not allowed here')
    return
  }
  try {
    const data = join(disk, 'store')
    await orbitOk(['put', 'first', 'kept', '--data', data])
    execFileSync('mount', ['-o', 'remount,ro', disk])
    await fails(['put', 'a', 'b', '--data', data], 4, 'disk.read_only', /cannot be written/)
    execFileSync('mount', ['-o', 'remount,rw', disk])
    const rows = Array.from({ length: 200 }, (_, i) => `{"key":"k${i}","value":"${'v'.repeat(100_000)}"}\n`).join('')
    const full = await orbit(['import', '-', '--format', 'ndjson', '--data', data], { input: rows })
    assert.equal(full.code, 4)
    assert.match(full.stderr, /^orbit: no space left [^\n]*\((engine|disk)\.full\)\n$/)
    assert.equal((await orbitOk(['get', 'first', '--data', data])).stdout, 'kept', 'reads go on')
    assert.match((await orbitOk(['del', 'k0', 'k1', '--data', data])).stdout, /^deleted 2 of 2/, 'and deletes')
    // What one large batch did not fit may still take a few values.
    let refused: Finished | undefined
    for (let i = 0; i < 12 && refused === undefined; i++) {
      const finished = await orbit(['put', `z${i}`, '-', '--data', data], { input: Buffer.alloc(1_000_000) })
      if (finished.code !== 0) refused = finished
    }
    assert.equal(refused?.code, 4)
    assert.match(refused.stderr, /^orbit: no space left [^\n]*\((engine|disk)\.full\)\n$/)
  } finally {
    unmount()
  }
})

test('damage is found, named and exit code 5; reads of the rest go on, writes are refused', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const rows = Array.from(
    { length: 3000 },
    (_, i) => `{"key":"key-${String(i).padStart(6, '0')}","value":"${'v'.repeat(50)}"}\n`,
  ).join('')
  await orbitOk(['import', '-', '--format', 'ndjson', '--data', 'store'], { ...options, input: rows })
  const log = join(folder.path, 'store', 'log-00')
  const segment = readdirSync(log)
    .map((name) => join(log, name))
    .find((path) => readFileSync(path).includes('key-001500')) as string
  const place = readFileSync(segment).indexOf('key-001500')
  const file = openSync(segment, 'r+')
  writeSync(file, Buffer.from('KEY'), 0, 3, place)
  closeSync(file)
  assert.ok(statSync(segment).size > place)
  const { code, stdout, stderr } = await orbit(['verify', '--data', 'store'], options)
  assert.equal(code, 5, stderr)
  assert.match(stdout, /damaged at byte \d+: /)
  assert.match(stderr, /^orbit: \d+ damaged places? in store; [^\n]*\(cli\.damage_found\)\n$/)
  const json = await orbit(['verify', '--data', 'store', '--json'], options)
  assert.equal(json.code, 5)
  const report = parseDocument(json.stdout, schemas.verify.fields) as { ok: boolean; faults: { file: string }[] }
  assert.equal(report.ok, false)
  assert.ok(report.faults.length > 0)
  assert.equal((await orbitOk(['get', 'key-000001', '--data', 'store'], options)).stdout, 'v'.repeat(50))
  await fails(['put', 'a', 'b', '--data', 'store'], 4, 'engine.read_only', /open for reading only/, options)
})

test('servers: nobody there, somebody else there, a port in use, other machines, backends of later versions', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await fails(
      ['get', 'x', '--url', `redis://127.0.0.1:${port}`],
      6,
      'cli.not_redis',
      /does not speak the Redis protocol/,
    )
    await fails(
      ['serve', '--data', 'store', '--redis-port', String(port)],
      6,
      'network.address_in_use',
      new RegExp(`127\\.0\\.0\\.1:${port} is in use`),
      options,
    )
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
  await fails(
    ['get', 'x', '--url', `redis://127.0.0.1:${port}`],
    6,
    'cli.no_server',
    /nothing answers at .*ECONNREFUSED/,
  )
  await fails(['serve', '--redis-host', '0.0.0.0'], 3, 'cli.config_faults', /without redis\.requirepass/, options)
  for (const backend of ['lsm_tree', 'rocksdb', 'btree']) {
    await fails(
      ['serve', '--backend', backend],
      3,
      'cli.config_faults',
      /is not in this version, which has mmap and memory/,
      options,
    )
  }
  await fails(['serve', '--backend', 'mmop'], 3, 'cli.config_faults', /did you mean mmap\?/, options)
  await fails(['get', 'x'], 4, 'cli.memory_backend', /keeps nothing in a folder/, {
    ...options,
    env: { ORBIT_PERSISTENCE_BACKEND: 'memory' },
  })
})

test('an answer that is an error is told as it is', async () => {
  const server = await startServer(['--backend', 'memory'])
  try {
    await fails(['put', 'k'.repeat(9000), 'v', '--url', server.url], 4, 'cli.server_error', /answered: /)
  } finally {
    await server.stop()
  }
})

test('limits of the store are named', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  await fails(['put', 'k'.repeat(9000), 'v', '--data', 'store'], 4, 'engine.key_too_large', /9000 bytes/, options)
  await fails(['put', 'k', '-', '--data', 'store'], 4, 'engine.value_too_large', /the most is 1048576/, {
    ...options,
    input: Buffer.alloc(1_048_577),
  })
})

test('ORBIT_DEBUG shows where it happened', async () => {
  const { stderr } = await orbit(['gett'], { env: { ORBIT_DEBUG: '1' } })
  assert.match(stderr, /\(cli\.unknown_command\)\nOrbitError: [^\n]+\n {4}at /)
})

test('every exit code in the table is produced by a test of this folder', () => {
  const text = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join('\n')
  // A fault of our own cannot be ordered; exit-codes.test.ts holds its mapping.
  for (const { code } of Object.values(exitCodes)) {
    if (code !== exitCodes.internal.code)
      assert.match(text, new RegExp(`code, ${code}[,)]|\\], ${code}, '`), String(code))
  }
})
