/**
 * Metrics as Prometheus reads them: families of samples, written as text, version 0.0.4 of the format.
 * Spec: https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import { assert } from '@orbitkv/base'
import type { Durations } from './durations.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  /** Behind the name of the family: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string
  readonly labels?: Labels
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Servers of one process tell the same, or the largest is of interest: they are not added (merge.ts). */
  readonly isOfAll?: boolean
  readonly samples: readonly Sample[]
}

export function writeMetrics(families: readonly Family[]): string {
  const seen = new Set<string>()
  const lines: string[] = []
  for (const { name, type, help, samples } of families) {
    assert(/^[a-z_:][a-z0-9_:]*$/.test(name), 'a name that Prometheus takes')
    assert(!seen.has(name), 'a family is told once')
    seen.add(name)
    if (samples.length === 0) continue
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`)
    for (const { suffix = '', labels = {}, value } of samples) {
      lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    return `${name}="${escaped}"`
  })
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** Bounds of the buckets that are told, in microseconds: powers of two, so that they are edges of our own. */
const bounds = Array.from({ length: 23 }, (_, exponent) => 2 ** exponent)

/** The samples of durations as a histogram in seconds. */
export function histogramOf(durations: Durations, labels: Labels = {}): Sample[] {
  const below = durations.below(bounds)
  const samples: Sample[] = bounds.map((bound, i) => ({
    suffix: '_bucket',
    labels: { ...labels, le: String(bound / 1e6) },
    value: below[i] as number,
  }))
  return [
    ...samples,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: durations.count },
    { suffix: '_sum', labels, value: durations.sumMicroseconds / 1e6 },
    { suffix: '_count', labels, value: durations.count },
  ]
}
