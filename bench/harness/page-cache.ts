/**
 * Fills the system's page cache, as it is on a machine that has been up for a while.
 *
 * A virtual machine's host may take back what memory its guest has free, and the guest then pays for every page that it
 * touches for the first time: 11 µs a page of 4 KiB where the figures of docs/performance.md were taken, charged to
 * whoever writes. A log that grows would pay that all along, and a store in place never, which measures the host. With a full
 * page cache a new page is one that the system has let go of, at the usual cost.
 *
 * The pages are those of a sparse file, so nothing is read from the disk. They stay until `release`.
 */

import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const stepBytes = 1 << 20
/** Left free: what programs take while they run. */
const freeBytes = 2 ** 30

export interface FilledPageCache {
  readonly bytes: number
  release(): void
}

export function fillPageCache(note: (text: string) => void): FilledPageCache {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-page-cache-'))
  const path = join(folder, 'sparse')
  const file = openSync(path, 'w+')
  const release = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const bytes = Math.max(0, availableBytes() - freeBytes)
    note(`filling the page cache: ${Math.round(bytes / 2 ** 30)} GiB`)
    ftruncateSync(file, bytes)
    const buffer = Buffer.alloc(stepBytes)
    for (let at = 0; at < bytes; at += stepBytes) readSync(file, buffer, 0, stepBytes, at)
    return { bytes, release }
  } catch (error) {
    release()
    throw error
  } finally {
    closeSync(file)
  }
}

/** Memory that the system could give to programs; 0 where it does not say. */
function availableBytes(): number {
  try {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))
    return match === null ? 0 : Number(match[1]) * 1024
  } catch {
    return 0
  }
}
