/** Opening a store: which engine, on which disk, with which settings. */

import { type ConfigTable, choice, config, defineErrors, type Values } from '@orbitkv/base'
import { logConfig, logRelations, openLogEngine } from '@orbitkv/engine-log'
import { type Clock, type Disk, MemoryDisk, realClock, realDisk } from '@orbitkv/runtime'
import { storeConfig, storeErrors } from '@orbitkv/store'
import { EmbeddedStore, type Store } from './backup.ts'

export const openErrors = defineErrors('open', {
  no_such_backend: { retry: 'no', text: 'this version has no backend {backend}; it has {backends}' },
})

/** The engines that this version has. */
export const backends = ['mmap', 'memory'] as const
export type Backend = (typeof backends)[number]

const settings = {
  backend: choice({
    default: 'mmap',
    choices: backends,
    why: 'mmap: the log engine, durable; memory: the same engine on a disk in memory, gone with the process',
  }),
  ...storeConfig.settings,
  ...logConfig.settings,
}

/** Every setting of a store, with its default, range and reason. */
export const openConfig: ConfigTable<typeof settings> = config(settings, logRelations)

export interface OpenOptions extends Partial<Values<typeof settings>> {
  /** False: an error where there is no store yet. True by default. */
  readonly createIfMissing?: boolean
  /** Called while the log is read, with bytes done and in all. */
  readonly progress?: (bytesDone: number, bytesTotal: number) => void
  /** The disk and clock to use instead of the real ones. */
  readonly disk?: Disk
  readonly clock?: Clock
}

/**
 * Opens the store in a folder, making it if there is none. Fails with `disk.not_a_directory`, `disk.read_only`,
 * `disk.full`, `disk.locked`, `engine.newer_format`, `engine.not_a_store`, `config.invalid`. A damaged store opens for
 * reading: `stats().details.readOnly` says what is wrong, and writes fail with `engine.read_only`.
 */
export async function open(path: string, options: OpenOptions = {}): Promise<Store> {
  if (typeof options !== 'object' || options === null) {
    throw storeErrors.bad_argument({ name: 'options', expected: 'an object', found: String(options) })
  }
  const { createIfMissing, progress, disk, clock = realClock, ...raw } = options
  const backend = raw.backend as string | undefined
  if (backend !== undefined && !(backends as readonly string[]).includes(backend)) {
    throw openErrors.no_such_backend({ backend, backends: backends.join(', ') })
  }
  if (path === '')
    throw storeErrors.bad_argument({ name: 'path', expected: 'the name of a folder', found: 'an empty text' })
  const values = openConfig.parse({ ...raw })
  const inMemory = values.backend === 'memory'
  const own = disk ?? (inMemory ? new MemoryDisk() : realDisk())
  const engine = await openLogEngine(path, {
    disk: own,
    clock,
    config: {
      segmentBytes: values.segmentBytes,
      zeroAheadBytes: values.zeroAheadBytes,
      zeroAhead: values.zeroAhead && values.durability === 'always',
      reserveBytes: inMemory ? 0 : values.reserveBytes,
      sliceMs: values.sliceMs,
      checkpointBytes: inMemory ? 0 : values.checkpointBytes,
      scrubBytesPerSecond: inMemory ? 0 : values.scrubBytesPerSecond,
      scrubEveryMs: values.scrubEveryMs,
      adviseRandom: values.adviseRandom,
      prefault: values.prefault,
      residentBytesMax: values.residentBytesMax,
      hugePages: values.hugePages,
      numaNode: values.numaNode,
      indexBytesMax: values.indexBytesMax,
      storedBytesMax: values.storedBytesMax,
      valueBytesMax: values.valueBytesMax,
    },
    ...(createIfMissing === undefined ? {} : { createIfMissing }),
    ...(progress === undefined ? {} : { progress }),
  })
  const config = storeConfig.parse(pick(values, storeConfig.settings))
  return new EmbeddedStore(engine, { path, clock, config, disk: own, targetDisk: disk ?? realDisk() })
}

function pick(values: Readonly<Record<string, unknown>>, names: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, values[name]]))
}
