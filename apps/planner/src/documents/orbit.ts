/** The tables of the petabyte guide, held against the preset orbit-1pb. */

import { type Changes, type ClaimTable, figure, worked } from './claim.ts'

/** The guide's columns: gigabytes of the base system, the runtime, its engine's buffers, and the cache, of a node. */
function memoryOf(system: number, runtime: number, buffers: number, cache: number): Changes {
  return {
    'memory.system_bytes': system * 1e9,
    'memory.runtime_bytes': runtime * 1e9,
    'memory.write_buffer_bytes': buffers * 1e9,
    'cache.hot_share': (cache * 1e9 * 100) / 1e15,
    'memory.bloom_bytes_per_key': 0,
    'node.memory_bytes': '1TB',
  }
}

const mmapMemory = {
  minimum: [memoryOf(2, 1, 0.064, 2), memoryOf(4, 2, 0.064, 8)],
  recommended: [memoryOf(4, 2, 0.128, 8), memoryOf(8, 4, 0.128, 32)],
  optimal: [memoryOf(8, 4, 0.256, 32), memoryOf(16, 8, 0.256, 64)],
}
const lsmMemory = {
  minimum: [memoryOf(2, 2, 0.064, 0.256), memoryOf(4, 4, 0.064, 0.256)],
  recommended: [memoryOf(4, 4, 0.128, 0.512), memoryOf(8, 8, 0.256, 0.512)],
  optimal: [memoryOf(8, 8, 0.512, 1), memoryOf(16, 16, 0.512, 2)],
}
const least = { 'storage.space_amplification': 1.2 }
const most = { 'storage.space_amplification': 1.5 }
/** Amplifications that give the guide's own total of 5 and 6 PB, without the log. */
const five = { 'storage.space_amplification': '50/39', 'storage.log_share': 0 }
const six = { 'storage.space_amplification': '60/39', 'storage.log_share': 0 }
const work = { 'workload.read_share': 1, 'workload.write_share': 0, 'cache.hit_rate': 0, 'disk.ios_per_read': 1 }
const wide = { ...work, 'data.value_bytes': 100_000, 'workload.read_reply_overhead_bytes': 0 }
const half = { 'workload.operations_per_day': '500000/s' }
const full = { 'workload.operations_per_day': '1000000/s' }
const mmap = {
  'storage.backend': 'mmap',
  'node.kind': 'i3en.4xlarge',
  'node.count': 50,
  'cost.storage_flat': 20_000,
  'cost.network_flat': 3000,
  'cost.load_balancers': 0,
  'cost.monitoring': 0,
}
const memory = 'memory.per_node_bytes'
const rowsAdd = 'the rows of its own table, without the Bloom filters, add to this'

function perNode(count: number, bytes: string, ios: string, bandwidth: string): ClaimTable['claims'] {
  const nodes = { 'node.count': count }
  return [
    {
      what: `${count} nodes, storage of each`,
      stated: bytes,
      ours: figure('storage.per_node_bytes', { ...five, ...nodes }, { ...six, ...nodes }),
    },
    {
      what: `${count} nodes, disk operations of each (500K to 1M in all)`,
      stated: ios,
      ours: figure('disk.ios_per_node', { ...work, ...half, ...nodes }, { ...work, ...full, ...nodes }),
    },
    {
      what: `${count} nodes, throughput of each (100 KB an operation)`,
      stated: bandwidth,
      ours: figure('network.client_out_per_node', { ...wide, ...half, ...nodes }, { ...wide, ...full, ...nodes }),
    },
  ]
}

export const orbitTables: readonly ClaimTable[] = [
  {
    title: 'Memory of a node',
    claims: [
      { what: 'memory-mapped, minimum', stated: '6-16 GB', ours: figure(memory, ...mmapMemory.minimum), why: rowsAdd },
      {
        what: 'memory-mapped, recommended',
        stated: '16-48 GB',
        ours: figure(memory, ...mmapMemory.recommended),
        why: rowsAdd,
      },
      { what: 'memory-mapped, optimal', stated: '48-96 GB', ours: figure(memory, ...mmapMemory.optimal), why: rowsAdd },
      { what: 'LSM, minimum', stated: '12-24 GB', ours: figure(memory, ...lsmMemory.minimum), why: rowsAdd },
      { what: 'LSM, recommended', stated: '24-64 GB', ours: figure(memory, ...lsmMemory.recommended), why: rowsAdd },
      { what: 'LSM, optimal', stated: '64-128 GB', ours: figure(memory, ...lsmMemory.optimal), why: rowsAdd },
      {
        what: 'memory-mapped in parts of LSM ("50-75% less RAM", "10x")',
        stated: '25-50%',
        ours: worked('1', 'memory.per_node_bytes of both, recommended', (at) => {
          const of = (changes: Changes | undefined) => at(changes).values.get(memory) as number
          return [0, 1].map((i) => of(mmapMemory.recommended[i]) / of(lsmMemory.recommended[i]))
        }),
        why: 'by its own rows memory-mapped files take more, as its LSM table leaves out the page cache',
      },
      {
        what: 'memory of 100 nodes at 24 to 128 GB',
        stated: '2.4-12.8 TB',
        ours: figure('memory.total_bytes', memoryOf(24, 0, 0, 0), memoryOf(128, 0, 0, 0)),
      },
    ],
  },
  {
    title: 'Keys and Bloom filters',
    claims: [
      {
        what: '1 billion keys with values of 1 KB',
        stated: '1 PB',
        ours: figure('storage.raw_bytes', { 'data.keys': 1e9 }),
        why: '1 billion times 1 KB is 1 TB; 1 PB takes 1 trillion keys, or values of 1 MB',
      },
      {
        what: 'Bloom filters of 1 billion keys at 1.25 bytes',
        stated: '1.25 GB',
        ours: figure('memory.bloom_copy_bytes', { 'data.keys': 1e9 }),
      },
      {
        what: 'Bloom filters for 1 PB in values of 1 KB',
        stated: '1.25 GB',
        ours: figure('memory.bloom_copy_bytes'),
        why: '1 PB in values of 1 KB has 1 trillion keys; that is one copy, and every replica has its own',
      },
    ],
  },
  {
    title: 'Storage for 1 PB',
    claims: [
      { what: 'raw data', stated: '1.0 PB', ours: figure('storage.raw_bytes') },
      {
        what: 'with amplification of 1.2 to 1.5',
        stated: '1.2-1.5 PB',
        ours: figure('storage.stored_bytes', least, most),
      },
      { what: 'three replicas', stated: '3.6-4.5 PB', ours: figure('storage.replicated_bytes', least, most) },
      { what: 'snapshots, 30%', stated: '1.1-1.4 PB', ours: figure('storage.snapshot_bytes', least, most) },
      { what: 'write-ahead logs at the peak', stated: '2.0 PB', ours: figure('storage.log_bytes') },
      {
        what: 'total',
        stated: '5.0-6.0 PB',
        ours: figure('storage.total_bytes', least, most),
        why: 'replicas and snapshots add to this',
      },
      {
        what: 'total with the logs, which the table lists',
        stated: '5.0-6.0 PB',
        ours: figure('storage.disk_bytes', least, most),
        why: 'its line of 2 PB for logs is left out of its sum',
      },
    ],
  },
  {
    title: 'Per node, for 5 to 6 PB',
    claims: [
      ...perNode(50, '100-120 TB', '10,000-20,000', '1,000-2,000 MB/s'),
      ...perNode(100, '50-60 TB', '5,000-10,000', '500-1,000 MB/s'),
      ...perNode(200, '25-30 TB', '2,500-5,000', '250-500 MB/s'),
    ],
  },
  {
    title: 'Machines',
    claims: [
      {
        what: '100 i3en.2xlarge hold',
        stated: '5.0-6.0 PB',
        ours: worked('B', 'nodes.chosen × node.disk_bytes', (at) => [disksOf(at())]),
        why: '2 x 1.9 TB each: 13 to 16 times too little',
      },
      {
        what: '50 i3en.4xlarge hold',
        stated: '5.0-6.0 PB',
        ours: worked('B', 'nodes.chosen × node.disk_bytes', (at) => [disksOf(at(mmap))]),
        why: '2 x 3.8 TB each; and AWS has no i3en.4xlarge',
      },
      {
        what: 'machines for the disk space, i3en.2xlarge filled to 85%',
        stated: '100',
        ours: figure('nodes.by_disk'),
        why: 'the total with logs over 3.8 TB at 85%',
      },
      {
        what: '30 nodes of 100 TB hold',
        stated: '5.0-6.0 PB',
        ours: worked('B', '30 × 100 TB', () => [30 * 100e12]),
        why: '30 to 50 nodes do only with 120 to 200 TB each',
      },
      {
        what: 'mapped on a node at most (max_mapped_size_gb)',
        stated: '2 TB',
        ours: figure('storage.per_node_bytes', { ...five, 'node.count': 50 }, { ...six, 'node.count': 50 }),
        why: 'a fiftieth of what each of 50 nodes holds',
      },
      {
        what: 'memory-mapped nodes against LSM, "3x fewer" and "50% fewer"',
        stated: '3',
        ours: worked('1', '100 nodes / 50 nodes', () => [100 / 50]),
        why: 'its own tables compare 100 nodes with 50',
      },
      {
        what: '100 nodes at 10K operations a second each',
        stated: '10 M',
        ours: worked('op/s', '100 × 10,000 op/s', () => [100 * 10_000]),
        why: 'ten times the nodes give ten times the work, not a hundred times; and elsewhere a node does 100K',
      },
      {
        what: 'recovery of a node at 10 seconds a GB',
        stated: 'under 10 s',
        ours: figure('recovery.reload_seconds', { ...five, 'node.count': 100 }, { ...six, 'node.count': 100 }),
        why: 'a node holds 50 to 60 TB; only its log may need replaying',
      },
    ],
  },
  {
    title: 'Cost a month, LSM on 100 i3en.2xlarge',
    claims: [
      { what: 'compute', stated: '$50,000', ours: figure('cost.compute_month') },
      { what: 'additional storage', stated: '$15,000', ours: figure('cost.storage_month') },
      { what: 'network', stated: '$5,000', ours: figure('cost.network_month') },
      { what: 'load balancers', stated: '$1,000', ours: figure('cost.load_balancers') },
      { what: 'monitoring', stated: '$2,000', ours: figure('cost.monitoring') },
      { what: 'total', stated: '$73,000', ours: figure('cost.month_total') },
      {
        what: 'total as the comparison at the end has it',
        stated: '$100K',
        ours: figure('cost.month_total'),
        why: 'its own table of the same deployment says $73,000',
      },
    ],
  },
  {
    title: 'Cost a month, memory-mapped on 50 i3en.4xlarge',
    claims: [
      { what: 'compute', stated: '$50,000', ours: figure('cost.compute_month', mmap) },
      { what: 'storage', stated: '$20,000', ours: figure('cost.storage_month', mmap) },
      { what: 'network', stated: '$3,000', ours: figure('cost.network_month', mmap) },
      { what: 'total', stated: '$73,000', ours: figure('cost.month_total', mmap) },
      {
        what: 'saving against LSM',
        stated: '$27,000',
        ours: worked('$/month', 'cost.month_total of both', (at) => [month(at()) - month(at(mmap))]),
        why: 'both tables come to $73,000; the saving is against $100K that nothing explains',
      },
    ],
  },
  {
    title: 'Tiers, spot and reserved, a month',
    claims: [
      { what: 'hot, 200 TB', stated: '$10,000', ours: figure('cost.hot_month') },
      { what: 'warm, 300 TB', stated: '$3,000', ours: figure('cost.warm_month') },
      { what: 'cold, 500 TB', stated: '$11,500', ours: figure('cost.cold_month') },
      {
        what: 'all tiers',
        stated: '$45,000',
        ours: figure('cost.tiers_month'),
        why: 'the three add to this; and its cold tier at $0.023 a GB is dearer than its warm one at $0.010',
      },
      {
        what: 'spot saves 70%',
        stated: '$35,000',
        ours: worked('$/month', 'cost.compute_month of both', (at) => [
          compute(at()) - compute(at({ 'cost.spot_share': 1 })),
        ]),
      },
      {
        what: 'reserved saves',
        stated: '$15,000',
        ours: worked('$/month', 'cost.compute_month of both', (at) => [
          compute(at()) - compute(at({ 'cost.reserved_share': 1 })),
        ]),
      },
      {
        what: 'reserved and spot together ($540K a year)',
        stated: '$45,000',
        ours: figure('cost.month_total', { 'cost.spot_share': 0.5, 'cost.reserved_share': 0.5 }),
        why: 'a machine is either: half and half gives this, all spot $38,000; both discounts on all machines would be $23,000',
      },
    ],
  },
  {
    title: 'Three years',
    claims: [
      { what: 'on demand, a year', stated: '$876K', ours: figure('cost.year_total') },
      { what: 'on demand, three years', stated: '$2.6M', ours: figure('cost.three_years_total') },
      {
        what: 'reserved and spot, three years of $540K',
        stated: '$1.6M',
        ours: worked('$', '3 × $540,000', () => [3 * 540_000]),
      },
      {
        what: 'hybrid, $600K + $550K + $500K',
        stated: '$1.65M',
        ours: worked('$', '$600,000 + $550,000 + $500,000', () => [600_000 + 550_000 + 500_000]),
      },
    ],
  },
]

function month(plan: { readonly values: ReadonlyMap<string, number> }): number {
  return plan.values.get('cost.month_total') as number
}

function compute(plan: { readonly values: ReadonlyMap<string, number> }): number {
  return plan.values.get('cost.compute_month') as number
}

function disksOf(plan: { readonly values: ReadonlyMap<string, number> }): number {
  return (plan.values.get('nodes.chosen') as number) * (plan.values.get('node.disk_bytes') as number)
}
