/** Where backups lie, from what the command line and the configuration say: the object store, and the key if there is one. */

import { readFileSync } from 'node:fs'
import { type BackupConfig, backupConfig, parseKey, Vault } from '@orbitkv/backup'
import { openObjects, s3Config } from '@orbitkv/objects'
import { type Clock, realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { backupSettings, s3Settings } from '../config/keys.ts'
import type { Configuration } from '../config/load.ts'
import type { Env } from '../context.ts'
import { cliErrors } from '../errors.ts'

export interface PlaceOptions {
  readonly config: Configuration
  readonly env: Env
  readonly clock: Clock
}

/** The place that `backup.target` names; `flag` is what names it on the command line. */
export async function openVault({ config, env, clock }: PlaceOptions, flag: string): Promise<Vault> {
  const target = config.text('backup.target')
  if (target === '') throw cliErrors.no_backup_target({ flag })
  const valueOf = (path: string): unknown => config.get(path)
  const s3 = s3Config.parse(s3Settings(valueOf))
  const parts = { clock, randomUint32: realRandomUint32 }
  const objects = await openObjects(target, { disk: realDisk(), ...parts, s3 })
  const key = readKey(config, env)
  return new Vault({ objects, ...parts, ...(key === undefined ? {} : { key }) })
}

export function scheduleConfig(config: Configuration): BackupConfig {
  return backupConfig.parse(backupSettings((path) => config.get(path)))
}

/** From a file or the environment, never from the command line, which others can see. */
function readKey(config: Configuration, env: Env): Uint8Array | undefined {
  const path = config.text('backup.key_file')
  const given = env.ORBIT_BACKUP_KEY ?? ''
  if (path === '') return given === '' ? undefined : parseKey(given)
  try {
    return parseKey(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code?.startsWith('E')) throw cliErrors.file_failed({ file: path, reason: code }, error)
    throw error
  }
}
