/** The pages that are made from the planner's tables: docs/operating/planner.md and docs/sizing.md. */

import {
  backends,
  baseUnits,
  type FigureSpec,
  figureGroups,
  formatQuantity,
  type InputSpec,
  inputSections,
  isShareId,
  sizingPage,
  sourceDocuments,
  unit,
  wordInputs,
} from '@orbitkv/planner'
import { readKindFiles, readPreset } from './files.ts'

export function sizingDocsPage(): string {
  const presets = new Map(sourceDocuments.map(({ preset }) => [preset, readPreset(preset)]))
  return sizingPage(presets, readKindFiles(undefined, '').kinds)
}

const intro = `# The planner

This page is made from the tables of \`apps/planner\` by \`npm run docs:pages\`; a test keeps it in step.

\`orbit plan\` works out how many machines a cluster takes, how much memory, disk and network, how long it takes to mend
after a failure, and what it costs. It needs three things: how many keys, how large a value, how many operations.

\`\`\`sh
orbit plan init                      # asks, shows the plan, writes plan.toml
orbit plan plan.toml                 # the plan again, after a change
orbit plan --keys 1G --value-bytes 500 --operations-per-day 20000/s
orbit plan --preset kv-100b-ops      # a plan of the source documents (docs/sizing.md)
\`\`\`

## How to read a plan

- **Nodes.** Each limit (memory, disk space, disk operations, ...) asks for a number of machines; the largest binds. *Used* is
  how full that resource is with the machines that the plan has, in parts of what may be used.
- **Scenarios.** The same plan bought on demand, reserved, spot, and with its data in tiers, and the scenarios of the file.
- **Growth.** The same plan in one, two, three years (\`--years\`), and the day on which its machines no longer do.
- **To know.** What the figures alone do not say, each with the figure or input that it is about.

\`--explain\` shows every figure with its formula, by names and with the numbers put in, and where each input comes from;
\`--figures nodes,cost.month\` narrows it. \`--json\` has the same for programs ([json.md](json.md#plan)). Ids never change
their meaning. \`--markdown\` writes a page.

\`--vary peak=1..5\` works the plan out for each value: as a table, a chart in the terminal, and with \`--svg FILE\` as a
picture. The input is named by its id, its last word or its flag; \`1..5:9\` takes nine points, \`2,3,5\` these three.

## The file

TOML or JSON. Inputs are in tables by the first word of their ids; \`--set ID=VALUE\` sets any of them from the command
line, and flags win over the file. Amounts are numbers in the unit of the table below, or texts: \`"33TB"\`, \`"10 billion"\`,
\`"70%"\`, \`"1/3"\`, \`"0.1ms"\`, \`"2000/s"\`. Bytes are decimal (1 KB = 1,000 B); KiB, MiB and so on are powers of 1,024.

\`\`\`toml
title = "shop"

[workload]
operations_per_second = 20_000 # or operations_per_day
read_share = 0.9               # writes are what is left

[data]
keys = "1 billion"

[[data.values]]                # sizes by class; or value_bytes = "1KB"
share = "80%"
from = 100
to = 500
[[data.values]]
share = "20%"
bytes = "4KB"

[node]
kind = "nvme-16c-128g"

[stated]                       # what you believe: the plan says so if it is not
"disk.reads_per_second" = 5400

[scenarios."five copies"]
storage.replicas = 5
\`\`\`

An input that is unknown, out of its range or at odds with another is refused; all faults are told at once, each with
where it stands, what was given and what would be right. Figures under \`[stated]\` may be off by 5%.

## Measured figures

\`orbit bench --json > bench.json\`, on a machine like those of the plan, and \`orbit plan --calibrate bench.json\` takes the
CPU times of a read, a write and a scanned key from it. The bench has no network: a server's work for its protocol comes
on top, so keep \`limits.cpu_busy\` low or set \`cpu.*\` from a measured server. It has no limits of disks either (its syncs
follow one another): those of the node kind stand, or set \`node.disk_*\` from a disk benchmark. Measure with values as
large as those of the plan (\`orbit bench --value-bytes\`); \`--explain\` shows what the figures were measured with.

## Availability and loss

\`--simulate\` lets the machines of the plan fail by chance (\`node.failures_per_month\`, \`node.lasting_share\`), copies anew
what is lost, upgrades them (\`upgrades.*\`), lets as many join as the growth asks for, and tells how long keys could not
be read or written and how probable the loss of data is, over \`simulation.days\`, with 95% intervals and the closed
formula beside them. A read waits for R copies and a write for W (\`consistency.*\`), so they stop when more are away; R + W
must be more than the copies, else a read could miss what was written. \`placement.scatter_width\` lets few sets of machines
share data: then a loss is rarer, and takes more at once. \`--target\` is the availability that must hold, \`--seed\` repeats
a run.

Machines are taken to fail independently of each other. That a rack, a zone or the power fails and takes many at once
is in none of these figures, and it is far more probable than a loss of 1e-13: spread the copies over zones.

## Node kinds

Machines and prices are in \`apps/planner/node-kinds.toml\`; \`--kinds FILE\` adds your own in the same form. Prices are what
somebody once read in a list: correct them before you rely on them.`

export function plannerPage(): string {
  const { kinds } = readKindFiles(undefined, '')
  return `${[
    intro,
    table(
      ['kind', 'what', 'a month'],
      kinds.map(({ name, summary, inputs }) => [code(name), summary, `$${inputs['node.dollars_per_month']}`]),
    ),
    '## Backends',
    'A backend gives defaults for what it does to bytes and disks; the file may say otherwise.',
    table(
      ['backend', 'what', ...backendInputs.map((id) => code(id))],
      backends.map(({ name, summary, inputs }) => [
        code(name),
        summary,
        ...backendInputs.map((id) => String(inputs[id])),
      ]),
    ),
    '## Inputs',
    'Besides numbers there are words:',
    table(
      ['input', 'meaning'],
      Object.entries(wordInputs).map(([id, means]) => [code(id), sentence(means)]),
    ),
    ...inputSections.flatMap(({ title, inputs }) => [`### ${title}`, inputTable(inputs)]),
    '## Figures',
    'Each with its unit and its formula: what `--explain` and `--json` give, with the numbers of a plan.',
    ...figureGroups.flatMap(({ title, figures }) => [`### Figures: ${title.toLowerCase()}`, figureTable(figures)]),
    '## Units',
    'Units never turn into one another by themselves: each formula that crosses from days to seconds or from bytes to GB says so.',
    table(
      ['unit', 'meaning'],
      Object.entries(baseUnits).map(([name, means]) => [code(name), sentence(means)]),
    ),
  ].join('\n\n')}\n`
}

const backendInputs = [...new Set(backends.flatMap(({ inputs }) => Object.keys(inputs)))]

function inputTable(inputs: readonly InputSpec[]): string {
  return table(
    ['input', 'unit', 'default', 'range', 'flag', 'meaning'],
    inputs.map(({ id, unit: text, default: standard, min, max, flag, label, isCheckOnly }) => [
      code(id),
      text === '1' ? 'ratio' : text,
      standard === undefined ? (isCheckOnly === true ? 'not checked' : '') : shown(id, standard, text),
      `${shown(id, min, text)} to ${shown(id, max, text)}`,
      flag === undefined ? '' : code(`--${flag}`),
      sentence(label),
    ]),
  )
}

function figureTable(figures: readonly FigureSpec[]): string {
  return table(
    ['figure', 'unit', 'meaning', 'formula'],
    figures.map(({ id, unit: text, label, formula }) => [
      code(id),
      text === '1' ? 'ratio' : text,
      sentence(label),
      code(formula),
    ]),
  )
}

function shown(id: string, value: number, unitText: string): string {
  // The unit has a column of its own; bytes and times are scaled, so they keep theirs.
  const isScaled = unit(unitText).get('B') === 1 || unit(unitText).get('s') === 1
  const [base = '1'] = unitText.split('/')
  return formatQuantity(value, unit(isScaled && base !== 'core*s' ? base : isScaled ? 's' : '1'), {
    isShare: isShareId(id),
  })
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
