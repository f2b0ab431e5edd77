/** `orbit import`: picks what reads the source. A file: import-file.ts; LevelDB and LMDB: import-folder.ts; a running Redis: import-redis.ts. */

import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { type ImportFormat, importFormatOf } from '../transfer/format.ts'

const files: readonly ImportFormat[] = ['csv', 'ndjson']
const redisOnly: readonly ImportFormat[] = ['redis']
/** Which sources a flag says something about; those that are not here hold for all. */
const flagsOf: Readonly<Record<string, readonly ImportFormat[]>> = {
  key: files,
  'key-template': files,
  separator: files,
  value: files,
  delimiter: files,
  database: ['lmdb'],
  follow: redisOnly,
  replace: redisOnly,
  'source-password': redisOnly,
}

export async function importSource(context: Context): Promise<number> {
  const { args, folder } = context
  const name = args.operand(0) as string
  const path = resolve(folder, name)
  const format = await importFormatOf(name, path, args.text('format'))
  refuseFlags(context, format)
  if (format === 'level' || format === 'lmdb')
    return (await import('./import-folder.ts')).importFolder(context, format, path)
  if (format === 'redis') return (await import('./import-redis.ts')).importRedis(context)
  return (await import('./import-file.ts')).importFile(context, format)
}

/** A flag that the source has no use for would promise what does not happen. */
function refuseFlags({ args }: Context, format: ImportFormat): void {
  const others = Object.entries(flagsOf).filter(([, formats]) => !formats.includes(format))
  for (const [name] of others)
    if (args.typed(name)) throw cliErrors.flag_not_here({ flag: `--${name}`, what: `the format ${format}` })
}
