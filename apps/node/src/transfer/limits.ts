/** What of an entry the store would not take, told before it is written. Every reader of a source asks here. */

import { userKeyBytesMax } from '@orbitkv/engine'
import { isOwnKey } from '../targets/target.ts'

/** What is wrong with it; undefined where nothing is. `valueBytesMax` is undefined where only the server knows. */
export function entryProblem(
  { key, value }: { readonly key: Uint8Array; readonly value: Uint8Array },
  valueBytesMax: number | undefined,
): string | undefined {
  return keyProblem(key) ?? valueProblem(value.length, valueBytesMax)
}

export function keyProblem(key: Uint8Array): string | undefined {
  if (key.length > userKeyBytesMax) return `the key has ${key.length} bytes, the most is ${userKeyBytesMax}`
  return isOwnKey(key) ? 'the key begins like those that orbit keeps for itself' : undefined
}

export function valueProblem(bytes: number, bytesMax: number | undefined): string | undefined {
  if (bytesMax === undefined || bytes <= bytesMax) return undefined
  return `the value has ${bytes} bytes, the most is ${bytesMax} (store.value_bytes_max)`
}
