/** What a person should know about a plan that its figures alone do not say: one rule each, with the figure it is about. */

import { assert } from '@orbitkv/base'
import { limits } from '../figures/nodes.ts'
import { formatQuantity } from '../model/format.ts'
import type { Values } from '../model/graph.ts'
import { unit } from '../model/units.ts'

export interface Note {
  /** The figure or input it is about. */
  readonly about: string
  readonly text: string
}

interface Rule {
  readonly about: string
  readonly text: (of: (id: string) => number) => string | undefined
}

const bytes = (value: number) => formatQuantity(value, unit('B'))
const dollars = (value: number) => formatQuantity(value, unit('$/month'))
const nodes = (value: number) => formatQuantity(value, unit('node'))
const time = (value: number) => formatQuantity(value, unit('s'), { digits: 2 })
const percent = (value: number) => formatQuantity(value, unit('1'), { digits: 3, isShare: true })

const rules: readonly Rule[] = [
  {
    about: 'nodes.chosen',
    text: (of) => {
      const short = limits.filter(({ used }) => of(used) > 1)
      if (short.length === 0) return undefined
      const asks = short.map(({ name, needed }) => `${name} asks for ${nodes(of(needed))}`).join(', ')
      return `${nodes(of('nodes.chosen'))} are too few: ${asks}`
    },
  },
  {
    about: 'node.spares',
    text: (of) =>
      of('nodes.chosen') >= of('nodes.needed') && of('nodes.chosen') - worst(of) < 1
        ? 'no machine is spare: when one fails, a limit is passed until it is back'
        : undefined,
  },
  {
    about: 'storage.key_share',
    text: (of) => {
      const left = of('storage.key_bytes') * (1 - of('storage.key_share'))
      if (left === 0) return undefined
      const covers = of('storage.metadata_bytes') >= left * of('storage.replicas')
      const where = covers ? 'are taken to be in the metadata' : 'are counted nowhere'
      return `${bytes(left)} of keys ${where}; with storage.key_share = 1 the raw data is ${bytes(of('storage.raw_bytes') + left)}`
    },
  },
  {
    about: 'cpu.busy_peak',
    text: (of) =>
      of('headroom.cpu_used') < 0.35
        ? `clients keep ${percent(of('cpu.busy_average'))} of the cores busy, ${percent(of('cpu.busy_peak'))} at the peak: machines with fewer cores would do`
        : undefined,
  },
  {
    about: 'network.billed_per_month',
    text: (of) => {
      const share = of('cost.network_billed_share')
      const price = of('cost.network_per_gb')
      if (share === 1 || share === 0 || price === 0) return undefined
      const all = of('network.billed_per_month') / share
      return `${percent(share)} of the client traffic of ${bytes(all)} a month is billed; all of it would cost ${dollars((all / 1e9) * price)}, not ${dollars(of('cost.network_month') - of('cost.network_flat'))}`
    },
  },
  {
    about: 'backup.stored_bytes',
    text: (of) => {
      const share = of('backup.stored_share')
      if (share === 1 || share === 0) return undefined
      const all = of('backup.stored_bytes') / share
      return `the backups that are kept are ${bytes(all)}, and ${percent(share)} of that is stored; all of it would cost ${dollars((all / 1e9) * of('cost.backup_per_gb'))}, not ${dollars(of('cost.backup_month'))}`
    },
  },
  {
    about: 'cost.regions_month',
    text: (of) =>
      of('regions.others') > 0 && (of('cost.regions_per_gb') === 0 || of('regions.nodes_share') === 0)
        ? `the copy in ${of('regions.others') === 1 ? 'another region' : `${of('regions.others')} other regions`} is counted as traffic, and not billed in full (regions.nodes_share ${percent(of('regions.nodes_share'))}, cost.regions_per_gb $${of('cost.regions_per_gb')})`
        : undefined,
  },
  {
    about: 'recovery.rpo_seconds',
    text: (of) =>
      of('recovery.rpo_seconds') >= 3600
        ? `with the region, up to ${time(of('recovery.rpo_seconds'))} of writes is lost; archive the log more often (backup.log_archive_interval_seconds)`
        : undefined,
  },
]

export function notesOn(values: Values): Note[] {
  const of = (id: string): number => {
    const value = values.get(id)
    assert(value !== undefined, `${id} has a value`)
    return value
  }
  return rules.flatMap(({ about, text }) => {
    const found = text(of)
    return found === undefined ? [] : [{ about, text: found }]
  })
}

/** What the strictest limit asks for. */
function worst(of: (id: string) => number): number {
  return Math.max(...limits.map(({ needed }) => of(needed)))
}
