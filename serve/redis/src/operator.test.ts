/** What an operator sees and sets: settings that are in force, INFO of a store that failed, kinds of clients. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, startTestServer } from './server-suite.ts'

const machine = { memoryTotalBytes: 1, storageFreeBytes: 1 }

test('INFO and the metrics tell of a store that takes no more writes', async () => {
  const setup = await startTestServer()
  const failed = (): number | undefined =>
    setup.server.families(machine).find(({ name }) => name === 'orbit_store_failed')?.samples[0]?.value
  const client = await setup.connect()
  assert.match(await client.call('INFO', 'persistence'), /\r\naof_last_write_status:ok\r\n/)
  assert.equal(failed(), 0)
  setup.disk.fail({ operation: 'sync', error: 'failed' })
  await client.call('SET', 'a', '1')
  const other = await setup.connect()
  assert.match(await other.call('INFO', 'persistence'), /\r\naof_last_write_status:err\r\n/)
  assert.equal(failed(), 1)
  const closing = setup.server.close(0)
  await setup.pass(2000)
  await closing
})

test('INFO counts the keys that expire: each of a small database, an estimate of a large one', async () => {
  const setup = await startTestServer({ durability: 'none' })
  const client = await setup.connect()
  await client.call('SET', 'a', '1')
  await client.call('SET', 'b', '1', 'PX', 10_000)
  const [, expires, ttl] = /db0:keys=2,expires=(\d+),avg_ttl=(\d+)/.exec(await client.call('INFO', 'keyspace')) ?? []
  assert.equal(expires, '1')
  assert.ok(Number(ttl) > 9000 && Number(ttl) <= 10_000)
  let text = ''
  for (let i = 0; i < 2000; i++) text += encode(['SET', `k${i}`, '1', 'PX', 60_000])
  await client.say(text, 1000)
  const [, estimate] = /expires=(\d+),/.exec(await client.call('INFO', 'keyspace')) ?? []
  assert.ok(Number(estimate) > 1800 && Number(estimate) <= 2002)
  await setup.close()
})

test('settings that Redis has are in force once they are changed', async () => {
  const setup = await startTestServer()
  const client = await setup.connect()
  for (const [name, value] of [
    ['notify-keyspace-events', 'AKE'],
    ['stream-node-max-entries', '7'],
    ['maxmemory-policy', 'noeviction'],
    ['busy-reply-threshold', '50'],
  ] as const) {
    assert.equal(await client.call('CONFIG', 'SET', name, value), '+OK\r\n', name)
    assert.ok((await client.call('CONFIG', 'GET', name)).endsWith(`\r\n${value}\r\n`), name)
  }
  assert.ok((await client.call('CONFIG', 'GET', 'lua-time-limit')).endsWith('\r\n50\r\n'))
  assert.ok((await client.call('CONFIG', 'GET', 'script-ms')).endsWith('\r\n50\r\n'))
  assert.match(await client.call('CONFIG', 'SET', 'busy-reply-threshold', '0'), /^-ERR/)
  assert.match(await client.call('CONFIG', 'SET', 'maxmemory', 'much'), /^-ERR/)
  assert.match(await client.call('CONFIG', 'SET', 'notify-keyspace-events', 'q'), /^-ERR/)
  const listener = await setup.connect()
  await listener.call('SUBSCRIBE', '__keyevent@0__:set')
  listener.received = ''
  await client.call('SET', 'a', '1')
  assert.match(listener.received, /__keyevent@0__:set\r\n\$1\r\na\r\n$/)
  await setup.close()
})

test('CLIENT tells listeners from other clients, and refuses to track by name', async () => {
  const setup = await startTestServer()
  const [client, listener] = [await setup.connect(), await setup.connect()]
  await listener.call('SUBSCRIBE', 'c')
  assert.match(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'), /^\$\d+\r\nid=2 [^\n]*\n\r\n$/)
  assert.match(await client.call('CLIENT', 'LIST', 'TYPE', 'normal'), /^\$\d+\r\nid=1 [^\n]*\n\r\n$/)
  assert.equal(await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), ':1\r\n')
  assert.ok(listener.isClosed)
  assert.match(await client.call('CLIENT', 'TRACKING', 'ON'), /^-ERR CLIENT TRACKING is not offered/)
  assert.equal(await client.call('CLIENT', 'TRACKING', 'OFF'), '+OK\r\n')
  assert.match(await client.call('CLIENT', 'CACHING', 'YES'), /^-ERR CLIENT CACHING can be called only/)
  assert.equal(await client.call('CLIENT', 'GETREDIR'), ':-1\r\n')
  assert.equal(
    await client.call('CLIENT', 'TRACKINGINFO'),
    '*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n',
  )
  await setup.close()
})
