/**
 * Keys that the project's documents define and this version does not act upon yet. They are read and checked like any
 * other, so that a configuration written for the whole system is accepted; `orbit config check` notes each one that is
 * set. A key moves to keys.ts with the part that acts upon it.
 */

import { bytes, choice, count, duration, flag, GiB, hour, MiB, minute, type Setting, second, text } from '@orbitkv/base'
import { type ConfigKey, configKey } from './key.ts'

/** What a section waits for. */
const waits = {
  lsm: 'the engine lsm_tree',
  rocksdb: 'the engine rocksdb',
  tiering: 'data tiering',
  monitoring: 'alerts and exports of our own; Prometheus does both with what /metrics tells',
  cluster: 'the cluster',
}

export const laterKeys: readonly ConfigKey[] = [
  ...section('persistence.lsm_tree', waits.lsm, {
    type: choice({ default: 'lsm_tree', choices: ['lsm_tree'], why: 'names the engine that the section is for' }),
    data_dir: text({ default: './data', why: 'the folder of the store' }),
    memtable_size_mb: count({
      default: 256,
      min: 1,
      max: 65_536,
      why: 'a larger table in memory means fewer and larger files',
    }),
    max_levels: count({ default: 8, min: 1, max: 16, why: 'levels of sorted files' }),
    level_size_multiplier: count({
      default: 10,
      min: 2,
      max: 100,
      why: 'how much larger each level is than the one above',
    }),
    compaction_strategy: compactionStrategy(),
    bloom_filter_enabled: flag({ default: true, why: 'spares reads of files that cannot hold the key' }),
    compression: text({ default: 'Lz4', why: 'compression of sorted files' }),
    enable_snapshots: flag({ default: true, why: 'takes snapshots from time to time' }),
    snapshot_interval_secs: count({ default: 300, min: 1, max: 86_400, why: 'time between snapshots' }),
  }),
  ...section('persistence.rocksdb', waits.rocksdb, {
    type: choice({ default: 'rocksdb', choices: ['rocksdb'], why: 'names the engine that the section is for' }),
    data_dir: text({ default: './data', why: 'the folder of the store' }),
    create_if_missing: flag({ default: true, why: 'makes the store where there is none' }),
    enable_statistics: flag({ default: true, why: "RocksDB's own statistics" }),
    compression_type: text({ default: 'snappy', why: 'compression of sorted files' }),
    block_cache_size: bytes({ default: 512 * MiB, min: 0, max: 1024 * GiB, why: 'memory for blocks read' }),
    write_buffer_size: bytes({ default: 256 * MiB, min: 1 * MiB, max: 64 * GiB, why: 'size of a table in memory' }),
    max_write_buffer_number: count({ default: 8, min: 1, max: 1024, why: 'tables in memory before writes wait' }),
    target_file_size_base: bytes({ default: 256 * MiB, min: 1 * MiB, max: 64 * GiB, why: 'size of a sorted file' }),
    max_background_compactions: count({ default: 16, min: 1, max: 1024, why: 'compactions at once' }),
  }),
  ...section('data_tiering', waits.tiering, {
    hot_data_threshold_hours: count({
      default: 24,
      min: 1,
      max: 87_600,
      why: 'younger data stays on the fastest disk',
    }),
    warm_data_threshold_days: count({ default: 30, min: 1, max: 3650, why: 'older data goes to cold storage' }),
    cold_storage_backend: choice({ default: 's3', choices: ['s3'], why: 'where cold data goes' }),
  }),
  ...section('monitoring', waits.monitoring, {
    export_interval: duration({
      default: 30 * second,
      min: 1 * second,
      max: 1 * hour,
      why: 'time between two exports',
    }),
  }),
  ...section('monitoring.alerts', waits.monitoring, {
    write_latency_p95_threshold: duration({
      default: 100,
      min: 1,
      max: 10 * minute,
      why: 'slower writes raise an alert',
    }),
    read_latency_p95_threshold: duration({ default: 10, min: 1, max: 10 * minute, why: 'slower reads raise an alert' }),
    memory_usage_threshold: percent('80%', 'more memory in use raises an alert'),
    disk_usage_threshold: percent('85%', 'more disk in use raises an alert'),
    error_rate_threshold: percent('0.1%', 'more failures raise an alert'),
  }),
  configKey('node.id', text({ default: '', why: 'the name of this node in its cluster' }), { later: waits.cluster }),
  ...section('cluster', waits.cluster, {
    size: count({ default: 1, min: 1, max: 10_000, why: 'nodes in the cluster' }),
    peers: peers(),
  }),
]

function section(path: string, later: string, settings: Readonly<Record<string, Setting<unknown>>>): ConfigKey[] {
  return Object.entries(settings).map(([name, setting]) => configKey(`${path}.${name}`, setting, { later }))
}

function percent(standard: string, why: string): Setting<string> {
  return {
    kind: 'text',
    default: standard,
    why,
    parse(raw) {
      const match = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(raw) : null
      if (match === null || Number(match[1]) > 100) return { fault: 'must be a share such as 80%' }
      return { value: raw as string }
    },
  }
}

function compactionStrategy(): Setting<unknown> {
  const fields: Record<string, string> = { Leveled: 'size_ratio', Universal: 'ratio_threshold' }
  const expected = {
    fault: 'must be { type = "Leveled", size_ratio = 10.0 } or { type = "Universal", ratio_threshold = 4.0 }',
  }
  return {
    kind: 'text',
    default: 'Leveled, size_ratio 10',
    why: 'how sorted files are merged',
    parse(raw) {
      if (typeof raw !== 'object' || raw === null) return expected
      const { type, ...rest } = raw as Record<string, unknown>
      const field = typeof type === 'string' ? fields[type] : undefined
      if (field === undefined || Object.keys(rest).some((name) => name !== field)) return expected
      const ratio = rest[field] ?? (type === 'Leveled' ? 10 : 4)
      return typeof ratio === 'number' && ratio > 1 ? { value: `${type}, ${field} ${ratio}` } : expected
    },
  }
}

/** `a:8080,b:8080`, or a list of such texts. */
function peers(): Setting<string> {
  return {
    kind: 'text',
    default: '',
    why: 'the other nodes, HOST:PORT each',
    parse(raw) {
      const list = Array.isArray(raw)
        ? raw
        : typeof raw === 'string'
          ? raw.split(',').filter((peer) => peer.trim() !== '')
          : undefined
      const wrong = list?.find((peer) => typeof peer !== 'string' || !/^[^\s:]+:\d{1,5}$/.test(peer.trim()))
      if (list === undefined || wrong !== undefined) return { fault: 'must be HOST:PORT, several with commas' }
      return { value: list.map((peer: string) => peer.trim()).join(',') }
    },
  }
}
