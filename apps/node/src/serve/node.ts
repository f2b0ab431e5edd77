/**
 * The composition root of a server: the one file that knows every part. Opens the store, starts the fronts on it, and
 * takes them down in the opposite order.
 *
 * What must hold: the store is closed last, after every front has answered what it took; a start that fails half-way
 * leaves nothing open.
 */

import { type RedisServer, redisConfig, startRedis } from '@orbitkv/redis'
import type { Clock, Network } from '@orbitkv/runtime'
import { open, type Store } from 'orbitkv'
import { startBackups } from '../backup/scheduled.ts'
import { redisSettings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import type { Env } from '../context.ts'
import { storeOptions } from '../targets/open-target.ts'
import { version } from '../version.ts'
import type { Logger } from './log.ts'

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
  /** Answers what is under way, at most for `deadlineMs`, then closes the store. */
  close(deadlineMs: number): Promise<void>
}

/** Errors: those of `open` and of `startRedis`. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { config, network, clock, logger, recovering } = options
  const store = await open(config.text('persistence.mmap.data_dir'), {
    ...storeOptions(config),
    clock,
    progress: recovering,
  })
  let backups: { stop(): Promise<void> } | undefined
  try {
    const { indexBytes, details } = store.stats()
    const { readOnly, indexFull, indexBytesMax } = details
    if (typeof readOnly === 'string' && readOnly !== '')
      logger.tell('warn', 'the store is damaged and takes no writes', { reason: readOnly })
    if (indexFull === true) {
      logger.tell('warn', 'the index has reached store.index_bytes_max: no key can be added', {
        indexBytes,
        indexBytesMax,
      })
    }
    backups = await startBackups({ ...options, store })
    const redis = await startRedis({
      owner: store.owner,
      network,
      clock,
      host: config.text('redis.host'),
      port: config.number('redis.port'),
      limits: redisConfig.parse(redisSettings((path) => config.get(path))),
      info: () => ({ version, store: store.stats() }),
      log: logger.log,
    })
    return {
      store,
      redis,
      async close(deadlineMs) {
        try {
          await redis.close(deadlineMs)
        } finally {
          await backups?.stop()
          await store.close()
        }
      },
    }
  } catch (error) {
    await backups?.stop()
    await store.close()
    throw error
  }
}
