/**
 * How long does opening take, with a checkpoint of the indexes and without? `node tools/run.mjs bench/questions/reopen.ts [--keys 1000000] [--rounds 3]`
 *
 * A store of random 8-byte keys and 100-byte values is opened by a fresh process each time, in turns: reading everything, from
 * a checkpoint, and from a checkpoint with 100 MB of log behind it, left by a process that ended without closing. Files are in
 * the page cache. `made` is a checkpoint in the background of an idle store, `beside` of one that appends in every turn, with
 * the longest turn of the loop meanwhile, and beside it that of the same appends without a checkpoint. 200 bytes of memory
 * and of disk a key are needed.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MiB, Random } from '@orbitkv/base'
import { type Change, type Engine, latest, putChange } from '@orbitkv/engine'
import { openLogEngine } from '@orbitkv/engine-log'
import { realDisk } from '@orbitkv/runtime'
import { formatTable } from '../harness/table.ts'

const valueBytes = 100
const batchChanges = 1000
const tailBytes = 100_000_000
/** None by itself, at closing neither. */
const checkpointBytesMost = 1024 * 1024 * MiB

interface Outcome {
  readonly ms: number
  /** Of the process: what others do on the machine is no part of it. */
  readonly cpuMs: number
  readonly replayedMb: number
  readonly checkpointMb: number
  readonly residentMb: number
  readonly stallMs: number
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function open(folder: string, checkpointBytes: number): Promise<Engine> {
  return openLogEngine(folder, { disk: realDisk(), config: { checkpointBytes, zeroAhead: false } })
}

/** Overwrites keys drawn anew from the seed; returns bytes written, about. */
function append(engine: Engine, random: Random, count: number): number {
  const value = random.bytes(valueBytes)
  const changes: Change[] = Array.from({ length: count }, () => putChange(0, random.bytes(8), value))
  engine.append({ changes, revision: engine.appendedRevision + 1, time: 0 })
  engine.write()
  engine.publish(engine.appendedPosition)
  engine.retain(engine.publishedRevision)
  return count * 136
}

async function build(folder: string, keys: number): Promise<void> {
  const engine = await open(folder, 0)
  const random = new Random(42)
  for (let left = keys; left > 0; left -= batchChanges) append(engine, random, Math.min(left, batchChanges))
  await engine.close()
}

async function openOnce(folder: string, keys: number, checkpointBytes: number): Promise<Outcome> {
  const startMs = performance.now()
  const before = process.cpuUsage()
  const engine = await open(folder, checkpointBytes)
  const ms = performance.now() - startMs
  const cpuMs = cpuSince(before)
  const { details } = engine.stats()
  const random = new Random(42)
  random.bytes(valueBytes)
  const key = random.bytes(8)
  if (engine.count(0, {}) < keys || engine.get(0, key, 0, 8, latest) === undefined) throw new Error('a key is missing')
  const residentMb = process.memoryUsage.rss() / 1e6
  await engine.close()
  return {
    ms,
    cpuMs,
    replayedMb: Number(details.openingReplayedBytes) / 1e6,
    checkpointMb: Number(details.checkpointBytes) / 1e6,
    residentMb,
    stallMs: 0,
  }
}

/** Opens, and leaves a log behind the checkpoint without closing. */
async function leaveTail(folder: string): Promise<void> {
  const engine = await open(folder, checkpointBytesMost)
  const random = new Random(42)
  for (let bytes = 0; bytes < tailBytes; ) bytes += append(engine, random, batchChanges)
  await engine.sync()
  process.exit(0)
}

/** A checkpoint in the background; with `appends`, of a store that appends in every turn. */
async function make(folder: string, checkpointBytes: number, appends: boolean): Promise<Outcome> {
  const engine = await open(folder, checkpointBytes)
  const random = new Random(7)
  const startMs = performance.now()
  const before = process.cpuUsage()
  let stallMs = 0
  for (let turnMs = startMs; ; ) {
    const { checkpoints } = engine.stats().details
    const endsAtMs = checkpointBytes === checkpointBytesMost ? startMs + 2000 : Number.POSITIVE_INFINITY
    if (Number(checkpoints) > 0 || performance.now() > endsAtMs) break
    if (appends) append(engine, random, 20)
    await new Promise((resolve) => void setImmediate(resolve))
    stallMs = Math.max(stallMs, performance.now() - turnMs)
    turnMs = performance.now()
  }
  const ms = performance.now() - startMs
  const cpuMs = cpuSince(before)
  const checkpointMb = Number(engine.stats().details.checkpointBytes) / 1e6
  const residentMb = process.memoryUsage.rss() / 1e6
  console.log(JSON.stringify({ ms, cpuMs, replayedMb: 0, checkpointMb, residentMb, stallMs }))
  process.exit(0)
}

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    child: { type: 'string' },
    folder: { type: 'string', default: '' },
  },
})
const keys = Number(values.keys)
const children: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  build: (folder) => build(folder, keys),
  replay: (folder) => openOnce(folder, keys, 0),
  checkpoint: (folder) => openOnce(folder, keys, checkpointBytesMost),
  leaveTail,
  made: (folder) => make(folder, 1 * MiB, false),
  beside: (folder) => make(folder, 1 * MiB, true),
  without: (folder) => make(folder, checkpointBytesMost, true),
}

function run(child: string, folder: string): Outcome | undefined {
  const flags = [
    ...process.execArgv,
    process.argv[1] as string,
    '--child',
    child,
    '--folder',
    folder,
    '--keys',
    values.keys,
  ]
  const { stdout, stderr, status } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout === '' ? undefined : JSON.parse(stdout)
}

if (values.child !== undefined) {
  const outcome = await children[values.child]?.(values.folder)
  if (outcome !== undefined) console.log(JSON.stringify(outcome))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-bench-'))
  try {
    run('build', folder)
    const outcomes: [string, Outcome][] = []
    const note = (name: string, child: string): void => {
      const outcome = run(child, folder)
      if (outcome !== undefined) outcomes.push([name, outcome])
    }
    for (let round = Number(values.rounds); round > 0; round--) {
      // It leaves no checkpoint, so that one is made by the next.
      note('replay', 'replay')
      note('made', 'made')
      note('checkpoint', 'checkpoint')
    }
    run('leaveTail', folder)
    for (let round = Number(values.rounds); round > 0; round--) note('checkpoint and tail', 'checkpoint')
    note('without', 'without')
    note('beside', 'beside')
    const columns = ['', 'ms', 'CPU ms', 'replayed MB', 'checkpoint MB', 'resident MB', 'longest turn ms']
    const rows = outcomes.map(([name, { ms, cpuMs, replayedMb, checkpointMb, residentMb, stallMs }]) => [
      name,
      ...[ms, cpuMs, replayedMb, checkpointMb, residentMb].map((figure) => figure.toFixed(0)),
      stallMs.toFixed(1),
    ])
    console.log(formatTable({ columns, numeric: columns.map((_, i) => i > 0), rows }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
