/** What a run ran on: figures without it say nothing. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly memory: string
  readonly kernel: string
  readonly node: string
  /** File system and device that hold the folder for temporary files. */
  readonly disk: string
  /** Processes that wanted a core when the run began: above 0.3 or so, figures are of a busy machine. */
  readonly load: string
}

export function describeMachine(): Machine {
  const cores = os.cpus()
  return {
    cpu: `${cores[0]?.model.trim() ?? 'unknown'}, ${cores.length} cores`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `${os.type()} ${os.release()}`,
    node: `${process.versions.node} (V8 ${process.versions.v8})`,
    disk: describeDisk(os.tmpdir()),
    load: os
      .loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
  }
}

function describeDisk(folder: string): string {
  const [, line = ''] = outputOf('df', ['-PT', folder]).split('\n')
  const [device = 'unknown', fileSystem = 'unknown'] = line.trim().split(/\s+/)
  const queue = `/sys/block/${device.replace(/^\/dev\//, '').replace(/\d+$/, '')}/queue`
  const cache = readIfThere(`${queue}/write_cache`)
  return `${fileSystem} on ${device}${cache === '' ? '' : `, ${cache}`}`
}

/** Empty where there is no such command: what it would have told is then shown as unknown. */
export function outputOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
