/** A plan's inputs as a TOML file with comments: what --inputs prints and `orbit plan init` writes. */

import { type Inputs, inputSpecs } from '@orbitkv/planner'
import { stringify } from 'smol-toml'

/** `only`: the ids to write; all if nothing is said. Reads back to the same plan. */
export function planToml(inputs: Inputs, only?: ReadonlySet<string>): string {
  const lines = new Map<string, string[]>()
  const add = (id: string, value: unknown, comment: string) => {
    const [table = '', name = ''] = id.split('.')
    lines.set(table, [
      ...(lines.get(table) ?? []),
      `${stringify({ [name]: typeof value === 'number' ? Number(value.toPrecision(12)) : value }).trim()} # ${comment}`,
    ])
  }
  for (const { id, label, unit } of inputSpecs) {
    const value = inputs.values.get(id)
    if (value === undefined || (only !== undefined && !only.has(id))) continue
    const origin = inputs.origins.get(id)
    add(id, value, `${label}${unit === '1' ? '' : ` (${unit})`}${only === undefined ? `; ${origin}` : ''}`)
  }
  add('storage.backend', inputs.backend, 'mmap, lsm, rocksdb or objects')
  add('node.kind', inputs.kind, 'a kind of node-kinds.toml, or of --kinds')
  const title = inputs.title === '' ? [] : [stringify({ title: inputs.title }).trim()]
  const tables = [...lines].map(([table, rows]) => [`[${table}]`, ...rows].join('\n'))
  return `${[...title, ...tables].join('\n\n')}\n`
}
