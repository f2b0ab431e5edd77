/** `orbit serve` and its launcher: start, log, drain, signals, and nobody left behind. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { differences, schemas } from '@orbitkv/node'
import { orbit, orbitOk, parseDocument, Run, startServer, temporaryFolder } from './orbit.ts'

test('it says where it listens and what to try next, drains on SIGTERM, and keeps what it acknowledged', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const run = new Run(['serve', '--data', 'store', '--redis-port', '0'], options)
  const [, url, port] = await run.says(
    /^OrbitKV \d\S+ serves store at (redis:\/\/127\.0\.0\.1:(\d+)) \(mmap, durability always\)\n/,
  )
  await run.says(new RegExp(`redis-cli -p ${port} set greeting hello`))
  await run.says(new RegExp(`import \\{ createClient \\} from 'redis'; .*${url}`))
  await orbitOk(['put', 'a', '1', '--url', url as string], options)
  run.child.kill('SIGTERM')
  const { code, stderr } = await run.finished
  assert.equal(code, 0)
  const lines = stderr.trimEnd().split('\n')
  assert.match(lines[0] as string, /^\S+ \S+ info {2}ready url=redis:/)
  assert.match(lines[1] as string, /stopping signal=SIGTERM/)
  assert.match(lines[2] as string, /stopped$/)
  assert.equal((await orbitOk(['get', 'a', '--data', 'store'], options)).stdout, '1')
})

test('the JSON line, log lines as JSON, settings by flags', async (context) => {
  const folder = temporaryFolder(context)
  const server = await startServer(['--data', 'store', '--durability', 'interval', '--log-format', 'json'], {
    folder: folder.path,
  })
  const { code, stdout, stderr } = await server.stop()
  assert.equal(code, 0)
  const document = parseDocument(stdout, schemas.serve.fields) as { durability: string; data: string; backend: string }
  assert.deepEqual([document.durability, document.data, document.backend], ['interval', 'store', 'mmap'])
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { message: string })
  for (const line of lines) assert.deepEqual(differences(line, schemas.log.fields, true), [])
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['ready', 'stopping', 'stopped'],
  )
})

test('the backend memory keeps nothing', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const first = await startServer(['--backend', 'memory'], options)
  await orbitOk(['put', 'a', '1', '--url', first.url], options)
  await first.stop()
  const second = await startServer(['--backend', 'memory'], options)
  assert.equal((await orbit(['get', 'a', '--url', second.url], options)).code, 1)
  await second.stop()
})

test('Ctrl-C ends it with 0; a second signal ends it at once', async () => {
  const server = await startServer(['--backend', 'memory'])
  server.run.child.kill('SIGINT')
  assert.equal((await server.run.finished).code, 0)

  const slow = await startServer(['--backend', 'memory', '--drain-timeout', '10m'])
  const client = await clientThatDoesNotRead(slow.port)
  slow.run.child.kill('SIGTERM')
  await slow.run.says(/stopping signal=SIGTERM connections=\d /, 'stderr')
  slow.run.child.kill('SIGTERM')
  assert.equal((await slow.run.finished).code, 143)
  client.destroy()
})

test('the drain has a deadline', async () => {
  const server = await startServer(['--backend', 'memory', '--drain-timeout', '50ms'])
  const client = await clientThatDoesNotRead(server.port)
  const { code, stderr } = await server.stop()
  assert.equal(code, 0)
  assert.match(stderr, /stopping signal=SIGTERM connections=\d+ within="50 ms"/)
  client.destroy()
})

/** Asks for far more than a connection holds and reads only the first answer: its server has replies left to send. */
async function clientThatDoesNotRead(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  const value = 'v'.repeat(1_000_000)
  client.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n`)
  await once(client, 'data')
  client.pause()
  client.write('GET k\r\n'.repeat(64))
  // Another client's answer, asked for later, says that these have been read.
  const other = connect(port, '127.0.0.1')
  await once(other, 'connect')
  other.write('PING\r\n')
  await once(other, 'data')
  other.destroy()
  await once(other, 'close')
  return client
}

// An older Node has no process.execve: the launcher then starts a second process. Taking the function away does the same.
const asOlderNode = { nodeFlags: ['--import', 'data:text/javascript,process.execve=undefined'] }

for (const [name, nodeFlags] of [
  ['the launcher becomes the command', []],
  ['the launcher starts a child', asOlderNode.nodeFlags],
] as const) {
  test(`${name}: exit codes, input, output and signals pass exactly`, async (context) => {
    const folder = temporaryFolder(context)
    const options = { folder: folder.path, nodeFlags }
    await orbitOk(['put', 'k', '-', '--data', 'store'], { ...options, input: Buffer.from([0, 1, 255]) })
    assert.deepEqual((await orbitOk(['get', 'k', '--data', 'store'], options)).bytes, Buffer.from([0, 1, 255]))
    assert.equal((await orbit(['get', 'none', '--data', 'store'], options)).code, 1)
    const variables = { ...options, env: { ORBIT_DATA_DIR: 'store' } }
    assert.deepEqual((await orbitOk(['get', 'k'], variables)).bytes, Buffer.from([0, 1, 255]), 'variables pass')
    assert.equal((await orbit(['gett'], options)).code, 2)
    const server = await startServer(['--backend', 'memory'], options)
    assert.equal(server.pid === server.run.child.pid, nodeFlags.length === 0, 'one process, or two')
    assert.equal((await server.stop()).code, 0)
    const killed = await startServer(['--backend', 'memory'], options)
    process.kill(killed.pid, 'SIGKILL')
    assert.deepEqual([(await killed.run.finished).code, (await killed.run.finished).signal], [null, 'SIGKILL'])
  })
}

test('a launcher that is killed leaves no server behind', async (context) => {
  const folder = temporaryFolder(context)
  const server = await startServer(['--data', join(folder.path, 'store')], asOlderNode)
  assert.notEqual(server.pid, server.run.child.pid)
  server.run.child.kill('SIGKILL')
  // The server holds the pipes of the launcher: they close when it has ended.
  const { stderr } = await server.run.finished
  assert.match(stderr, /stopping signal=SIGTERM/)
  assert.match(stderr, /stopped\n$/)
})

test('Ctrl-C reaches launcher and child and counts once', async () => {
  const server = await startServer(['--backend', 'memory'], asOlderNode)
  server.run.child.kill('SIGINT')
  process.kill(server.pid, 'SIGINT')
  const { code, stderr } = await server.run.finished
  assert.equal(code, 0, stderr)
  assert.match(stderr, /stopped\n$/)
})
