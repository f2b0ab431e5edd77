/**
 * The cluster that is simulated: its parameters, their limits, and what follows from them without chance.
 *
 * Every parameter stands in one table with its default and range. All faults are found at once; the planner can add
 * them to its own (`checkClusterModel`), everybody else lets `clusterModel` throw. What holds of a model that
 * `clusterModel` returned, the rest of the simulation takes for granted.
 */

import { simulationErrors } from './errors.ts'

export const daySeconds = 86_400
export const yearSeconds = 365.25 * daySeconds
export const monthSeconds = yearSeconds / 12

export interface ClusterModel {
  readonly nodeCount: number
  readonly partitionCount: number
  readonly replicationFactor: number
  /** `spread`: each partition on nodes of its own choice; `copysets`: only few sets of nodes hold partitions. */
  readonly placement: 'spread' | 'copysets'
  /** For copysets: with how many other nodes a node shares data. */
  readonly scatterWidthNodes: number
  /** How many replicas must be up for a read, and for a write. */
  readonly readQuorum: number
  readonly writeQuorum: number
  /** Whether one replica leads a partition: then nothing is served from its failure until the failover is done. */
  readonly hasLeaders: boolean
  /** Failures of one node in a month, on average: 0.01 is 1% of the nodes each month. */
  readonly nodeFailuresPerMonth: number
  /** The part of failures that takes the node's data with it; after the others it restarts with its data. */
  readonly permanentShare: number
  readonly detectionSeconds: number
  /** From detection until another replica leads. */
  readonly failoverSeconds: number
  /** How long a node is away that comes back with its data. */
  readonly restartSeconds: number
  readonly bytesPerNode: number
  /** What one node takes in while lost replicas are copied anew. */
  readonly rereplicationPerNodeBytesPerSecond: number
  /** 0.5: half as many nodes again each year. Data grows with them, so the bytes of a node stay. */
  readonly nodeGrowthPerYear: number
  /** Rolling upgrades: each restarts every node once, some at a time, after its leaders have moved away. */
  readonly upgradesPerYear: number
  readonly upgradeNodesAtOnce: number
  readonly upgradeRestartSeconds: number
  readonly horizonDays: number
  /** `exponential` has the same means; the closed formulas assume it for loss. */
  readonly durations: 'fixed' | 'exponential'
}

export type ClusterModelInput = Partial<ClusterModel> &
  Pick<ClusterModel, 'nodeCount' | 'partitionCount' | 'bytesPerNode'>

/** What is wrong with one parameter: `field` is `value`, and must be `expected`. */
export interface ModelFault {
  readonly field: string
  readonly value: string
  readonly expected: string
}

interface NumberRule {
  readonly fallback: number | undefined
  readonly min: number
  readonly max: number
  readonly whole: boolean
}

const number = (fallback: number | undefined, min: number, max: number): NumberRule => ({
  fallback,
  min,
  max,
  whole: false,
})
const whole = (fallback: number | undefined, min: number, max: number): NumberRule => ({
  fallback,
  min,
  max,
  whole: true,
})

type NumberField = {
  [Field in keyof ClusterModel]: ClusterModel[Field] extends number ? Field : never
}[keyof ClusterModel]

const numberRules: Readonly<Record<NumberField, NumberRule>> = {
  nodeCount: whole(undefined, 1, 100_000),
  partitionCount: whole(undefined, 1, 4_000_000),
  replicationFactor: whole(3, 1, 15),
  scatterWidthNodes: whole(0, 0, 100_000),
  readQuorum: whole(2, 1, 15),
  writeQuorum: whole(2, 1, 15),
  nodeFailuresPerMonth: number(0.01, 0, 1000),
  permanentShare: number(0.2, 0, 1),
  detectionSeconds: number(5, 0, 10 * daySeconds),
  failoverSeconds: number(10, 0, 10 * daySeconds),
  restartSeconds: number(60, 0, 30 * daySeconds),
  bytesPerNode: number(undefined, 0, 1e18),
  rereplicationPerNodeBytesPerSecond: number(100e6, 1, 1e12),
  nodeGrowthPerYear: number(0, 0, 10),
  upgradesPerYear: number(0, 0, 365),
  upgradeNodesAtOnce: whole(1, 1, 100_000),
  upgradeRestartSeconds: number(60, 0, daySeconds),
  horizonDays: number(365.25, 0.01, 36_525),
}

/** More than this no run could hold in memory, or end in useful time. */
const replicasMax = 12_000_000
const eventsMax = 20_000_000

const withDefaults = (input: ClusterModelInput): ClusterModel => {
  const replicationFactor = input.replicationFactor ?? (numberRules.replicationFactor.fallback as number)
  const majority = Math.floor(replicationFactor / 2) + 1
  const numbers = Object.entries(numberRules).map(([field, rule]) => [field, rule.fallback])
  return {
    ...(Object.fromEntries(numbers) as Record<NumberField, number>),
    placement: 'spread',
    hasLeaders: true,
    durations: 'fixed',
    readQuorum: majority,
    writeQuorum: majority,
    ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)),
  }
}

/** Everything that is wrong with a model; nothing where it can be simulated. */
export function checkClusterModel(input: ClusterModelInput): ModelFault[] {
  const known = new Set<string>([...Object.keys(numberRules), 'placement', 'hasLeaders', 'durations'])
  const model = withDefaults(input)
  const faults: ModelFault[] = []
  const fault = (field: string, value: unknown, expected: string) =>
    faults.push({ field, value: String(value), expected })
  for (const [field, value] of Object.entries(input))
    if (!known.has(field)) fault(field, value, 'left out: no parameter')
  for (const [field, rule] of Object.entries(numberRules)) {
    const value: unknown = model[field as NumberField]
    const fits = typeof value === 'number' && value >= rule.min && value <= rule.max
    if (!fits || (rule.whole && !Number.isInteger(value)))
      fault(field, value, `a ${rule.whole ? 'whole ' : ''}number from ${rule.min} to ${rule.max}`)
  }
  if (!['spread', 'copysets'].includes(model.placement)) fault('placement', model.placement, 'spread or copysets')
  if (!['fixed', 'exponential'].includes(model.durations)) fault('durations', model.durations, 'fixed or exponential')
  if (typeof model.hasLeaders !== 'boolean') fault('hasLeaders', model.hasLeaders, 'true or false')
  return faults.length > 0 ? faults : checkTogether(model)
}

/** How parameters must relate that are right one by one. */
function checkTogether(model: ClusterModel): ModelFault[] {
  const faults: ModelFault[] = []
  const require = (holds: boolean, field: keyof ClusterModel, expected: string) => {
    if (!holds) faults.push({ field, value: String(model[field]), expected })
  }
  const { nodeCount, replicationFactor, scatterWidthNodes } = model
  require(replicationFactor <= nodeCount, 'replicationFactor', `at most nodeCount, ${nodeCount}`)
  require(model.readQuorum <= replicationFactor, 'readQuorum', `at most replicationFactor, ${replicationFactor}`)
  require(model.writeQuorum <= replicationFactor, 'writeQuorum', `at most replicationFactor, ${replicationFactor}`)
  require(model.upgradeNodesAtOnce <= nodeCount, 'upgradeNodesAtOnce', `at most nodeCount, ${nodeCount}`)
  if (model.placement === 'copysets') {
    require(replicationFactor >= 2, 'replicationFactor', 'at least 2 for copysets')
    const narrowest = replicationFactor - 1
    const expected = `from ${narrowest}, the other nodes of one copyset, to ${nodeCount - 1}, all other nodes`
    const fits = scatterWidthNodes >= narrowest && scatterWidthNodes < nodeCount
    require(fits, 'scatterWidthNodes', expected)
  } else require(scatterWidthNodes === 0, 'scatterWidthNodes', 'left out, or the placement copysets')
  const replicas = model.partitionCount * replicationFactor
  require(replicas <=
    replicasMax, 'partitionCount', `at most ${Math.floor(replicasMax / replicationFactor)}, to simulate`)
  const nodeCountLast = nodeCountAt(model, model.horizonDays * daySeconds)
  require(nodeCountLast <= 100_000, 'nodeGrowthPerYear', `less: it ends at ${nodeCountLast} nodes, of at most 100000`)
  const failures = nodeCountLast * model.nodeFailuresPerMonth * ((model.horizonDays * daySeconds) / monthSeconds)
  require(failures <=
    eventsMax, 'nodeFailuresPerMonth', `less: ${Math.round(failures)} failures are too many to simulate`)
  const rolloutSeconds = upgradeBatches(model, nodeCountLast) * model.upgradeRestartSeconds
  const expected = `less: one upgrade of ${nodeCountLast} nodes takes ${(rolloutSeconds / daySeconds).toFixed(1)} days`
  require(rolloutSeconds * model.upgradesPerYear <= yearSeconds, 'upgradesPerYear', expected)
  return faults
}

/** The whole model, defaults filled in; throws `simulation.bad_model` naming every fault. */
export function clusterModel(input: ClusterModelInput): ClusterModel {
  const faults = checkClusterModel(input)
  if (faults.length > 0) {
    const text = faults.map(({ field, value, expected }) => `${field} is ${value}, must be ${expected}`).join('; ')
    throw simulationErrors.bad_model({ faults: text })
  }
  return withDefaults(input)
}

export const horizonSeconds = (model: ClusterModel): number => model.horizonDays * daySeconds

export const failuresPerSecond = (model: ClusterModel): number => model.nodeFailuresPerMonth / monthSeconds

/** Nodes join once a month, on its first moment. */
export function nodeCountAt(model: ClusterModel, atSeconds: number): number {
  const years = Math.floor(atSeconds / monthSeconds) / 12
  return Math.round(model.nodeCount * (1 + model.nodeGrowthPerYear) ** years)
}

export const upgradeBatches = (model: ClusterModel, nodeCount: number): number =>
  Math.ceil(nodeCount / model.upgradeNodesAtOnce)

/**
 * When rolling upgrades begin, evenly over the years; `phase` in [0, 1) is where between two of them time begins. The
 * first began before that, and can still be under way.
 */
export function upgradeStartsSeconds(model: ClusterModel, phase: number): number[] {
  if (model.upgradesPerYear === 0) return []
  const everySeconds = yearSeconds / model.upgradesPerYear
  const count = Math.ceil(horizonSeconds(model) / everySeconds) + 1
  return Array.from({ length: count }, (_, index) => (index - phase) * everySeconds)
}

/** In how many permutations of the nodes each node gets one copyset; each adds R-1 nodes to the scatter width. */
export const copysetPermutations = (model: ClusterModel): number =>
  Math.ceil(model.scatterWidthNodes / (model.replicationFactor - 1))

/** Ways to choose `size` of `count`. */
export function choose(count: number, size: number): number {
  let ways = 1
  for (let i = 0; i < size; i++) ways *= (count - i) / (i + 1)
  return ways
}

/**
 * The expected number of distinct sets of `size` nodes that hold replicas of one partition between them: those which
 * must not be away together. With the replication factor as size, the number of copysets.
 */
export function copysetCount(model: ClusterModel, nodeCount: number, size = model.replicationFactor): number {
  const { partitionCount, replicationFactor } = model
  const isCopysets = model.placement === 'copysets'
  const sets = isCopysets ? copysetPermutations(model) * Math.floor(nodeCount / replicationFactor) : Infinity
  const draws = Math.min(partitionCount, sets) * choose(replicationFactor, size)
  const all = choose(nodeCount, size)
  // So many draws from all sets hit all (1 - (1 - 1/all)^draws) of them.
  return -all * Math.expm1(draws * Math.log1p(-1 / all))
}

/**
 * How long all data of one lost node takes to copy. Each copyset of the node finds a node of its own to take its data
 * in, so that many nodes work at the same time; taking in is the limit, as each copyset has R-1 nodes to send.
 */
export function copySeconds(model: ClusterModel, nodeCount: number): number {
  const partitionsOfNode = Math.ceil((model.partitionCount * model.replicationFactor) / nodeCount)
  const copysets = model.placement === 'copysets' ? copysetPermutations(model) : partitionsOfNode
  const parallel = Math.max(1, Math.min(nodeCount - 1, copysets, partitionsOfNode))
  return model.bytesPerNode / (parallel * model.rereplicationPerNodeBytesPerSecond)
}

/** How long one replica on a lost node is missing, on average: partitions are copied one after another. */
export const lostSecondsMean = (model: ClusterModel, nodeCount: number): number =>
  model.detectionSeconds + copySeconds(model, nodeCount) / 2
