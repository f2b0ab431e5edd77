/** Figures of what is held: bytes on disk by kind, memory by component, partitions, and how they grow. */

import type { FigureSpec } from '../model/graph.ts'

export const storageFigures: readonly FigureSpec[] = [
  {
    id: 'storage.keys',
    unit: 'key',
    label: 'keys',
    formula: 'data.keys + growth.keys_per_day * 365 [day/year] * min(growth.years_ahead, growth.retention_years)',
  },
  {
    id: 'storage.archived_keys',
    unit: 'key',
    label: 'keys in the archive',
    formula:
      'growth.keys_per_day * 365 [day/year] * max(0 [year], min(growth.years_ahead, growth.archive_years) - growth.retention_years)',
  },
  {
    id: 'storage.entry_bytes',
    unit: 'B/key',
    label: 'a value with what is stored of its key',
    formula: 'data.value_bytes + data.key_bytes * storage.key_share',
  },
  { id: 'storage.key_bytes', unit: 'B', label: 'bytes of all keys', formula: 'storage.keys * data.key_bytes' },
  { id: 'storage.value_bytes', unit: 'B', label: 'bytes of all values', formula: 'storage.keys * data.value_bytes' },
  { id: 'storage.raw_bytes', unit: 'B', label: 'raw data', formula: 'storage.keys * storage.entry_bytes' },
  {
    id: 'storage.stored_bytes',
    unit: 'B',
    label: 'one copy, compressed, with the space that compaction needs',
    formula: 'storage.raw_bytes * storage.compression * storage.space_amplification',
  },
  {
    id: 'storage.replicated_bytes',
    unit: 'B',
    label: 'all copies',
    formula: 'storage.stored_bytes * storage.replicas',
  },
  {
    id: 'storage.metadata_bytes',
    unit: 'B',
    label: 'indexes, versions, tombstones',
    formula: 'storage.replicated_bytes * storage.metadata_share',
  },
  {
    id: 'storage.snapshot_bytes',
    unit: 'B',
    label: 'snapshots',
    formula: 'storage.replicated_bytes * storage.snapshot_share',
  },
  {
    id: 'storage.total_bytes',
    unit: 'B',
    label: 'total',
    formula: 'storage.replicated_bytes + storage.metadata_bytes + storage.snapshot_bytes',
  },
  {
    id: 'storage.written_per_day',
    unit: 'B/day',
    label: 'written by clients in a day',
    formula: 'operations.writes_per_day * storage.entry_bytes * 1 [key/op]',
  },
  {
    id: 'storage.log_bytes',
    unit: 'B',
    label: 'log',
    formula:
      'storage.written_per_day / 86400 [s/day] * storage.log_seconds * storage.replicas + storage.raw_bytes * storage.log_share',
  },
  {
    id: 'storage.cold_bytes',
    unit: 'B',
    label: 'of the total, in object storage',
    formula: 'storage.total_bytes * tiers.share * tiers.cold_share',
  },
  {
    id: 'storage.disk_bytes',
    unit: 'B',
    label: 'on the disks of the nodes',
    formula: 'storage.total_bytes - storage.cold_bytes + storage.log_bytes',
  },
  {
    id: 'storage.per_node_bytes',
    unit: 'B/node',
    label: 'on the disk of a node',
    formula: 'storage.disk_bytes / nodes.chosen',
  },
  {
    id: 'storage.log_per_node_bytes',
    unit: 'B/node',
    label: 'log of a node',
    formula: 'storage.log_bytes / nodes.chosen',
  },
  {
    id: 'storage.archive_bytes',
    unit: 'B',
    label: 'in the archive',
    formula: 'storage.archived_keys * storage.entry_bytes * storage.compression',
  },
  { id: 'partitions.count', unit: 'partition', label: 'partitions', formula: 'nodes.chosen * partitions.per_node' },
  {
    id: 'partitions.bytes',
    unit: 'B/partition',
    label: 'size of a partition',
    formula: 'storage.total_bytes / partitions.count',
  },
]

export const growthFigures: readonly FigureSpec[] = [
  {
    id: 'growth.raw_bytes_per_day',
    unit: 'B/day',
    label: 'raw data more each day',
    formula: 'growth.keys_per_day * storage.entry_bytes',
  },
  {
    id: 'growth.raw_bytes_per_month',
    unit: 'B/month',
    label: 'raw data more each month',
    formula: 'growth.raw_bytes_per_day * 30 [day/month]',
  },
  {
    id: 'growth.raw_bytes_per_year',
    unit: 'B/year',
    label: 'raw data more each year',
    formula: 'growth.raw_bytes_per_day * 365 [day/year]',
  },
  {
    id: 'growth.total_bytes_per_year',
    unit: 'B/year',
    label: 'total more each year',
    formula:
      'growth.raw_bytes_per_year * storage.compression * storage.space_amplification * storage.replicas * (1 + storage.metadata_share + storage.snapshot_share)',
  },
]

export const memoryFigures: readonly FigureSpec[] = [
  {
    id: 'memory.index_bytes',
    unit: 'B',
    label: 'index, all copies',
    formula: 'storage.keys * memory.index_bytes_per_key * storage.replicas',
  },
  {
    id: 'memory.bloom_copy_bytes',
    unit: 'B',
    label: 'Bloom filters, one copy',
    formula: 'storage.keys * memory.bloom_bytes_per_key',
  },
  {
    id: 'memory.bloom_bytes',
    unit: 'B',
    label: 'Bloom filters, all copies',
    formula: 'memory.bloom_copy_bytes * storage.replicas',
  },
  { id: 'memory.cache_bytes', unit: 'B', label: 'data held in memory', formula: 'storage.raw_bytes * cache.hot_share' },
  {
    id: 'memory.spread_bytes',
    unit: 'B',
    label: 'memory that spreads over the nodes',
    formula: 'memory.index_bytes + memory.bloom_bytes + memory.cache_bytes',
  },
  {
    id: 'memory.connections_per_node',
    unit: 'B/node',
    label: 'connection buffers of a node, as many as it takes',
    formula: 'limits.connections_per_node * memory.connection_bytes',
  },
  {
    id: 'memory.fixed_per_node',
    unit: 'B/node',
    label: 'memory that every node needs',
    formula: 'memory.system_bytes + memory.runtime_bytes + memory.write_buffer_bytes + memory.connections_per_node',
  },
  {
    id: 'memory.index_per_node',
    unit: 'B/node',
    label: 'index of a node',
    formula: 'memory.index_bytes / nodes.chosen',
  },
  {
    id: 'memory.bloom_per_node',
    unit: 'B/node',
    label: 'Bloom filters of a node',
    formula: 'memory.bloom_bytes / nodes.chosen',
  },
  {
    id: 'memory.cache_per_node',
    unit: 'B/node',
    label: 'data that a node holds in memory',
    formula: 'memory.cache_bytes / nodes.chosen',
  },
  {
    id: 'memory.per_node_bytes',
    unit: 'B/node',
    label: 'memory of a node',
    formula: 'memory.fixed_per_node + memory.index_per_node + memory.bloom_per_node + memory.cache_per_node',
  },
  {
    id: 'memory.total_bytes',
    unit: 'B',
    label: 'memory of all nodes',
    formula: 'memory.per_node_bytes * nodes.chosen',
  },
  {
    id: 'memory.machine_share',
    unit: '1',
    label: "share of the machine's memory",
    formula: 'memory.per_node_bytes / node.memory_bytes',
  },
  {
    id: 'memory.cache_share',
    unit: '1',
    label: 'share of the memory that holds data',
    formula: 'memory.cache_per_node / memory.per_node_bytes',
  },
]
