/** The gate: no reply before its facts are on the disk, replies in order, and no reply at all when the disk fails. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gate, type GateClient } from './gate.ts'
import { BufferPool } from './protocol/buffers.ts'
import { Chunk, Slices } from './protocol/output.ts'
import { encode, startTestServer } from './server-suite.ts'

const seed = Number(process.env.ORBIT_SEED ?? 15)

describe(`the gate with durability always, ORBIT_SEED=${seed}`, () => {
  test('the reply to a write is withheld until the disk has synced', async () => {
    const setup = await startTestServer({ seed })
    const client = await setup.connect()
    const hold = setup.disk.holdSyncs()
    assert.equal(await client.call('SET', 'a', '1'), '')
    await setup.pass(10_000)
    assert.equal(client.received, '')
    assert.equal(setup.store.get('a'), undefined)
    hold.release()
    await setup.pass(100)
    assert.equal(client.received, '+OK\r\n')
    assert.equal(Buffer.from(setup.store.get('a') ?? []).toString(), '1')
    await setup.close()
  })

  test('so is a read that saw it, of any client; one before the write was answered at once', async () => {
    const setup = await startTestServer({ seed })
    const [writer, reader] = [await setup.connect(), await setup.connect()]
    const hold = setup.disk.holdSyncs()
    assert.equal(await reader.call('GET', 'a'), '$-1\r\n')
    assert.equal(await writer.call('SET', 'a', '1'), '')
    assert.equal(await reader.call('GET', 'a'), '')
    reader.send(encode(['PING']))
    await setup.pass(100)
    assert.equal(reader.received, '')
    hold.release()
    await setup.pass(100)
    assert.equal(reader.received, '$1\r\n1\r\n+PONG\r\n')
    assert.equal(writer.received, '+OK\r\n')
    await setup.close()
  })

  test('commands go on meanwhile, and their replies come in order', async () => {
    const setup = await startTestServer({ seed })
    const client = await setup.connect()
    const hold = setup.disk.holdSyncs()
    for (let i = 0; i < 20; i++) {
      client.send(encode(['INCR', 'a']))
      await setup.pass(50)
    }
    assert.equal(setup.server.stats.commandsProcessed, 20)
    assert.equal(client.received, '')
    hold.release()
    await setup.pass(1000)
    assert.equal(client.received, Array.from({ length: 20 }, (_, i) => `:${i + 1}\r\n`).join(''))
    await setup.close()
  })

  test('one sync serves all that waited', async () => {
    const setup = await startTestServer({ seed })
    const clients = []
    for (let i = 0; i < 20; i++) clients.push(await setup.connect())
    const hold = setup.disk.holdSyncs()
    await clients[0]?.call('SET', 'first', '1')
    for (const [i, client] of clients.entries()) client.send(encode(['SET', `k${i}`, '1']))
    await setup.pass(100)
    const before = setup.disk.counts.syncs
    hold.release()
    await setup.pass(100)
    assert.ok(setup.disk.counts.syncs - before <= 2, `${setup.disk.counts.syncs - before} syncs`)
    for (const client of clients) assert.ok(client.received.endsWith('+OK\r\n'))
    await setup.close()
  })

  test('a client is not read from while more replies are withheld than it may have', async () => {
    const setup = await startTestServer({ seed, limits: { outputPauseBytes: 50 } })
    const client = await setup.connect()
    const hold = setup.disk.holdSyncs()
    client.send(encode(['INCR', 'a']).repeat(1000))
    await setup.pass(1000)
    assert.ok(setup.server.stats.commandsProcessed < 100, `${setup.server.stats.commandsProcessed} ran`)
    hold.release()
    await setup.pass(5000)
    assert.equal(client.received.split('\r\n').length - 1, 1000)
    assert.ok(client.received.endsWith(':1000\r\n'))
    await setup.close()
  })

  test('a sync that fails: no reply goes out, who waited is closed, reads go on, writes are refused', async () => {
    const setup = await startTestServer({ seed })
    const [writer, reader, idle] = [await setup.connect(), await setup.connect(), await setup.connect()]
    assert.equal(await writer.call('SET', 'a', 'old'), '+OK\r\n')
    setup.disk.fail({ operation: 'sync', error: 'failed' })
    writer.received = ''
    reader.received = ''
    writer.send(encode(['SET', 'a', 'new']))
    await setup.pass(100)
    assert.equal(writer.received, '')
    assert.ok(writer.isClosed)
    assert.ok(!idle.isClosed)
    assert.deepEqual(
      setup.log.map(({ level }) => level).filter((level) => level === 'error'),
      ['error'],
    )
    assert.equal(await idle.call('GET', 'a'), '$3\r\nold\r\n')
    assert.match(await idle.call('SET', 'a', 'new'), /^-MISCONF a write to .* failed .*\r\n$/)
    assert.equal(await idle.call('GET', 'a'), '$3\r\nold\r\n')
    const closing = setup.server.close(100)
    await setup.pass(1000)
    await closing
    await setup.store.close()
  })

  test('a full disk refuses writes by name and serves reads and deletes', async () => {
    const setup = await startTestServer({ seed, capacityBytes: 10_000_000 })
    const client = await setup.connect()
    assert.equal(await client.call('SET', 'a', '1'), '+OK\r\n')
    let refused = ''
    for (let i = 0; i < 200 && refused === ''; i++) {
      const said = await client.call('SET', `k${i}`, 'x'.repeat(100_000))
      if (said !== '+OK\r\n') refused = said
    }
    assert.match(refused, /^-MISCONF no space left in .*\r\n$/)
    assert.equal(await client.call('GET', 'a'), '$1\r\n1\r\n')
    assert.equal(await client.call('DEL', 'a'), ':1\r\n')
    assert.equal(await client.call('GET', 'a'), '$-1\r\n')
    // The store itself is not closed: its last note finds no room either.
    const closing = setup.server.close(100)
    await setup.pass(1000)
    await closing
  })
})

/** A store that settles when the test says so, in any order: what no real one does, but the contract allows. */
class Recorder implements GateClient {
  outputBytes = 0
  readonly delivered: number[] = []
  failures = 0

  deliver(chunk: Chunk, start: number, end: number): void {
    this.delivered.push(chunk.bytes[start] as number)
    this.outputBytes -= end - start
    chunk.release()
  }

  fail(): void {
    this.failures++
  }
}

describe('the gate over a store that settles in an odd order', () => {
  type Done = (error?: Error) => void

  function setup(isSettled: () => boolean): {
    gate: Gate<Recorder>
    dones: Done[]
    failures: Error[]
    turn: (mark: number) => Recorder
  } {
    const dones: Done[] = []
    const failures: Error[] = []
    const owner = {
      beginTurn: () => {},
      now: () => 0,
      get: () => undefined,
      prefetch: () => {},
      range: () => [],
      count: () => 0,
      random: () => undefined,
      write: () => {},
      get settled() {
        return isSettled()
      },
      settle: (done: Done) => void dones.push(done),
    }
    const gate = new Gate<Recorder>(owner, (error) => failures.push(error))
    const pool = new BufferPool(10_000_000)
    const turn = (mark: number): Recorder => {
      const client = new Recorder()
      const chunk = new Chunk(pool, 0)
      chunk.bytes[0] = mark
      const slices = new Slices<Recorder>()
      slices.add(client, chunk, 0, 1)
      gate.endTurn(slices)
      return client
    }
    return { gate, dones, failures, turn }
  }

  test('a turn that is settled before one ahead of it waits for that', () => {
    const { gate, dones, turn } = setup(() => false)
    const [first, second] = [turn(1), turn(2)]
    dones[1]?.()
    assert.deepEqual([first.delivered, second.delivered], [[], []])
    dones[0]?.()
    assert.deepEqual([first.delivered, second.delivered], [[1], [2]])
    assert.equal(gate.turnsWaiting, 0)
  })

  test('a turn that saw only settled state goes out at once, unless others wait', () => {
    let isSettled = true
    const { dones, turn } = setup(() => isSettled)
    assert.deepEqual(turn(1).delivered, [1])
    isSettled = false
    const waiting = turn(2)
    isSettled = true
    const behind = turn(3)
    assert.deepEqual([waiting.delivered, behind.delivered], [[], []])
    for (const done of dones) done()
    assert.deepEqual([waiting.delivered, behind.delivered], [[2], [3]])
  })

  test('a failure withholds its own turn, tells its clients and lets the next go', () => {
    const { dones, failures, turn } = setup(() => false)
    const [first, second] = [turn(1), turn(2)]
    dones[0]?.(new Error('the disk is gone'))
    dones[1]?.()
    assert.deepEqual([first.delivered, first.failures, first.outputBytes], [[], 1, 0])
    assert.deepEqual(second.delivered, [2])
    assert.equal(failures.length, 1)
  })
})
