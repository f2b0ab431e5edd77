/**
 * How inputs must agree with each other. Each relation names the inputs it is about, the first of them to be corrected,
 * and is checked wherever these could be read, whatever else is wrong: a plan hears of all its contradictions at once.
 */

import { significant } from '../model/format.ts'
import { shownInput } from './table.ts'

export interface Relation {
  readonly fields: readonly string[]
  /** What is wrong and what would be right; undefined where they agree. `of` reads one of the fields. */
  readonly fault: (of: (id: string) => number) => string | undefined
}

/** Shares written as 0.333 must still add up. */
const shareTolerance = 1e-3

function addsUp(fields: readonly string[], whole: string): Relation {
  return {
    fields,
    fault: (of) => {
      const sum = fields.reduce((total, id) => total + of(id), 0)
      if (Math.abs(sum - 1) <= shareTolerance) return undefined
      const parts = fields.map((id) => `${id} ${percent(of(id))}`).join(' + ')
      return `${whole} must add to 100%, and ${parts} is ${percent(sum)}; correct one of them`
    },
  }
}

function atMost(smaller: string, larger: string, remedy: string): Relation {
  return {
    fields: [smaller, larger],
    fault: (of) =>
      of(smaller) <= of(larger)
        ? undefined
        : `must be at most ${larger}, which is ${shownInput(larger, of(larger))}; ${remedy}`,
  }
}

function copiesWaitedFor(kind: 'read' | 'write'): Relation {
  return atMost(
    `consistency.${kind}_copies`,
    'storage.replicas',
    `a ${kind} cannot wait for more copies than there are`,
  )
}

export const relations: readonly Relation[] = [
  addsUp(['workload.read_share', 'workload.write_share', 'workload.scan_share'], 'reads, writes and scans'),
  addsUp(['tiers.hot_share', 'tiers.warm_share', 'tiers.cold_share'], 'the tiers'),
  atMost('data.value_bytes', 'data.value_bytes_max', 'make the values smaller, or raise the limit'),
  atMost('growth.retention_years', 'growth.archive_years', 'the archive takes what is past its retention'),
  atMost(
    'backup.log_archive_interval_seconds',
    'backup.incremental_interval_seconds',
    'an archive of the log that is older than the last backup is of no use',
  ),
  {
    fields: ['backup.full_interval_days', 'backup.retention_days'],
    fault: (of) =>
      of('backup.full_interval_days') <= of('backup.retention_days')
        ? undefined
        : `must be at most backup.retention_days, which is ${of('backup.retention_days')}; else there are times without any full backup`,
  },
  {
    fields: ['storage.replicas', 'node.count'],
    fault: (of) =>
      of('node.count') === 0 || of('storage.replicas') <= of('node.count')
        ? undefined
        : `must be at most node.count, which is ${of('node.count')}: each copy needs a machine of its own; add machines, or keep fewer copies`,
  },
  copiesWaitedFor('read'),
  copiesWaitedFor('write'),
  {
    fields: ['consistency.read_copies', 'consistency.write_copies', 'storage.replicas'],
    fault: (of) => {
      const copies = of('storage.replicas')
      const majority = Math.floor(copies / 2) + 1
      const reads = of('consistency.read_copies') || majority
      const writes = of('consistency.write_copies') || majority
      return reads + writes > copies
        ? undefined
        : `a read could miss what was written: R ${reads} + W ${writes} must be more than the ${copies} copies; wait for more of them, or for a majority (0)`
    },
  },
  {
    fields: ['placement.scatter_width', 'storage.replicas'],
    fault: (of) =>
      of('placement.scatter_width') === 0 || of('placement.scatter_width') >= Math.max(1, of('storage.replicas') - 1)
        ? undefined
        : `must be 0, or at least ${of('storage.replicas') - 1}: the other copies are on so many machines`,
  },
  {
    fields: ['cost.spot_share', 'cost.reserved_share'],
    fault: (of) => {
      const sum = of('cost.spot_share') + of('cost.reserved_share')
      return sum <= 1 + shareTolerance
        ? undefined
        : `the same machine cannot be both spot and reserved, and cost.spot_share ${percent(of('cost.spot_share'))} + cost.reserved_share ${percent(of('cost.reserved_share'))} is ${percent(sum)}; lower one of them to 100% in all`
    },
  },
  {
    fields: ['cache.disk_read_share', 'cache.hit_rate'],
    fault: (of) => {
      const left = 1 - of('cache.hit_rate')
      return Math.abs(of('cache.disk_read_share') - left) <= 0.01
        ? undefined
        : `contradicts cache.hit_rate, which is ${percent(of('cache.hit_rate'))} and leaves ${percent(left)} to the disk; correct one of them`
    },
  },
  {
    fields: [
      'node.memory_bytes',
      'limits.memory_fill',
      'memory.system_bytes',
      'memory.runtime_bytes',
      'memory.write_buffer_bytes',
      'memory.connection_bytes',
      'limits.connections_per_node',
    ],
    fault: (of) => {
      const fixed =
        of('memory.system_bytes') +
        of('memory.runtime_bytes') +
        of('memory.write_buffer_bytes') +
        of('memory.connection_bytes') * of('limits.connections_per_node')
      const usable = of('node.memory_bytes') * of('limits.memory_fill')
      return fixed < usable
        ? undefined
        : `leaves no room for data: ${shownInput('node.memory_bytes', usable)} may be used, and system, process, buffers and connections take ${shownInput('node.memory_bytes', fixed)}; take a larger machine, or lower memory.* or limits.connections_per_node`
    },
  },
]

export function relationFaults(
  valueOf: (id: string) => number | undefined,
): { readonly field: string; readonly value: number; readonly fault: string }[] {
  return relations.flatMap(({ fields, fault }) => {
    const values = fields.map(valueOf)
    if (values.some((value) => value === undefined)) return []
    const of = (id: string): number => values[fields.indexOf(id)] as number
    const found = fault(of)
    return found === undefined ? [] : [{ field: fields[0] as string, value: values[0] as number, fault: found }]
  })
}

function percent(share: number): string {
  return `${significant(share * 100, 4)}%`
}
