/**
 * Recorded traces of what programs asked their caches for, as numbers from 0 on: the order of keys is all that a cache sees of them.
 * They are not part of this repository; see `traceFolder`.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** Beside the repository; undefined where there are none. */
const folder = fileURLToPath(new URL('../../../shared/data/traces', import.meta.url))
export const traceFolder: string | undefined = existsSync(folder) ? folder : undefined

export interface Trace {
  readonly name: string
  /** The key of each access, from 0 on in the order in which they first come. */
  readonly accesses: Uint32Array
  readonly distinct: number
}

export function traceFiles(): string[] {
  return traceFolder === undefined ? [] : readdirSync(traceFolder).filter((name) => name.includes('.trace.'))
}

/** Reads a trace by the form that its name tells. */
export function readTrace(file: string): Trace {
  const path = join(folder, file)
  const name = file.replace(/^caffeine_/, '').replace(/\.trace\..*$/, '')
  if (file.endsWith('.xz')) return toTrace(name, wordsOf(execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 28 })))
  const lines = gunzipSync(readFileSync(path)).toString('latin1').split('\n')
  // Loads and stores by address, or one block a line with marks between them.
  if (name.startsWith('address'))
    return toTrace(
      name,
      lines.flatMap((line) => line.split(' ')[1] ?? []),
    )
  return toTrace(
    name,
    lines.map((line) => line.trim()).filter((line) => /^\d+$/.test(line)),
  )
}

function* wordsOf(bytes: Buffer): Generator<number> {
  for (let at = 0; at + 4 <= bytes.length; at += 4) yield bytes.readUInt32BE(at)
}

export function toTrace(name: string, keys: Iterable<string | number>): Trace {
  const numbers = new Map<string | number, number>()
  const accesses: number[] = []
  for (const key of keys) {
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    accesses.push(number)
  }
  return { name, accesses: Uint32Array.from(accesses), distinct: numbers.size }
}
