/** The figures of the key-value guide, held against the preset kv-100b-ops. */

import { boundsOf, type ValueClass } from '../inputs/value-classes.ts'
import { type Changes, type ClaimTable, figure, worked } from './claim.ts'

/** One node under the load that the guide rates it for: 100,000 reads and 50,000 writes a second. */
const rated: Changes = {
  'workload.operations_per_day': '150000/s',
  'workload.read_share': '2/3',
  'workload.write_share': '1/3',
  'workload.peak_factor': 1,
  'storage.replicas': 1,
  'node.count': 1,
  'cache.hit_rate': 0.7,
}
const keysCounted = { 'storage.key_share': 1 }
const allBilled = { 'cost.network_billed_share': 1, 'cost.regions_per_gb': 0 }
/** The classes of values as the guide gives them, and their mean at the small and at the large ends. */
const classes: readonly ValueClass[] = [
  { share: 0.3, fromBytes: 0, toBytes: 100 },
  { share: 0.4, fromBytes: 100, toBytes: 1000 },
  { share: 0.2, fromBytes: 1000, toBytes: 10_000 },
  { share: 0.08, fromBytes: 10_000, toBytes: 100_000 },
  { share: 0.02, fromBytes: 100_000, toBytes: 1_000_000 },
]
const sizes = boundsOf(classes)
const inYears = (years: number) => ({ 'growth.years_ahead': years })
const kept = { 'growth.retention_years': 5 }

export const kvTables: readonly ClaimTable[] = [
  {
    title: 'Traffic',
    claims: [
      { what: 'reads a day', stated: '70 billion', ours: figure('operations.reads_per_day') },
      { what: 'writes a day', stated: '30 billion', ours: figure('operations.writes_per_day') },
      { what: 'operations a second', stated: '1.16M', ours: figure('operations.average_per_second') },
      { what: 'at the peak', stated: '3.5M', ours: figure('operations.peak_per_second') },
      {
        what: 'operations a second of each of 100,000 clients',
        stated: '1,000',
        ours: figure('operations.average_per_client_per_second'),
        why: '100,000 clients at 1,000 a second would be 100M a second, 86 times the total',
      },
      {
        what: '100 nodes for 100M operations a second',
        stated: '100 M',
        ours: worked('op/s', '100 × (100,000 + 50,000) op/s', () => [100 * 150_000]),
        why: 'at its rated load a node does 150,000 a second',
      },
      {
        what: 'connections of a client (pool of 100)',
        stated: '100',
        ours: worked('conn/client', 'connections.total / workload.clients', (at) => [
          value(at(), 'connections.total') / value(at(), 'workload.clients'),
        ]),
        why: '500,000 connections are 5 for each client',
      },
      {
        what: 'connections that 100 nodes take',
        stated: '500K',
        ours: worked('conn', 'nodes.chosen × limits.connections_per_node', (at) => [
          value(at(), 'nodes.chosen') * value(at(), 'limits.connections_per_node'),
        ]),
        why: '100 nodes at 10,000 each take twice that',
      },
    ],
  },
  {
    title: 'Storage',
    claims: [
      { what: 'raw data, 10 billion x 1 KB', stated: '10 TB', ours: figure('storage.raw_bytes') },
      { what: 'with replication', stated: '30 TB', ours: figure('storage.replicated_bytes') },
      { what: 'metadata, 10%', stated: '3 TB', ours: figure('storage.metadata_bytes') },
      { what: 'total', stated: '33 TB', ours: figure('storage.total_bytes') },
      {
        what: 'total with the keys of 50 bytes',
        stated: '33 TB',
        ours: figure('storage.total_bytes', keysCounted),
        why: '0.5 TB of keys, three times and with metadata, are left out',
      },
      {
        what: 'mean of the listed sizes of values',
        stated: '1 KB',
        ours: worked('B', 'shares × sizes: at the small ends, at the large ends', () => [sizes.least, sizes.most]),
        why: `even at the small end of each class; in the middle it is ${((sizes.least + sizes.most) / 2000).toFixed(1)} KB`,
      },
      {
        what: 'raw data at the least mean',
        stated: '10 TB',
        ours: figure('storage.raw_bytes', { 'data.value_bytes': sizes.least }),
        why: 'as above',
      },
      { what: 'partitions', stated: '25,600', ours: figure('partitions.count') },
      { what: 'size of a partition', stated: '1.3 GB', ours: figure('partitions.bytes') },
    ],
  },
  {
    title: 'Growth',
    claims: [
      { what: 'raw data a day', stated: '100 GB', ours: figure('growth.raw_bytes_per_day') },
      { what: 'raw data a month', stated: '3 TB', ours: figure('growth.raw_bytes_per_month') },
      {
        what: 'raw data a year',
        stated: '36 TB',
        ours: figure('growth.raw_bytes_per_year'),
        why: '365 days, not 12 months of 30',
      },
      {
        what: 'year 1, total',
        stated: 'not stated',
        ours: figure('storage.total_bytes', inYears(1)),
        why: 'the first year of its plan',
      },
      {
        what: 'year 2, total',
        stated: 'not stated',
        ours: figure('storage.total_bytes', inYears(2)),
        why: 'the second year of its plan',
      },
      {
        what: 'year 3, raw data, nothing deleted',
        stated: '150 TB',
        ours: figure('storage.raw_bytes', { ...inYears(3), ...kept }),
        why: '10 TB and three years of 36.5 TB',
      },
      {
        what: 'year 3, total, nothing deleted',
        stated: '150 TB',
        ours: figure('storage.total_bytes', { ...inYears(3), ...kept }),
        why: 'the same three times, with metadata',
      },
      {
        what: 'year 3, total, two years kept',
        stated: '150 TB',
        ours: figure('storage.total_bytes', inYears(3)),
        why: 'with its own retention of 2 years',
      },
    ],
  },
  {
    title: 'Network',
    claims: [
      { what: 'read requests a day', stated: '7 TB', ours: figure('network.read_requests_per_day') },
      { what: 'write requests a day', stated: '30 TB', ours: figure('network.write_requests_per_day') },
      { what: 'inbound a day', stated: '37 TB', ours: figure('network.client_in_per_day') },
      { what: 'inbound', stated: '428 MB/s', ours: figure('network.client_in_average') },
      { what: 'inbound at the peak', stated: '1.3 GB/s', ours: figure('network.client_in_peak') },
      { what: 'inbound of a node', stated: '4.3 MB/s', ours: figure('network.client_in_per_node') },
      { what: 'read responses a day', stated: '70 TB', ours: figure('network.read_replies_per_day') },
      { what: 'write acknowledgements a day', stated: '3 TB', ours: figure('network.write_replies_per_day') },
      { what: 'outbound a day', stated: '73 TB', ours: figure('network.client_out_per_day') },
      { what: 'outbound', stated: '845 MB/s', ours: figure('network.client_out_average') },
      { what: 'outbound at the peak', stated: '2.5 GB/s', ours: figure('network.client_out_peak') },
      {
        what: 'outbound of a node',
        stated: '8.5 MB/s',
        ours: figure('network.client_out_per_node'),
        why: '845 MB/s over 100 nodes is 8.449, which rounds down',
      },
      { what: 'replication in the region a day', stated: '60 TB', ours: figure('network.replication_per_day') },
      { what: 'replication to another region a day', stated: '30 TB', ours: figure('network.regions_per_day') },
      {
        what: 'replication to the two regions of its disaster plan a day',
        stated: '30 TB',
        ours: figure('network.regions_per_day', { 'regions.others': 2 }),
        why: 'it replicates to 2 regions elsewhere',
      },
      { what: 'replication a day', stated: '90 TB', ours: figure('network.replication_total_per_day') },
      { what: 'replication', stated: '1 GB/s', ours: figure('network.replication_average') },
      { what: 'replication at the peak', stated: '3 GB/s', ours: figure('network.replication_peak') },
    ],
  },
  {
    title: 'Memory',
    claims: [
      { what: 'data cache of a node', stated: '64 GB', ours: figure('memory.cache_per_node') },
      { what: 'index cache of a node', stated: '8 GB', ours: figure('memory.index_per_node') },
      { what: 'connection buffers of a node', stated: '4 GB', ours: figure('memory.connections_per_node') },
      { what: 'a node', stated: '84 GB', ours: figure('memory.per_node_bytes') },
      { what: 'all nodes', stated: '8.4 TB', ours: figure('memory.total_bytes') },
      {
        what: 'data cache in parts of the memory',
        stated: '80%',
        ours: figure('memory.cache_share'),
        why: '64 of 84 GB; of the 96 GB of the machine it is 67%',
      },
      {
        what: 'hot, warm, metadata and reserved of a node',
        stated: '84 GB',
        ours: worked('B/node', '40 + 20 + 4 + 16 GB', () => [80e9]),
        why: 'the second list adds to 80 GB',
      },
    ],
  },
  {
    title: 'CPU',
    claims: [
      { what: 'cores', stated: '3,200', ours: figure('cpu.cores_total') },
      {
        what: 'cores busy, of 3,200',
        stated: '60%',
        ours: figure('cpu.busy_average'),
        why: '810,185 reads at 0.1 ms and 347,222 writes at 0.5 ms keep 255 cores busy',
      },
      { what: 'cores busy at the peak', stated: '80%', ours: figure('cpu.busy_peak'), why: 'three times as much' },
      {
        what: 'cores of one node at its rated load',
        stated: '32',
        ours: figure('cpu.cores_average', rated),
        why: '100,000 x 0.1 ms + 50,000 x 0.5 ms: more than the 32 it has',
      },
    ],
  },
  {
    title: 'Disk',
    claims: [
      { what: 'disk reads of a node at its rated load', stated: '30K', ours: figure('disk.reads_per_second', rated) },
      {
        what: 'disk writes of a node at its rated load',
        stated: '20K',
        ours: figure('disk.log_writes_per_second', rated),
      },
      {
        what: 'compaction of a node at its rated load',
        stated: '10K',
        ours: figure('disk.compaction_writes_per_second', rated),
      },
      { what: 'all disk operations of a node', stated: '60K', ours: figure('disk.ios_per_second', rated) },
      {
        what: 'disk reads with its other hit rate, 95%',
        stated: '30K',
        ours: figure('disk.reads_per_second', { ...rated, 'cache.hit_rate': 0.95 }),
        why: 'the memory section says 95%, the disk section 70%',
      },
      {
        what: 'log of a node for an hour, with replicas',
        stated: '10 GB',
        ours: figure('storage.log_per_node_bytes'),
        why: '347,222 writes a second of 1 KB, three times, over 100 nodes',
      },
      {
        what: 'log of a node for an hour at its rated load',
        stated: '10 GB',
        ours: figure('storage.log_per_node_bytes', rated),
        why: '50,000 writes a second of 1 KB',
      },
      {
        what: 'replay of 10 GB of log at the 10 s a GB of the petabyte guide',
        stated: 'under 1 min',
        ours: figure('recovery.replay_seconds', {
          ...rated,
          'storage.log_seconds': 200,
          'recovery.replay_bandwidth': '100MB',
        }),
        why: '10 GB at 100 MB/s',
      },
    ],
  },
  {
    title: 'Availability and backup',
    claims: [
      { what: 'failures of nodes a month', stated: '1', ours: figure('recovery.failures_per_month') },
      { what: 'full backup', stated: '33 TB', ours: figure('backup.full_bytes') },
      {
        what: 'incremental backups a day',
        stated: '1.4 TB',
        ours: figure('backup.incremental_per_day', { 'backup.incremental_share': 1 }),
        why: '30 TB are written in a day; new data is 0.1 TB; 1.4 TB is neither',
      },
      {
        what: 'full backups of 30 days',
        stated: '100 TB',
        ours: figure('backup.fulls_bytes'),
        why: '30 times 33 TB; billed are 100 TB',
      },
      {
        what: 'RPO with hourly backups',
        stated: 'under 5 min',
        ours: figure('recovery.rpo_seconds'),
        why: 'an hour may be lost, unless the log is archived every 5 minutes',
      },
      {
        what: 'replication factor restored after the loss of a node, at 100 MB/s a node',
        stated: 'under 5 min',
        ours: figure('recovery.rereplication_seconds'),
      },
      {
        what: 'restore of everything, at 100 MB/s a node',
        stated: 'under 4 h',
        ours: figure('recovery.restore_seconds'),
      },
    ],
  },
  {
    title: 'Cost',
    claims: [
      { what: 'compute a month', stated: '$50,000', ours: figure('cost.compute_month') },
      { what: 'storage a month', stated: '$3,300', ours: figure('cost.storage_month') },
      { what: 'network a month, 100 TB', stated: '$5,000', ours: figure('cost.network_month') },
      {
        what: 'network a month, the 110 TB a day of its own tables',
        stated: '$5,000',
        ours: figure('cost.network_month', allBilled),
        why: '100 TB is less than a day; a month is 3,300 TB',
      },
      { what: 'backup storage a month, 100 TB', stated: '$2,000', ours: figure('cost.backup_month') },
      {
        what: 'backup storage a month, 30 full backups alone',
        stated: '$2,000',
        ours: worked('$/month', 'backup.fulls_bytes × cost.backup_per_gb', (at) => [
          (value(at(), 'backup.fulls_bytes') / 1e9) * value(at(), 'cost.backup_per_gb'),
        ]),
        why: '990 TB at $0.02',
      },
      { what: 'infrastructure a month', stated: '$60,300', ours: figure('cost.infrastructure_month') },
      { what: 'people a month', stated: '$45,000', ours: figure('cost.people_month') },
      { what: 'operational a month', stated: '$52,000', ours: figure('cost.operations_month') },
      { what: 'a month', stated: '$112,300', ours: figure('cost.month_total') },
      { what: 'a year', stated: '$1,347,600', ours: figure('cost.year_total') },
      { what: 'a stored GB', stated: '$3.40', ours: figure('cost.per_stored_gb') },
      {
        what: 'an operation',
        stated: '$0.00000135',
        ours: figure('cost.per_operation'),
        why: '$112,300 over 3 trillion operations; 36 times less',
      },
      {
        what: 'a month with network and backups as its own tables have them',
        stated: '$112,300',
        ours: figure('cost.month_total', { ...allBilled, 'backup.stored_share': 1 }),
        why: '3,300 TB of traffic, and 990 TB of full with 42 TB of hourly backups',
      },
    ],
  },
]

function value(plan: { readonly values: ReadonlyMap<string, number> }, id: string): number {
  return plan.values.get(id) as number
}
