/**
 * From what the system says to `disk.*` errors, in one place for every real disk.
 *
 * An error that is no answer of the system (a wrong argument, a bug) passes through unchanged, so that it is not
 * mistaken for a fault of the disk.
 */

import { diskErrors } from './errors.ts'

type Namer = 'not_found' | 'exists' | 'not_a_directory' | 'read_only' | 'full' | 'too_many_open_files'

const errnoNames: Readonly<Record<string, Namer>> = {
  ENOENT: 'not_found',
  EEXIST: 'exists',
  ENOTDIR: 'not_a_directory',
  EACCES: 'read_only',
  EPERM: 'read_only',
  EROFS: 'read_only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EMFILE: 'too_many_open_files',
  ENFILE: 'too_many_open_files',
}

/** The coded error for `error`, met in `operation` on `path`; `error` itself if it did not come from the system. */
export function diskFailure(error: unknown, operation: string, path: string): unknown {
  if (!isSystemError(error)) return error
  const name = errnoNames[error.code]
  if (name === undefined) return diskErrors.failed({ operation, path, reason: error.message }, error)
  return diskErrors[name]({ path, reason: error.code }, error)
}

/** True for an error of the system with this errno name. */
export function isErrno(error: unknown, code: string): boolean {
  return isSystemError(error) && error.code === code
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}
