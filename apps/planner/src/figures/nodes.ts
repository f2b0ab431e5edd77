/**
 * Figures of the machines: how many each limit asks for, how many there are, and what is left. The names of the limits
 * are those of `limits`, which says which one binds.
 */

import type { FigureSpec } from '../model/graph.ts'

export interface Limit {
  readonly name: string
  /** Nodes that it asks for. */
  readonly needed: string
  /** Share of its capacity that the chosen nodes use. */
  readonly used: string
}

const limited = ['memory', 'disk', 'disk_ios', 'disk_bandwidth', 'cpu', 'network', 'connections', 'replicas'] as const

export const limits: readonly Limit[] = limited.map((name) => ({
  name: name === 'disk_ios' ? 'disk operations' : name.replaceAll('_', ' '),
  needed: `nodes.by_${name}`,
  used: `headroom.${name}_used`,
}))

const labels: Readonly<Record<(typeof limited)[number], string>> = {
  memory: 'for memory',
  disk: 'for disk space',
  disk_ios: 'for disk operations',
  disk_bandwidth: 'for disk bandwidth',
  cpu: 'for CPU',
  network: 'for the network',
  connections: 'for connections',
  replicas: 'for the copies to be apart',
}

/** Nodes before rounding: what is needed over what one node gives. */
const exact: Readonly<Record<(typeof limited)[number], string>> = {
  memory: 'memory.spread_bytes / (node.memory_bytes * limits.memory_fill - memory.fixed_per_node)',
  disk: 'storage.disk_bytes / (node.disk_bytes * limits.disk_fill)',
  disk_ios:
    'max(disk.reads_per_second / (node.disk_read_ios * limits.disk_busy), disk.writes_per_second / (node.disk_write_ios * limits.disk_busy))',
  disk_bandwidth:
    'max(disk.read_bandwidth / (node.disk_read_bandwidth * limits.disk_busy), disk.write_bandwidth / (node.disk_write_bandwidth * limits.disk_busy))',
  cpu: 'cpu.cores_needed / (node.cores * limits.cpu_busy)',
  network: 'max(network.in_peak, network.out_peak) / (node.network_bandwidth * limits.network_busy)',
  connections: 'connections.total / limits.connections_per_node',
  replicas: 'storage.replicas * 1 [node]',
}

export const nodeFigures: readonly FigureSpec[] = [
  ...limited.map((name) => ({
    id: `nodes.by_${name}`,
    unit: 'node',
    label: labels[name],
    formula: `ceil(${exact[name]})`,
  })),
  {
    id: 'nodes.needed',
    unit: 'node',
    label: 'needed, with spares',
    formula: `max(${limited.map((name) => `nodes.by_${name}`).join(', ')}) + node.spares`,
  },
  { id: 'nodes.chosen', unit: 'node', label: 'in the plan', formula: 'either(node.count, nodes.needed)' },
  {
    id: 'nodes.all_regions',
    unit: 'node',
    label: 'in all regions',
    formula: 'ceil(nodes.chosen * (1 + regions.others * regions.nodes_share))',
  },
  ...limited.map((name) => ({
    id: `headroom.${name}_used`,
    unit: '1',
    label: `of what is there ${labels[name]}, used`,
    formula: `(${exact[name]}) / nodes.chosen`,
  })),
]
