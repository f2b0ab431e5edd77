/**
 * Every configuration key in one table. Keys of the store and of the Redis front come from their own packages' tables;
 * here are the documents' names for them, and what only the composition root knows. docs/operating/config.md is made
 * from this table.
 */

import { accessConfig } from '@orbitkv/access'
import { backupConfig } from '@orbitkv/backup'
import { choice, count, duration, flag, GiB, minute, nearest, type Setting, second, text } from '@orbitkv/base'
import { s3Config } from '@orbitkv/objects'
import { redisConfig } from '@orbitkv/redis'
import { backends, openConfig } from 'orbitkv'
import { accessFaults, accessKeys } from './access-keys.ts'
import { endpointSetting } from './endpoint.ts'
import { type ConfigKey, configKey, snakeCase } from './key.ts'
import { laterKeys } from './later-keys.ts'

/** Backends that the design names and this version lacks. */
const laterBackends = ['lsm_tree', 'rocksdb', 'btree']

/** The documents' sync modes, and the durability that each means. */
const syncModes: Readonly<Record<string, string>> = {
  sync: 'always',
  async: 'interval',
  none: 'none',
  always: 'always',
  interval: 'interval',
}

const fileSizePath = 'persistence.mmap.file_size_gb'
const mappedSizePath = 'persistence.mmap.max_mapped_size_gb'
/** A PiB: more than a node can hold. */
const gibibytesMax = 1_048_576

/** Settings of the packages' tables that have a name of their own above. */
const storeElsewhere: readonly string[] = [
  'backend',
  'durability',
  'storedBytesMax',
  'hugePages',
  'prefault',
  'adviseRandom',
]
const redisElsewhere: readonly string[] = ['host', 'port']

const ownKeys: readonly ConfigKey[] = [
  configKey('persistence.backend', backendSetting()),
  configKey(
    'persistence.mmap.type',
    choice({ default: 'memory_mapped', choices: ['memory_mapped'], why: 'names the engine that the section is for' }),
  ),
  configKey('persistence.mmap.data_dir', folderSetting(), { aliases: ['ORBIT_DATA_DIR'] }),
  configKey('persistence.mmap.sync_mode', syncModeSetting()),
  configKey(
    fileSizePath,
    count({
      default: 1000,
      min: 1,
      max: gibibytesMax,
      why: 'GiB that log and sorted segments may take together: a write beyond it is refused, a delete is not',
    }),
  ),
  configKey(
    mappedSizePath,
    count({
      default: 2000,
      min: 1,
      max: gibibytesMax,
      why: 'GiB that are mapped at once: all that is stored is, so it is at least file_size_gb; memory is bounded by store.resident_bytes_max',
    }),
  ),
  configKey('persistence.mmap.enable_large_pages', openConfig.settings.hugePages),
  configKey('persistence.mmap.prefault_pages', openConfig.settings.prefault),
  configKey('persistence.mmap.advise_random', openConfig.settings.adviseRandom),
  configKey('redis.host', hostSetting()),
  configKey(
    'redis.port',
    count({ default: 7379, min: 0, max: 65_535, why: 'beside a Redis on 6379; 0 takes a free port' }),
  ),
  configKey(
    'server.workers',
    count({
      default: 1,
      min: 1,
      max: 256,
      why: 'event loops, each with a part of the keys; more than one needs a folder with as many shards (server.shards)',
    }),
  ),
  configKey(
    'server.shards',
    count({
      default: 0,
      min: 0,
      max: 1024,
      why: 'parts of the keys, each a store of its own: fixed when the folder is made, and the most workers it can have; 0: as many as workers then',
    }),
  ),
  configKey(
    'server.worker_port',
    count({
      default: 0,
      min: 0,
      max: 65_535,
      why: 'the first of the ports that workers have of their own, one after the other; 0: those after redis.port',
    }),
  ),
  configKey(
    'server.drain_timeout',
    duration({
      default: 10 * second,
      min: 0,
      max: 10 * minute,
      why: 'how long a stopping server waits for the commands under way',
    }),
  ),
  configKey('monitoring.enabled', flag({ default: true, why: 'serves metrics for Prometheus' })),
  configKey(
    'monitoring.metrics_endpoint',
    endpointSetting(
      '127.0.0.1:9090',
      'where /metrics is; there is no access control, so elsewhere than on this machine a firewall has to say who may read it',
    ),
  ),
  configKey(
    'log.format',
    choice({ default: 'human', choices: ['human', 'json'], why: 'json writes one document a line' }),
  ),
]

const s3Keys: readonly ConfigKey[] = [
  configKey(
    'persistence.s3.type',
    choice({ default: 's3', choices: ['s3'], why: 'names the storage that the section is for' }),
  ),
  configKey('persistence.s3.connection_timeout', secondsSetting(s3Config.settings.connectionTimeout)),
  ...keysOf('persistence.s3', s3Config.settings, ['connectionTimeout']),
]

const backupKeys: readonly ConfigKey[] = [
  configKey(
    'backup.target',
    text({ default: '', why: 'where backups go: a folder, or s3://BUCKET/PREFIX; empty makes none' }),
  ),
  configKey(
    'backup.key_file',
    text({ default: '', why: 'a file with the key that encrypts backups; empty takes ORBIT_BACKUP_KEY, if it is set' }),
  ),
  ...keysOf('backup', backupConfig.settings, []),
]

const storeKeys = keysOf('store', openConfig.settings, storeElsewhere)
const redisKeys = keysOf('redis', redisConfig.settings, redisElsewhere)

export const configKeys: readonly ConfigKey[] = [
  ...ownKeys,
  ...storeKeys,
  ...redisKeys,
  ...accessKeys,
  ...keysOf('access', accessConfig.settings, []),
  ...s3Keys,
  ...backupKeys,
  ...laterKeys,
]

/** Variables that begin with ORBIT_ and are no configuration keys. */
export const otherVariables: Readonly<Record<string, string>> = {
  ORBIT_CONFIG: 'the configuration file, as --config',
  ORBIT_BACKUP_KEY: 'the key that encrypts backups, where backup.key_file names no file',
  ORBIT_URL: 'the server that client commands talk to, as --url',
  ORBIT_REDIS_PASSWORD: 'the password for the server of --url, or of ORBIT_URL',
  ORBIT_SOURCE_PASSWORD: 'the password of the Redis that `orbit import` copies, as --source-password',
  ORBIT_DEBUG: 'set to anything, errors show where they happened',
  ORBIT_NATIVE: '0 keeps the native addon out: the disk is then plain JavaScript',
  ORBIT_SEED: "the seed of the project's random tests",
}

/** The variable of a key, for help. */
export function envOfKey(path: string): string | undefined {
  const key = configKeys.find((candidate) => candidate.path === path)
  return key?.aliases[0] ?? key?.env
}

/** Which settings do not go together, by the packages' own rules; `valueOf` gives the value of a path. */
export function relationFaults(valueOf: (path: string) => unknown): { path: string; fault: string }[] {
  const faults: { path: string; fault: string }[] = []
  for (const { section, table, elsewhere } of [
    { section: 'store', table: openConfig, elsewhere: storeElsewhere },
    { section: 'redis', table: redisConfig, elsewhere: redisElsewhere },
    { section: 'access', table: accessConfig, elsewhere: [] },
    { section: 'backup', table: backupConfig, elsewhere: [] },
  ]) {
    for (const { field, fault } of table.read(settingsOf(section, table.settings, elsewhere, valueOf)).faults) {
      faults.push({ path: `${section}.${snakeCase(field)}`, fault })
    }
  }
  faults.push(...accessFaults(valueOf))
  const fileSize = valueOf(fileSizePath) as number
  if ((valueOf(mappedSizePath) as number) < fileSize) {
    const fault = `must be at least file_size_gb, ${fileSize}: all that is stored is mapped, which takes no memory by itself; what bounds memory are store.resident_bytes_max and store.index_bytes_max`
    faults.push({ path: mappedSizePath, fault })
  }
  return faults
}

/** The values of `[store]`, and of `[persistence.mmap]` but for its folder and durability, by the names that `open` takes. */
export function storeSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return {
    ...settingsOf('store', openConfig.settings, storeElsewhere, valueOf),
    storedBytesMax: (valueOf(fileSizePath) as number) * GiB,
    hugePages: valueOf('persistence.mmap.enable_large_pages'),
    prefault: valueOf('persistence.mmap.prefault_pages'),
    adviseRandom: valueOf('persistence.mmap.advise_random'),
  }
}

/** The values of `[redis]` by the names that the Redis front takes. */
export function redisSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('redis', redisConfig.settings, redisElsewhere, valueOf)
}

/** The values of `[access]` by the names that @orbitkv/access takes. */
export function accessSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('access', accessConfig.settings, [], valueOf)
}

/** The values of `[persistence.s3]` by the names that @orbitkv/objects takes. */
export function s3Settings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('persistence.s3', s3Config.settings, [], valueOf)
}

/** The values of `[backup]`, but for the target and the key, by the names that @orbitkv/backup takes. */
export function backupSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('backup', backupConfig.settings, [], valueOf)
}

function settingsOf(
  section: string,
  settings: Readonly<Record<string, Setting<unknown>>>,
  elsewhere: readonly string[],
  valueOf: (path: string) => unknown,
): Record<string, unknown> {
  const names = Object.keys(settings).filter((name) => !elsewhere.includes(name))
  return Object.fromEntries(names.map((name) => [name, valueOf(`${section}.${snakeCase(name)}`)]))
}

function keysOf(
  section: string,
  settings: Readonly<Record<string, Setting<unknown>>>,
  elsewhere: readonly string[],
): ConfigKey[] {
  return Object.entries(settings)
    .filter(([name]) => !elsewhere.includes(name))
    .map(([name, setting]) => configKey(`${section}.${snakeCase(name)}`, setting))
}

function backendSetting(): Setting<string> {
  return {
    kind: 'choice',
    default: 'mmap',
    choices: backends,
    why: 'mmap keeps the data in a folder; memory keeps it in the process and loses it at the end',
    parse(raw) {
      if (backends.some((backend) => backend === raw)) return { value: raw as string }
      if (laterBackends.some((backend) => backend === raw))
        return { fault: `is not in this version, which has ${backends.join(' and ')}` }
      const near = typeof raw === 'string' ? nearest(raw, [...backends, ...laterBackends]) : undefined
      return { fault: `must be one of ${backends.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}` }
    },
  }
}

function folderSetting(): Setting<string> {
  const base = text({ default: './data', why: 'the folder of the store; relative to the working directory' })
  return { ...base, parse: (raw) => (raw === '' ? { fault: 'must name a folder' } : base.parse(raw)) }
}

/** Its value is the durability. */
function syncModeSetting(): Setting<string> {
  return {
    kind: 'choice',
    default: 'always',
    choices: Object.keys(syncModes),
    why: 'when a write is acknowledged: sync (or always) once it is on the disk, async (or interval) once the system has it with a sync soon after, none without a sync',
    parse(raw) {
      const durability = typeof raw === 'string' && Object.hasOwn(syncModes, raw) ? syncModes[raw] : undefined
      if (durability !== undefined) return { value: durability }
      const near = typeof raw === 'string' ? nearest(raw, Object.keys(syncModes)) : undefined
      return {
        fault: `must be one of ${Object.keys(syncModes).join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
      }
    },
  }
}

function hostSetting(): Setting<string> {
  const why = 'where to listen; elsewhere than on this machine only with redis.requirepass or redis.acl_file'
  const base = text({ default: '127.0.0.1', why })
  return { ...base, parse: (raw) => (raw === '' ? { fault: 'must name an address' } : base.parse(raw)) }
}

/** A duration whose bare number is seconds, as in the documents. */
function secondsSetting(base: Setting<number>): Setting<number> {
  const asText = (raw: unknown): unknown => {
    if (typeof raw === 'number') return `${raw}s`
    return typeof raw === 'string' && /^\d+$/.test(raw) ? `${raw}s` : raw
  }
  return { ...base, why: `${base.why}; a number is seconds`, parse: (raw) => base.parse(asText(raw)) }
}
