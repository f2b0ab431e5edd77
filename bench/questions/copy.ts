/**
 * From how many bytes on is a builtin faster than a loop for copying a value into the log? `node tools/run.mjs bench/questions/copy.ts`
 *
 * Each way copies values of one size to places that follow one another in a buffer of a segment's size, as appending does. The
 * fastest of several passes counts: what disturbs a pass only ever makes it slower. foundation/bytes/src/compare.ts goes
 * by the answer.
 */

import { MiB } from '@orbitkv/base'
import { formatTable } from '../harness/table.ts'

const imageBytes = 64 * MiB
const copies = 200_000
const passes = 9
const sizes = [8, 16, 32, 48, 64, 100, 200, 400]

type Copy = (target: Uint8Array, offset: number, source: Uint8Array, start: number, end: number) => void

const ways: Readonly<Record<string, Copy>> = {
  loop(target, offset, source, start, end) {
    for (let from = start, to = offset; from < end; from++, to++) target[to] = source[from] as number
  },
  'set, the whole source': (target, offset, source) => target.set(source, offset),
  'set, new Uint8Array': (target, offset, source, start, end) =>
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), offset),
  'set, subarray': (target, offset, source, start, end) => target.set(source.subarray(start, end), offset),
}

const image = new Uint8Array(imageBytes).fill(1)

function nanosecondsACopy(copy: Copy, bytes: number): number {
  const values = Array.from({ length: 256 }, (_, byte) => Buffer.alloc(bytes, byte))
  let bestMs = Number.POSITIVE_INFINITY
  for (let pass = 0; pass < passes; pass++) {
    let offset = 0
    const startMs = performance.now()
    for (let i = 0; i < copies; i++) {
      copy(image, offset, values[i & 255] as Buffer, 0, bytes)
      // A record's header and key stand between two values.
      offset += (bytes + 39) & ~7
      if (offset + bytes > imageBytes) offset = 0
    }
    bestMs = Math.min(bestMs, performance.now() - startMs)
  }
  return (bestMs * 1e6) / copies
}

const columns = ['bytes', ...Object.keys(ways)]
const rows = sizes.map((bytes) => [
  String(bytes),
  ...Object.values(ways).map((copy) => nanosecondsACopy(copy, bytes).toFixed(1)),
])
console.log('nanoseconds a copy')
console.log(formatTable({ columns, numeric: columns.map(() => true), rows }))
