/** Who may connect and do what, from the configuration, as the Redis front takes it. */

import { accessConfig } from '@orbitkv/access'
import type { AccessSettings } from '@orbitkv/redis'
import { accessSettings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import { usersFile } from './users-file.ts'

export function accessOf(config: Configuration): AccessSettings {
  const path = config.text('redis.acl_file')
  return {
    limits: accessConfig.parse(accessSettings((key) => config.get(key))),
    password: config.text('redis.requirepass'),
    hasChannelsAtFirst: config.text('redis.acl_pubsub_default') === 'allchannels',
    ...(path === '' ? {} : { file: usersFile(path) }),
  }
}
