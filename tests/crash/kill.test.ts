/**
 * kill -9 under load, on the real disk: whatever a store acknowledged is there when it is opened again, its state is
 * that after some number of batches, in order, and the log verifies. One folder lives through all the kills of a test.
 *
 * A kill does not lose the page cache, so what this shows is that nothing is acknowledged, or half applied, before the system has it,
 * and that recovery and locks take any end of a process; for what a power cut loses see apps/orbitkv/src/crash.fault.test.ts.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Random, seedsFor } from '@orbitkv/base'
import { realDisk } from '@orbitkv/runtime'
import { open } from 'orbitkv'
import { batchOf, counterKey } from './history.ts'

const writerFile = fileURLToPath(new URL('writer.ts', import.meta.url))
/** Acknowledged batches after which a run is killed, at most. */
const acknowledgedMax = 150

interface WriterOptions {
  readonly seed: number
  readonly native: boolean
  /** By how much it lies (writer.ts). */
  readonly ahead?: number
}

/** A writer that has started and waits to be let loose: its start costs more than what it then does. */
class Writer {
  readonly #child: ChildProcess

  constructor(folder: string, cache: string, { seed, native, ahead = 0 }: WriterOptions) {
    const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'))
    this.#child = spawn(process.execPath, [...flags, writerFile, folder, String(seed), String(ahead)], {
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
      env: { ...process.env, ORBIT_NATIVE: native ? '1' : '0', NODE_COMPILE_CACHE: cache },
    })
  }

  /** Lets it write and kills it after `killAfter` acknowledgements, or while it opens for 0; resolves to those it gave. */
  async runUntilKilled(run: number, first: number, killAfter: number): Promise<number[]> {
    const child = this.#child
    const exited = once(child, 'exit')
    const acknowledged: number[] = []
    child.stdin?.end(`${run} ${first}\n`)
    for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
      if (line !== 'opening') acknowledged.push(Number(line))
      // What it had reported by then comes before the end of the pipe.
      if (acknowledged.length >= killAfter) child.kill('SIGKILL')
    }
    const [code, signal] = await exited
    assert.equal(signal, 'SIGKILL', `the writer ended by itself with code ${code}`)
    return acknowledged
  }

  /** Ends one that was not let loose. */
  async discard(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

/** Applies batches up to the one that the store holds last, and compares; returns that one's number. */
async function check(
  folder: string,
  model: Map<string, string>,
  { seed, native }: WriterOptions,
  run: number,
  acknowledged: readonly number[],
): Promise<number> {
  const before = Number(model.get(counterKey) ?? 0)
  const store = await open(folder, { disk: realDisk({ native }) })
  try {
    assert.equal(store.stats().details.readOnly, '', 'a kill is not damage')
    const state = new Map(
      Array.from(store.range(), ({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
    )
    const last = Number(state.get(counterKey) ?? 0)
    assert.ok(last >= before, `batch ${before} was there before, and ${last} is the last now`)
    const newest = acknowledged.reduce((most, number) => Math.max(most, number), 0)
    assert.ok(last >= newest, `batch ${newest} was acknowledged, and ${last} is the last that is there`)
    for (let number = before + 1; number <= last; number++) {
      for (const [key, value] of batchOf(seed, run, number)) {
        if (value === undefined) model.delete(key)
        else model.set(key, value)
      }
    }
    assert.deepEqual(state, model, `the state is that after batch ${last}`)
    assert.deepEqual((await store.verify()).faults, [])
    return last
  } finally {
    await store.close()
  }
}

async function killManyTimes(kills: number, options: WriterOptions): Promise<{ acknowledged: number }> {
  const { seed } = options
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'orbit-kill-'))
  const store = join(folder, 'store')
  const cache = join(folder, 'cache')
  const model = new Map<string, string>()
  let last = 0
  let total = 0
  let next = new Writer(store, cache, options)
  try {
    for (let run = 1; run <= kills; run++) {
      const writer = next
      // The next one starts while this one works.
      next = new Writer(store, cache, options)
      const killAfter = random.chance(10) ? 0 : random.between(1, acknowledgedMax)
      const acknowledged = await writer.runUntilKilled(run, last + 1, killAfter)
      last = await check(store, model, options, run, acknowledged)
      total += acknowledged.length
    }
  } catch (error) {
    throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
  } finally {
    await next.discard()
    rmSync(folder, { recursive: true, force: true })
  }
  return { acknowledged: total }
}

describe('kill -9 under load', () => {
  for (const { kills, native } of [
    { kills: 100, native: true },
    { kills: 20, native: false },
  ]) {
    test(`${kills} times, on the ${native ? 'real' : 'plain JavaScript'} disk`, async (context) => {
      for (const seed of seedsFor(`kill-${native}`, { kept: [], fresh: 1 })) {
        const { acknowledged } = await killManyTimes(kills, { seed, native })
        context.diagnostic(`seed ${seed}: ${acknowledged} batches were acknowledged over ${kills} kills`)
        assert.ok(acknowledged >= kills, 'there was load')
      }
    })
  }
  test('a writer that acknowledges what it has not written fails it', async () => {
    const [seed = 0] = seedsFor('kill-canary', { kept: [], fresh: 1 })
    await assert.rejects(killManyTimes(3, { seed, native: true, ahead: 100_000 }), (error: Error) => {
      return /was acknowledged/.test((error.cause as Error).message)
    })
  })
})
