/**
 * Other keys and other values, for a few operations: the parts `kinds` and `sizes`. Every kind of key at the same count, and the
 * recorded ones at a count that all of them reach, with random keys at that count beside them.
 */

import { contestants, type Roster } from './contestants/registry.ts'
import { isText, type KeyKind, keyKinds, recordedCount } from './data/keys.ts'
import { medianGrid, PartFindings } from './findings.ts'
import { type ReadStep, runTrial } from './trial.ts'

export interface VarietyOptions {
  readonly keys: number
  readonly rounds: number
  readonly roster: Roster
  readonly note: (text: string) => void
}

/** Contestants that say nothing new here are left to the part core. */
function contestantsOf(roster: Roster): string[] {
  return roster.names.filter((name) => !['engine-log', 'lmdb-write-map', 'lmdb-overlapping'].includes(name))
}

export async function runKinds(options: VarietyOptions): Promise<PartFindings> {
  const findings = new PartFindings('kinds')
  for (const kind of ['random', 'sequential', 'uuid', 'composite', 'time'] as const) {
    await runKind(findings, kind, options.keys, options)
  }
  const recorded = Math.min(recordedCount('orders'), recordedCount('traces'), options.keys)
  if (recorded === 0) {
    findings.settings['kinds, recorded keys'] =
      'left out: orders.csv and traces/ are not there; ORBIT_SHARED_DATA names their folder'
    return findings
  }
  for (const kind of ['random', 'orders', 'traces'] as const) await runKind(findings, kind, recorded, options)
  return findings
}

async function runKind(
  findings: PartFindings,
  kind: KeyKind,
  count: number,
  { rounds, roster, note }: VarietyOptions,
): Promise<void> {
  const name = `${kind}, ${count.toLocaleString('en-US')} keys`
  const steps: ReadStep[] = [
    'get',
    'get-fresh',
    ...(isText(kind) ? (['get-text'] as const) : []),
    'view',
    'seek',
    'scan1000',
  ]
  const { samples } = await runTrial(
    {
      name: `kinds, ${name}`,
      workload: { kind, count, valueBytes: 100, compressible: false },
      contestants: contestantsOf(roster),
      rounds,
      reads: Math.floor(count / 5),
      slices: 3,
      steps,
    },
    roster,
    note,
  )
  findings.settings[`kinds, ${kind}`] = keyKinds[kind]
  const grid = medianGrid(samples, Object.keys(contestants), [
    { label: 'bulk insert, records/s', step: 'insert' },
    { label: 'get, ns', step: 'get' },
    { label: 'get, fresh Buffer, ns', step: 'get-fresh' },
    { label: 'get, string, ns', step: 'get-text' },
    { label: 'view, ns', step: 'view' },
    { label: 'range seek, ns', step: 'seek' },
    { label: 'scan of 1,000, entries/s', step: 'scan1000' },
  ])
  findings.grid(name, grid.columns, grid.rows)
}

export async function runSizes({ keys, rounds, roster, note }: VarietyOptions): Promise<PartFindings> {
  const findings = new PartFindings('sizes')
  for (const valueBytes of [64, 100, 256, 1024]) {
    for (const compressible of [false, true]) {
      const name = `values of ${valueBytes} bytes, ${compressible ? 'text' : 'random'}, ${keys.toLocaleString('en-US')} keys`
      const { samples } = await runTrial(
        {
          name: `sizes, ${name}`,
          workload: { kind: 'random', count: keys, valueBytes, compressible },
          contestants: contestantsOf(roster),
          rounds,
          reads: Math.floor(keys / 5),
          slices: 2,
          steps: ['get', 'view', 'scan1000'],
          memory: true,
          compactedSteps: ['get'],
        },
        roster,
        note,
      )
      const grid = medianGrid(samples, Object.keys(contestants), [
        { label: 'bulk insert, records/s', step: 'insert' },
        { label: 'get, ns', step: 'get' },
        { label: 'view, ns', step: 'view' },
        { label: 'scan of 1,000, entries/s', step: 'scan1000' },
        { label: 'disk, bytes a key', step: 'disk', divisor: keys },
        { label: 'disk, compacted, bytes a key', step: 'compacted disk', divisor: keys },
        { label: 'get, compacted, ns', step: 'compacted get' },
      ])
      findings.grid(name, grid.columns, grid.rows)
    }
  }
  return findings
}
