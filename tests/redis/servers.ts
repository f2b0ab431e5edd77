/** The servers that the tests in this folder talk to: ours, in this process or its own, and a real Redis to compare with. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisLimits, type RedisServer, startRedis } from '@orbitkv/redis'
import { realClock, realNetwork } from '@orbitkv/runtime'
import { type Durability, open, type Store } from 'orbitkv'
import { RawClient } from './resp.ts'

export interface OurServer {
  readonly port: number
  readonly server: RedisServer
  readonly store: Store
  close(): Promise<void>
}

export interface OurOptions {
  readonly limits?: Partial<RedisLimits>
  readonly durability?: Durability
  /** Over TCP and on the disk; otherwise the store is in memory. */
  readonly onDisk?: boolean
}

/** Ours, over TCP on a free port. What it logs as an error fails the test that finds it in `errors`. */
export async function startOurs(options: OurOptions = {}): Promise<OurServer & { readonly errors: unknown[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-redis-'))
  const { durability = 'none', onDisk = false, limits = {} } = options
  const store = await open(join(folder, 'data'), { backend: onDisk ? 'mmap' : 'memory', durability })
  const errors: unknown[] = []
  const server = await startRedis({
    owner: store.owner,
    network: realNetwork,
    clock: realClock,
    port: 0,
    limits,
    info: () => ({ version: '0.0.0', store: store.stats() }),
    cache: store,
    snapshot: (at) => store.snapshot({ at }),
    watch: (keyspace, watched, ready) => store.watcher(keyspace, watched, ready),
    log: (level, message, error) => {
      if (level === 'error') errors.push(message, error)
    },
  })
  return {
    port: server.address.port,
    server,
    store,
    errors,
    async close() {
      await server.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Why a test with real Redis tools cannot run here; false where it can. */
export function missing(
  tool: 'redis-server' | 'redis-cli' | 'redis-benchmark' | 'prometheus' | 'promtool',
): string | false {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return `${tool} is not installed (Debian: apt-get install redis prometheus)`
  }
}

export interface RealRedis {
  readonly port: number
  readonly version: string
  close(): Promise<void>
}

const startDeadlineMs = 10_000

/** A Redis without persistence on a free port, with further arguments. */
export async function startRealRedis(further: readonly string[] = []): Promise<RealRedis> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'orbit-real-redis-'))
  const args = ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder, '--bind', '127.0.0.1']
  const child = spawn('redis-server', [...args, ...further], { stdio: 'ignore' })
  await untilConnects(port, child)
  const version = /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? ''
  return {
    port,
    version,
    async close() {
      await stop(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** Tries to connect until it works; a server tells nobody that it is ready. */
async function untilConnects(port: number, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + startDeadlineMs
  for (;;) {
    try {
      const client = await RawClient.connect(port)
      client.close()
      return
    } catch (error) {
      const hasEnded = child.exitCode !== null || performance.now() > endMs
      if (hasEnded) throw new Error(`redis-server does not answer on port ${port}`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
