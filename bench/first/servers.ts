/** The two servers of the served comparison, each on one core, on a free port, with a data folder of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import net from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Wire } from '../harness/wire.ts'

export type ServerName = 'orbit' | 'redis'

export interface RunningServer {
  readonly name: ServerName
  /** Of the process that serves: what starts it becomes it, so its processor time is all the server's. */
  readonly pid: number
  readonly port: number
  readonly settings: string
  stop(): Promise<void>
}

const launcher = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))
const startDeadlineMs = 20_000
const stopDeadlineMs = 20_000
/** Of what a server writes on standard error, so much of the end is kept. */
const complaintsCharsMax = 4096

export interface ServerOptions {
  readonly folder: string
  /** Every write on the disk before it is answered; otherwise nothing is written for Redis, and whenever the system likes for us. */
  readonly durable: boolean
  readonly core: number
}

export async function startServer(name: ServerName, { folder, durable, core }: ServerOptions): Promise<RunningServer> {
  const port = await freePort()
  const { command, settings } = (name === 'orbit' ? orbit : redis)(port, folder, durable)
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr?.on('data', (bytes: Buffer) => {
    complaints = (complaints + bytes.toString()).slice(-complaintsCharsMax)
  })
  try {
    await untilAnswers(port, child)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`cannot start ${name}: ${complaints.trim()}`, { cause: error })
  }
  return {
    name,
    pid: child.pid as number,
    port,
    settings,
    stop: () => stop(child, `${name}: ${complaints.trim()}`),
  }
}

interface ServerCommand {
  readonly command: readonly string[]
  /** The part of it that says how it runs, for the report. */
  readonly settings: string
}

function orbit(port: number, folder: string, durable: boolean): ServerCommand {
  const durability = ['--durability', durable ? 'always' : 'none']
  const place = ['--data', join(folder, 'data'), '--redis-port', String(port)]
  return { command: [process.execPath, launcher, 'serve', ...place, ...durability], settings: durability.join(' ') }
}

/** Its log is rewritten as its defaults have it, as our store compacts by its own: both keep the disk that they take in bounds. */
function redis(port: number, folder: string, durable: boolean): ServerCommand {
  const appending = ['--appendonly', 'yes', '--appendfsync', 'always']
  const persistence = durable ? appending : ['--appendonly', 'no']
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--loglevel', 'warning']
  return {
    command: ['redis-server', ...place, '--save', '', ...persistence],
    settings: ['--save ""', ...persistence].join(' '),
  }
}

async function untilAnswers(port: number, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + startDeadlineMs
  let failure: unknown
  child.once('error', (error) => {
    failure = error
  })
  for (;;) {
    try {
      const wire = await Wire.connect(port)
      await wire.call(['PING'])
      wire.close()
      return
    } catch (error) {
      failure ??= child.exitCode === null ? undefined : new Error(`it ended with code ${child.exitCode}`)
      if (failure !== undefined || performance.now() > endMs) {
        throw new Error(`a server does not answer on port ${port}`, { cause: failure ?? error })
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function stop(child: ChildProcess, said: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`a server ended by itself, ${said}`)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
  await gone
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
