/**
 * Moving from a real Redis: every type and every time of expiry is there afterwards and equal, also where the source is
 * written to until the cut-over. What goes wrong on the way: import-redis.fault.test.ts.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { differences, schemas } from '@orbitkv/node'
import { jsonInProcess, runInProcess, startInProcess } from '@orbitkv/node/in-process'
import { RawClient } from '../redis/resp.ts'
import { temporaryFolder } from './orbit.ts'
import { assertEqual, fill, seed, startWriter, textOf, textsOf } from './redis-contents.ts'
import { type Summary, skip, startSource, startTarget, withFolder } from './redis-servers.ts'

const importJson = (args: readonly string[], folder: string) =>
  jsonInProcess<Summary>(['import', ...args], schemas.import.fields, { folder })

test(`a Redis comes over with every type and time, into a folder and into a server, seed ${seed}`, {
  skip,
}, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await fill(source.client)
  const summary = await importJson([source.url, '--data', 'store', '--durability', 'none'], folder)
  assert.equal(summary.mended, 0)
  assert.equal(summary.rejected, 0)
  assert.equal(summary.stored, summary.verified)
  await withFolder(join(folder, 'store'), async (client) => {
    assert.equal(await assertEqual(client, source.client), summary.verified)
  })

  // Into what has it already and is not the same any more.
  const target = await startTarget(context)
  const args = [source.url, '--url', target.url]
  await importJson(args, folder)
  const refused = await runInProcess(['import', ...args], { folder })
  assert.equal(refused.code, 7)
  assert.match(refused.stderr, /has 7\d\d keys already.*--replace \(cli\.target_not_empty\)/)
  await target.client.pipeline([
    ['SET', 'only here', 'x'],
    ['SADD', 'text', 'another type'],
    ['DEL', 'text', 'key:7'],
    ['LPUSH', 'large list', 'more'],
    ['LTRIM', 'queue', 0, 1],
    ['RPUSH', 'user:1x', 'a'],
    ['HSET', 'large hash', 'more', 'x'],
    ['HDEL', 'large hash', 'field 7'],
    ['ZADD', 'scores', 5, 'least', 1, 'more'],
    ['SREM', 'integers', 7],
    ['SADD', 'large set', 'more'],
    ['PERSIST', 'later'],
    ['PEXPIRE', 'number', 5000],
    ['SET', 'log', 'x'],
  ])
  const { stdout } = await runInProcess(['import', ...args, '--replace'], { folder })
  assert.match(stdout, /verified: [\d,]+ keys compared, redis:.* and redis:.* are equal/)
  assert.equal(await assertEqual(target.client, source.client), summary.verified)
})

test('streams that differ are mended in place, or made anew where ids stand in the way', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await fill(source.client)
  const target = await startTarget(context)
  const args = [source.url, '--url', target.url, '--replace']
  await importJson(args, folder)
  const idles = async (client: RawClient) => {
    const reply = await client.call('XPENDING', 'stream', 'readers', '-', '+', 10)
    assert.ok('array' in reply)
    return reply.array.map((pending) => Number(textsOf(pending)[2]))
  }
  const own = await idles(target.client)
  for (const [place, idleMs] of (await idles(source.client)).entries())
    assert.ok(Math.abs(idleMs - (own[place] as number)) < 60_000, 'what was idle for long still is')
  await source.client.pipeline([
    ['XTRIM', 'trimmed', 'MAXLEN', 1],
    ['XADD', 'stream', '30-0', 'new', 'entry'],
    ['XACK', 'stream', 'readers', '1-1'],
    ['XDEL', 'large stream', '1500-0', '1999-0'],
    ['DEL', 'read empty'],
    ['XADD', 'read empty', '1-1', 'before', 'the last id'],
  ])
  await target.client.pipeline([
    ['XGROUP', 'DESTROY', 'stream', 'idle \xff'],
    ['XGROUP', 'CREATE', 'stream', 'more', '0'],
    ['XGROUP', 'CREATECONSUMER', 'stream', 'readers', 'more'],
    ['XGROUP', 'SETID', 'stream', 'readers', '1-1'],
    ['XCLAIM', 'stream', 'readers', 'more', 0, '1-2', '7-0'],
    ['XADD', 'large stream', '*', 'only', 'here'],
    ['XADD', 'empty stream', '*', 'only', 'here'],
    ['XDEL', 'large stream', '17-0'],
  ])
  const summary = await importJson(args, folder)
  assert.equal(summary.mended, 0)
  await assertEqual(target.client, source.client)
  const again = await importJson(args, folder)
  assert.equal(again.mended, 0)
  await assertEqual(target.client, source.client)
})

test('what is pending of deleted entries is left out, and does not count as a difference', {
  skip,
}, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.pipeline([
    ['XADD', 's', '1-0', 'a', 1],
    ['XADD', 's', '2-0', 'a', 2],
    ['XGROUP', 'CREATE', 's', 'g', 0],
    ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'],
    ['XDEL', 's', '1-0'],
  ])
  const target = await startTarget(context)
  const { stdout } = await runInProcess(['import', source.url, '--url', target.url], { folder })
  assert.match(stdout, /verified: 1 key compared/)
  const pending = await target.client.call('XPENDING', 's', 'g', '-', '+', 10)
  assert.ok('array' in pending)
  assert.deepEqual(
    pending.array.map((one) => textsOf(one)[0]),
    ['2-0'],
  )
})

test('a list that is made anew in the target keeps its time of expiry', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  const target = await startTarget(context)
  await source.client.pipeline([
    ['RPUSH', 'list', 'a', 'b'],
    ['PEXPIREAT', 'list', 4_000_000_000_000],
  ])
  await importJson([source.url, '--url', target.url], folder)
  await source.client.call('LPUSH', 'list', 'first')
  const run = startInProcess(['import', source.url, '--url', target.url, '--replace', '--follow'], { folder })
  await run.says(/following/)
  assert.equal(textOf(await target.client.call('PEXPIRETIME', 'list')), '4000000000000', 'before any comparison')
  run.interrupt()
  assert.equal((await run.finished).code, 0)
})

test(`what is written until the cut-over comes over, seed ${seed}`, { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await fill(source.client)
  await source.client.call('CONFIG', 'SET', 'notify-keyspace-events', 'Ex')
  const target = await startTarget(context)
  const writing = await RawClient.connect(source.port)
  context.after(() => writing.close())
  const writer = startWriter(writing)
  const run = startInProcess(['import', source.url, '--url', target.url, '--follow'], { folder })
  await run.says(/following redis:\S+: stop its writers, then press Ctrl-C/)
  // What nobody is told of, and what is made of the server's own accord.
  await source.client.call('SELECT', 1)
  await source.client.call('SET', 'of another database', 'x')
  await source.client.call('SELECT', 0)
  await source.client.call('SET', 'short', 'x', 'PX', 1)
  assert.ok((await writer.stop()) > 0)
  run.interrupt()
  const { code, stdout, stderr } = await run.finished
  assert.equal(code, 0, stderr)
  const told = /([\d,]+) changes? followed by events\nverified: ([\d,]+) keys compared/.exec(stdout)
  assert.ok(told !== null, stdout)
  const verified = Number(told[2]?.replaceAll(',', ''))
  assert.equal(await assertEqual(target.client, source.client), verified)
  assert.deepEqual(textsOf(await source.client.call('CONFIG', 'GET', 'notify-keyspace-events')), [
    'notify-keyspace-events',
    'xE',
  ])
  const left = textsOf(await target.client.call('KEYS', '\0orbit\0*'))
  assert.deepEqual(left, [], 'the progress is gone with the end of the import')
})

test('FLUSHALL, of which no event tells, is made good by the comparison at the end', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.pipeline([
    ['SET', 'a', 1],
    ['RPUSH', 'b', 1],
  ])
  const target = await startTarget(context)
  const run = startInProcess(['import', source.url, '--url', target.url, '--follow'], { folder })
  await run.says(/following/)
  await source.client.call('INCR', 'c')
  // Followed: the change comes over by itself.
  while (!('bulk' in (await target.client.call('GET', 'c'))));
  await source.client.call('FLUSHALL')
  await source.client.call('SET', 'new', 'x')
  run.interrupt()
  const { code, stdout, stderr } = await run.finished
  assert.equal(code, 0, stderr)
  assert.match(stdout, /followed by events\nverified: 1 key compared/)
  assert.equal(await assertEqual(target.client, source.client), 1)
})

test('a source that lets nobody change its settings is followed by comparing', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.pipeline([
    ['ACL', 'SETUSER', 'mover', 'on', '>secret', '~*', '&*', '+@all', '-config'],
    ['SET', 'a', 1],
  ])
  const target = await startTarget(context)
  const url = source.url.replace('//', '//mover:secret@')
  const run = startInProcess(['import', url, '--url', target.url, '--follow'], { folder })
  await run.says(/following redis:\/\/127\S+ by comparing, as it does not tell what changes: /)
  await source.client.call('SET', 'b', 2)
  run.interrupt()
  const { code, stdout, stderr } = await run.finished
  assert.equal(code, 0, stderr)
  assert.match(stdout, /followed by comparisons\nverified: 2 keys compared/)
  assert.doesNotMatch(stdout + stderr, /secret/)
  await assertEqual(target.client, source.client)
})

test('passwords: right by the address and by the variable, wrong and missing told by name', {
  skip,
}, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.pipeline([
    ['SET', 'a', 1],
    ['CONFIG', 'SET', 'requirepass', 'open sesame'],
  ])
  const importInto = (url: string, data: string, env = {}) =>
    runInProcess(['import', url, '--data', data], { folder, env })
  assert.equal((await importInto(source.url.replace('//', '//:open%20sesame@'), 'one')).code, 0)
  const { stdout } = await importInto(source.url, 'two', { ORBIT_SOURCE_PASSWORD: 'open sesame' })
  assert.match(stdout, /verified: 1 key compared/)
  for (const url of [source.url, source.url.replace('//', '//:wrong@')]) {
    const { code, stderr } = await importInto(url, 'three')
    assert.equal(code, 7)
    assert.match(stderr, /refuses the password or the user \((NOAUTH|WRONGPASS).*\(cli\.source_password\)/)
    assert.doesNotMatch(stderr, /wrong@/)
  }
})

test('a folder whose configuration demands a password is imported into', {
  skip,
}, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.call('SET', 'a', 1)
  const env = {
    ORBIT_REDIS_REQUIREPASS: 'not asked for here',
  }
  const { code, stdout, stderr } = await runInProcess(['import', source.url, '--data', 'store'], { folder, env })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /verified: 1 key compared/)
})

test('values that the store cannot take are named, and skipped only when asked', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  const large = 'x'.repeat(2_000_000)
  await source.client.pipeline([
    ['SET', 'a', 1],
    ['SET', 'big', large],
    ['RPUSH', 'big list', 'a', large],
    ['HSET', 'long field', 'f'.repeat(9000), 'x'],
    ['XADD', 'big stream', '*', 'a', 1],
    ['XADD', 'big stream', '*', 'a', large],
    ['SET', 'k'.repeat(9000), 1],
    ['SET', '\0orbit\0mine', 1],
  ])
  const stopped = await runInProcess(['import', source.url, '--data', 'one'], { folder })
  assert.equal(stopped.code, 7)
  assert.match(stopped.stderr, /, key .*: .*--on-error skip \(cli\.bad_entry\)/)
  const args = [source.url, '--data', 'two', '--on-error', 'skip', '--rejects', 'rejects.ndjson']
  const summary = await importJson(args, folder)
  assert.deepEqual([summary.verified, summary.mended, summary.rejected], [1, 0, 6])
  const rejects = readFileSync(join(folder, 'rejects.ndjson'), 'utf8').trimEnd().split('\n')
  const documents = rejects.map((line) => JSON.parse(line) as { key: string; problem: string })
  for (const document of documents) assert.deepEqual(differences(document, schemas.rejectedKey.fields), [])
  const problemOf = (key: string) => documents.find((document) => document.key === key)?.problem ?? ''
  assert.equal(documents.length, 6)
  assert.match(problemOf('big'), /^the value has 2000000 bytes, the most is 1048576/)
  assert.match(problemOf('big list'), /^an element has 2000000 bytes/)
  assert.match(problemOf('long field'), /9000|8175|8192/)
  assert.match(problemOf('big stream'), /^an entry has 2000001 bytes/)
  assert.match(problemOf('k'.repeat(9000)), /^the key has 9000 bytes/)
  assert.match(problemOf('\0orbit\0mine'), /^the key begins like those that orbit keeps for itself/)
})

test('one database of several, an empty one, and a Redis as the target', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const source = await startSource(context)
  await source.client.pipeline([
    ['SELECT', 3],
    ['SET', 'of three', 1],
    ['RPUSH', 'list', 1],
    ['SELECT', 0],
  ])
  const empty = await importJson([`${source.url}/2`, '--data', 'none'], folder)
  assert.deepEqual([empty.finished, empty.records, empty.verified], [true, 0, 0])
  const summary = await importJson([`${source.url}/3`, '--url', source.url], folder)
  assert.equal(summary.verified, 2)
  assert.deepEqual(textsOf(await source.client.call('KEYS', '*')).sort(), ['list', 'of three'])
})

test('addresses that are none, and servers that are none, are refused by name', { skip }, async (context) => {
  const folder = temporaryFolder(context).path
  const silent = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  context.after(() => silent.close())
  const { port } = silent.address() as net.AddressInfo
  for (const [args, code, message] of [
    [['redis://'], 2, /\(cli\.source_address\)/],
    [['redis://host/notes'], 2, /\/notes is no number of a database/],
    [['redis://127.0.0.1:1'], 6, /nothing answers at redis:\/\/127\.0\.0\.1:1/],
    [[`redis://127.0.0.1:${port}`], 6, /does not speak the Redis protocol/],
    [['redis://127.0.0.1:1', '--key', 'id'], 2, /--key says nothing about the format redis/],
    [['a.csv', '--follow'], 2, /--follow says nothing about the format csv/],
  ] as const) {
    const finished = await runInProcess(['import', ...args, '--data', 'store'], { folder })
    assert.equal(finished.code, code, finished.stderr)
    assert.match(finished.stderr, message)
  }
})
