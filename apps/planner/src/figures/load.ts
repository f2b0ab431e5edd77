/** Figures of the work: operations, what they send over the network, and what they ask of cores and disks. */

import type { FigureSpec } from '../model/graph.ts'

export const operationFigures: readonly FigureSpec[] = [
  {
    id: 'operations.growth_factor',
    unit: '1',
    label: 'operations, against today',
    formula: 'pow(1 + growth.operations_per_year, growth.years_ahead / 1 [year])',
  },
  {
    id: 'operations.per_day',
    unit: 'op/day',
    label: 'operations a day',
    formula: 'workload.operations_per_day * operations.growth_factor',
  },
  {
    id: 'operations.reads_per_day',
    unit: 'op/day',
    label: 'reads a day',
    formula: 'operations.per_day * workload.read_share',
  },
  {
    id: 'operations.writes_per_day',
    unit: 'op/day',
    label: 'writes a day',
    formula: 'operations.per_day * workload.write_share',
  },
  {
    id: 'operations.scans_per_day',
    unit: 'op/day',
    label: 'scans a day',
    formula: 'operations.per_day * workload.scan_share',
  },
  {
    id: 'operations.per_month',
    unit: 'op/month',
    label: 'operations a month',
    formula: 'operations.per_day * 30 [day/month]',
  },
  {
    id: 'operations.average_per_second',
    unit: 'op/s',
    label: 'operations a second',
    formula: 'operations.per_day / 86400 [s/day]',
  },
  {
    id: 'operations.peak_per_second',
    unit: 'op/s',
    label: 'operations a second at the peak',
    formula: 'operations.average_per_second * workload.peak_factor',
  },
  {
    id: 'operations.reads_average_per_second',
    unit: 'op/s',
    label: 'reads a second',
    formula: 'operations.average_per_second * workload.read_share',
  },
  {
    id: 'operations.writes_average_per_second',
    unit: 'op/s',
    label: 'writes a second',
    formula: 'operations.average_per_second * workload.write_share',
  },
  {
    id: 'operations.scans_average_per_second',
    unit: 'op/s',
    label: 'scans a second',
    formula: 'operations.average_per_second * workload.scan_share',
  },
  {
    id: 'operations.reads_peak_per_second',
    unit: 'op/s',
    label: 'reads a second at the peak',
    formula: 'operations.peak_per_second * workload.read_share',
  },
  {
    id: 'operations.writes_peak_per_second',
    unit: 'op/s',
    label: 'writes a second at the peak',
    formula: 'operations.peak_per_second * workload.write_share',
  },
  {
    id: 'operations.scans_peak_per_second',
    unit: 'op/s',
    label: 'scans a second at the peak',
    formula: 'operations.peak_per_second * workload.scan_share',
  },
  {
    id: 'operations.batched_per_second',
    unit: 'op/s',
    label: 'operations a second that come in batches',
    formula: 'operations.average_per_second * workload.batch_share',
  },
  {
    id: 'operations.requests_peak_per_second',
    unit: 'request/s',
    label: 'messages a second at the peak',
    formula:
      'operations.peak_per_second * (1 - workload.batch_share) * 1 [request/op] + operations.peak_per_second * workload.batch_share / workload.batch_operations',
  },
  {
    id: 'operations.average_per_client_per_second',
    unit: 'op/s/client',
    label: 'operations a second of a client',
    formula: 'operations.average_per_second / workload.clients',
  },
  {
    id: 'connections.total',
    unit: 'conn',
    label: 'connections',
    formula: 'workload.clients * workload.connections_per_client',
  },
  {
    id: 'connections.per_node',
    unit: 'conn/node',
    label: 'connections of a node',
    formula: 'connections.total / nodes.chosen',
  },
]

export const networkFigures: readonly FigureSpec[] = [
  {
    id: 'network.read_requests_per_day',
    unit: 'B/day',
    label: 'read and scan requests',
    formula: '(operations.reads_per_day + operations.scans_per_day) * workload.read_request_bytes',
  },
  {
    id: 'network.write_requests_per_day',
    unit: 'B/day',
    label: 'write requests',
    formula: 'operations.writes_per_day * (storage.entry_bytes * 1 [key/op] + workload.write_request_overhead_bytes)',
  },
  {
    id: 'network.read_replies_per_day',
    unit: 'B/day',
    label: 'replies to reads',
    formula: 'operations.reads_per_day * (data.value_bytes * 1 [key/op] + workload.read_reply_overhead_bytes)',
  },
  {
    id: 'network.scan_replies_per_day',
    unit: 'B/day',
    label: 'replies to scans',
    formula:
      'operations.scans_per_day * (workload.scan_keys * (data.key_bytes + data.value_bytes) + workload.read_reply_overhead_bytes)',
  },
  {
    id: 'network.write_replies_per_day',
    unit: 'B/day',
    label: 'replies to writes',
    formula: 'operations.writes_per_day * workload.write_reply_bytes',
  },
  {
    id: 'network.client_in_per_day',
    unit: 'B/day',
    label: 'from clients',
    formula: 'network.read_requests_per_day + network.write_requests_per_day',
  },
  {
    id: 'network.client_out_per_day',
    unit: 'B/day',
    label: 'to clients',
    formula: 'network.read_replies_per_day + network.scan_replies_per_day + network.write_replies_per_day',
  },
  {
    id: 'network.replication_per_day',
    unit: 'B/day',
    label: 'between replicas',
    formula: 'storage.written_per_day * (storage.replicas - 1)',
  },
  {
    id: 'network.regions_per_day',
    unit: 'B/day',
    label: 'to other regions',
    formula: 'storage.written_per_day * regions.others',
  },
  {
    id: 'network.replication_total_per_day',
    unit: 'B/day',
    label: 'between replicas and to other regions',
    formula: 'network.replication_per_day + network.regions_per_day',
  },
  {
    id: 'network.backup_per_day',
    unit: 'B/day',
    label: 'to the backup',
    formula: 'backup.full_bytes / backup.full_interval_days + backup.incremental_per_day',
  },
  {
    id: 'network.client_in_average',
    unit: 'B/s',
    label: 'from clients, a second',
    formula: 'network.client_in_per_day / 86400 [s/day]',
  },
  {
    id: 'network.client_in_peak',
    unit: 'B/s',
    label: 'from clients, a second at the peak',
    formula: 'network.client_in_average * workload.peak_factor',
  },
  {
    id: 'network.client_in_per_node',
    unit: 'B/s/node',
    label: 'from clients, a second and node',
    formula: 'network.client_in_average / nodes.chosen',
  },
  {
    id: 'network.client_out_average',
    unit: 'B/s',
    label: 'to clients, a second',
    formula: 'network.client_out_per_day / 86400 [s/day]',
  },
  {
    id: 'network.client_out_peak',
    unit: 'B/s',
    label: 'to clients, a second at the peak',
    formula: 'network.client_out_average * workload.peak_factor',
  },
  {
    id: 'network.client_out_per_node',
    unit: 'B/s/node',
    label: 'to clients, a second and node',
    formula: 'network.client_out_average / nodes.chosen',
  },
  {
    id: 'network.replication_average',
    unit: 'B/s',
    label: 'replication, a second',
    formula: 'network.replication_total_per_day / 86400 [s/day]',
  },
  {
    id: 'network.replication_peak',
    unit: 'B/s',
    label: 'replication, a second at the peak',
    formula: 'network.replication_average * workload.peak_factor',
  },
  {
    id: 'network.backup_average',
    unit: 'B/s',
    label: 'to the backup, a second',
    formula: 'network.backup_per_day / 86400 [s/day]',
  },
  {
    id: 'network.in_peak',
    unit: 'B/s',
    label: 'into all nodes at the peak',
    formula: 'network.client_in_peak + network.replication_per_day / 86400 [s/day] * workload.peak_factor',
  },
  {
    id: 'network.out_peak',
    unit: 'B/s',
    label: 'out of all nodes at the peak',
    formula: 'network.client_out_peak + network.replication_peak + network.backup_average',
  },
  {
    id: 'network.billed_per_month',
    unit: 'B/month',
    label: 'client traffic that is billed',
    formula: '(network.client_in_per_day + network.client_out_per_day) * 30 [day/month] * cost.network_billed_share',
  },
]

export const processorFigures: readonly FigureSpec[] = [
  {
    id: 'cpu.cores_average',
    unit: 'core',
    label: 'cores that clients keep busy',
    formula:
      'operations.reads_average_per_second * cpu.seconds_per_read + operations.writes_average_per_second * cpu.seconds_per_write + operations.scans_average_per_second * workload.scan_keys * cpu.seconds_per_scanned_key',
  },
  {
    id: 'cpu.cores_peak',
    unit: 'core',
    label: 'cores that clients keep busy at the peak',
    formula: 'cpu.cores_average * workload.peak_factor',
  },
  {
    id: 'cpu.cores_needed',
    unit: 'core',
    label: 'cores, with those for background work',
    formula: 'cpu.cores_peak / (1 - cpu.background_share)',
  },
  { id: 'cpu.cores_total', unit: 'core', label: 'cores of all nodes', formula: 'nodes.chosen * node.cores' },
  {
    id: 'cpu.busy_average',
    unit: '1',
    label: 'share of the cores that clients keep busy',
    formula: 'cpu.cores_average / cpu.cores_total',
  },
  {
    id: 'cpu.busy_peak',
    unit: '1',
    label: 'share of the cores that clients keep busy at the peak',
    formula: 'cpu.cores_peak / cpu.cores_total',
  },
]

export const diskFigures: readonly FigureSpec[] = [
  {
    id: 'disk.point_reads_per_second',
    unit: 'io/s',
    label: 'disk reads for clients at the peak',
    formula: 'operations.reads_peak_per_second * (1 - cache.hit_rate) * disk.ios_per_read',
  },
  {
    id: 'disk.scan_reads_per_second',
    unit: 'io/s',
    label: 'disk reads for scans at the peak',
    formula:
      'operations.scans_peak_per_second * workload.scan_keys * storage.entry_bytes * (1 - cache.hit_rate) / disk.scan_bytes_per_io',
  },
  {
    id: 'disk.reads_per_second',
    unit: 'io/s',
    label: 'disk reads at the peak',
    formula: 'disk.point_reads_per_second + disk.scan_reads_per_second',
  },
  {
    id: 'disk.log_writes_per_second',
    unit: 'io/s',
    label: 'disk writes of the log at the peak',
    formula: 'operations.writes_peak_per_second * storage.replicas * disk.ios_per_write',
  },
  {
    id: 'disk.compaction_writes_per_second',
    unit: 'io/s',
    label: 'disk writes of compaction at the peak',
    formula: 'operations.writes_peak_per_second * storage.replicas * disk.compaction_ios_per_write',
  },
  {
    id: 'disk.writes_per_second',
    unit: 'io/s',
    label: 'disk writes at the peak',
    formula: 'disk.log_writes_per_second + disk.compaction_writes_per_second',
  },
  {
    id: 'disk.ios_per_second',
    unit: 'io/s',
    label: 'disk operations at the peak',
    formula: 'disk.reads_per_second + disk.writes_per_second',
  },
  {
    id: 'disk.ios_per_node',
    unit: 'io/s/node',
    label: 'disk operations of a node at the peak',
    formula: 'disk.ios_per_second / nodes.chosen',
  },
  {
    id: 'disk.write_bandwidth',
    unit: 'B/s',
    label: 'bytes written to disk at the peak',
    formula:
      'operations.writes_peak_per_second * storage.entry_bytes * 1 [key/op] * storage.replicas * storage.write_amplification',
  },
  {
    id: 'disk.read_bandwidth',
    unit: 'B/s',
    label: 'bytes read from disk at the peak, compaction included',
    formula:
      'disk.point_reads_per_second * max(4096 [B/io], storage.entry_bytes * 1 [key/io]) + disk.scan_reads_per_second * disk.scan_bytes_per_io + disk.write_bandwidth - disk.write_bandwidth / storage.write_amplification',
  },
]
