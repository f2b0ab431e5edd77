/** SAVE and its kin: what they say of the disk is so. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestServer } from '../server-suite.ts'

const seed = Number(process.env.ORBIT_SEED ?? 16)

describe(`SAVE with durability none, ORBIT_SEED=${seed}`, () => {
  test('SAVE answers when the disk has synced, and reads are answered meanwhile', async () => {
    const setup = await startTestServer({ seed, durability: 'none' })
    const [saver, other] = [await setup.connect(), await setup.connect()]
    await saver.call('SET', 'a', '1')
    const hold = setup.disk.holdSyncs()
    assert.equal(await saver.call('SAVE'), '')
    assert.equal(await other.call('GET', 'a'), '$1\r\n1\r\n')
    assert.match(await other.call('INFO', 'persistence'), /rdb_bgsave_in_progress:1/)
    saver.received = ''
    hold.release()
    await setup.pass(100)
    assert.equal(saver.received, '+OK\r\n')
    assert.match(await other.call('INFO', 'persistence'), /rdb_bgsave_in_progress:0/)
    await setup.close()
  })

  test('LASTSAVE moves on with a sync that ended', async () => {
    const setup = await startTestServer({ seed, durability: 'none' })
    const client = await setup.connect()
    const first = await client.call('LASTSAVE')
    await setup.pass(5000)
    await client.call('SET', 'a', '1')
    const hold = setup.disk.holdSyncs()
    assert.equal(await client.call('BGSAVE'), '+Background saving started\r\n')
    assert.equal(await client.call('LASTSAVE'), first)
    hold.release()
    await setup.pass(100)
    assert.notEqual(await client.call('LASTSAVE'), first)
    await setup.close()
  })

  test('who is ended while waiting is not told that it is done', async () => {
    const setup = await startTestServer({ seed, durability: 'none' })
    const [saver, other] = [await setup.connect(), await setup.connect()]
    const id = (await saver.call('CLIENT', 'ID')).slice(1).trim()
    await saver.call('SET', 'a', '1')
    const hold = setup.disk.holdSyncs()
    await saver.call('SAVE')
    saver.received = ''
    assert.equal(await other.call('CLIENT', 'UNBLOCK', id), ':1\r\n')
    assert.equal(saver.received, '-ERR the disk has not synced yet\r\n')
    hold.release()
    await setup.pass(100)
    assert.equal(await saver.call('PING'), '+PONG\r\n')
    await setup.close()
  })

  test('neither a transaction nor a script may wait for the disk', async () => {
    const setup = await startTestServer({ seed })
    const client = await setup.connect()
    await client.call('MULTI')
    assert.equal(await client.call('SAVE'), '-ERR Command not allowed inside a transaction\r\n')
    assert.match(await client.call('EXEC'), /^-EXECABORT/)
    assert.match(await client.call('EVAL', 'return redis.call("SAVE")', 0), /not allowed from script/)
    assert.match(await client.call('BGSAVE', 'NOW'), /^-ERR syntax error/)
    await setup.close()
  })
})
