/** The front as a whole: connections, limits, faults and the end, on a simulated network over the real store. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode, Random } from '@orbitkv/base'
import { SimulatedClock, SimulatedNetwork } from '@orbitkv/runtime/simulated'
import { allCommands } from './commands/index.ts'
import { isLoopback } from './doors.ts'
import { startRedis } from './server.ts'
import { encode, startTestServer, type TestOptions, type TestServer } from './server-suite.ts'

const seed = Number(process.env.ORBIT_SEED ?? 14)

async function withServer(options: TestOptions, use: (setup: TestServer) => Promise<void>): Promise<void> {
  const setup = await startTestServer({ seed, ...options })
  try {
    await use(setup)
    assert.deepEqual(
      setup.log.filter(({ level }) => level === 'error'),
      [],
    )
  } finally {
    await setup.close()
  }
}

describe(`the front, ORBIT_SEED=${seed}`, () => {
  test('a pipeline is answered in order, however the network cuts it', async () => {
    await withServer({}, async ({ connect }) => {
      const client = await connect()
      const commands = Array.from({ length: 500 }, (_, i) =>
        encode(i % 2 === 0 ? ['SET', `k${i}`, i] : ['GET', `k${i - 1}`]),
      )
      const expected = Array.from({ length: 500 }, (_, i) =>
        i % 2 === 0 ? '+OK\r\n' : `$${String(i - 1).length}\r\n${i - 1}\r\n`,
      )
      assert.equal(await client.say(commands.join(''), 1000), expected.join(''))
    })
  })

  test('a value that goes through many windows arrives whole both ways', async () => {
    await withServer({ windowBytes: 1000 }, async ({ connect }) => {
      const client = await connect()
      const value = Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(i % 256)).join('')
      assert.equal(await client.say(encode(['SET', 'a', value]), 2000), '+OK\r\n')
      assert.equal(await client.say(encode(['GET', 'a']), 2000), `$50000\r\n${value}\r\n`)
    })
  })

  test('half a frame and a hang-up leave nothing behind', async () => {
    await withServer({}, async ({ connect, server, pass }) => {
      const client = await connect()
      client.send('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000\r\nonly the beginn')
      await pass(100)
      assert.equal(server.connections, 1)
      client.connection.destroy()
      await pass(100)
      assert.equal(server.connections, 0)
      const other = await connect()
      assert.equal(await other.call('EXISTS', 'a'), ':0\r\n')
    })
  })

  test('bytes that are no command get an error and the end, as from Redis', async () => {
    await withServer({}, async ({ connect, pass }) => {
      const client = await connect()
      const said = await client.say(`${encode(['PING'])}*1\r\n:5\r\n${encode(['PING'])}`)
      assert.equal(said, "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n")
      await pass(100)
      assert.ok(client.isClosed)
    })
  })

  test('a frame over the limit ends the connection, a value over the limit of the store does not', async () => {
    await withServer(
      { limits: { bulkBytesMax: 100_000, frameBytesMax: 150_000 }, valueBytesMax: 50_000 },
      async ({ connect }) => {
        const client = await connect()
        const tooLarge = await client.say(encode(['SET', 'a', 'x'.repeat(50_001)]), 1000)
        assert.match(tooLarge, /^-ERR the value has 50001 bytes, the most is 50000.*\r\n$/)
        assert.match(
          await client.call('SETRANGE', 'a', 99_999_999_999, 'x'),
          /^-ERR string exceeds maximum allowed size/,
        )
        assert.match(
          await client.call('SET', 'k'.repeat(9000), 'x'),
          /^-ERR the key has 9000 bytes, the most is \d+\r\n$/,
        )
        assert.equal(await client.call('GET', 'a'), '$-1\r\n')
        assert.equal(await client.say('*2\r\n$3\r\nGET\r\n$100001\r\n'), '-ERR Protocol error: invalid bulk length\r\n')
        assert.ok(client.isClosed)
      },
    )
  })

  test('an inline command works, one that is too long ends the connection', async () => {
    await withServer({}, async ({ connect }) => {
      const client = await connect()
      assert.equal(await client.say('set a "b c"\r\nget a\r\n'), '+OK\r\n$3\r\nb c\r\n')
      const said = await client.say('x'.repeat(64 * 1024 + 1), 1000)
      assert.equal(said, '-ERR Protocol error: too big inline request\r\n')
      assert.ok(client.isClosed)
    })
  })

  test('QUIT answers and closes; what follows it is not run', async () => {
    await withServer({}, async ({ connect, pass }) => {
      const client = await connect()
      assert.equal(await client.say(`${encode(['QUIT'])}${encode(['SET', 'a', '1'])}`), '+OK\r\n')
      await pass(100)
      assert.ok(client.isClosed)
      assert.equal(await (await connect()).call('EXISTS', 'a'), ':0\r\n')
    })
  })

  test('one connection too many is told so', async () => {
    await withServer({ limits: { clientsMax: 2 } }, async ({ connect, pass, server }) => {
      const first = await connect()
      await connect()
      const third = await connect()
      await pass(100)
      assert.equal(third.received, '-ERR max number of clients reached\r\n')
      assert.ok(third.isClosed)
      assert.equal(server.stats.connectionsRejected, 1)
      first.connection.destroy()
      await pass(100)
      assert.equal(await (await connect()).call('PING'), '+PONG\r\n')
    })
  })

  test('a client that sends much gets its share of a turn, others are served in between', async () => {
    await withServer({ limits: { commandsPerTurnMax: 10 } }, async ({ connect, pass, clock }) => {
      const [greedy, modest] = [await connect(), await connect()]
      const order: string[] = []
      greedy.connection.onData = () => order.push('greedy')
      modest.connection.onData = () => order.push('modest')
      // Enough turns that the other's command arrives in the middle of them, whatever way it takes.
      greedy.send(encode(['PING']).repeat(10_000))
      modest.send(encode(['PING']))
      await pass(1000)
      assert.ok(order.indexOf('modest') < order.lastIndexOf('greedy'), order.join(' '))
      assert.ok(clock.monotonic() > 0)
    })
  })

  test('all of a long pipeline is answered when turns are short', async () => {
    await withServer({ limits: { commandsPerTurnMax: 7 } }, async ({ connect }) => {
      const client = await connect()
      const commands = Array.from({ length: 300 }, (_, i) => encode(['ECHO', i]))
      const expected = Array.from({ length: 300 }, (_, i) => `$${String(i).length}\r\n${i}\r\n`)
      assert.equal(await client.say(commands.join(''), 1000), expected.join(''))
    })
  })

  test('a reader that is slow is not read from, and gets everything in the end', async () => {
    await withServer(
      { windowBytes: 2000, limits: { outputPauseBytes: 5000 } },
      async ({ connect, pass, server, store }) => {
        const client = await connect()
        await client.call('SET', 'a', 'x'.repeat(1000))
        client.received = ''
        client.connection.pause()
        const before = server.stats.commandsProcessed
        client.send(encode(['GET', 'a']).repeat(500))
        await pass(2000)
        const whileSlow = server.stats.commandsProcessed - before
        assert.ok(whileSlow < 20, `${whileSlow} commands were run for a client that does not read`)
        client.connection.resume()
        await pass(20_000)
        assert.equal(server.stats.commandsProcessed - before, 500)
        assert.equal(client.received, `$1000\r\n${'x'.repeat(1000)}\r\n`.repeat(500))
        assert.equal(store.stats().writesWaiting, 0)
      },
    )
  })

  test('a reply over the output limit cuts the connection, and only that', async () => {
    const limits = { outputBytesMax: 200_000, outputPauseBytes: 100_000 }
    await withServer({ limits }, async ({ connect, pass, server, log }) => {
      const [reader, other] = [await connect(), await connect()]
      await reader.say(encode(['SET', 'a', 'x'.repeat(50_000)]), 1000)
      reader.connection.pause()
      reader.send(encode(['MGET', ...Array<string>(20).fill('a')]))
      await pass(100)
      reader.connection.resume()
      await pass(1000)
      assert.ok(reader.isClosed)
      assert.equal(server.stats.connectionsCut, 1)
      assert.equal(log.filter(({ level }) => level === 'warn').length, 1)
      assert.equal(await other.call('PING'), '+PONG\r\n')
    })
  })

  test('keys that do not fit a reply are refused with the way out, and the connection goes on', async () => {
    const limits = { outputBytesMax: 200_000, outputPauseBytes: 100_000 }
    await withServer({ limits }, async ({ connect, server }) => {
      const client = await connect()
      for (let i = 0; i < 100; i++) await client.call('SET', 'k'.repeat(4000) + i, '')
      assert.match(
        await client.call('KEYS', '*'),
        /^-ERR the keys that match take more than the reply limit .*use SCAN\r\n$/,
      )
      assert.match(await client.call('SCAN', 0, 'COUNT', 1000), /^-ERR the keys .*smaller COUNT\r\n$/)
      assert.match(await client.call('SCAN', 0), /^\*2\r\n\$16\r\n\d{16}\r\n\*10\r\n/)
      assert.equal(server.stats.connectionsCut, 0)
    })
  })

  test('requests of all clients together are bounded', async () => {
    const limits = {
      bulkBytesMax: 1_000_000,
      frameBytesMax: 1_000_000,
      outputBytesMax: 1_000_000,
      outputPauseBytes: 1000,
      buffersBytesMax: 2_000_000,
    }
    await withServer({ limits }, async ({ connect, pass, server }) => {
      const clients = []
      for (let i = 0; i < 10; i++) clients.push(await connect())
      for (const client of clients) client.send(`*2\r\n$4\r\nECHO\r\n$900000\r\n${'x'.repeat(890_000)}`)
      await pass(20_000)
      const cut = clients.filter(({ isClosed }) => isClosed).length
      assert.ok(cut >= 7 && cut < 10, `${cut} were cut`)
      assert.equal(server.stats.connectionsCut, cut)
      for (const client of clients) client.connection.destroy()
      await pass(100)
      assert.equal(await (await connect()).call('PING'), '+PONG\r\n')
    })
  })

  test('a connection that is idle for too long is closed, a busy one is not', async () => {
    await withServer({ limits: { idleTimeoutMs: 10_000 } }, async ({ connect, pass }) => {
      const [idle, busy] = [await connect(), await connect()]
      for (let i = 0; i < 4; i++) {
        await pass(3000)
        assert.equal(await busy.call('PING'), '+PONG\r\n')
      }
      assert.ok(idle.isClosed)
      assert.ok(!busy.isClosed)
    })
  })

  test('a client that goes away in the middle of its replies disturbs nobody', async () => {
    await withServer({ windowBytes: 1000 }, async ({ connect, network, pass, server }) => {
      const [leaver, stayer] = [await connect('leaver'), await connect('stayer')]
      await stayer.call('SET', 'a', 'x'.repeat(5000))
      leaver.send(encode(['GET', 'a']).repeat(50))
      await pass(5)
      network.cut('leaver')
      await pass(100)
      assert.equal(server.connections, 1)
      assert.equal(await stayer.say(encode(['GET', 'a']), 1000), `$5000\r\n${'x'.repeat(5000)}\r\n`)
    })
  })

  test('CLIENT REPLY leaves replies out', async () => {
    await withServer({}, async ({ connect }) => {
      const client = await connect()
      const ping = encode(['PING'])
      assert.equal(
        await client.say(`${encode(['CLIENT', 'REPLY', 'SKIP'])}${ping}${encode(['ECHO', 'a'])}`),
        '$1\r\na\r\n',
      )
      assert.equal(await client.say(`${encode(['CLIENT', 'REPLY', 'OFF'])}${ping}${encode(['NOSUCH'])}`), '')
      assert.equal(await client.say(`${encode(['CLIENT', 'REPLY', 'ON'])}${ping}`), '+OK\r\n+PONG\r\n')
    })
  })

  test('CLIENT KILL closes another connection, or this one after its reply', async () => {
    await withServer({}, async ({ connect, pass }) => {
      const [killer, victim] = [await connect(), await connect()]
      const id = (await victim.call('CLIENT', 'ID')).slice(1, -2)
      assert.equal(await killer.call('CLIENT', 'KILL', 'ID', id), ':1\r\n')
      await pass(100)
      assert.ok(victim.isClosed)
      assert.equal(await killer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no'), ':1\r\n')
      await pass(100)
      assert.ok(killer.isClosed)
    })
  })

  test('HELLO changes the version in the middle of a pipeline, RESET takes it back', async () => {
    await withServer({}, async ({ connect }) => {
      const client = await connect()
      const get = encode(['GET', 'nokey'])
      const said = await client.say(`${get}${encode(['HELLO', 3])}${get}${encode(['RESET'])}${get}`)
      assert.ok(said.startsWith('$-1\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n'), said)
      assert.ok(said.endsWith('_\r\n+RESET\r\n$-1\r\n'), said)
    })
  })

  test('garbage from many connections ends those at most, and the others are served', async () => {
    await withServer({}, async ({ connect, pass, server }) => {
      const random = new Random(seed)
      const steady = await connect()
      const commands = [...allCommands().keys()].filter((name) => name !== 'quit')
      const words = [
        'a',
        'b',
        '0',
        '-1',
        'EX',
        'NX',
        'COUNT',
        'ID',
        '9223372036854775807',
        '1e400',
        '\r\n',
        '\xff',
        'GET',
      ]
      for (let round = 0; round < 60; round++) {
        const client = await connect()
        for (let i = 0; i < 8; i++) {
          const args = Array.from({ length: random.below(5) }, () => random.pick(words))
          const valid = encode([random.pick(commands), ...args])
          const noise = Buffer.from(random.bytes(random.between(1, 60))).toString('latin1')
          client.send(
            random.chance(4) ? noise : valid.slice(0, random.chance(8) ? random.below(valid.length) : undefined),
          )
        }
        await pass(50)
        client.connection.destroy()
        assert.equal(await steady.call('ECHO', round), `$${String(round).length}\r\n${round}\r\n`)
      }
      await pass(100)
      assert.equal(server.connections, 1)
    })
  })

  test('closing answers what was received, then closes', async () => {
    const setup = await startTestServer({ seed, limits: { commandsPerTurnMax: 5 } })
    const client = await setup.connect()
    client.send(encode(['INCR', 'a']).repeat(100))
    // Until some of them have run.
    while (setup.server.stats.commandsProcessed < 10) await setup.pass(0.01)
    const ran = setup.server.stats.commandsProcessed
    assert.ok(ran < 100)
    await setup.close()
    const replies = client.received.split('\r\n').length - 1
    assert.ok(replies >= ran, `${replies} replies to at least ${ran} commands`)
    assert.equal(replies, setup.server.stats.commandsProcessed)
    assert.ok(client.isClosed)
  })

  test('closing cuts who does not take what is left, at the deadline', async () => {
    const setup = await startTestServer({ seed, windowBytes: 1000 })
    const client = await setup.connect()
    await client.call('SET', 'a', 'x'.repeat(10_000))
    client.connection.pause()
    client.send(encode(['GET', 'a']))
    await setup.pass(100)
    let isClosed = false
    const closing = setup.server.close(500).then(() => {
      isClosed = true
    })
    await setup.pass(400)
    assert.equal(isClosed, false)
    await setup.pass(200)
    await closing
    assert.equal(setup.server.connections, 0)
    await setup.store.close()
  })
})

describe('the address', () => {
  test('loopback addresses are known, others are not', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.ok(isLoopback(host), host)
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'example.org', '']) {
      assert.ok(!isLoopback(host), host)
    }
  })

  test('any other address is refused by name while there is no password', async () => {
    await withServer({}, async ({ store }) => {
      const clock = new SimulatedClock()
      const refused = await startRedis({
        owner: store.owner,
        network: new SimulatedNetwork({ clock, seed }),
        clock,
        host: '0.0.0.0',
        port: 0,
        info: () => ({ version: '', store: store.stats() }),
      }).catch((error: unknown) => error)
      assert.ok(hasCode(refused, 'redis.not_loopback'), String(refused))
      assert.match(String(refused), /0\.0\.0\.0.*requirepass/)
    })
  })

  test('with a password strangers may connect; without one again, only this machine', async () => {
    const strangers: string[] = []
    await withServer({ host: '0.0.0.0', access: { password: 'sesame' } }, async ({ connect, pass }) => {
      const far = await connect('far')
      assert.match(await far.call('PING'), /^-NOAUTH/)
      assert.equal(await far.call('AUTH', 'sesame'), '+OK\r\n')
      assert.equal(await far.call('CONFIG', 'SET', 'requirepass', ''), '+OK\r\n')
      const stranger = await connect('stranger')
      await pass(100)
      strangers.push(stranger.received)
      assert.equal(await far.call('CONFIG', 'SET', 'protected-mode', 'no'), '+OK\r\n')
      const again = await connect('stranger')
      assert.equal(await again.call('PING'), '+PONG\r\n')
    })
    assert.match(strangers.join(), /^-DENIED .*protected mode.*\r\n$/)
  })

  test('limits that do not fit together are refused with all their faults', async () => {
    await withServer({}, async ({ store }) => {
      const clock = new SimulatedClock()
      const refused = await startRedis({
        owner: store.owner,
        network: new SimulatedNetwork({ clock, seed }),
        clock,
        port: 0,
        limits: { outputBytesMax: 2000, outputPauseBytes: 3000, bulkBytesMax: 5000, frameBytesMax: 4000 },
        info: () => ({ version: '', store: store.stats() }),
      }).catch((error: unknown) => error)
      assert.ok(hasCode(refused, 'config.invalid'), String(refused))
      assert.match(String(refused), /bulkBytesMax.*outputPauseBytes/)
    })
  })
})
