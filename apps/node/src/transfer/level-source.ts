/**
 * A LevelDB folder, through classic-level. Keys and values come as the bytes that they are, those of sublevels with
 * their prefixes (`!name!`).
 *
 * LevelDB has no way to open for reading only: it takes the folder's lock, and may tidy its files up.
 */

import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import { cliErrors } from '../errors.ts'
import { loadPeer } from '../peers.ts'
import { pageBytesMax, pageEntriesMax } from '../targets/target.ts'
import type { FolderSource, SourceEntry } from './folder-source.ts'
import { isThere } from './is-there.ts'

type Level = ClassicLevel<Uint8Array, Uint8Array>

const firstKey = new Uint8Array(0)
/** Behind every key that there is in practice: sizes are only for the progress. */
const lastKey = new Uint8Array(256).fill(0xff)

/** Errors: `cli.not_that_source`, `cli.source_in_use`, `cli.source_failed`, `cli.peer_missing`. */
export async function openLevel(name: string, path: string): Promise<FolderSource> {
  const { ClassicLevel } = await loadPeer('classic-level', 'importing from LevelDB', () => import('classic-level'))
  // Opening what is none would leave a folder with a lock file behind.
  if (!(await isThere(join(path, 'CURRENT'))))
    throw cliErrors.not_that_source({ source: name, kind: 'LevelDB folder', problem: 'it has no file CURRENT' })
  const level: Level = new ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await level.open({ createIfMissing: false, multithreading: false })
    const total = await level.approximateSize(firstKey, lastKey)
    return new LevelSource(name, level, total > 0 ? total : undefined)
  } catch (error) {
    const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    if (cause.code === 'LEVEL_LOCKED') throw cliErrors.source_in_use({ source: name }, error)
    throw cliErrors.source_failed({ source: name, reason: cause.message }, error)
  }
}

class LevelSource implements FolderSource {
  readonly name: string
  // Opening writes to the folder, so that its files tell nothing of its state.
  readonly state = ''
  readonly total: number | undefined
  readonly passedOver = []
  readonly #level: Level

  constructor(name: string, level: Level, total: number | undefined) {
    this.name = name
    this.#level = level
    this.total = total
  }

  async *pages(after: Uint8Array | undefined): AsyncGenerator<readonly SourceEntry[]> {
    const iterator = this.#level.iterator({
      ...(after === undefined ? {} : { gt: after }),
      fillCache: false,
      highWaterMarkBytes: pageBytesMax,
    })
    try {
      for (;;) {
        const entries = await iterator.nextv(pageEntriesMax).catch((error: Error) => {
          throw cliErrors.source_failed({ source: this.name, reason: error.message }, error)
        })
        if (entries.length === 0) return
        yield entries.map(([key, value]) => ({ key, value }))
      }
    } finally {
      await iterator.close()
    }
  }

  donePast(key: Uint8Array): Promise<number> {
    return this.#level.approximateSize(firstKey, key)
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}
