/** Opens what a client command works on: the server of --url, else the folder of --data and the configuration. */

import { hasCode } from '@orbitkv/base'
import { type Durability, type OpenOptions, open, type Store } from 'orbitkv'
import { storeSettings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import type { Context, Env } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { FolderTarget } from './folder.ts'
import { passwordVariable } from './resp.ts'
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

/** The address of the server that is meant; undefined where it is a folder. */
export function serverOf({ args }: Pick<Context, 'args'>): string | undefined {
  if (args.typed('data') && args.typed('url')) throw cliErrors.flags_conflict({ first: '--data', second: '--url' })
  // A --data that is typed wins over an ORBIT_URL that merely is there.
  return args.typed('data') ? undefined : args.text('url')
}

async function openTarget(context: Context, missing: Missing): Promise<Target> {
  const { config, clock, env } = context
  const url = serverOf(context)
  if (url !== undefined) return ServerTarget.connect(url, clock, passwordOf(env))
  return new FolderTarget(await openFolder(context, missing), config.number('store.value_bytes_max'))
}

/** For the server of --url; undefined where none is needed. */
export function passwordOf(env: Env): string | undefined {
  const password = env[passwordVariable] ?? ''
  return password === '' ? undefined : password
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
