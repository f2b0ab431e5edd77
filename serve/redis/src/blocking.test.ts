/** Clients that wait or listen, when connections end, stay slow, or the disk is full. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, startTestServer } from './server-suite.ts'

test('an element goes to nobody whose connection is gone', async () => {
  const setup = await startTestServer()
  const [gone, waits, other] = [await setup.connect(), await setup.connect(), await setup.connect()]
  await gone.call('BLPOP', 'list', 0)
  await waits.call('BLPOP', 'list', 0)
  gone.connection.destroy()
  await setup.pass(100)
  await other.call('RPUSH', 'list', 'a', 'b')
  assert.equal(waits.received, '*2\r\n$4\r\nlist\r\n$1\r\na\r\n')
  assert.equal(await other.call('LRANGE', 'list', 0, -1), '*1\r\n$1\r\nb\r\n')
  await setup.close()
})

test('what a client sends while it waits is done when it has its element, in order', async () => {
  const setup = await startTestServer()
  const [waits, other] = [await setup.connect(), await setup.connect()]
  await waits.say(encode(['BLPOP', 'list', 0]) + encode(['SET', 'a', '1']) + encode(['GET', 'a']))
  assert.equal(await waits.say(encode(['PING'])), '')
  assert.equal(await other.call('GET', 'a'), '$-1\r\n')
  await other.call('RPUSH', 'list', 'x')
  assert.equal(waits.received, '*2\r\n$4\r\nlist\r\n$1\r\nx\r\n+OK\r\n$1\r\n1\r\n+PONG\r\n')
  await setup.close()
})

test('CLIENT UNBLOCK ends a wait as its time would, or with an error; the key serves others then', async () => {
  const setup = await startTestServer()
  const [waits, other] = [await setup.connect(), await setup.connect()]
  const id = (await waits.call('CLIENT', 'ID')).slice(1, -2)
  await waits.call('BLPOP', 'list', 0)
  assert.match(await other.call('INFO', 'clients'), /blocked_clients:1\r\n/)
  assert.match(await other.call('CLIENT', 'LIST'), new RegExp(`id=${id} .* flags=b `))
  assert.equal(await other.call('CLIENT', 'UNBLOCK', id), ':1\r\n')
  assert.equal(waits.received, '*-1\r\n')
  await waits.call('BLPOP', 'list', 0)
  assert.equal(await other.call('CLIENT', 'UNBLOCK', id, 'ERROR'), ':1\r\n')
  assert.equal(waits.received, '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n')
  assert.equal(await other.call('CLIENT', 'UNBLOCK', id), ':0\r\n')
  await other.call('RPUSH', 'list', 'x')
  assert.equal(await waits.call('LLEN', 'list'), ':1\r\n')
  await setup.close()
})

test('a server that stops does not wait for those who wait', async () => {
  const setup = await startTestServer()
  const waits = await setup.connect()
  await waits.call('BLPOP', 'list', 0)
  await setup.close()
  assert.ok(waits.isClosed)
})

test('who does not read its messages is cut at the limit, and others get them all', async () => {
  const setup = await startTestServer({ windowBytes: 4096, limits: { messageBytesMax: 20_000 } })
  const [slow, reads, speaks] = [await setup.connect(), await setup.connect(), await setup.connect()]
  await slow.call('SUBSCRIBE', 'news')
  await reads.call('SUBSCRIBE', 'news')
  slow.connection.pause()
  for (let i = 0; i < 40; i++) await speaks.call('PUBLISH', 'news', `${i} ${'x'.repeat(1000)}`)
  assert.equal(await speaks.call('PUBSUB', 'NUMSUB', 'news'), '*2\r\n$4\r\nnews\r\n:1\r\n')
  assert.match(reads.received, /39 x/)
  assert.equal(setup.server.stats.connectionsCut, 1)
  await setup.close()
})

test('a transaction that the disk has no room for is refused as a whole', async () => {
  const setup = await startTestServer({ capacityBytes: 12 * 1024 * 1024 })
  const client = await setup.connect()
  const value = 'x'.repeat(500_000)
  let reply = ''
  for (let i = 0; i < 60 && !reply.includes('-MISCONF'); i++) {
    const commands = [['MULTI'], ['SET', `a${i}`, value], ['RPUSH', `b${i}`, value], ['PING'], ['EXEC']]
    reply = await client.say(commands.map(encode).join(''), 500)
    const both = await client.call('EXISTS', `a${i}`, `b${i}`)
    assert.equal(both, reply.includes('-MISCONF') ? ':0\r\n' : ':2\r\n')
  }
  assert.match(reply, /^\+OK\r\n\+QUEUED\r\n\+QUEUED\r\n\+QUEUED\r\n-MISCONF /)
  assert.equal(await client.call('PING'), '+PONG\r\n')
  await setup.close()
})
