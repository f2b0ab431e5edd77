/** The engine contract, on the log engine: small segments on a simulated disk, and the real disk. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after } from 'node:test'
import { KiB, seedsFor } from '@orbitkv/base'
import { type EngineHarness, engineSuite } from '@orbitkv/engine/suite'
import { type Disk, realDisk } from '@orbitkv/runtime'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from './open.ts'

type LogEngine = Awaited<ReturnType<typeof openLogEngine>>

/** Segments that hold a few batches only, so that every test crosses from one to the next. */
const smallSegments = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

async function harness(disk: Disk, path: string, config = {}): Promise<EngineHarness> {
  const open = (): Promise<LogEngine> => openLogEngine(path, { disk, config: { ...smallSegments, ...config } })
  return {
    engine: await open(),
    reopen: async (engine) => {
      await engine.close()
      return open()
    },
    check: (engine) => (engine as LogEngine).validate(),
  }
}

const seeds = seedsFor('engine-log', { kept: [1, 2, 3], fresh: 3 })

engineSuite('log engine on a simulated disk', () => harness(new SimulatedDisk(), '/store'), seeds)

engineSuite(
  'log engine that checks every read',
  () => harness(new SimulatedDisk(), '/store', { checksums: 'always' }),
  seeds.slice(0, 2),
)

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

engineSuite(
  'log engine on the real disk',
  () => {
    const folder = mkdtempSync(`${tmpdir()}/orbit-engine-`)
    folders.push(folder)
    return harness(realDisk(), `${folder}/store`)
  },
  seeds.slice(0, 2),
)
