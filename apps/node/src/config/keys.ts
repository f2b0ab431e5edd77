/**
 * Every configuration key in one table. Keys of the store and of the Redis front come from their own packages' tables;
 * here are the documents' names for them, and what only the composition root knows. docs/operating/config.md is made
 * from this table.
 */

import { choice, count, duration, minute, nearest, type Setting, second, text } from '@orbitkv/base'
import { redisConfig } from '@orbitkv/redis'
import { backends, openConfig } from 'orbitkv'
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

/** Settings of the packages' tables that have a name of their own above. */
const storeElsewhere: readonly string[] = ['backend', 'durability']
const redisElsewhere: readonly string[] = ['host', 'port']

const ownKeys: readonly ConfigKey[] = [
  configKey('persistence.backend', backendSetting()),
  configKey(
    'persistence.mmap.type',
    choice({ default: 'memory_mapped', choices: ['memory_mapped'], why: 'names the engine that the section is for' }),
  ),
  configKey('persistence.mmap.data_dir', folderSetting(), { aliases: ['ORBIT_DATA_DIR'] }),
  configKey('persistence.mmap.sync_mode', syncModeSetting()),
  configKey('redis.host', hostSetting()),
  configKey(
    'redis.port',
    count({ default: 7379, min: 0, max: 65_535, why: 'beside a Redis on 6379; 0 takes a free port' }),
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
  configKey(
    'log.format',
    choice({ default: 'human', choices: ['human', 'json'], why: 'json writes one document a line' }),
  ),
]

const storeKeys = keysOf('store', openConfig.settings, storeElsewhere)
const redisKeys = keysOf('redis', redisConfig.settings, redisElsewhere)

export const configKeys: readonly ConfigKey[] = [...ownKeys, ...storeKeys, ...redisKeys, ...laterKeys]

/** Variables that begin with ORBIT_ and are no configuration keys. */
export const otherVariables: Readonly<Record<string, string>> = {
  ORBIT_CONFIG: 'the configuration file, as --config',
  ORBIT_URL: 'the server that client commands talk to, as --url',
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
  ]) {
    for (const { field, fault } of table.read(settingsOf(section, table.settings, elsewhere, valueOf)).faults) {
      faults.push({ path: `${section}.${snakeCase(field)}`, fault })
    }
  }
  return faults
}

/** The values of `[store]` by the names that `open` takes. */
export function storeSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('store', openConfig.settings, storeElsewhere, valueOf)
}

/** The values of `[redis]` by the names that the Redis front takes. */
export function redisSettings(valueOf: (path: string) => unknown): Record<string, unknown> {
  return settingsOf('redis', redisConfig.settings, redisElsewhere, valueOf)
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
  return {
    kind: 'text',
    default: '127.0.0.1',
    why: 'loopback only, since this version has no passwords',
    parse(raw) {
      if (typeof raw !== 'string') return { fault: 'must be text' }
      if (raw === 'localhost' || raw === '::1' || /^127(\.\d{1,3}){3}$/.test(raw)) return { value: raw }
      return {
        fault:
          'must be this machine (127.0.0.1, ::1 or localhost): this version has no passwords, so nobody else may connect',
      }
    },
  }
}
