/**
 * Moving from a real Redis when things go wrong: connections are lost, the source changes under our hands, is emptied, is
 * still written to, is no whole server, or the target is full; the import is interrupted anywhere, and killed.
 */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { schemas } from '@orbitkv/node'
import { jsonInProcess, runInProcess, startInProcess } from '@orbitkv/node/in-process'
import { makeAuthority, missingOpenssl } from '@orbitkv/runtime/certificates'
import { RawClient } from '../redis/resp.ts'
import { freePort, startOurs, startRealRedis } from '../redis/servers.ts'
import { orbit, Run, temporaryFolder } from './orbit.ts'
import { assertEqual, type Command, fill, seed, startWriter, textOf } from './redis-contents.ts'
import { type Proxy, type Source, type Summary, skip, startProxy, startSource, startTarget } from './redis-servers.ts'

interface Scene {
  readonly folder: string
  readonly source: Source
  readonly target: { readonly url: string; readonly client: RawClient }
  readonly proxy: Proxy
  /** Imports through the proxy. */
  readonly args: readonly string[]
}

async function prepare(context: TestContext): Promise<Scene> {
  const source = await startSource(context)
  const target = await startTarget(context)
  const proxy = await startProxy(context, source.port)
  const args = ['import', proxy.url, '--url', target.url]
  return { folder: temporaryFolder(context).path, source, target, proxy, args }
}

const importJson = (args: readonly string[], folder: string) =>
  jsonInProcess<Summary>(args, schemas.import.fields, { folder })

const keysOf = async (client: RawClient): Promise<number> => Number(textOf(await client.call('DBSIZE')))

const manyKeys = (count: number): Command[] => Array.from({ length: count }, (_, i): Command => ['SET', `more:${i}`, i])

test(`a connection that is lost midway is made again, seed ${seed}`, { skip }, async (context) => {
  const { folder, source, target, proxy, args } = await prepare(context)
  await fill(source.client)
  proxy.afterBytes(200_000, proxy.cut)
  const writing = await RawClient.connect(source.port)
  context.after(() => writing.close())
  const writer = startWriter(writing)
  const run = startInProcess([...args, '--follow'], { folder })
  await run.says(/is lost \(.*\); trying again in 500 ?ms/)
  await run.says(/following redis:/)
  proxy.cut()
  await run.says(/stopped telling what changes; it will be compared/)
  await writer.stop()
  run.interrupt()
  const finished = await run.finished
  // Where the signal came before the connection was made again, nothing is waited for, and the same command goes on.
  if (finished.code !== 0) {
    assert.match(finished.stderr, /closed the connection/)
    await importJson(args, folder)
  }
  await assertEqual(target.client, source.client)
})

test(`an import that is interrupted anywhere goes on, seed ${seed}`, { skip }, async (context) => {
  const { folder, source, target, proxy, args } = await prepare(context)
  await fill(source.client)
  await source.client.pipeline(manyKeys(1500))
  const random = new Random(seed)
  let interrupted = 0
  let bytes = random.between(20_000, 200_000)
  for (;;) {
    const run = startInProcess(args, { folder })
    proxy.afterBytes(bytes, run.interrupt)
    const { code, stderr } = await run.finished
    if (code === 0) break
    assert.equal(code, 130, stderr)
    assert.match(stderr, /[\d,]+ keys? of redis:.* in the store, the same command continues it/)
    if (interrupted++ > 0) assert.match(stderr, /continuing redis:.* after [\d,]+ keys?\n/)
    // Further each time: to the copy's end, and past the comparison's.
    bytes += random.between(100_000, 500_000)
  }
  assert.ok(interrupted > 1)
  proxy.afterBytes(Number.POSITIVE_INFINITY, () => {})
  await assertEqual(target.client, source.client)
})

test('an import that is killed goes on', { skip }, async (context) => {
  const { folder, source, target } = await prepare(context)
  await source.client.pipeline(manyKeys(5000))
  const args = ['import', source.url, '--url', target.url]
  const run = new Run(args, { folder })
  while ((await keysOf(target.client)) < 2000);
  run.child.kill('SIGKILL')
  await run.finished
  const summary = await importJson(args, folder)
  assert.ok(summary.resumed_at >= 512, `resumed at ${summary.resumed_at}`)
  assert.ok(summary.resumed_at < 5000)
  assert.equal(summary.mended, 0)
  assert.equal(await assertEqual(target.client, source.client), summary.verified)
})

test('keys that change their type or go away while they are read come over as they are then', {
  skip,
}, async (context) => {
  const { folder, source, target, proxy, args } = await prepare(context)
  await fill(source.client)
  const once = new Map<string, Command[]>([
    [
      'STRLEN',
      [
        ['DEL', 'text'],
        ['RPUSH', 'text', 'a list now'],
      ],
    ],
    [
      'HSCAN',
      [
        ['DEL', 'user:1'],
        ['SET', 'user:1', 'a string now'],
      ],
    ],
    [
      'LRANGE',
      [
        ['DEL', 'queue', 'large list'],
        ['SADD', 'queue', 'a set now'],
      ],
    ],
    ['XRANGE', [['DEL', 'trimmed']]],
    [
      'CONSUMERS',
      [
        ['XGROUP', 'DESTROY', 'stream', 'readers'],
        ['DEL', 'large stream'],
      ],
    ],
  ])
  proxy.before = async (commands) => {
    for (const [name, changes] of once) {
      if (!commands.includes(name)) continue
      once.delete(name)
      await source.client.pipeline(changes)
    }
  }
  const summary = await importJson(args, folder)
  assert.equal(once.size, 0)
  assert.equal(summary.mended, 0)
  assert.equal(await assertEqual(target.client, source.client), summary.verified)
})

test('a source that is still written to at the cut-over is told, and the same command makes it equal', {
  skip,
}, async (context) => {
  const { folder, source, target, proxy, args } = await prepare(context)
  await source.client.call('SET', 'a', 1)
  const run = startInProcess([...args, '--follow'], { folder })
  await run.says(/following/)
  // Each comparison begins with a SCAN.
  proxy.before = async (commands) => {
    if (commands.includes('\r\nSCAN\r\n')) await source.client.call('INCR', 'counter')
  }
  run.interrupt()
  const { code, stderr } = await run.finished
  assert.notEqual(code, 0)
  assert.match(
    stderr,
    /is still being written: the last comparison found 1 keys? that differed.*cli\.source_still_written/,
  )
  proxy.before = async () => {}
  assert.equal((await importJson(args, folder)).mended, 0)
  assert.equal(await assertEqual(target.client, source.client), 2)
})

test('a source that comes back empty is not followed, and what was copied stays', { skip }, async (context) => {
  const { folder, source, target, proxy, args } = await prepare(context)
  await source.client.pipeline(manyKeys(100))
  const empty = await startOurs()
  context.after(() => empty.close())
  const run = startInProcess([...args, '--follow'], { folder })
  await run.says(/following/)
  proxy.port = empty.port
  proxy.cut()
  const { code, stderr } = await run.finished
  assert.equal(code, 7, stderr)
  assert.match(stderr, /has restarted and has no keys now, while 100 were copied.*--restart \(cli\.source_emptied\)/)
  assert.ok((await keysOf(target.client)) >= 100)
})

test('a target that is full ends the import, which goes on once there is room', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.call('SELECT', 1)
  await source.client.pipeline(manyKeys(100))
  await source.client.call('CONFIG', 'SET', 'maxmemory', 1)
  const args = ['import', `${source.url}/1`, '--url', source.url]
  const { code, stderr } = await runInProcess(args, { folder })
  assert.notEqual(code, 0)
  assert.match(stderr, /OOM command not allowed.*\(cli\.server_error\)/)
  await source.client.call('CONFIG', 'SET', 'maxmemory', 0)
  assert.equal((await importJson(args, folder)).verified, 100)
})

test('a node of a Redis Cluster is refused', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const node = await startRealRedis(['--cluster-enabled', 'yes'])
  context.after(() => node.close())
  const args = ['import', `redis://127.0.0.1:${node.port}`, '--data', 'store']
  const { code, stderr } = await runInProcess(args, { folder })
  assert.equal(code, 7)
  assert.match(stderr, /is a node of a Redis Cluster.*\(cli\.source_cluster\)/)
})

test('by TLS: an authority that is known by NODE_EXTRA_CA_CERTS, and one that is not', {
  skip: skip || missingOpenssl(),
}, async (context) => {
  const folder = temporaryFolder(context).path
  const authority = makeAuthority(folder, 'source')
  const { certificateFile, keyFile } = authority.issue('localhost')
  const port = await freePort()
  const files = ['--tls-cert-file', certificateFile, '--tls-key-file', keyFile, '--tls-ca-cert-file']
  const tls = ['--tls-port', String(port), ...files, authority.certificateFile, '--tls-auth-clients', 'no']
  const redis = await startRealRedis(tls)
  context.after(() => redis.close())
  const client = await RawClient.connect(redis.port)
  await client.call('SET', 'a', 1)
  client.close()
  const args = ['import', `rediss://localhost:${port}`, '--data', 'store']
  const unknown = await runInProcess(args, { folder })
  assert.equal(unknown.code, 6)
  assert.match(unknown.stderr, /nothing answers at rediss:.*(certificate|CERT|VERIFY).*\(cli\.no_server\)/)
  const known = await orbit(args, { folder, env: { NODE_EXTRA_CA_CERTS: authority.certificateFile } })
  assert.equal(known.code, 0, known.stderr)
  assert.match(known.stdout, /verified: 1 key compared/)
})
