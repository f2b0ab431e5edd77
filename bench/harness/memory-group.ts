/**
 * A memory group of Linux below the one we are in: processes added to it have no more memory than it says, pages of files included.
 * Works where we may make groups (root, mostly), with version 1 of the interface and version 2.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryGroup {
  add(pid: number): void
  /** Once its processes are gone. */
  remove(): void
}

export function makeMemoryGroup(bytes: number): MemoryGroup | { readonly problem: string } {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const first = lines.find((line) => line.split(':')[1] === 'memory')
  const [root, own, limitName] =
    first === undefined
      ? ['/sys/fs/cgroup', lines.find((line) => line.startsWith('0::'))?.slice(3) ?? '', 'memory.max']
      : ['/sys/fs/cgroup/memory', first.split(':')[2] ?? '', 'memory.limit_in_bytes']
  const path = join(root, own, `orbit-bench-${process.pid}`)
  try {
    mkdirSync(path)
    if (!existsSync(join(path, limitName))) {
      rmdirSync(path)
      return {
        problem: 'memory groups cannot be limited here: the memory controller is not given to groups below ours',
      }
    }
    writeFileSync(join(path, limitName), String(bytes))
  } catch (error) {
    return { problem: `a memory group cannot be made here (${(error as Error).message}); run as root` }
  }
  return {
    add: (pid) => writeFileSync(join(path, 'cgroup.procs'), String(pid)),
    remove: () => rmdirSync(path),
  }
}
