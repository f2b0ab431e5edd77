/** CLIENT PAUSE: what waits, in which order it goes on, and that a pause ends. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, startTestServer, type TestClient } from './server-suite.ts'

const MiB = 1024 * 1024

test('a pause of writes keeps what may write, lets reads pass, and runs what waited in order', async () => {
  const setup = await startTestServer()
  const [operator, one, two, reader] = [
    await setup.connect(),
    await setup.connect(),
    await setup.connect(),
    await setup.connect(),
  ]
  await two.say(encode(['MULTI']) + encode(['RPUSH', 'l', 'two']))
  assert.equal(await operator.call('CLIENT', 'PAUSE', 60_000, 'WRITE'), '+OK\r\n')
  assert.equal(await one.say(encode(['RPUSH', 'l', 'one']) + encode(['LLEN', 'l'])), '')
  assert.equal(await two.call('EXEC'), '', 'it has a command that writes')
  assert.equal(await reader.call('EXISTS', 'l'), ':0\r\n')
  await reader.say(encode(['MULTI']) + encode(['GET', 'a']))
  assert.equal(await reader.call('EXEC'), '*1\r\n$-1\r\n')
  assert.match(await operator.call('INFO', 'clients'), /\r\nblocked_clients:2\r\n/)
  for (const command of [
    ['PUBLISH', 'c', 'm'],
    ['PFCOUNT', 'h'],
    ['EVAL', 'return 1', 0],
  ]) {
    const client = await setup.connect()
    assert.equal(await client.call(...command), '')
    client.connection.destroy()
    await setup.pass(100)
  }
  assert.match(await operator.call('INFO', 'clients'), /\r\nblocked_clients:2\r\n/)
  one.received = ''
  two.received = ''
  assert.equal(await operator.call('CLIENT', 'UNPAUSE'), '+OK\r\n')
  assert.equal(one.received, ':1\r\n:2\r\n')
  assert.equal(two.received, '*1\r\n:2\r\n')
  assert.equal(await reader.call('LRANGE', 'l', 0, -1), '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
  await setup.close()
})

test('a pause of all commands keeps every one but CLIENT UNPAUSE, and ends by itself', async () => {
  const setup = await startTestServer()
  const [operator, client] = [await setup.connect(), await setup.connect()]
  await operator.call('CLIENT', 'PAUSE', 1000)
  assert.equal(await client.say(encode(['CLIENT', 'REPLY', 'SKIP']) + encode(['PING']) + encode(['ECHO', 'x'])), '')
  await setup.pass(1000)
  assert.equal(client.received, '$1\r\nx\r\n', 'what CLIENT REPLY says holds for commands that waited, too')
  assert.equal(await client.call('PING'), '+PONG\r\n')
  // Of two pauses the later end and the wider scope hold.
  await operator.call('CLIENT', 'PAUSE', 1000, 'ALL')
  const second = await setup.connect()
  assert.equal(await second.call('CLIENT', 'PAUSE', 10, 'WRITE'), '')
  assert.equal(await client.call('PING'), '')
  assert.equal(await operator.call('CLIENT', 'UNPAUSE'), '+OK\r\n')
  assert.equal(second.received, '+OK\r\n')
  await setup.pass(100)
  assert.equal(client.received, '+PONG\r\n')
  await setup.close()
})

test('a command that waited may serve others, and may wait for an element itself', async () => {
  const setup = await startTestServer()
  const [operator, waits, pushes] = [await setup.connect(), await setup.connect(), await setup.connect()]
  await operator.call('CLIENT', 'PAUSE', 500, 'WRITE')
  await waits.call('BLPOP', 'l', 0)
  await pushes.call('RPUSH', 'l', 'x')
  await setup.pass(1000)
  assert.equal(waits.received, '*2\r\n$1\r\nl\r\n$1\r\nx\r\n')
  assert.equal(pushes.received, ':1\r\n')
  assert.equal(await waits.call('PING'), '+PONG\r\n')
  await setup.close()
})

test('a pause that is asked for wrongly is refused, and so is what takes more memory than may wait', async () => {
  const setup = await startTestServer({
    limits: { buffersBytesMax: 4 * MiB, bulkBytesMax: MiB, frameBytesMax: 2 * MiB, outputBytesMax: 2 * MiB },
  })
  const client = await setup.connect()
  assert.equal(await client.call('CLIENT', 'PAUSE', 'x'), '-ERR timeout is not an integer or out of range\r\n')
  assert.equal(await client.call('CLIENT', 'PAUSE', -1), '-ERR timeout is negative\r\n')
  assert.equal(await client.call('CLIENT', 'PAUSE', 1, 'SOME'), '-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n')
  await client.call('CLIENT', 'PAUSE', 60_000, 'WRITE')
  const large = encode(['SET', 'a', 'x'.repeat(900_000)])
  const writers: TestClient[] = []
  for (let i = 0; i < 5; i++) writers.push(await setup.connect())
  const said: string[] = []
  for (const writer of writers) said.push(await writer.say(large, 5000))
  assert.deepEqual(said.slice(0, 4), ['', '', '', ''])
  assert.match(said[4] as string, /^-ERR too much waits for the end of CLIENT PAUSE/)
  await client.call('CLIENT', 'UNPAUSE')
  assert.equal(writers[1]?.received, '+OK\r\n')
  await setup.close()
})
