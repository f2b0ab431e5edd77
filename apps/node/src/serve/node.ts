/**
 * The composition root of a server: the one file that knows every part. Opens the store, starts the fronts on it, and
 * takes them down in the opposite order.
 *
 * What must hold: the store is closed last, after every front has answered what it took; a start that fails half-way
 * leaves nothing open.
 */

import type { MetricsPage } from '@orbitkv/metrics'
import { type RedisOptions, type RedisServer, redisConfig, startRedis } from '@orbitkv/redis'
import type { Clock, Network } from '@orbitkv/runtime'
import { open, type Store } from 'orbitkv'
import { startBackups } from '../backup/scheduled.ts'
import { redisSettings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import type { Env } from '../context.ts'
import { storeOptions } from '../targets/open-target.ts'
import { version } from '../version.ts'
import { accessOf } from './access.ts'
import type { Logger } from './log.ts'
import { startNodeMetrics } from './metrics.ts'
import { StoreWarnings } from './store-warnings.ts'
import { openTlsPort, type TlsPort } from './tls.ts'

export interface NodeOptions {
  readonly config: Configuration
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly env: Env
  /** Called while the log of an existing store is read. */
  readonly recovering: (bytesDone: number, bytesTotal: number) => void
}

export interface Node {
  readonly store: Store
  readonly redis: RedisServer
  readonly metrics: MetricsPage | undefined
  /** Answers what is under way, at most for `deadlineMs`, then closes the store. */
  close(deadlineMs: number): Promise<void>
}

/** Errors: those of `open` and of `startRedis`. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { config, clock, logger, recovering } = options
  const store = await open(config.text('persistence.mmap.data_dir'), {
    ...storeOptions(config),
    clock,
    progress: recovering,
  })
  const warnings = new StoreWarnings({ store, logger, clock })
  let backups: { stop(): Promise<void> } | undefined
  let tls: TlsPort | undefined
  try {
    warnings.start()
    backups = await startBackups({ ...options, store })
    tls = openTlsPort(config, clock, logger)
    const redis = await startRedis({
      ...redisOptions(options, store),
      ...(tls === undefined ? {} : { tls: tls.door }),
    })
    let metrics: MetricsPage | undefined
    try {
      const folder = config.text('persistence.backend') === 'memory' ? undefined : store.path
      metrics = await startNodeMetrics({ ...options, collect: (machine) => redis.families(machine), folder })
    } catch (error) {
      await redis.close(0)
      throw error
    }
    return {
      store,
      redis,
      metrics,
      async close(deadlineMs) {
        try {
          await redis.close(deadlineMs)
        } finally {
          tls?.stop()
          await metrics?.close()
          warnings.stop()
          await backups?.stop()
          await store.close()
        }
      },
    }
  } catch (error) {
    tls?.stop()
    warnings.stop()
    await backups?.stop()
    await store.close()
    throw error
  }
}

/** How the Redis front of a store is started, but for TLS. */
export function redisOptions(
  { config, network, clock, logger }: Pick<NodeOptions, 'config' | 'network' | 'clock' | 'logger'>,
  store: Store,
): RedisOptions {
  return {
    owner: store.owner,
    cache: store,
    network,
    clock,
    host: config.text('redis.host'),
    port: config.number('redis.port'),
    limits: redisConfig.parse(redisSettings((path) => config.get(path))),
    access: accessOf(config),
    info: () => ({ version, store: store.stats() }),
    snapshot: (at) => store.snapshot({ at }),
    watch: (keyspace, watched, ready) => store.watcher(keyspace, watched, ready),
    log: logger.log,
  }
}
