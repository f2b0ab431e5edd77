/** Commands that count different elements, roughly, in little space (protocol/hyperloglog.ts). */

import { copyValue } from '@orbitkv/engine'
import { addToSketch, estimate, isSketch, mergeSketch, newSketch } from '../protocol/hyperloglog.ts'
import { type Call, CommandError, lookUpString } from './command.ts'
import { writeOne } from './writes.ts'

const notASketch = 'WRONGTYPE Key is not a valid HyperLogLog string value.'

/** The sketch under a key, as bytes of the caller's own. */
function sketchAt(call: Call, place: number): { readonly sketch: Uint8Array; readonly expiresAt: number } | undefined {
  const record = lookUpString(call, place)
  if (record === undefined) return undefined
  const sketch = copyValue(record)
  if (!isSketch(sketch)) throw new CommandError(notASketch)
  return { sketch, expiresAt: record.expiresAt }
}

export function pfadd(call: Call): void {
  const { arguments: found, reply } = call
  const known = sketchAt(call, 1)
  const sketch = known?.sketch ?? newSketch()
  let isChanged = known === undefined
  for (let place = 2; place < found.count; place++) if (addToSketch(sketch, found.copy(place))) isChanged = true
  if (isChanged) writeOne(call, 1, sketch, 0, sketch.length, known?.expiresAt ?? 0)
  reply.integer(isChanged ? 1 : 0)
}

export function pfcount(call: Call): void {
  call.reply.integer(estimate(merged(call, 1)))
}

export function pfmerge(call: Call): void {
  const target = sketchAt(call, 1)
  const sketch = merged(call, 1)
  writeOne(call, 1, sketch, 0, sketch.length, target?.expiresAt ?? 0)
  call.reply.ok()
}

/** All sketches from a place on as one. */
function merged(call: Call, first: number): Uint8Array {
  const sum = newSketch()
  for (let place = first; place < call.arguments.count; place++) {
    const other = sketchAt(call, place)
    if (other !== undefined) mergeSketch(sum, other.sketch)
  }
  return sum
}
