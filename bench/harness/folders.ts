/** What folders hold, as the disk sees it. */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const blockBytes = 512

/** Bytes that a folder's files take on the disk: without holes, and without what is only set aside behind their ends. */
export function folderDiskBytes(folder: string): number {
  let bytes = 0
  for (const path of filesIn(folder)) {
    // A file may go while we look.
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts !== undefined) bytes += Math.min(facts.blocks * blockBytes, facts.size)
  }
  return bytes
}

/** The paths of all files in a folder and below. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
