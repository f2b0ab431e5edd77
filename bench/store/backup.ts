/**
 * Backup and restore of a store of a gigabyte: its keys, each put seven times, as they lie in the log.
 *
 *   speed        a full backup to a folder on the same disk, against writing as many bytes one after another and syncing them
 *   limited      puts while a full backup runs as fast as a scheduled one does by default, against the same puts alone
 *   incremental  bytes that it copies, of those that were written since the backup before
 *   restore      what it takes beyond a plain copy of its pieces, for each gigabyte
 */

import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { backUp, backupConfig, restore, Vault } from '@orbitkv/backup'
import { hasCode, MiB, Random } from '@orbitkv/base'
import { openObjects } from '@orbitkv/objects'
import { realClock, realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { type Durability, open, type Store } from 'orbitkv'
import { filesIn } from '../harness/folders.ts'
import type { Limit } from '../harness/report.ts'
import { Samples } from '../harness/samples.ts'
import { Data } from './data.ts'
import { loadStore } from './load.ts'
import { type Part, type PartFindings, type PartOptions, timePerRun } from './part.ts'

const part = 'backup'
/** A million keys of 8 bytes and values of 100, so often, are a gigabyte of log. */
const putsPerKey = 7
const bars = { speed: 0.6, limited: 0.8 }
const incrementalRatioMax = 1.05
const incrementalPuts = 1000
const restoreMsMax = 10_000
const limitBytesPerSecond = backupConfig.parse({}).bytesPerSecond
const writeBytes = 4 * MiB
const group = 100
/** Of one turn of writing: long enough for a limited backup to have copied many a piece. */
const turnMs = 3000
const gigabyte = 1e9

export const backup: Part = { rounds: 3, quickRounds: 1, run }

const disk = realDisk()
const clock = realClock
const randomUint32 = realRandomUint32

async function run({ keys, rounds, folder }: PartOptions): Promise<PartFindings> {
  const data = new Data(keys)
  // Without compaction, which would take the gigabyte away again: every put stays in the log.
  const store = await open(join(folder, 'store'), { durability: 'none', compaction: false })
  for (let version = 0; version < putsPerKey; version++) await loadStore(store, data, version)
  await store.flush()
  const samples = new Samples()
  const target = join(folder, 'backups')
  let bytes = 0
  for (let round = 0; round < rounds; round++) {
    rmSync(target, { recursive: true, force: true })
    const startMs = performance.now()
    const { manifest } = await backUp(store, { vault: await openVault(target), disk, clock, kind: 'full' })
    samples.add('backup', rateOf(manifest?.bytesCopied, startMs))
    bytes = manifest?.bytesCopied ?? 0
    samples.add('disk', writePlainly(join(folder, 'plain'), bytes))
  }
  const limits = [await measureIncremental(store, data, target), await measureRestore(folder, target, keys)]
  const durabilities: readonly Durability[] = ['none', 'always']
  for (let round = 0; round < rounds; round++) {
    for (const durability of durabilities) {
      const sides = round % 2 === 0 ? ['alone', 'beside'] : ['beside', 'alone']
      for (const side of sides) {
        const seed = 2 * round + durabilities.indexOf(durability)
        const write = (): Promise<number> => writeFor(turnMs, { store, data, durability, seed })
        const perSecond = side === 'alone' ? await write() : await beside(store, join(folder, 'limited'), write)
        samples.add(`${durability} ${side}`, perSecond)
      }
    }
  }
  await store.close()
  return {
    settings: {
      backup: `${(bytes / gigabyte).toFixed(2)} GB, each key put ${putsPerKey} times, compaction off; to a folder on the same disk, unencrypted; beside it a file of as many bytes, in writes of ${writeBytes / MiB} MiB and one fdatasync`,
      'limited backup': `${limitBytesPerSecond / MiB} MiB a second; turns of ${turnMs} ms, puts in groups of ${group}`,
    },
    comparisons: [
      samples.compare({
        part,
        name: 'full backup, against sequential writing',
        unit: 'MB/s',
        lessIsBetter: false,
        other: 'disk',
        ours: 'backup',
        theirs: 'disk',
        bar: bars.speed,
      }),
      ...durabilities.map((durability) =>
        samples.compare({
          part,
          name: `put, durability ${durability}, beside a limited backup`,
          unit: 'puts/s',
          lessIsBetter: false,
          other: 'alone',
          ours: `${durability} beside`,
          theirs: `${durability} alone`,
          bar: bars.limited,
        }),
      ),
    ],
    limits,
  }
}

async function openVault(folder: string): Promise<Vault> {
  return new Vault({ objects: await openObjects(folder, { disk, clock, randomUint32 }), clock, randomUint32 })
}

/** Megabytes a second. */
function rateOf(bytes: number | undefined, startMs: number): number {
  return (bytes ?? 0) / 1000 / (performance.now() - startMs)
}

/** What the disk gives to one who writes so many bytes to a file and syncs it: megabytes a second. */
function writePlainly(path: string, bytes: number): number {
  const random = new Random(1)
  const block = random.bytes(writeBytes)
  const startMs = performance.now()
  const file = openSync(path, 'w')
  try {
    for (let at = 0; at < bytes; at += writeBytes) writeSync(file, block, 0, Math.min(writeBytes, bytes - at))
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
  const rate = rateOf(bytes, startMs)
  rmSync(path)
  return rate
}

async function measureIncremental(store: Store, data: Data, target: string): Promise<Limit> {
  const before = store.stats().logBytes
  await timePerRun(incrementalPuts, group, (i) => store.put(data.key(i), data.value(i)))
  const written = store.stats().logBytes - before
  const vault = await openVault(target)
  const { manifest } = await backUp(store, { vault, disk, clock, kind: 'incremental' })
  return {
    part,
    name: `bytes that an incremental backup copies, of those written since by ${incrementalPuts} puts`,
    unit: 'ratio',
    value: (manifest?.bytesCopied ?? Number.NaN) / written,
    bound: incrementalRatioMax,
    isAtMost: true,
  }
}

async function measureRestore(folder: string, target: string, keys: number): Promise<Limit> {
  const copyStartMs = performance.now()
  const copied = copyPlainly(target, join(folder, 'copied'))
  const copyMs = performance.now() - copyStartMs
  const path = join(folder, 'restored')
  const startMs = performance.now()
  const { bytes } = await restore({ vault: await openVault(target), disk, clock, randomUint32, path })
  const restoreMs = performance.now() - startMs
  const restored = await open(path)
  const { keysLive } = restored.stats()
  await restored.close()
  rmSync(path, { recursive: true })
  if (keysLive !== keys) throw new Error(`${keysLive} of ${keys} keys were restored`)
  return {
    part,
    name: `restore of a gigabyte, beyond a plain copy of it (${((copyMs * gigabyte) / copied / 1000).toFixed(1)} s)`,
    unit: 'ms',
    value: Math.max(0, ((restoreMs - copyMs) * gigabyte) / bytes),
    bound: restoreMsMax,
    isAtMost: true,
  }
}

/** Copies all files of a folder, synced; returns their bytes. */
function copyPlainly(from: string, to: string): number {
  mkdirSync(to)
  let copied = 0
  for (const [i, path] of filesIn(from).entries()) {
    const bytes = readFileSync(path)
    const file = openSync(join(to, String(i)), 'w')
    try {
      writeSync(file, bytes)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    copied += bytes.length
  }
  rmSync(to, { recursive: true })
  return copied
}

interface Writing {
  readonly store: Store
  readonly data: Data
  readonly durability: Durability
  readonly seed: number
}

/** Puts, in groups that are awaited together, for about so long; puts a second. */
async function writeFor(ms: number, { store, data, durability, seed }: Writing): Promise<number> {
  const random = new Random(seed)
  const startMs = performance.now()
  let puts = 0
  while (performance.now() - startMs < ms) {
    await timePerRun(group, group, () => {
      const index = random.below(data.count)
      return store.put(data.key(index), data.value(index + seed), { durability })
    })
    puts += group
    // As a program would that also serves others.
    if (puts % (10 * group) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return (puts * 1000) / (performance.now() - startMs)
}

/** Writes while a limited full backup runs, which is stopped afterwards. */
async function beside(store: Store, target: string, write: () => Promise<number>): Promise<number> {
  const stop = new AbortController()
  const { signal } = stop
  let copied = 0
  const running = backUp(store, {
    vault: await openVault(target),
    disk,
    clock,
    kind: 'full',
    bytesPerSecond: limitBytesPerSecond,
    signal,
    progress: (done) => {
      copied = done
    },
  })
  const ended = running.then(
    () => 'ended',
    (error: unknown) => {
      if (!hasCode(error, 'backup.stopped')) throw error
      return 'stopped'
    },
  )
  const perSecond = await write()
  stop.abort()
  await ended
  rmSync(target, { recursive: true, force: true })
  if (copied === 0) throw new Error('nothing was copied beside the puts')
  return perSecond
}
