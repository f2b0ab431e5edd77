/** A whole server with several workers, in a process of its own: for the tests that need threads, ports and kills. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))

export class WorkerServer {
  /** The one that all workers listen on. */
  readonly port: number
  /** Each worker's own. */
  readonly ports: readonly number[]
  /** Of the page of metrics. */
  readonly metricsUrl: string
  readonly child: ChildProcess

  private constructor(child: ChildProcess, port: number, ports: readonly number[], metricsUrl: string) {
    this.child = child
    this.metricsUrl = metricsUrl
    this.port = port
    this.ports = ports
  }

  /** Further arguments of `orbit serve`; a server that does not start fails with what it said. */
  static async start(folder: string, ...args: string[]): Promise<WorkerServer> {
    const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'))
    const all = ['serve', '--data', folder, '--redis-port', '0', '--metrics-port', '0', '--json', ...args]
    const child = spawn(process.execPath, [...flags, launcher, ...all], { stdio: ['ignore', 'pipe', 'pipe'] })
    let complaints = ''
    child.stderr.on('data', (bytes: Buffer) => {
      complaints = (complaints + bytes.toString()).slice(-4096)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const { redis, workers, metrics } = JSON.parse(line) as {
        redis: { port: number }
        workers: { port: number }[]
        metrics: string
      }
      return new WorkerServer(
        child,
        redis.port,
        workers.map(({ port }) => port),
        metrics,
      )
    }
    throw new Error(`the server ended before it was ready: ${complaints}`)
  }

  /** Must not have ended by itself; resolves to its exit code. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const { child } = this
    assert.equal(child.exitCode, null, `the server ended by itself with code ${child.exitCode}`)
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = (await exited) as [number | null]
    return code
  }
}
