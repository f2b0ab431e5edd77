/**
 * Where a Redis is copied to, spoken to as a Redis: the server of --url, or a front that is started over the folder for as
 * long as the copy takes. So what a command means is written down once, in serve/redis.
 */

import { randomUUID } from 'node:crypto'
import { redisConfig, startRedis } from '@orbitkv/redis'
import { realNetwork } from '@orbitkv/runtime'
import { redisSettings } from '../../config/keys.ts'
import type { Context } from '../../context.ts'
import { openFolder, passwordOf, serverOf } from '../../targets/open-target.ts'
import { RespClient } from '../../targets/resp.ts'
import { version } from '../../version.ts'
import { Door } from './door.ts'

export interface RedisTarget {
  readonly door: Door
  /** The folder or the address, for messages. */
  readonly label: string
  /** Undefined where only the server knows. */
  readonly valueBytesMax: number | undefined
}

/** Runs `use` with the target of the command line, and closes it whatever happens. */
export async function withRedisTarget<Result>(
  context: Context,
  use: (target: RedisTarget) => Promise<Result>,
): Promise<Result> {
  const { clock, config, env } = context
  const url = serverOf(context)
  if (url !== undefined) {
    const door = new Door(await RespClient.connect(url, clock, passwordOf(env)))
    try {
      return await use({ door, label: url, valueBytesMax: undefined })
    } finally {
      await door.close()
    }
  }
  const store = await openFolder(context, 'create')
  // Nobody else on this machine is to come in meanwhile, whatever the configuration says of clients.
  const password = randomUUID()
  try {
    const server = await startRedis({
      owner: store.owner,
      network: realNetwork,
      clock,
      port: 0,
      limits: redisConfig.parse(redisSettings((path) => config.get(path))),
      access: { password },
      info: () => ({ version, store: store.stats() }),
    })
    try {
      const door = new Door(await RespClient.connect(`redis://${server.address.host}:${server.address.port}`, clock))
      try {
        await door.call('AUTH', password)
        return await use({ door, label: store.path, valueBytesMax: config.number('store.value_bytes_max') })
      } finally {
        await door.close()
      }
    } finally {
      await server.close()
    }
  } finally {
    await store.close()
  }
}
