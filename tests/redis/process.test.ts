/** A whole server process: `orbit serve` on a folder, stopped and killed while clients write. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RawClient } from './resp.ts'
import { stop } from './servers.ts'

const program = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))

interface ServerProcess {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a server and waits for the document that says where it listens. */
async function serve(data: string): Promise<ServerProcess> {
  const args = [program, 'serve', '--data', data, '--redis-port', '0', '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const { redis } = JSON.parse(line) as { redis: { port: number } }
    return { child, port: redis.port }
  }
  throw new Error(`orbit serve ended with ${child.exitCode}`)
}

/** Adds one to a counter until the connection ends; returns the last number that was acknowledged. */
async function count(port: number, key: string): Promise<number> {
  const client = await RawClient.connect(port)
  let acknowledged = 0
  try {
    for (;;) {
      const reply = await client.call('INCR', key)
      assert.ok('integer' in reply, JSON.stringify(reply))
      acknowledged = Number(reply.integer)
    }
  } catch (error) {
    assert.match(String(error), /closed/)
    return acknowledged
  }
}

describe('orbit serve', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-process-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`what was acknowledged before ${signal} is there afterwards`, async () => {
      const data = join(folder, signal)
      const first = await serve(data)
      const keys = Array.from({ length: 8 }, (_, i) => `counter ${i}`)
      const counts = keys.map((key) => count(first.port, key))
      const watcher = await RawClient.connect(first.port)
      // Enough of each to be in the middle of things.
      for (let value = 0; value < 200; ) {
        const reply = await watcher.call('GET', 'counter 7')
        value = 'bulk' in reply ? Number(reply.bulk) : 0
      }
      const exited = once(first.child, 'exit') as Promise<[number | null, string | null]>
      first.child.kill(signal)
      const acknowledged = await Promise.all(counts)
      const [code] = await exited
      if (signal === 'SIGTERM') assert.equal(code, 0)

      const second = await serve(data)
      try {
        const client = await RawClient.connect(second.port)
        for (const [place, key] of keys.entries()) {
          const reply = await client.call('GET', key)
          const told = acknowledged[place] as number
          const found = 'bulk' in reply ? Number(reply.bulk) : 0
          // One more may have been written and not been acknowledged.
          assert.ok(found === told || found === told + 1, `${key}: acknowledged ${told}, found ${found}`)
        }
        client.close()
      } finally {
        await stop(second.child)
      }
    })
  }
})
