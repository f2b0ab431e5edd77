/** `orbit bench`: measures this machine with a store of its own. What is measured is in bench/workloads.ts. */

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { formatBytes } from '@orbitkv/base'
import { type OpenOptions, open } from 'orbitkv'
import { type Measurement, type Settings, workloads } from '../bench/workloads.ts'
import { storeSettings } from '../config/keys.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { stoppedError } from '../interrupts.ts'
import { table, thousands } from '../terminal/text.ts'
import { version } from '../version.ts'

interface Result {
  readonly name: string
  readonly does: string
  readonly operations: number
  readonly seconds: number
  readonly operations_per_second: number
  readonly p50_microseconds: number
  readonly p99_microseconds: number
  readonly p999_microseconds: number
}

export async function bench(context: Context): Promise<number> {
  const { args, config, output, json, interrupts } = context
  const settings: Settings = {
    keys: args.number('keys') ?? 100_000,
    valueBytes: args.number('value-bytes') ?? 100,
    seconds: args.number('seconds') ?? 2,
    seed: args.number('seed') ?? 1,
  }
  const backend = config.text('persistence.backend') as 'mmap' | 'memory'
  const kept = args.text('data')
  const path = kept === undefined ? await mkdtemp(join(tmpdir(), 'orbit-bench-')) : resolve(context.folder, kept)
  try {
    if (kept !== undefined) await refuseUsed(path)
    const results = await measure(context, path, settings, { ...storeSettings((key) => config.get(key)), backend })
    if (interrupts.signal.aborted) throw stoppedError(interrupts, 'nothing was kept of the measurements')
    const machine = machineFacts()
    const shown = {
      keys: settings.keys,
      value_bytes: settings.valueBytes,
      seconds: settings.seconds,
      seed: settings.seed,
      backend,
      path: kept ?? tmpdir(),
    }
    if (json) await output.json({ version, machine, settings: shown, results })
    else
      await output.lines([
        '',
        ...lines(results),
        '',
        `${machine.cores} cores (${machine.processor}), ${formatBytes(machine.memory_bytes)}, Node ${machine.node}, ${shown.path}`,
      ])
    return exitCodes.ok.code
  } finally {
    if (kept === undefined) await rm(path, { recursive: true, force: true })
  }
}

async function measure(context: Context, path: string, settings: Settings, options: OpenOptions): Promise<Result[]> {
  const { clock, interrupts, progress } = context
  const results: Result[] = []
  const store = await open(path, options)
  try {
    for (const { name, does, run } of workloads) {
      if (interrupts.signal.aborted) break
      progress.write(progress.isTerminal ? `\r${name}: ${does}\u001b[K` : `${name}: ${does}\n`)
      results.push(resultOf(name, does, await run({ store, settings, clock, signal: interrupts.signal })))
    }
    if (progress.isTerminal) progress.write('\r\u001b[K')
  } finally {
    await store.close()
  }
  return results
}

function resultOf(name: string, does: string, { operations, seconds, latencies }: Measurement): Result {
  const microseconds = (share: number) => Number(latencies.percentile(share).toPrecision(3))
  return {
    name,
    does,
    operations,
    seconds: Number(seconds.toFixed(3)),
    operations_per_second: Math.round(operations / seconds),
    p50_microseconds: microseconds(0.5),
    p99_microseconds: microseconds(0.99),
    p999_microseconds: microseconds(0.999),
  }
}

function lines(results: readonly Result[]): string[] {
  const head = ['', 'operations/s', 'p50 µs', 'p99 µs', 'p99.9 µs', '']
  const rows = results.map((result) => [
    result.name,
    thousands(result.operations_per_second),
    String(result.p50_microseconds),
    String(result.p99_microseconds),
    String(result.p999_microseconds),
    result.does,
  ])
  return table([head, ...rows], [1, 2, 3, 4])
}

function machineFacts() {
  const processors = cpus()
  return {
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    memory_bytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  }
}

/** A store with other keys in it would be measured along, and filled with random ones. */
async function refuseUsed(path: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw cliErrors.folder_not_empty({ path }, error)
  }
  if (names.length > 0) throw cliErrors.folder_not_empty({ path })
}
