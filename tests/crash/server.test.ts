/**
 * kill -9 of a server under load: every SET that was answered is there after a restart, in the order of its connection,
 * and the log verifies. One folder lives through all the kills.
 *
 * Each connection writes keys of its own, in turns, its n-th SET with the value n. So what the store holds of a connection must
 * be the state after some number of its SETs: not fewer than were answered, not more than were sent.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Random, seedsFor } from '@orbitkv/base'
import { open } from 'orbitkv'
import { RawClient, type Reply } from '../redis/resp.ts'

const launcher = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))
const kills = 20
const connections = 4
const keysOfConnection = 40
const underWayMax = 16
/** Answered SETs after which the server is killed, at most. */
const answeredMax = 800

class Server {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(folder: string, cache: string): Promise<Server> {
    const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'))
    const args = ['serve', '--data', folder, '--redis-port', '0', '--durability', 'always', '--json']
    const child = spawn(process.execPath, [...flags, launcher, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    })
    let complaints = ''
    child.stderr.on('data', (bytes: Buffer) => {
      complaints = (complaints + bytes.toString()).slice(-4096)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const { redis } = JSON.parse(line) as { redis: { port: number } }
      return new Server(child, redis.port)
    }
    throw new Error(`the server ended before it was ready: ${complaints}`)
  }

  /** Must not have ended by itself. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    assert.equal(child.exitCode, null, `the server ended by itself with code ${child.exitCode}`)
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** Leaves nothing behind, whatever went wrong before. */
  discard(): void {
    this.#child.kill('SIGKILL')
  }
}

/** What one connection sent, over all runs. */
interface Sender {
  sent: number
  answered: number
}

/** Sends SETs until the connection breaks; `answered` hears of each that was answered with OK. */
async function send(port: number, name: number, sender: Sender, random: Random, answered: () => void): Promise<void> {
  const client = await RawClient.connect(port)
  let isOpen = true
  const closed = client.closed.then(() => {
    isOpen = false
  })
  const underWay = new Set<Promise<void>>()
  while (isOpen) {
    const number = ++sender.sent
    const reply = client.call('SET', keyOf(name, number), number).then(
      (given) => {
        assert.deepEqual(given, { status: 'OK' } satisfies Reply)
        assert.equal(++sender.answered, number, 'replies come in order')
        answered()
      },
      // The server was killed: nobody was promised anything.
      () => undefined,
    )
    const settled = reply.finally(() => underWay.delete(settled))
    underWay.add(settled)
    if (underWay.size >= underWayMax || random.chance(4)) await Promise.race([...underWay, closed])
  }
  await Promise.all(underWay)
}

function keyOf(connection: number, number: number): string {
  return `c${connection}:${number % keysOfConnection}`
}

/** Checks what the store holds of each connection, and that its log is sound; forgets what was sent and lost. */
async function check(folder: string, senders: readonly Sender[]): Promise<void> {
  const store = await open(folder)
  try {
    assert.equal(store.stats().details.readOnly, '', 'a kill is not damage')
    assert.deepEqual((await store.verify()).faults, [])
    for (const [name, sender] of senders.entries()) {
      const held = Array.from({ length: keysOfConnection }, (_, key) => {
        const value = store.get(keyOf(name, key))
        return value === undefined ? 0 : Number(Buffer.from(value).toString())
      })
      const last = Math.max(...held)
      assert.ok(
        last >= sender.answered,
        `SET ${sender.answered} of connection ${name} was answered; the last one is ${last}`,
      )
      assert.ok(last <= sender.sent, `SET ${last} of connection ${name} was never sent`)
      const expected = held.map((_, key) => {
        const newest = last - ((((last - key) % keysOfConnection) + keysOfConnection) % keysOfConnection)
        return Math.max(newest, 0)
      })
      assert.deepEqual(held, expected, `connection ${name}: the state is that after its SET ${last}`)
      sender.sent = sender.answered = last
    }
  } finally {
    await store.close()
  }
}

async function killManyTimes(seed: number): Promise<number> {
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'orbit-kill-server-'))
  const store = join(folder, 'store')
  const cache = join(folder, 'cache')
  const senders: Sender[] = Array.from({ length: connections }, () => ({ sent: 0, answered: 0 }))
  let total = 0
  let server: Server | undefined
  try {
    // Stopped in good order, it also leaves what spares the next ones most of their start.
    await (await Server.start(store, cache)).end('SIGTERM')
    for (let run = 0; run < kills; run++) {
      const running = await Server.start(store, cache)
      server = running
      const killAfter = random.between(1, answeredMax)
      let answered = 0
      let ended: Promise<void> | undefined
      const hear = (): void => {
        if (++answered === killAfter) ended = running.end('SIGKILL')
      }
      await Promise.all(senders.map((sender, name) => send(running.port, name, sender, random, hear)))
      assert.ok(ended !== undefined, 'the connections ended because the server was killed')
      await ended
      await check(store, senders)
      total += answered
    }
  } catch (error) {
    throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
  } finally {
    server?.discard()
    rmSync(folder, { recursive: true, force: true })
  }
  return total
}

describe('kill -9 of a server under load', () => {
  test(`${kills} times: every SET that was answered is there`, async (context) => {
    for (const seed of seedsFor('kill-server', { kept: [], fresh: 1 })) {
      const answered = await killManyTimes(seed)
      context.diagnostic(`seed ${seed}: ${answered} SETs were answered over ${kills} kills`)
    }
  })
})
