/**
 * What holds for every network: run by the tests of each implementation.
 *
 * A harness tells how time passes: on a real network by itself, on a simulated one when it is told to.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode, Random } from '@orbitkv/base'
import type { Address, Connection, Listener, Network } from './network.ts'

export interface NetworkHarness {
  readonly network: Network
  /** A host to listen on. */
  readonly host: string
  /** Sends never go out at once, so that each is followed by a drain. */
  readonly sendsLater?: boolean
  /** Waits for a promise while time passes; fails when it stays pending. */
  pass<Result>(promise: Promise<Result>): Promise<Result>
}

/** One end of a connection, with what it received. */
class End {
  readonly connection: Connection
  readonly received: number[] = []
  closes = 0
  closeError: Error | undefined
  drains = 0
  readonly #waiting: { isReached: () => boolean; resolve: () => void }[] = []

  constructor(connection: Connection) {
    this.connection = connection
    connection.onData = (bytes, start, end) => {
      for (let i = start; i < end; i++) this.received.push(bytes[i] as number)
      this.#check()
    }
    connection.onClose = (error) => {
      this.closes++
      this.closeError = error
      this.#check()
    }
    connection.onDrain = () => {
      this.drains++
      this.#check()
    }
  }

  get text(): string {
    return Buffer.from(this.received).toString('latin1')
  }

  until(isReached: () => boolean): Promise<void> {
    if (isReached()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ isReached, resolve }))
  }

  send(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.connection.send(bytes, 0, bytes.length)
  }

  #check(): void {
    for (const { isReached, resolve } of this.#waiting) if (isReached()) resolve()
  }
}

interface Pair {
  readonly server: End
  readonly client: End
  readonly listener: Listener
}

export function networkSuite(name: string, makeHarness: () => NetworkHarness): void {
  describe(`network: ${name}`, () => {
    const harness = makeHarness()
    const { network, host } = harness

    async function withPair(use: (pair: Pair) => Promise<void>): Promise<void> {
      let accepted: (end: End) => void = () => {}
      const server = new Promise<End>((resolve) => {
        accepted = resolve
      })
      const listener = await network.listen({ host, port: 0 }, (connection) => accepted(new End(connection)))
      const client = new End(await harness.pass(network.connect(listener.address)))
      const pair = { server: await harness.pass(server), client, listener }
      try {
        await use(pair)
      } finally {
        pair.client.connection.destroy()
        pair.server.connection.destroy()
        await listener.close()
      }
    }

    test('port 0 takes a free port and tells which', async () => {
      await withPair(async ({ listener, client, server }) => {
        assert.notEqual(listener.address.port, 0)
        assert.equal(client.connection.remote.port, listener.address.port)
        assert.equal(server.connection.local.port, listener.address.port)
        assert.deepEqual(server.connection.remote, client.connection.local)
      })
    })

    test('bytes arrive in both directions', async () => {
      await withPair(async ({ client, server }) => {
        client.send('to the server')
        server.send('to the client')
        await harness.pass(server.until(() => server.text === 'to the server'))
        await harness.pass(client.until(() => client.text === 'to the client'))
      })
    })

    test('only the bytes between start and end are sent', async () => {
      await withPair(async ({ client, server }) => {
        const bytes = Buffer.from('0123456789')
        client.connection.send(bytes.subarray(1), 2, 5)
        client.connection.send(bytes, 4, 4)
        client.connection.send(bytes, 9, 10)
        await harness.pass(server.until(() => server.text.length === 4))
        assert.equal(server.text, '3459')
      })
    })

    test('a buffer may be reused after a send that returned true', async () => {
      await withPair(async ({ client, server }) => {
        const bytes = new Uint8Array(1000)
        let expected = ''
        for (let round = 0; round < 20; round++) {
          bytes.fill(97 + round)
          expected += String.fromCharCode(97 + round).repeat(1000)
          const drains = client.drains
          const isOut = client.connection.send(bytes, 0, bytes.length)
          if (!isOut) await harness.pass(client.until(() => client.drains > drains))
        }
        await harness.pass(server.until(() => server.received.length === expected.length))
        assert.equal(server.text, expected)
      })
    })

    test('a paused end receives nothing; the sender sees bytes wait, and a drain once they are out', async () => {
      await withPair(async ({ client, server }) => {
        server.connection.pause()
        const random = new Random(7)
        const sent: Uint8Array[] = []
        let sentBytes = 0
        // More than any socket buffer takes; each part keeps its bytes, as the contract asks.
        while (client.connection.pendingBytes === 0 && sentBytes < 256 * 1024 * 1024) {
          const part = random.bytes(65_536)
          sent.push(part)
          sentBytes += part.length
          client.connection.send(part, 0, part.length)
          await harness.pass(new Promise((resolve) => setImmediate(resolve)))
        }
        assert.ok(client.connection.pendingBytes > 0)
        assert.equal(server.received.length, 0)
        server.connection.resume()
        await harness.pass(client.until(() => client.connection.pendingBytes === 0))
        await harness.pass(server.until(() => server.received.length === sentBytes))
        assert.ok(Buffer.concat(sent).equals(Buffer.from(server.received)))
        if (harness.sendsLater === true) assert.ok(client.drains >= 1)
        else assert.equal(client.drains, 1)
      })
    })

    test('whatever was sent in part, a drain tells when all of it is out', async () => {
      await withPair(async ({ client, server }) => {
        let sentBytes = 0
        for (let round = 0; round < 200; round++) {
          client.connection.send(new Uint8Array(1000), 0, 1000)
          sentBytes += 1000
          const { drains } = client
          if (client.connection.pendingBytes > 0) await harness.pass(client.until(() => client.drains > drains))
        }
        await harness.pass(server.until(() => server.received.length === sentBytes))
        assert.equal(client.connection.pendingBytes, 0)
      })
    })

    test('end sends what waits, then both ends close without an error, once', async () => {
      await withPair(async ({ client, server }) => {
        server.connection.pause()
        const part = new Uint8Array(65_536).fill(120)
        let sentBytes = 0
        while (client.connection.pendingBytes === 0) {
          client.connection.send(part, 0, part.length)
          sentBytes += part.length
          await harness.pass(new Promise((resolve) => setImmediate(resolve)))
        }
        client.connection.end()
        server.connection.resume()
        await harness.pass(server.until(() => server.closes > 0))
        await harness.pass(client.until(() => client.closes > 0))
        assert.equal(server.received.length, sentBytes)
        assert.deepEqual([server.closes, client.closes], [1, 1])
        assert.deepEqual([server.closeError, client.closeError], [undefined, undefined])
      })
    })

    test('destroy closes both ends, and sending on a closed one is harmless', async () => {
      await withPair(async ({ client, server }) => {
        client.send('last words')
        await harness.pass(server.until(() => server.text === 'last words'))
        server.connection.destroy()
        await harness.pass(client.until(() => client.closes === 1))
        await harness.pass(server.until(() => server.closes === 1))
        assert.equal(server.send('too late'), true)
        assert.equal(client.send('too late'), true)
        client.connection.end()
        server.connection.end()
        assert.deepEqual([server.closes, client.closes], [1, 1])
      })
    })

    test('nothing is delivered after destroy inside onData', async () => {
      await withPair(async ({ client, server }) => {
        let calls = 0
        server.connection.onData = () => {
          calls++
          server.connection.destroy()
        }
        client.send('a')
        client.send('b')
        await harness.pass(server.until(() => server.closes === 1))
        await harness.pass(client.until(() => client.closes === 1))
        assert.equal(calls, 1)
      })
    })

    test('a closed listener lets open connections go on and refuses new ones', async () => {
      await withPair(async ({ client, server, listener }) => {
        await harness.pass(listener.close())
        client.send('still here')
        await harness.pass(server.until(() => server.text === 'still here'))
        const refused = await harness.pass(network.connect(listener.address).catch((error: unknown) => error))
        assert.ok(hasCode(refused, 'network.refused'), String(refused))
      })
    })

    test('an address in use is refused by name', async () => {
      await withPair(async ({ listener }) => {
        const again: Address = { host, port: listener.address.port }
        const refused = await harness.pass(network.listen(again, () => {}).catch((error: unknown) => error))
        assert.ok(hasCode(refused, 'network.address_in_use'), String(refused))
        assert.ok(String(refused).includes(String(listener.address.port)))
      })
    })

    test('many connections at once, each with its own bytes', async () => {
      const ends: End[] = []
      const listener = await network.listen({ host, port: 0 }, (connection) => {
        connection.onData = (bytes, start, end) => void connection.send(bytes.slice(start, end), 0, end - start)
        connection.onClose = () => {}
      })
      for (let i = 0; i < 50; i++) ends.push(new End(await harness.pass(network.connect(listener.address))))
      for (const [place, end] of ends.entries()) end.send(`connection ${place}`)
      for (const [place, end] of ends.entries()) {
        await harness.pass(end.until(() => end.text === `connection ${place}`))
      }
      for (const end of ends) end.connection.destroy()
      await listener.close()
    })
  })
}
