/**
 * What must hold of every plan, over random inputs: sums add up, more never needs less, and whatever an input feeds
 * moves with it, in the presets too: they are inputs and nothing else.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { graph } from '../figures/index.ts'
import { limits } from '../figures/nodes.ts'
import { inputById } from '../inputs/table.ts'
import { evaluate } from '../model/formula.ts'
import { dependentsOf } from '../model/graph.ts'
import { kinds, planOf, preset, presetNames, smallest } from '../presets-suite.ts'
import { explain } from './explain.ts'
import { growthOf, headroomEnd } from './growth.ts'
import { makePlan, type Plan, sourceOf } from './plan.ts'

const seeds = seedsFor('plans', { kept: [1, 2, 3], fresh: 2 })

/** Changes that leave the inputs in agreement with each other, within a few orders of magnitude of the real world. */
function randomChanges(random: Random): Record<string, number> {
  const between = (low: number, high: number) => low * (high / low) ** (random.uint32() / 2 ** 32)
  const part = () => random.uint32() / 2 ** 32
  const reads = part() * 0.8
  const scans = part() * 0.1
  const hot = part() * 0.5
  const warm = part() * 0.5
  return {
    'data.keys': between(1e3, 1e13),
    'data.key_bytes': between(1, 1000),
    'data.value_bytes': between(1, 1e6),
    'workload.operations_per_day': between(1e3, 1e13),
    'workload.read_share': reads,
    'workload.scan_share': scans,
    'workload.write_share': 1 - reads - scans,
    'workload.batch_share': part(),
    'workload.peak_factor': between(1, 20),
    'workload.clients': Math.ceil(between(1, 1e6)),
    'growth.keys_per_day': between(1, 1e9),
    'growth.operations_per_year': part(),
    'growth.retention_years': between(0.5, 5),
    'growth.archive_years': between(5, 9),
    'growth.years_ahead': between(0.1, 8),
    'storage.replicas': random.between(1, 5),
    'storage.key_share': 0.1 + 0.9 * part(),
    'storage.metadata_share': 0.01 + part(),
    'storage.snapshot_share': 0.01 + part(),
    'storage.log_share': 0.01 + part(),
    'storage.write_amplification': between(1.5, 20),
    'cache.hit_rate': part() * 0.99,
    'cache.hot_share': 0.01 + 0.9 * part(),
    'memory.index_bytes_per_key': between(1, 100),
    'memory.bloom_bytes_per_key': between(0.1, 5),
    'tiers.share': part(),
    'tiers.hot_share': hot,
    'tiers.warm_share': warm,
    'tiers.cold_share': 1 - hot - warm,
    'regions.others': random.between(1, 3),
    'regions.nodes_share': 0.1 + part(),
    'backup.copies': random.between(1, 3),
    'cost.spot_share': part() * 0.5,
    'cost.reserved_share': part() * 0.5,
    'cost.storage_per_gb': between(0.01, 1),
    'cost.support': between(1, 1e4),
    'cost.monitoring': between(1, 1e4),
    'cost.load_balancers': between(1, 1e4),
    'cost.engineers': between(0.1, 10),
  }
}

const of = (plan: Plan, id: string) => plan.values.get(id) as number
const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)), `${what}: ${a} and ${b}`)

/** A total, and the figures or inputs that it is the sum of. */
const sums: readonly (readonly [string, readonly string[]])[] = [
  [
    'operations.average_per_second',
    [
      'operations.reads_average_per_second',
      'operations.writes_average_per_second',
      'operations.scans_average_per_second',
    ],
  ],
  [
    'operations.peak_per_second',
    ['operations.reads_peak_per_second', 'operations.writes_peak_per_second', 'operations.scans_peak_per_second'],
  ],
  ['storage.total_bytes', ['storage.replicated_bytes', 'storage.metadata_bytes', 'storage.snapshot_bytes']],
  [
    'memory.per_node_bytes',
    [
      'memory.system_bytes',
      'memory.runtime_bytes',
      'memory.write_buffer_bytes',
      'memory.connections_per_node',
      'memory.index_per_node',
      'memory.bloom_per_node',
      'memory.cache_per_node',
    ],
  ],
  [
    'disk.ios_per_second',
    [
      'disk.point_reads_per_second',
      'disk.scan_reads_per_second',
      'disk.log_writes_per_second',
      'disk.compaction_writes_per_second',
    ],
  ],
  ['network.client_in_per_day', ['network.read_requests_per_day', 'network.write_requests_per_day']],
  [
    'network.client_out_per_day',
    ['network.read_replies_per_day', 'network.scan_replies_per_day', 'network.write_replies_per_day'],
  ],
  [
    'cost.month_total',
    [
      'cost.compute_month',
      'cost.storage_month',
      'cost.network_month',
      'cost.regions_month',
      'cost.backup_month',
      'cost.archive_month',
      'cost.load_balancers',
      'cost.monitoring',
      'cost.support',
      'cost.people_month',
    ],
  ],
]

for (const seed of seeds) {
  test(`sums add up, and the machines of a plan are enough, seed ${seed}`, () => {
    const random = new Random(seed)
    for (let i = 0; i < 100; i++) {
      const plan = planOf([smallest], randomChanges(random))
      for (const [total, parts] of sums)
        close(
          of(plan, total),
          parts.reduce((sum, part) => sum + of(plan, part), 0),
          total,
        )
      close(of(plan, 'memory.total_bytes'), of(plan, 'memory.per_node_bytes') * of(plan, 'nodes.chosen'), 'memory')
      for (const { needed, used } of limits) {
        assert.ok(of(plan, needed) <= of(plan, 'nodes.chosen'), needed)
        assert.ok(of(plan, used) <= 1 + 1e-9, used)
      }
      assert.ok(of(plan, 'memory.per_node_bytes') <= of(plan, 'node.memory_bytes'))
      for (const value of plan.values.values()) assert.ok(Number.isFinite(value) && value >= 0)
    }
  })

  const growing = [
    'data.keys',
    'data.value_bytes',
    'workload.operations_per_day',
    'workload.peak_factor',
    'workload.clients',
    'storage.replicas',
    'growth.keys_per_day',
    'storage.metadata_share',
  ] as const
  test(`more keys, work or copies never need fewer machines, seed ${seed}`, () => {
    const random = new Random(seed)
    for (let i = 0; i < 50; i++) {
      const changes = randomChanges(random)
      const before = planOf([smallest], changes)
      for (const id of growing) {
        const more = {
          ...changes,
          [id]:
            id === 'storage.replicas' || id === 'workload.clients'
              ? (changes[id] as number) + 1
              : (changes[id] as number) * 1.04,
        }
        const after = planOf([smallest], more)
        for (const figure of ['nodes.needed', 'storage.total_bytes', 'memory.spread_bytes', 'cost.month_total'])
          assert.ok(
            of(after, figure) >= of(before, figure) * (1 - 1e-9),
            `${id} up, ${figure} down: ${JSON.stringify(changes)}`,
          )
        for (const { needed } of limits) assert.ok(of(after, needed) >= of(before, needed), `${id} up, ${needed} down`)
      }
    }
  })
}

/** Inputs whose sum with others is bound: another takes what they leave. */
const together: Readonly<Record<string, string>> = {
  'workload.read_share': 'workload.write_share',
  'workload.write_share': 'workload.read_share',
  'tiers.hot_share': 'tiers.warm_share',
  'tiers.warm_share': 'tiers.cold_share',
  'tiers.cold_share': 'tiers.hot_share',
}

/** Inputs that hide behind another of the same value: the smaller of the two counts, so they move together. */
const along: Readonly<Record<string, string>> = {
  'backup.incremental_interval_seconds': 'backup.log_archive_interval_seconds',
}

/** Other values for an input that its range and the other inputs allow. */
function alterations(plan: Plan, id: string): Record<string, number>[] {
  const value = of(plan, id)
  const isWhole = inputById.get(id)?.isWhole === true
  const factors = [1.01, 1.5, 3, 30, 1e4, 1e7, 0.99, 0.5, 0.1, 1e-4]
  const values = [...factors.map((factor) => value * factor), value + 1, 0, 0.5, 1, 2]
  const other = together[id]
  const same = along[id]
  return [...new Set(values.map((one) => (isWhole ? Math.round(one) : one)))]
    .filter((one) => one !== value)
    .map((one) => (same === undefined ? { [id]: one } : { [id]: one, [same]: one }))
    .map((one) => (other === undefined ? one : { ...one, [other]: of(plan, other) + value - (one[id] as number) }))
}

test('every formula moves with each input and figure that it reads, for some values of the others', () => {
  const random = new Random(7)
  const some = () => (random.chance(8) ? 0 : 10 ** (random.between(-3_000, 6_000) / 1000))
  for (const { id, expression, reads } of graph.figures) {
    const still = new Set(reads)
    for (let trial = 0; trial < 2000 && still.size > 0; trial++) {
      const values = new Map(reads.map((read) => [read, some()]))
      const at = (changed?: string, value?: number) =>
        evaluate(expression, (read) => (read === changed ? (value as number) : (values.get(read) as number)))
      const before = at()
      for (const read of still) {
        const after = at(read, some())
        if (Number.isFinite(before) && Number.isFinite(after) && after !== before) still.delete(read)
      }
    }
    assert.deepEqual([...still], [], `${id} reads what does not move it`)
  }
})

/** Inputs that a preset gives, and the headline figures that must follow each of them. */
const headline: Readonly<Record<string, readonly string[]>> = {
  'data.keys': ['storage.raw_bytes', 'storage.total_bytes', 'memory.spread_bytes', 'storage.disk_bytes'],
  'data.value_bytes': [
    'storage.total_bytes',
    'network.client_out_average',
    'backup.full_bytes',
    'disk.write_bandwidth',
  ],
  'workload.operations_per_day': [
    'operations.average_per_second',
    'network.client_in_average',
    'cpu.cores_peak',
    'disk.ios_per_second',
    'cost.per_operation',
  ],
  'workload.peak_factor': ['operations.peak_per_second', 'cpu.cores_needed', 'network.out_peak'],
  'storage.replicas': ['storage.total_bytes', 'network.replication_per_day', 'disk.writes_per_second'],
  'cache.hit_rate': ['disk.reads_per_second'],
  'storage.space_amplification': ['storage.total_bytes', 'backup.full_bytes'],
}

/** Some inputs matter later, or in another scenario. */
const occasions = [
  {},
  { 'growth.years_ahead': 6 },
  { 'cost.spot_share': 0.5, 'cost.reserved_share': 0.5, 'tiers.share': 0.5 },
]

for (const name of presetNames) {
  test(`preset ${name} is its inputs and nothing else: each that is altered moves what depends on it`, () => {
    const source = preset(name)
    const plan = planOf([source])
    for (const [id, figures] of Object.entries(headline)) {
      const value = of(plan, id)
      const other = planOf([source], {
        [id]: id === 'cache.hit_rate' ? value * 0.9 : id === 'storage.replicas' ? value + 1 : value * 1.3,
      })
      for (const figure of figures) assert.notEqual(of(other, figure), of(plan, figure), `${id} moves ${figure}`)
    }
    const given = [...plan.inputs.origins].filter(([, origin]) => origin === source.origin).map(([id]) => id)
    assert.ok(given.length > 30)
    for (const id of given) {
      const dependents = [...dependentsOf(graph, id)]
      if (dependents.length === 0) continue
      const moved = occasions.some((occasion) => {
        const base = planOf([source], occasion)
        return alterations(base, id).some((change) => {
          const sources = [source, sourceOf('occasion', occasion), sourceOf('altered', change)]
          const other = makePlan({ sources, kinds }).plan
          return other !== undefined && dependents.some((figure) => of(other, figure) !== of(base, figure))
        })
      })
      assert.ok(moved, `${name}: ${id} moves something`)
    }
  })
}

test('every explanation names its inputs, and its numbers', () => {
  const { values } = planOf([preset('kv-100b-ops')])
  for (const { id, reads } of graph.figures) {
    const { formula, withNumbers, inputs } = explain(id, values)
    assert.deepEqual(inputs, reads)
    assert.ok(reads.length > 0, `${id} rests on something`)
    for (const read of reads) assert.ok(formula.includes(read), `${id} names ${read}`)
    assert.doesNotMatch(withNumbers, /[a-z]_[a-z]|undefined|NaN/)
  }
  assert.equal(explain('storage.total_bytes', values).withNumbers, '30 TB + 3 TB + 0 B')
  assert.equal(explain('operations.average_per_second', values).withNumbers, '100 billion op/day / 86,400 s/day')
})

test('growth: three years of the key-value guide, and the day on which its machines no longer do', () => {
  const plan = planOf([preset('kv-100b-ops')])
  const totals = growthOf(plan, 3).map(({ values }) => (values.get('storage.total_bytes') as number) / 1e12)
  const archives = growthOf(plan, 3).map(({ values }) => (values.get('storage.archive_bytes') as number) / 1e12)
  assert.deepEqual(
    totals.map((total) => total.toFixed(2)),
    ['33.00', '153.45', '273.90', '273.90'],
  )
  assert.deepEqual(archives, [0, 0, 0, 36.5])
  assert.equal(headroomEnd(plan)?.days, 1, '100 nodes are just enough today')
  const wide = planOf([preset('kv-100b-ops')], { 'node.count': 200 })
  const { days, binding } = headroomEnd(wide) as NonNullable<ReturnType<typeof headroomEnd>>
  assert.deepEqual(
    binding.map(({ name }) => name),
    ['memory'],
  )
  // Memory for 7.2 TB on 100 nodes: 200 do until the data has doubled, which takes 10 TB at 0.1 TB a day.
  assert.equal(days, 101)
  assert.equal(headroomEnd(planOf([smallest])), undefined, 'without growth they do for ever')
  assert.equal(headroomEnd(planOf([preset('orbit-1pb')]))?.days, 0)
})
