/** Whether something stands at a path; any other answer than yes or no is `cli.file_missing`. */

import { stat } from 'node:fs/promises'
import { cliErrors } from '../errors.ts'

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw cliErrors.file_missing({ file: path, reason: code ?? message }, error)
  }
}
