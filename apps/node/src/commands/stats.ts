/** `orbit stats`: how large a store is and what it does. */

import { formatBytes } from '@orbitkv/base'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { withTarget } from '../targets/open-target.ts'
import { table, thousands } from '../terminal/text.ts'

export async function stats(context: Context): Promise<number> {
  const { output, json } = context
  const { label, values } = await withTarget(context, 'refuse', async (target) => ({
    label: target.label,
    values: await target.stats(),
  }))
  if (json) await output.json({ target: label, stats: values })
  else await output.lines([output.styles.bold(label), ...table(rows(values))])
  return exitCodes.ok.code
}

/** Nested values become rows of their own, below the name of their group. */
function rows(values: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null) return [[words(name), shown(name, value)]]
    const inner = rows(value as Record<string, unknown>)
    return inner.length === 0
      ? []
      : [[words(name), ''], ...inner.map(([label, text]) => [`  ${label}`, text as string])]
  })
}

/** `keysIndexed` → `keys indexed`. */
function words(name: string): string {
  return name.replaceAll('_', ' ').replace(/[a-z][A-Z]/g, (pair) => `${pair[0]} ${(pair[1] as string).toLowerCase()}`)
}

function shown(name: string, value: unknown): string {
  if (typeof value !== 'number') return String(value)
  return /bytes/i.test(name) ? `${formatBytes(value)} (${thousands(value)})` : thousands(value)
}
