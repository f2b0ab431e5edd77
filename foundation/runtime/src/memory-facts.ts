/**
 * What the system gave this process: huge pages, and which NUMA nodes there are. Undefined or empty where it does not say, which
 * is everywhere but on Linux. For stats; nothing may depend on it.
 */

import fs from 'node:fs'

/** Bytes of memory that is no file's and stands on huge pages. Read off the event loop: it takes 28 ms for a GiB of small pages. */
export async function hugePageBytes(): Promise<number | undefined> {
  try {
    const match = /^AnonHugePages:\s+(\d+) kB$/m.exec(await fs.promises.readFile('/proc/self/smaps_rollup', 'latin1'))
    return match === null ? undefined : Number(match[1]) * 1024
  } catch {
    return undefined
  }
}

/** How many NUMA nodes are online; undefined where the system does not say. */
export function numaNodeCount(): number | undefined {
  try {
    return countOfList(fs.readFileSync('/sys/devices/system/node/online', 'latin1').trim())
  } catch {
    return undefined
  }
}

/** Of a list such as `0-3,8`. */
export function countOfList(list: string): number | undefined {
  let count = 0
  for (const part of list.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (match === null) return undefined
    count += Number(match[2] ?? match[1]) - Number(match[1]) + 1
  }
  return count
}
