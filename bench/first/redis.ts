/**
 * Served: OrbitKV against redis-server, operations for each second of the server's processor time. Server and generator
 * (redis-benchmark) have a core each; the sides take turns in every test of every round.
 *
 * Processor time rather than the clock: the generator shares the machine with the server, and at a pipeline of 16 it is the
 * slower of the two. What is measured is how much work a core of the server does.
 */

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchOptions } from '../harness/bench.ts'
import { outputOf } from '../harness/machine.ts'
import { fillPageCache } from '../harness/page-cache.ts'
import { cpuSeconds, residentMemory } from '../harness/process-facts.ts'
import type { Comparison, Figure, Findings } from '../harness/report.ts'
import { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { Wire } from '../harness/wire.ts'
import { type RunningServer, type ServerName, startServer } from './servers.ts'

const run = promisify(execFile)
const part = 'redis'
const other = 'redis'
const clients = 50
const valueBytes = 100
const fillKeys = 1000
const serverCore = 0
const generatorCore = 1
/** A call of redis-benchmark that takes longer has hung. */
const generatorDeadlineMs = 120_000
/** Calls of each test before the rounds, for the just-in-time compiler. */
const warmUpOperations = 200_000

interface Test {
  readonly durable: boolean
  readonly command: 'get' | 'set'
  readonly pipeline: number
  readonly operations: number
  readonly bar: number
}

const tests: readonly Test[] = [
  { durable: false, command: 'get', pipeline: 1, operations: 150_000, bar: 0.75 },
  { durable: false, command: 'set', pipeline: 1, operations: 150_000, bar: 0.75 },
  { durable: false, command: 'get', pipeline: 16, operations: 700_000, bar: 0.9 },
  { durable: false, command: 'set', pipeline: 16, operations: 700_000, bar: 0.9 },
  { durable: true, command: 'set', pipeline: 1, operations: 80_000, bar: 0.8 },
  { durable: true, command: 'set', pipeline: 16, operations: 300_000, bar: 1.2 },
]

export async function runRedis(options: BenchOptions): Promise<Findings> {
  checkTools()
  const keys = options.keys ?? (options.quick ? 100_000 : 1_000_000)
  const rounds = options.rounds ?? (options.quick ? 2 : 5)
  const scale = options.quick ? 0.2 : 1
  const samples = new Samples()
  const settings: Record<string, string> = {
    'redis, load': `redis-benchmark -c ${clients} -d ${valueBytes} -r ${keys}, all ${keys} keys set before; server on core ${serverCore}, generator on core ${generatorCore}`,
    'redis, versions': `redis-server ${versionOf('redis-server')}, redis-benchmark ${versionOf('redis-benchmark')}`,
  }
  const pageCache = fillPageCache(options.note)
  try {
    for (const durable of [false, true]) await runServers(durable, { options, keys, rounds, scale, samples, settings })
  } finally {
    pageCache.release()
  }
  settings['redis, page cache'] =
    `filled before (${Math.round(pageCache.bytes / 2 ** 30)} GiB), as on a machine that has been up for a while`
  return { settings, ...summarize(samples) }
}

interface Run {
  readonly options: BenchOptions
  readonly keys: number
  readonly rounds: number
  readonly scale: number
  readonly samples: Samples
  readonly settings: Record<string, string>
}

async function runServers(durable: boolean, run: Run): Promise<void> {
  const { options, keys, rounds, scale, samples, settings } = run
  const folder = mkdtempSync(join(tmpdir(), 'orbit-bench-'))
  const servers: RunningServer[] = []
  try {
    for (const name of ['orbit', 'redis'] as const) {
      const server = await startServer(name, {
        folder: mkdtempSync(join(folder, `${name}-`)),
        durable,
        core: serverCore,
      })
      servers.push(server)
      settings[`${name === 'orbit' ? 'orbit serve' : 'redis-server'}, ${durable ? 'durable' : 'not durable'}`] =
        server.settings
    }
    const chosen = tests.filter((test) => test.durable === durable)
    options.note(`redis, ${durable ? 'durable' : 'not durable'}: filling and warming up`)
    await prepare(servers, chosen, keys, scale)
    for (let round = 0; round < rounds; round++) {
      options.note(`redis, ${durable ? 'durable' : 'not durable'}: round ${round + 1} of ${rounds}`)
      const inTurns = round % 2 === 0 ? servers : servers.toReversed()
      for (const test of chosen) {
        for (const server of inTurns) await measure(server, test, keys, Math.round(test.operations * scale), samples)
      }
    }
    for (const { name, pid } of servers) recordMemory(samples, name, durable, pid)
  } finally {
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkTools(): void {
  for (const [tool, argument] of [
    ['taskset', '--version'],
    ['redis-server', '--version'],
    ['redis-benchmark', '--version'],
  ] as const) {
    if (outputOf(tool, [argument]) === '') {
      throw new Error(
        `the redis part needs ${tool} (Debian: apt-get install redis util-linux); --part embedded does without`,
      )
    }
  }
}

function versionOf(tool: string): string {
  const text = outputOf(tool, ['--version'])
  return /(?:v=|redis-benchmark )(\S+)/.exec(text)?.[1] ?? text
}

/** The same keys on every server, named as redis-benchmark names them, and each test once. */
async function prepare(
  servers: readonly RunningServer[],
  chosen: readonly Test[],
  keys: number,
  scale: number,
): Promise<void> {
  for (const server of servers) {
    await fill(server.port, keys)
    for (const test of chosen) await generate(server.port, test, keys, Math.round(warmUpOperations * scale))
  }
}

async function fill(port: number, keys: number): Promise<void> {
  const value = Buffer.alloc(valueBytes, 'x')
  const wire = await Wire.connect(port)
  for (let first = 0; first < keys; first += fillKeys) {
    const parts: (string | Uint8Array)[] = ['MSET']
    for (let key = first; key < Math.min(first + fillKeys, keys); key++) {
      parts.push(`key:${String(key).padStart(12, '0')}`, value)
    }
    await wire.call(parts)
  }
  const count = await wire.call(['DBSIZE'])
  wire.close()
  if (count !== `:${keys}`) throw new Error(`the server on port ${port} has ${count} keys, not ${keys}`)
}

async function measure(
  server: RunningServer,
  test: Test,
  keys: number,
  operations: number,
  samples: Samples,
): Promise<void> {
  const before = cpuSeconds(server.pid)
  const perSecond = await generate(server.port, test, keys, operations)
  const cpu = cpuSeconds(server.pid) - before
  samples.add(`${nameOf(test)} ${server.name}`, operations / cpu)
  samples.add(`${nameOf(test)} by the clock ${server.name}`, perSecond)
}

/** Runs redis-benchmark; resolves to the operations a second that it saw. */
async function generate(port: number, test: Test, keys: number, operations: number): Promise<number> {
  const { command, pipeline } = test
  const load = ['-c', clients, '-d', valueBytes, '-r', keys, '-n', operations, '-P', pipeline, '-t', command]
  const args = ['-c', String(generatorCore), 'redis-benchmark', '-p', String(port), ...load.map(String), '--csv']
  const { stdout } = await run('taskset', args, { timeout: generatorDeadlineMs })
  const row = new RegExp(`^"${command}","([\\d.]+)"`, 'im').exec(stdout)
  if (row === null) throw new Error(`redis-benchmark printed no figure for ${command}: ${stdout.trim()}`)
  return Number(row[1])
}

function nameOf({ durable, command, pipeline }: Test): string {
  return `${durable ? 'durable ' : ''}${command.toUpperCase()} -P ${pipeline}`
}

function recordMemory(samples: Samples, name: ServerName, durable: boolean, pid: number): void {
  const { allBytes, anonymousBytes } = residentMemory(pid)
  samples.add(`resident ${durable} ${name}`, allBytes)
  samples.add(`anonymous ${durable} ${name}`, anonymousBytes)
}

function summarize(samples: Samples): Pick<Findings, 'comparisons' | 'figures'> {
  const compare = (name: string, unit: string, bar: { readonly bar?: number }): Comparison => {
    const sides = { ours: `${name} orbit`, theirs: `${name} redis` }
    return samples.compare({ part, other, name, unit, lessIsBetter: false, ...sides, ...bar })
  }
  const perCpu = tests.map((test) => compare(nameOf(test), 'ops/CPU-s', { bar: test.bar }))
  const byClock = tests.map((test) => compare(`${nameOf(test)} by the clock`, 'ops/s', {}))
  const figure = (name: string, what: string, durable: boolean): Figure => ({
    part,
    name: durable ? `${name}, durable` : name,
    unit: 'MiB',
    ours: median(samples.of(`${what} ${durable} orbit`)) / 2 ** 20,
    theirs: median(samples.of(`${what} ${durable} redis`)) / 2 ** 20,
    other,
  })
  const figures = [false, true].flatMap((durable) => [
    figure('resident memory after it, pages of the log included', 'resident', durable),
    figure('of it anonymous', 'anonymous', durable),
  ])
  return { comparisons: [...perCpu, ...byClock], figures }
}
