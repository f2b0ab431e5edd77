/** `orbit serve`: starts the node, says where it listens, and stops it in good order. */

import { formatDuration } from '@orbitkv/base'
import type { MetricsPage } from '@orbitkv/metrics'
import { realNetwork } from '@orbitkv/runtime'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LogFormat, type Logger, makeLogger } from '../serve/log.ts'
import { type Node, startNode } from '../serve/node.ts'
import { startWorkers, type Workers, wantsWorkers } from '../serve/workers/supervisor.ts'
import { Progress } from '../terminal/progress.ts'
import { version } from '../version.ts'

// In two parts, or a reader of imports would take the line that is printed for one of ours.
const fromRedis = ['from', "'redis'"].join(' ')

export async function serve(context: Context): Promise<number> {
  const { config, clock, env, interrupts, notes } = context
  const logger = makeLogger({
    notes,
    clock,
    format: config.text('log.format') as LogFormat,
    debug: (env.ORBIT_DEBUG ?? '') !== '',
  })
  if (wantsWorkers(config)) return serveWorkers(context, logger)
  const node = await startNode({
    config,
    network: realNetwork,
    clock,
    logger,
    env,
    recovering: recoveryProgress(context),
  })
  await announce(context, node)
  const { host, port } = node.redis.address
  logger.tell('info', 'ready', { url: urlOf(host, port), data: dataOf(context), keys: node.store.stats().keysLive })
  await untilStopped(context)
  const deadlineMs = config.number('server.drain_timeout')
  logger.tell('info', 'stopping', {
    signal: interrupts.first ?? '',
    connections: node.redis.connections,
    within: formatDuration(deadlineMs),
  })
  await node.close(deadlineMs)
  logger.tell('info', 'stopped')
  return exitCodes.ok.code
}

/** Several event loops, each with a part of the keys. */
async function serveWorkers(context: Context, logger: Logger): Promise<number> {
  const { config, clock, env, interrupts } = context
  const workers = await startWorkers({ config, clock, logger, env, recovering: recoveryProgress(context) })
  await announceWorkers(context, workers)
  const { host, port } = workers.address
  const { keysLive } = await workers.report()
  logger.tell('info', 'ready', {
    url: urlOf(host, port),
    data: dataOf(context),
    keys: keysLive,
    workers: workers.addresses.length,
  })
  try {
    await Promise.race([untilStopped(context), workers.failed])
  } catch (error) {
    logger.log('error', 'a worker ended: the server stops', error)
    await workers.end()
    throw error
  }
  const deadlineMs = config.number('server.drain_timeout')
  const { connections } = await workers.report()
  logger.tell('info', 'stopping', { signal: interrupts.first ?? '', connections, within: formatDuration(deadlineMs) })
  await workers.close(deadlineMs)
  logger.tell('info', 'stopped')
  return exitCodes.ok.code
}

async function announceWorkers({ output, config, json }: Context, workers: Workers): Promise<void> {
  const { host, port } = workers.address
  const backend = config.text('persistence.backend')
  const durability = config.text('persistence.mmap.sync_mode')
  const url = urlOf(host, port)
  const data = backend === 'memory' ? null : config.text('persistence.mmap.data_dir')
  const own = workers.addresses.map(({ port: its }) => ({ port: its }))
  if (json) {
    const { shardCount: shards } = workers
    const redis = { host, port, url }
    await output.json({
      version,
      pid: process.pid,
      redis,
      metrics: workers.metrics === undefined ? null : metricsUrl(workers.metrics),
      data,
      backend,
      durability,
      shards,
      workers: own,
    })
    return
  }
  const { styles } = output
  const where = data === null ? 'memory only, gone at the end' : data
  await output.lines([
    `${styles.bold(`OrbitKV ${version}`)} serves ${where} at ${styles.accent(url)} (${backend}, durability ${durability})`,
    `${own.length} workers, ${workers.shardCount} shards; each worker also has a port of its own: ${own.map((worker) => worker.port).join(', ')}`,
    '',
    ...(workers.metrics === undefined ? [] : [`${styles.dim('metrics  ')}${metricsUrl(workers.metrics)}`, '']),
    'Ctrl-C stops it.',
  ])
}

/** The first interrupt; the second ends the process at once (main.ts). */
function untilStopped({ interrupts }: Context): Promise<void> {
  const { signal } = interrupts
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function announce({ output, config, json }: Context, { metrics, redis, store }: Node): Promise<void> {
  const { host, port } = redis.address
  const { backend, durability } = { backend: config.text('persistence.backend'), durability: store.stats().durability }
  const url = urlOf(host, port)
  const data = backend === 'memory' ? null : store.path
  if (json) {
    const page = metrics === undefined ? null : metricsUrl(metrics)
    await output.json({
      version,
      pid: process.pid,
      redis: { host, port, url, tls_port: redis.tlsAddress?.port ?? null },
      metrics: page,
      data,
      backend,
      durability,
    })
    return
  }
  const { styles } = output
  const where = data === null ? 'memory only, gone at the end' : data
  await output.lines([
    `${styles.bold(`OrbitKV ${version}`)} serves ${where} at ${styles.accent(url)} (${backend}, durability ${durability})`,
    '',
    `${styles.dim('from a shell    ')}redis-cli ${host === '127.0.0.1' ? '' : `-h ${host} `}-p ${port} set greeting hello`,
    `${styles.dim('with orbit      ')}npx orbit get --url ${url} greeting`,
    `${styles.dim('from TypeScript ')}import { createClient } ${fromRedis}; const client = await createClient({ url: '${url}' }).connect()`,
    '',
    ...(redis.tlsAddress === undefined ? [] : [`${styles.dim('over TLS        ')}port ${redis.tlsAddress.port}`, '']),
    ...(metrics === undefined ? [] : [`${styles.dim('metrics         ')}${metricsUrl(metrics)}`, '']),
    'Ctrl-C stops it.',
  ])
}

function metricsUrl({ address: { host, port } }: MetricsPage): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`
}

function urlOf(host: string, port: number): string {
  return `redis://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function dataOf({ config }: Context): string {
  return config.text('persistence.backend') === 'memory' ? 'memory' : config.text('persistence.mmap.data_dir')
}

/** Reading a large log takes a while: then a line shows it, and one that takes no time shows nothing. */
function recoveryProgress({
  progress: surface,
  clock,
  config,
}: Context): (bytesDone: number, bytesTotal: number) => void {
  let progress: Progress | undefined
  return (bytesDone, bytesTotal) => {
    if (bytesTotal === 0) return
    progress ??= new Progress({
      surface,
      clock,
      label: `reading ${config.text('persistence.mmap.data_dir')}`,
      unit: 'bytes',
      total: bytesTotal,
    })
    progress.update(bytesDone, bytesDone)
    if (bytesDone >= bytesTotal) progress.finish()
  }
}
