/**
 * Settings by the names that Redis has for them: what CONFIG GET tells, and what CONFIG SET may change while the server runs.
 *
 * Three kinds: those that mean something here and can be changed; those that are given at the start; and those that tools set by
 * habit and that mean nothing here, which are kept and told again.
 *
 * What must hold: a CONFIG SET of several changes all of them, or none.
 */

import { databaseCount } from './collections/keyspaces.ts'
import type { RedisLimits } from './config.ts'
import { limitSettings } from './limit-settings.ts'
import type { ServerView } from './view.ts'

export interface Setting {
  get(): string | number
  /**
   * Reads a new value; returns what puts it into force, or text on what is wrong with it. Absent: given at the start. `together` has
   * all values of one CONFIG SET, for settings that hold only together.
   */
  readonly change?: (value: string, together: ReadonlyMap<string, string>) => (() => void) | string
}

export type Settings = ReadonlyMap<string, Setting>

/** What a server and its limits have as settings, by name. */
export function settingsOf(server: ServerView, limits: RedisLimits): Settings {
  const { timings } = server
  const { monitor, slowLog } = timings
  const settings = new Map<string, Setting>(Object.entries(keptSettings()))
  for (const [name, get] of Object.entries(fixedSettings(server))) settings.set(name, { get })
  settings.set('appendonly', {
    get: () => appendOnly(server),
    // Tools switch it on to be safe: where it is on there is nothing to do.
    change: (value) => (value === appendOnly(server) ? () => {} : "can't set immutable config"),
  })
  for (const [name, setting] of Object.entries(limitSettings(server, limits))) settings.set(name, setting)
  // What lasts longer is ended here, where Redis begins to answer BUSY.
  const scriptTime = settings.get('script-ms') as Setting
  for (const name of ['busy-reply-threshold', 'lua-time-limit']) settings.set(name, scriptTime)
  settings.set('slowlog-log-slower-than', {
    get: () => timings.slowerThanMicroseconds,
    change: integer(-1, Number.MAX_SAFE_INTEGER, (microseconds) => {
      timings.slowerThanMicroseconds = microseconds
    }),
  })
  settings.set('slowlog-max-len', {
    get: () => slowLog.entriesMax,
    change: integer(0, slowLogEntriesMax, (entries) => {
      slowLog.entriesMax = entries
    }),
  })
  settings.set('notify-keyspace-events', {
    get: () => server.notifications.classes,
    change: (classes) => server.notifications.change(classes),
  })
  settings.set('stream-node-max-entries', {
    get: () => server.streamNodeEntries,
    change: integer(0, Number.MAX_SAFE_INTEGER, (entries) => {
      server.streamNodeEntries = entries
    }),
  })
  settings.set('maxmemory', {
    get: () => server.memoryLimit.bytesMax,
    change: (text) => server.memoryLimit.changeBytes(text),
  })
  settings.set('maxmemory-policy', {
    get: () => server.memoryLimit.policy,
    change: (text) => server.memoryLimit.changePolicy(text),
  })
  settings.set('latency-monitor-threshold', {
    get: () => monitor.thresholdMs,
    change: integer(0, Number.MAX_SAFE_INTEGER, (ms) => {
      monitor.thresholdMs = ms
    }),
  })
  return settings
}

/** Entries of the slow log are in memory: some KiB each at most. */
const slowLogEntriesMax = 100_000

/** A setting that is a whole number. */
export function integer(
  min: number,
  max: number,
  set: (value: number) => void,
): (value: string) => (() => void) | string {
  return (text) => {
    const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN
    if (Number.isNaN(value)) return "argument couldn't be parsed into an integer"
    if (value < min || value > max) return `argument must be between ${min} and ${max} inclusive`
    return () => set(value)
  }
}

function appendOnly(server: ServerView): 'yes' | 'no' {
  return server.facts().store.durability === 'none' ? 'no' : 'yes'
}

/** Settings of Redis that tools ask for, as they are here. */
function fixedSettings(server: ServerView): Record<string, () => string | number> {
  const syncs = { always: 'always', interval: 'everysec', none: 'no' } as const
  return {
    appendfsync: () => syncs[server.facts().store.durability],
    bind: () => server.address.host,
    'cluster-enabled': () => 'no',
    daemonize: () => 'no',
    databases: () => databaseCount,
    dir: () => server.facts().store.path,
    port: () => server.address.port,
  }
}

/** What tools and tests set by habit, with what Redis has at first. */
const kept: Readonly<Record<string, string | number>> = {
  activedefrag: 'no',
  'active-expire-effort': 1,
  'aof-use-rdb-preamble': 'yes',
  'auto-aof-rewrite-percentage': 100,
  'close-on-oom': 'yes',
  'hash-max-listpack-entries': 512,
  'hash-max-listpack-value': 64,
  'hash-max-ziplist-entries': 512,
  'hash-max-ziplist-value': 64,
  'hll-sparse-max-bytes': 3000,
  hz: 10,
  'key-load-delay': 0,
  'lazyfree-lazy-eviction': 'no',
  'lazyfree-lazy-expire': 'no',
  'lazyfree-lazy-server-del': 'no',
  'lazyfree-lazy-user-del': 'no',
  'lazyfree-lazy-user-flush': 'no',
  'lfu-decay-time': 1,
  'lfu-log-factor': 10,
  'list-compress-depth': 0,
  'list-max-listpack-size': -2,
  'list-max-ziplist-size': -2,
  loglevel: 'notice',
  'maxmemory-samples': 5,
  'rdb-key-save-delay': 0,
  'repl-backlog-size': 1_048_576,
  'repl-ping-replica-period': 10,
  'replica-serve-stale-data': 'yes',
  save: '',
  'set-max-intset-entries': 512,
  'stop-writes-on-bgsave-error': 'yes',
  'stream-node-max-bytes': 4096,
  'tcp-keepalive': 300,
  'zset-max-listpack-entries': 128,
  'zset-max-listpack-value': 64,
  'zset-max-ziplist-entries': 128,
  'zset-max-ziplist-value': 64,
}

/** Longer values of what is only kept are refused. */
const keptCharsMax = 4096

function keptSettings(): Record<string, Setting> {
  const values = new Map(Object.entries(kept))
  const settingOf = (name: string): Setting => ({
    get: () => values.get(name) as string | number,
    change: (value) => (value.length > keptCharsMax ? 'argument is too long' : () => void values.set(name, value)),
  })
  return Object.fromEntries(Object.keys(kept).map((name) => [name, settingOf(name)]))
}
