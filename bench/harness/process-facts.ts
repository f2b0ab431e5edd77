/** What Linux knows about a process: processor time and memory, from /proc. */

import { readFileSync } from 'node:fs'
import { outputOf } from './machine.ts'

/** Ticks of the clock in which the kernel counts processor time, each second. */
const ticksPerSecond = Number(outputOf('getconf', ['CLK_TCK'])) || 100

/** Processor seconds that all threads of a process, and its children that have ended, have used so far, in user and kernel mode. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold blanks; fields 14 to 17 are the 12th to 15th behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / ticksPerSecond
}

export interface ResidentMemory {
  readonly allBytes: number
  /** Of its own, as opposed to pages of files. */
  readonly anonymousBytes: number
}

export function residentMemory(pid: number): ResidentMemory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  return { allBytes: bytesOf('VmRSS'), anonymousBytes: bytesOf('RssAnon') }
}
