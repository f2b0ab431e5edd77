/** Objects in a folder of the real disk. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openObjects } from '@orbitkv/objects'
import { realClock, realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { objectStoreSuite } from './suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'orbit-objects-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let opened = 0
objectStoreSuite('folder', () =>
  openObjects(join(folder, `store-${opened++}`), {
    disk: realDisk(),
    clock: realClock,
    randomUint32: realRandomUint32,
  }),
)
