/**
 * A place for objects as one text: the path of a folder, or `s3://BUCKET/PREFIX`. Settings of the section
 * `[persistence.s3]` may follow a question mark: `?endpoint=http://127.0.0.1:9000&region=eu-west-1`.
 */

import type { Clock, Disk, RandomUint32 } from '@orbitkv/runtime'
import { type S3Config, s3Config } from './config.ts'
import { objectsErrors } from './errors.ts'
import { FolderObjects } from './folder.ts'
import { openS3Objects } from './s3.ts'
import type { ObjectStore } from './types.ts'

export interface OpenObjectsOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** What the target does not say itself. */
  readonly s3?: Readonly<Partial<S3Config>>
}

/** Errors: `objects.bad_target`, `objects.sdk_missing`. Nothing is asked of the service yet. */
export async function openObjects(target: string, options: OpenObjectsOptions): Promise<ObjectStore> {
  if (target === '') throw objectsErrors.bad_target({ target: "''", problem: 'name a folder, or s3://BUCKET/PREFIX' })
  if (!target.startsWith('s3://')) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
      throw objectsErrors.bad_target({ target, problem: 'only folders and s3:// are known' })
    }
    return new FolderObjects(target, options)
  }
  const { clock, randomUint32 } = options
  return openS3Objects({ clock, randomUint32, config: s3Target(target, options.s3 ?? {}) })
}

/** The settings of an `s3://` target; those that it names count before those given. */
function s3Target(target: string, given: Readonly<Partial<S3Config>>): S3Config {
  const [path = '', query = ''] = target.slice('s3://'.length).split('?', 2)
  const [bucket = '', ...rest] = path.split('/')
  const prefix = rest.filter((name) => name !== '').join('/')
  const raw: Record<string, unknown> = { ...given }
  for (const [name, value] of new URLSearchParams(query)) {
    // As in the configuration, where a number alone is seconds.
    const isSeconds = name === 'connection_timeout' && /^\d+$/.test(value)
    raw[name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = isSeconds ? `${value}s` : value
  }
  // An address with its protocol says itself whether it is encrypted.
  const endpoint = String(raw.endpoint ?? '')
  if (query !== '' && endpoint.includes('://')) raw.enableSsl = endpoint.startsWith('https://')
  if (bucket !== '') raw.bucket = bucket
  if (bucket !== '') raw.prefix = prefix
  const { values, faults } = s3Config.read(raw)
  const [fault] = faults
  if (fault !== undefined) throw objectsErrors.bad_target({ target, problem: `${fault.field} ${fault.fault}` })
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(values.bucket)) {
    throw objectsErrors.bad_target({ target, problem: `'${values.bucket}' is no name of a bucket` })
  }
  return values
}
