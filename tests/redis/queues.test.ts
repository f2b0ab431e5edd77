/**
 * BullMQ, whose queues are some fifty scripts, against our server on a disk: jobs that wait, repeat and fail, through a restart of
 * the server. Slower steps than these are the library's own: it waits on the server, not on a clock of the test.
 */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRedis } from '@orbitkv/redis'
import { realClock, realNetwork } from '@orbitkv/runtime'
import { type Job, Queue, Worker } from 'bullmq'
import { open } from 'orbitkv'

interface Running {
  readonly port: number
  close(): Promise<void>
}

async function start(folder: string, port: number): Promise<Running> {
  const store = await open(folder, { durability: 'always' })
  const errors: unknown[] = []
  const server = await startRedis({
    owner: store.owner,
    network: realNetwork,
    clock: realClock,
    port,
    info: () => ({ version: '0.0.0', store: store.stats() }),
    log: (level, message, error) => {
      if (level === 'error') errors.push(message, error)
    },
  })
  return {
    port: server.address.port,
    async close() {
      await server.close(0)
      await store.close()
      assert.deepEqual(errors, [])
    },
  }
}

/** Resolves once every name has been seen as often as it is to be. */
function counted(expected: Readonly<Record<string, number>>): {
  see(name: string): void
  all: Promise<void>
  seen: Map<string, number>
} {
  const seen = new Map<string, number>()
  let resolve = (): void => undefined
  const all = new Promise<void>((done) => {
    resolve = done
  })
  return {
    seen,
    all,
    see(name) {
      seen.set(name, (seen.get(name) ?? 0) + 1)
      if (Object.entries(expected).every(([wanted, times]) => (seen.get(wanted) ?? 0) >= times)) resolve()
    },
  }
}

test('a queue of BullMQ keeps its jobs through a restart of the server', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-queues-'))
  const data = join(folder, 'data')
  let running = await start(data, 0)
  const connection = { host: '127.0.0.1', port: running.port, maxRetriesPerRequest: null }
  const first = new Queue('work', { connection })
  await first.add('plain', { n: 1 })
  await first.add('delayed', { n: 2 }, { delay: 300 })
  await first.add('flaky', { n: 3 }, { attempts: 3, backoff: { type: 'fixed', delay: 50 } })
  await first.add('hopeless', { n: 4 }, { attempts: 2 })
  await first.upsertJobScheduler('tick', { every: 200 }, { name: 'repeated' })
  await first.close()
  await running.close()

  running = await start(data, running.port)
  const queue = new Queue('work', { connection })
  const progress = counted({ plain: 1, delayed: 1, flaky: 3, hopeless: 2, repeated: 3 })
  const ended = counted({ plain: 1, delayed: 1, flaky: 1, hopeless: 1 })
  const work = async ({ name, attemptsMade }: Job): Promise<string> => {
    progress.see(name)
    if (name === 'hopeless' || (name === 'flaky' && attemptsMade < 2)) throw new Error(`${name} fails`)
    return `${name} is done`
  }
  const worker = new Worker('work', work, { connection })
  worker.on('completed', (job) => ended.see(job.name))
  worker.on('failed', (job) => {
    if (job !== undefined && job.attemptsMade >= (job.opts.attempts ?? 1)) ended.see(job.name)
  })
  try {
    await Promise.all([progress.all, ended.all])
    await queue.removeJobScheduler('tick')
    assert.deepEqual(
      ['plain', 'delayed', 'flaky', 'hopeless'].map((name) => progress.seen.get(name)),
      [1, 1, 3, 2],
    )
    const failed = await queue.getFailed()
    assert.deepEqual(
      failed.map((job) => [job.name, job.failedReason, job.attemptsMade]),
      [['hopeless', 'hopeless fails', 2]],
    )
    const done = (await queue.getCompleted()).filter((job) => job.name !== 'repeated')
    assert.deepEqual(done.map((job) => job.returnvalue).sort(), ['delayed is done', 'flaky is done', 'plain is done'])
  } finally {
    await worker.close()
    await queue.close()
    await running.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
