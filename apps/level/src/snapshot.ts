/** An explicit snapshot: holds a snapshot of the store until abstract-level says that nobody reads through it any more. */

import { AbstractSnapshot } from 'abstract-level'
import type { Snapshot } from 'orbitkv'

/** Its declarations leave out what the constructor takes: the owner, whose close closes the snapshot. */
const Base = AbstractSnapshot as unknown as new (options: object) => AbstractSnapshot

export class OrbitSnapshot extends Base {
  readonly reader: Snapshot

  constructor(reader: Snapshot, options: object) {
    super(options)
    this.reader = reader
  }

  async _close(): Promise<void> {
    this.reader.close()
  }
}
