/** Names of objects: such as every service and every file system takes. */

import { objectsErrors } from './errors.ts'

const keyBytesMax = 512

/** Throws `objects.bad_key`. */
export function checkKey(key: string): void {
  const names = key.split('/')
  const wrong = names.find((name) => !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))
  if (wrong !== undefined) {
    throw objectsErrors.bad_key({ key, problem: `'${wrong}' is no name of letters, digits, dots and dashes` })
  }
  if (key.length > keyBytesMax) throw objectsErrors.bad_key({ key, problem: `it has more than ${keyBytesMax} bytes` })
}
