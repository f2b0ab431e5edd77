/** Settings of the store. */

import { bytes, choice, config, count, duration, flag, hour, MiB, type Values } from '@orbitkv/base'
import { cacheKeys, cachePolicies } from './cache/types.ts'

export const storeConfig = config({
  durability: choice({
    default: 'always',
    choices: ['always', 'interval', 'none'],
    why: 'when a write is acknowledged: on the disk, or once the system has it (interval syncs soon after, none when it likes)',
  }),
  syncIntervalMs: duration({
    default: 100,
    min: 1,
    max: hour,
    why: 'with durability interval: the longest time between syncs',
  }),
  syncIntervalWrites: count({
    default: 1000,
    min: 1,
    max: 1_000_000_000,
    why: 'with durability interval: writes after which a sync does not wait for the time',
  }),
  historyMs: duration({
    default: hour,
    min: 0,
    max: 3650 * 24 * hour,
    why: 'how long older versions stay readable by snapshots; each costs about 50 bytes of memory',
  }),
  historyVersionsMax: count({
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    why: 'older versions at most, whatever their age: bounds the memory of history',
  }),
  historyRevisionsMax: count({
    default: 1_000_000_000_000_000,
    min: 0,
    max: 1_000_000_000_000_000,
    why: 'older revisions that stay readable at most, whatever their age',
  }),
  historyBytesMax: bytes({
    default: 1024 ** 5,
    min: 0,
    max: 1024 ** 5,
    why: 'bytes of log that are kept for history at most: they hold what was overwritten',
  }),
  pinMsMax: duration({
    default: 0,
    min: 0,
    max: 3650 * 24 * hour,
    why: 'how long a snapshot, or a watch that reads the log, may hold an old state; after that it fails. 0: as long as it likes',
  }),
  pinBytesMax: bytes({
    default: 0,
    min: 0,
    max: 1024 ** 5,
    why: 'bytes of log that may be written while a state is held, before its holder fails; 0: any number',
  }),
  watchBufferBytes: bytes({
    default: 16 * MiB,
    min: 1,
    max: 1024 ** 3,
    why: 'bytes of changes that wait for a slow consumer of a watch, before it ends',
  }),
  compaction: flag({
    default: true,
    why: 'rewrite what holds garbage in the background',
  }),
  cacheBytesMax: bytes({
    default: 0,
    min: 0,
    max: 1024 ** 5,
    why: 'bytes of keys and values, with what the store keeps of each, before keys are evicted; 0: the store is no cache',
  }),
  cachePolicy: choice({
    default: 'lru',
    choices: cachePolicies,
    why: 'which key is evicted first: the least recently or least often used, the first to expire, what w-tinylfu makes of all; none: writes are refused',
  }),
  cacheKeys: choice({
    default: 'all',
    choices: cacheKeys,
    why: 'which keys may be evicted: all, or only those with an expiry',
  }),
  garbageBytesMin: bytes({
    default: 256 * MiB,
    min: 1,
    max: 1024 ** 4,
    why: 'less garbage than this is left alone: rewriting a small store again and again costs more than its disk',
  }),
  garbagePercentMax: count({
    default: 30,
    min: 1,
    max: 90,
    why: 'compaction begins when so much of the store is garbage: less takes less disk and writes more',
  }),
})

export type StoreConfig = Values<typeof storeConfig.settings>
