/** docs/sizing.md: every claim of the documents beside the planner's figure. Made from the presets alone. */

import { assert } from '@orbitkv/base'
import { forecastOf, independence } from '../analysis/forecast.ts'
import { makePlan, type Plan } from '../analysis/plan.ts'
import type { NodeKind } from '../inputs/kinds.ts'
import type { Source } from '../inputs/read.ts'
import { tableOf } from '../report/section.ts'
import { headline } from '../report/summary.ts'
import { type ClaimTable, checkClaim } from './claim.ts'
import { kvTables } from './kv.ts'
import { orbitTables } from './orbit.ts'

const target = 0.9999

export interface SourceDocument {
  readonly title: string
  /** File of the preset, without its ending. */
  readonly preset: string
  readonly tables: readonly ClaimTable[]
}

export const sourceDocuments: readonly SourceDocument[] = [
  { title: 'The petabyte guide', preset: 'orbit-1pb', tables: orbitTables },
  { title: 'The key-value guide', preset: 'kv-100b-ops', tables: kvTables },
]

const intro = `# The sizing guides, checked

This page is made by \`npm run docs:pages\` from the presets in \`apps/planner/presets\` and the claims in
\`apps/planner/src/documents\`; a test compares it. Each line holds a figure that a guide states against the planner's:
**right** means equal to the digit, in the guide's own unit and rounding; **wrong** gives the right figure and the reason.
The last column names the figure of \`orbit plan --explain\` that it is. Where a claim is about other numbers than the
preset's (another amplification, another number of nodes), the planner works it out with these.

A guide's arithmetic can be right and its bill incomplete. The presets hold what the guides bill, so that their sums can
be compared; \`orbit plan\` says below each what is missing from it, and the preset's scenarios put it in.`

/** `sources` by the name of the preset. */
export function sizingPage(sources: ReadonlyMap<string, Source>, kinds: readonly NodeKind[]): string {
  const parts = sourceDocuments.flatMap(({ title, preset, tables }) => {
    const source = sources.get(preset) as Source
    const { plan } = makePlan({ sources: [source], kinds })
    assert(plan !== undefined, `${preset} is a plan`)
    const checked = tables.map((table) => ({
      table,
      rows: table.claims.map((claim) => checkClaim(claim, source, kinds)),
    }))
    const all = checked.flatMap(({ rows }) => rows)
    const right = all.filter(({ isRight }) => isRight).length
    return [
      `## ${title}`,
      `Preset \`${preset}\`: ${headline(plan)}. Of ${all.length} figures ${right} are right.`,
      ...checked.flatMap(({ table, rows }) => [
        `### ${table.title}`,
        ...tableOf({
          title: '',
          head: ['what', 'the guide', 'the planner', '', 'why', 'figure'],
          rows: rows.map(({ claim, ours, isRight, source: id }) => [
            claim.what,
            claim.stated,
            ours,
            isRight ? 'right' : claim.stated === 'not stated' ? '' : '**wrong**',
            claim.why ?? '',
            /^[a-z_.]+$/.test(id) ? `\`${id}\`` : id,
          ]),
          right: [1, 2],
        }),
      ]),
      '### Availability',
      availabilityOf(plan),
    ]
  })
  return `${[intro, ...parts].join('\n\n')}\n`
}

/** Verdicts and orders of magnitude: the last digits of a simulation are not the same on every machine. */
function availabilityOf(plan: Plan): string {
  const { forecast } = forecastOf(plan, { seed: 1, target })
  assert(forecast !== undefined, 'the preset can be simulated')
  const { model, nodeCountLast, partition, cluster, loss } = forecast
  const magnitude = `1e${Math.ceil(Math.log10(loss.cluster.high))}`
  return [
    'Availability of 99.99%, simulated over a year, with the failures, the detection and the failover of the preset, on',
    nodeCountLast === model.nodeCount
      ? `${model.nodeCount} nodes`
      : `${model.nodeCount} nodes that grow to ${nodeCountLast}`,
    `with ${model.upgradesPerYear} rolling upgrades (\`orbit plan --simulate\`):`,
    `for any one key it **${partition.read.verdict}** for reads and **${partition.write.verdict}** for writes;`,
    `for all keys at once it **${cluster.read.verdict}** for reads and **${cluster.write.verdict}** for writes.`,
    `That any data is lost has a probability below ${magnitude}; ${independence}.`,
  ].join(' ')
}
