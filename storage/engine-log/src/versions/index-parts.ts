/** What the multi-version index consists of, beside the ordered indexes: for what keeps it whole and brings it back. */

import type { PointIndex } from '../point/point-index.ts'
import type { Aliases } from './aliases.ts'
import type { Superseded } from './superseded.ts'
import type { VersionIndex } from './version-index.ts'
import type { Versions } from './versions.ts'

export interface IndexParts {
  readonly index: VersionIndex
  readonly point: PointIndex
  readonly versions: Versions
  readonly aliases: Aliases
  readonly superseded: Superseded
}
