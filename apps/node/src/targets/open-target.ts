/** Opens what a client command works on: the server of --url, else the folder of --data and the configuration. */

import { hasCode } from '@orbitkv/base'
import { type Durability, type OpenOptions, open, type Store } from 'orbitkv'
import { storeSettings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { FolderTarget } from './folder.ts'
import { ServerTarget } from './server.ts'
import type { Target } from './target.ts'

/** Whether a command may make a store where there is none. */
export type Missing = 'create' | 'refuse'

/** Runs `use` with the target of the command line, and closes it whatever happens. */
export async function withTarget<Result>(
  context: Context,
  missing: Missing,
  use: (target: Target) => Promise<Result>,
): Promise<Result> {
  const target = await openTarget(context, missing)
  try {
    return await use(target)
  } finally {
    await target.close()
  }
}

async function openTarget(context: Context, missing: Missing): Promise<Target> {
  const { args, config, clock } = context
  const url = args.text('url')
  if (args.typed('data') && args.typed('url')) throw cliErrors.flags_conflict({ first: '--data', second: '--url' })
  // A --data that is typed wins over an ORBIT_URL that merely is there.
  if (url !== undefined && !args.typed('data')) return ServerTarget.connect(url, clock)
  return new FolderTarget(await openFolder(context, missing), config.number('store.value_bytes_max'))
}

/** Opens the folder of the configuration in this process. */
export async function openFolder({ config }: Pick<Context, 'config'>, missing: Missing): Promise<Store> {
  if (config.text('persistence.backend') === 'memory') throw cliErrors.memory_backend()
  const path = config.text('persistence.mmap.data_dir')
  try {
    return await open(path, { ...storeOptions(config), createIfMissing: missing === 'create' })
  } catch (error) {
    if (missing === 'refuse' && (hasCode(error, 'disk.not_found') || hasCode(error, 'engine.no_store')))
      throw cliErrors.no_store({ path }, error)
    if (hasCode(error, 'disk.locked')) throw cliErrors.folder_in_use({ path }, error)
    throw error
  }
}

/** What the configuration says to `open`. */
export function storeOptions(config: Configuration): OpenOptions {
  return {
    ...storeSettings((path) => config.get(path)),
    backend: config.text('persistence.backend') as 'mmap' | 'memory',
    durability: config.text('persistence.mmap.sync_mode') as Durability,
  }
}
