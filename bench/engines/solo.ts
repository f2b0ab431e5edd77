/**
 * What has no counterpart on the other side: the parts `memory`, `reopen`, `overwrites` and `cold`, each OrbitKV alone in a process of
 * its own (solo-child.ts), against bounds.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesIn, folderDiskBytes } from '../harness/folders.ts'
import { makeMemoryGroup } from '../harness/memory-group.ts'
import { StepChild } from '../harness/steps.ts'
import { PartFindings } from './findings.ts'
import { buildProgram } from './peers.ts'

const childFile = fileURLToPath(new URL('solo-child.ts', import.meta.url))
const stepDeadlineMs = 20 * 60_000
/** What is short of memory may read the same pages over and over: it then ends here, and so does the part. */
const coldDeadlineMs = 60_000
const notYet = 'the engine does not compact yet'
/** No history: every version but the newest may go. */
const withoutHistory = { durability: 'none', historyMs: 0, historyVersionsMax: 0 } as const

interface State {
  readonly indexBytes: number
  readonly logBytes: number
  readonly versionsRetained: number
  readonly details: Readonly<Record<string, string | number | boolean>>
}
interface Filled {
  readonly seconds: number
  readonly longestMs: number
  readonly apartMs: number
  readonly collectionMs: number
  readonly diskBytesMost: number
  readonly writtenBytes: number
}

export interface SoloOptions {
  readonly keys: number
  readonly note: (text: string) => void
}

class Solo {
  readonly folder: string
  #child: StepChild

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'orbit-bench-'))
    this.#child = new StepChild(childFile, [])
  }

  get pid(): number {
    return this.#child.pid
  }

  get store(): string {
    return join(this.folder, 'store')
  }

  run<Result>(step: string, argument?: unknown, deadlineMs = stepDeadlineMs): Promise<Result> {
    return this.#child.run<Result>(step, argument, deadlineMs)
  }

  open(options: object, deadlineMs = stepDeadlineMs): Promise<State & { seconds: number }> {
    return this.run('open', { path: this.store, options }, deadlineMs)
  }

  /** Ends the process without a word to the store, and starts another. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL')
    await this.#child.end()
    this.#child = new StepChild(childFile, [])
  }

  async renew(): Promise<void> {
    await this.run('close')
    await this.#child.end()
    this.#child = new StepChild(childFile, [])
  }

  async end(): Promise<void> {
    await this.#child.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function withSolo(
  part: string,
  use: (solo: Solo, findings: PartFindings) => Promise<void>,
): Promise<PartFindings> {
  const findings = new PartFindings(part)
  const solo = new Solo()
  try {
    await use(solo, findings)
  } finally {
    await solo.end()
  }
  return findings
}

/** Bytes of index a key, looked at often between n and 2n keys; and what versions and growth add. */
export function runMemory({ keys, note }: SoloOptions): Promise<PartFindings> {
  return withSolo('memory', async (solo, findings) => {
    note(`memory: growing from ${keys} to ${2 * keys} keys`)
    await solo.open(withoutHistory)
    const every = Math.max(1000, Math.round(keys / 50))
    const index = { from: 0, to: 2 * keys, every, watchFrom: keys }
    const { most, mostAt, end } = await solo.run<{ most: number; mostAt: number; end: number }>('growIndex', index)
    findings.limit({
      name: `index at its worst, at ${mostAt.toLocaleString('en-US')} keys, history off`,
      unit: 'bytes a key',
      value: most,
      bound: 56,
      isAtMost: true,
    })
    await solo.renew()
    await solo.open({ durability: 'none' })
    const before = await solo.run<State>('state')
    await solo.run<Filled>('fill', { from: 0, to: every * 10, valueBytes: 100, version: 1 })
    const after = await solo.run<State>('state')
    const versions = after.versionsRetained - before.versionsRetained
    findings.grid(
      'Bytes of index',
      ['bytes'],
      [
        { name: `a key, at ${(2 * keys).toLocaleString('en-US')} keys`, values: [end] },
        { name: 'what growth adds: a key at its worst over the least', values: [most - end] },
        {
          name: 'each older version kept',
          values: [versions === 0 ? undefined : (after.indexBytes - before.indexBytes) / versions],
        },
      ],
    )
  })
}

export function runReopen({ keys, note }: SoloOptions): Promise<PartFindings> {
  return withSolo('reopen', async (solo, findings) => {
    note(`reopen: loading ${keys} keys`)
    await solo.open({ durability: 'none' })
    await solo.run<Filled>('fill', { from: 0, to: keys, valueBytes: 100, version: 0 })
    await solo.renew()
    const checkpoints = filesIn(solo.store).filter((path) => /checkpoint/.test(path))
    const name = `${keys.toLocaleString('en-US')} keys of 100 B, cold`
    const withName = `${name}, with a checkpoint and a tail`
    if (checkpoints.length === 0) {
      findings.limit({
        name: withName,
        unit: 's',
        bound: 1,
        isAtMost: true,
        why: 'the engine writes no checkpoints yet',
      })
    } else {
      note('reopen: a tail, and a kill')
      await solo.open({ durability: 'none' })
      const tail = await solo.run<Filled>('fill', { from: 0, to: Math.round(keys / 10), valueBytes: 100, version: 1 })
      await solo.kill()
      dropFromCache(solo.store)
      const { seconds } = await solo.open({ durability: 'none' })
      const bound = 1 + tail.writtenBytes / 1e8
      findings.limit({ name: withName, unit: 's', value: seconds, bound, isAtMost: true })
      await solo.renew()
      for (const path of filesIn(solo.store)) if (/checkpoint/.test(path)) rmSync(path)
    }
    dropFromCache(solo.store)
    note('reopen: cold')
    const { seconds } = await solo.open({ durability: 'none' })
    findings.limit({ name: `${name}, without a checkpoint`, unit: 's', value: seconds, bound: 15, isAtMost: true })
    await solo.renew()
    const warm = await solo.open({ durability: 'none' })
    findings.grid(
      'Opening again',
      ['s'],
      [
        { name: 'cold, without a checkpoint', values: [seconds] },
        { name: 'as it was left', values: [warm.seconds] },
      ],
    )
  })
}

/** Takes a folder's files out of the page cache. */
function dropFromCache(folder: string): void {
  const program = buildProgram('disk')
  if ('missing' in program) throw new Error(`cannot empty the page cache: ${program.missing}`)
  execFileSync(program.path, ['drop', ...filesIn(folder)], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Every key overwritten once on average, at random, while compaction runs. */
export function runOverwrites({ keys, note }: SoloOptions): Promise<PartFindings> {
  return withSolo('overwrites', async (solo, findings) => {
    const valueBytes = 100
    note(`overwrites: loading ${keys} keys`)
    await solo.open(withoutHistory)
    const inserted = await solo.run<Filled>('fill', { from: 0, to: keys, valueBytes, version: 0 })
    const { logBytes: liveBytes } = await solo.run<State>('state')
    const compacts = await solo.run<boolean>('compacts')
    note('overwrites: overwriting')
    const count = compacts ? keys : Math.round(keys / 10)
    const over = await solo.run<Filled>('fill', {
      from: 0,
      to: count,
      valueBytes,
      version: 1,
      atRandom: true,
      compact: compacts,
    })
    const state = await solo.run<State>('state')
    const rate = count / over.seconds / (keys / inserted.seconds)
    const liveAndRetained = liveBytes + (state.versionsRetained * liveBytes) / keys
    const space = over.diskBytesMost / liveAndRetained
    const amplification = over.writtenBytes / (count * (8 + valueBytes))
    const bounds = [
      { name: 'rate, of the insert rate', unit: 'ratio', value: rate, bound: 0.5, isAtMost: false },
      { name: 'disk at its most, of live plus retained', unit: 'ratio', value: space, bound: 1.5, isAtMost: true },
      { name: 'bytes written, of keys and values', unit: 'ratio', value: amplification, bound: 3, isAtMost: true },
      { name: 'longest stall, collections apart', unit: 'ms', value: over.apartMs, bound: 10, isAtMost: true },
    ]
    for (const { value, ...bar } of bounds) findings.limit(compacts ? { ...bar, value } : { ...bar, why: notYet })
    findings.grid(
      `Overwriting ${count.toLocaleString('en-US')} of ${keys.toLocaleString('en-US')} keys at random, ${compacts ? 'compacting' : 'without compaction'}`,
      ['insert', 'overwrite'],
      [
        { name: 'records/s', values: [keys / inserted.seconds, count / over.seconds] },
        { name: 'longest stall, collections apart, ms', values: [inserted.apartMs, over.apartMs] },
        { name: 'longest stall, ms', values: [inserted.longestMs, over.longestMs] },
        { name: 'collections in one stall at most, ms', values: [inserted.collectionMs, over.collectionMs] },
        { name: 'disk at its most, MiB', values: [inserted.diskBytesMost / 2 ** 20, over.diskBytesMost / 2 ** 20] },
        {
          name: 'bytes written, of keys and values',
          values: [inserted.writtenBytes / (keys * (8 + valueBytes)), amplification],
        },
      ],
    )
  })
}

interface ColdReads {
  readonly median: number
  readonly p99: number
  readonly perSecond: number
  readonly stallMs: number
  readonly collectionMs: number
}

/** Data at four times what a memory group lets the process have. */
export function runCold({ keys, note }: SoloOptions): Promise<PartFindings> {
  return withSolo('cold', async (solo, findings) => {
    const valueBytes = 1024
    const bars = {
      latency: { name: "getAsync, of the disk's own random read", unit: 'ratio', bound: 3, isAtMost: true },
      stall: { name: 'longest stall, collections apart', unit: 'ms', bound: 10, isAtMost: true },
    }
    note(`cold: loading ${keys} keys of ${valueBytes} B`)
    await solo.open(withoutHistory)
    await solo.run<Filled>('fill', { from: 0, to: keys, valueBytes, version: 0 })
    await solo.renew()
    const dataBytes = folderDiskBytes(solo.store)
    const group = makeMemoryGroup(Math.round(dataBytes / 4))
    const disk = buildProgram('disk')
    const problem = 'problem' in group ? group.problem : 'missing' in disk ? disk.missing : undefined
    if (problem !== undefined || 'problem' in group || 'missing' in disk) {
      const why = problem ?? ''
      for (const bar of Object.values(bars)) findings.limit({ ...bar, why })
      return
    }
    const limitBytes = Math.round(dataBytes / 4)
    try {
      group.add(solo.pid)
      dropFromCache(solo.store)
      note(`cold: reading ${Math.round(dataBytes / 2 ** 20)} MiB within ${Math.round(limitBytes / 2 ** 20)} MiB`)
      const opened = await solo.open(withoutHistory, coldDeadlineMs)
      const read = (together: number) =>
        solo.run<ColdReads>('readCold', { keys, valueBytes, reads: 4096, together }, coldDeadlineMs)
      await read(1)
      const largest = filesIn(solo.store)
        .filter((path) => path.includes('log-'))
        .sort()[0] as string
      const raw = execFileSync(disk.path, ['read', '2000', '42', largest], { encoding: 'utf8' })
      const [rawMedian = 0, rawP99 = 0] = raw.trim().split(' ').map(Number)
      const alone = await read(1)
      const together = await read(32)
      findings.limit({ ...bars.latency, value: alone.median / rawMedian })
      findings.limit({ ...bars.stall, value: Math.max(alone.stallMs, together.stallMs) })
      findings.grid(
        `${Math.round(dataBytes / 2 ** 20)} MiB of data in a memory group of a quarter of it`,
        ['the disk alone, 4 KiB', 'getAsync, one at a time', 'getAsync, 32 at a time'],
        [
          { name: 'median, µs', values: [rawMedian, alone.median, together.median].map((one) => one / 1000) },
          { name: '99th of 100, µs', values: [rawP99, alone.p99, together.p99].map((one) => one / 1000) },
          { name: 'reads/s', values: [undefined, alone.perSecond, together.perSecond] },
          { name: 'longest stall, collections apart, ms', values: [undefined, alone.stallMs, together.stallMs] },
          { name: 'open, s', values: [undefined, opened.seconds, undefined] },
        ],
      )
    } catch (error) {
      const { message } = error as Error
      if (!/SIGKILL|took longer/.test(message)) throw error
      const why = `${message}, ${Math.round(dataBytes / 2 ** 20)} MiB of data with ${Math.round(limitBytes / 2 ** 20)} MiB of memory`
      for (const bar of Object.values(bars)) findings.limit({ ...bar, why })
    } finally {
      await solo.end()
      group.remove()
    }
  })
}
