/**
 * `orbit plan` as data, for the catalogue. The planner itself is not loaded for it, so that other commands start no
 * slower; plan/flags.test.ts holds the flags against the planner's table of inputs.
 */

import type { Command, Flag } from '../args/command.ts'
import { commonFlags } from './flags.ts'

/** Flags that set an input of the plan: the input's id, and what it is. */
export const inputFlags: readonly (readonly [flag: string, value: string, id: string, help: string])[] = [
  ['keys', 'N', 'data.keys', 'Keys: 5M, 10 billion.'],
  ['key-bytes', 'BYTES', 'data.key_bytes', 'Mean size of a key.'],
  ['value-bytes', 'BYTES', 'data.value_bytes', 'Mean size of a value: 1KB.'],
  ['operations-per-day', 'N', 'workload.operations_per_day', 'Operations: 100 billion, or 2000/s.'],
  ['reads', 'SHARE', 'workload.read_share', 'Share of reads: 70%. Writes are what reads and scans leave.'],
  ['writes', 'SHARE', 'workload.write_share', 'Share of writes.'],
  ['scans', 'SHARE', 'workload.scan_share', 'Share of scans.'],
  ['peak', 'FACTOR', 'workload.peak_factor', 'Busiest time over the average.'],
  ['clients', 'N', 'workload.clients', 'Client programs.'],
  ['connections-per-client', 'N', 'workload.connections_per_client', 'Connections that each holds.'],
  ['new-keys-per-day', 'N', 'growth.keys_per_day', 'Growth.'],
  ['years-ahead', 'YEARS', 'growth.years_ahead', 'Plans for so many years from now.'],
  ['replicas', 'N', 'storage.replicas', 'Copies of everything in the region.'],
  ['hit-rate', 'SHARE', 'cache.hit_rate', 'Share of the reads that memory answers.'],
  ['hot-share', 'SHARE', 'cache.hot_share', 'Share of the raw data held in memory for that.'],
  ['nodes', 'N', 'node.count', 'Machines, where they are fixed; 0 for as many as it takes.'],
  ['other-regions', 'N', 'regions.others', 'Other regions with a copy.'],
  ['spot-share', 'SHARE', 'cost.spot_share', 'Share of spot machines.'],
  ['reserved-share', 'SHARE', 'cost.reserved_share', 'Share of reserved machines.'],
]

const wordFlags: readonly Flag[] = [
  { name: 'backend', kind: 'text', value: 'NAME', help: 'What keeps the data: mmap, lsm, rocksdb or objects.' },
  { name: 'node-kind', kind: 'text', value: 'NAME', help: 'The kind of machine, by its name in the file of kinds.' },
]

export const planCommand: Command = {
  name: 'plan',
  summary: 'size a cluster: machines, memory, disk, network, money',
  description: [
    'Works out what a cluster takes from a plan: a TOML or JSON file, a preset, or flags alone (--keys, --value-bytes and --operations-per-day are enough to begin). Flags win over the file. `orbit plan init` asks for what matters and writes the file.',
    'Every fault of the inputs is told at once. docs/operating/planner.md lists all inputs and figures; docs/sizing.md holds the source documents against it.',
  ],
  operands: [
    {
      name: 'FILE',
      help: 'The plan (.toml or .json), or init to be asked for one.',
      required: false,
      completes: 'file',
    },
    {
      name: 'NEW',
      help: 'After init, the file to write; plan.toml if nothing is said.',
      required: false,
      completes: 'file',
    },
  ],
  flags: [
    {
      name: 'preset',
      kind: 'choice',
      value: 'NAME',
      choices: ['kv-100b-ops', 'orbit-1pb'],
      help: 'Begins with a plan of the source documents.',
    },
    ...inputFlags.map(([name, value, , help]): Flag => ({ name, kind: 'text', value, help })),
    ...wordFlags,
    {
      name: 'set',
      kind: 'text',
      value: 'ID=VALUE,…',
      help: 'Any other inputs, by their ids: cost.support=5000,limits.cpu_busy=60%.',
    },
    {
      name: 'calibrate',
      kind: 'text',
      value: 'FILE',
      completes: 'file',
      help: 'Takes CPU times from what `orbit bench --json` measured.',
    },
    {
      name: 'kinds',
      kind: 'text',
      value: 'FILE',
      completes: 'file',
      help: 'A file of node kinds of your own, besides those that come along.',
    },
    { name: 'years', kind: 'count', value: 'N', default: '3', min: 0, max: 30, help: 'Years of growth to show.' },
    {
      name: 'explain',
      kind: 'switch',
      help: 'Shows every figure with its formula, by names and with the numbers put in.',
    },
    {
      name: 'figures',
      kind: 'text',
      value: 'ID,…',
      help: 'Explains only the figures whose ids begin so; with --vary, the columns.',
    },
    {
      name: 'vary',
      kind: 'text',
      value: 'INPUT=RANGE',
      help: 'Varies an input, peak=1..5, keys=1M..1G:10 or replicas=2,3,5: a table and a chart.',
    },
    {
      name: 'simulate',
      kind: 'switch',
      help: 'Simulates failures: availability, and how probable the loss of data is.',
    },
    {
      name: 'target',
      kind: 'text',
      value: 'SHARE',
      default: '99.99%',
      help: 'With --simulate, the availability that is asked for.',
    },
    {
      name: 'seed',
      kind: 'count',
      value: 'N',
      default: '1',
      min: 0,
      max: 4_294_967_295,
      help: 'With --simulate, the seed of chance.',
    },
    {
      name: 'svg',
      kind: 'text',
      value: 'FILE',
      completes: 'file',
      help: 'Writes the chart of --vary, or that of growth, as SVG.',
    },
    { name: 'markdown', kind: 'switch', help: 'Writes Markdown.' },
    {
      name: 'inputs',
      kind: 'switch',
      help: 'Writes all inputs with where each comes from, as a plan file to begin with.',
    },
    { name: 'force', kind: 'switch', help: 'Replaces a file that exists (init, --svg).' },
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit plan init', does: 'be asked, and get a plan and its file' },
    { line: 'orbit plan --keys 1G --value-bytes 500 --operations-per-day 20000/s', does: 'flags alone' },
    { line: 'orbit plan plan.toml --peak 5 --explain --figures nodes', does: 'why so many nodes' },
    { line: 'orbit plan --preset kv-100b-ops --vary peak=1..5 --svg peak.svg', does: 'what the peak does' },
    {
      line: 'orbit plan plan.toml --calibrate bench.json',
      does: 'with what `orbit bench --json > bench.json` measured',
    },
    { line: 'orbit plan plan.toml --json | jq \'.figures["cost.month_total"].value\'', does: 'for a program' },
  ],
  exits: ['input'],
  needsNoConfig: true,
}
