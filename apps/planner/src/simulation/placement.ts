/**
 * Which node holds which replica. Replica `partition * replicationFactor + i` is the i-th of its partition.
 *
 * Placement follows Copyset Replication (Cidon, Rumble, Stutsman, Katti, Ousterhout and Rosenblum, Copysets: Reducing
 * the Frequency of Data Loss in Cloud Storage, USENIX ATC 2013): a random permutation of the nodes, cut into sets of
 * R. `copysets` makes few permutations and shares their sets out; `spread` makes permutations for as long as there are
 * partitions, which balances nodes as real systems do. No partition ever has two replicas on one node.
 */

import { assert, type Random } from '@orbitkv/base'
import { type ClusterModel, copysetPermutations } from './model.ts'

export class Placement {
  readonly replicationFactor: number
  readonly nodeOf: Int32Array
  /** The replicas of each node, in no order. */
  readonly replicasOf: number[][]
  /** Where a replica stands in the list of its node. */
  readonly #indexInNode: Int32Array

  /** The sets are shared out to the partitions in turn. */
  constructor(
    replicationFactor: number,
    nodeCount: number,
    partitionCount: number,
    setOf: (index: number) => number[],
  ) {
    this.replicationFactor = replicationFactor
    this.nodeOf = new Int32Array(partitionCount * replicationFactor)
    this.#indexInNode = new Int32Array(partitionCount * replicationFactor)
    this.replicasOf = Array.from({ length: nodeCount }, () => [])
    for (let partition = 0; partition < partitionCount; partition++) {
      const set = setOf(partition)
      for (let i = 0; i < replicationFactor; i++) this.#add(partition * replicationFactor + i, set[i]!)
    }
  }

  get nodeCount(): number {
    return this.replicasOf.length
  }

  get partitionCount(): number {
    return this.nodeOf.length / this.replicationFactor
  }

  addNode(): void {
    this.replicasOf.push([])
  }

  move(replica: number, node: number): void {
    const list = this.replicasOf[this.nodeOf[replica]!]!
    const last = list.pop()!
    const index = this.#indexInNode[replica]!
    if (last !== replica) {
      list[index] = last
      this.#indexInNode[last] = index
    }
    this.#add(replica, node)
  }

  holds(node: number, partition: number): boolean {
    const first = partition * this.replicationFactor
    for (let i = 0; i < this.replicationFactor; i++) if (this.nodeOf[first + i] === node) return true
    return false
  }

  #add(replica: number, node: number): void {
    this.nodeOf[replica] = node
    this.#indexInNode[replica] = this.replicasOf[node]!.push(replica) - 1
  }
}

/** Sets of R nodes, cut from random permutations of these nodes; without end. */
function copysetsOf(nodes: number[], replicationFactor: number, random: Random): () => number[] {
  let next = nodes.length
  return () => {
    if (next + replicationFactor > nodes.length) {
      shuffle(nodes, random)
      next = 0
    }
    next += replicationFactor
    return nodes.slice(next - replicationFactor, next)
  }
}

function shuffle(items: number[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = random.below(i + 1)
    const item = items[i]!
    items[i] = items[other]!
    items[other] = item
  }
}

const range = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, index) => from + index)

export function placePartitions(model: ClusterModel, random: Random): Placement {
  const { replicationFactor, nodeCount, partitionCount } = model
  const draw = copysetsOf(range(0, nodeCount), replicationFactor, random)
  if (model.placement === 'spread') return new Placement(replicationFactor, nodeCount, partitionCount, draw)
  const setCount = copysetPermutations(model) * Math.floor(nodeCount / replicationFactor)
  const sets = Array.from({ length: setCount }, draw)
  return new Placement(replicationFactor, nodeCount, partitionCount, (index) => sets[index % setCount]!)
}

/** One partition by itself, each replica on a node of its own: what the biased simulation looks at. */
export const placeOnePartition = (replicationFactor: number): Placement =>
  new Placement(replicationFactor, replicationFactor, 1, () => range(0, replicationFactor))

/**
 * Lets nodes join and take their share of the data over from the others. The copies are made before the old ones go,
 * so that joining loses nothing; only replicas that are up (`isUp`) move.
 */
export function growPlacement(
  model: ClusterModel,
  placement: Placement,
  nodeCount: number,
  random: Random,
  isUp: (replica: number) => boolean,
): void {
  const before = placement.nodeCount
  assert(nodeCount >= before, 'a cluster never shrinks')
  if (nodeCount === before) return
  while (placement.nodeCount < nodeCount) placement.addNode()
  if (model.placement === 'spread') growSpread(placement, before, random, isUp)
  else growCopysets(model, placement, before, random, isUp)
}

function growSpread(placement: Placement, before: number, random: Random, isUp: (replica: number) => boolean): void {
  const replicaCount = placement.nodeOf.length
  const share = Math.floor(replicaCount / placement.nodeCount)
  for (let node = before; node < placement.nodeCount; node++) {
    // A try fails on a replica that is down or would meet another of its partition; both are few.
    for (let tries = 0; tries < 4 * share && placement.replicasOf[node]!.length < share; tries++) {
      const replica = random.below(replicaCount)
      const partition = Math.floor(replica / placement.replicationFactor)
      if (isUp(replica) && !placement.holds(node, partition)) placement.move(replica, node)
    }
  }
}

/** New copysets of new nodes, filled up with old ones where the new are too few for a set. */
function growCopysets(
  model: ClusterModel,
  placement: Placement,
  before: number,
  random: Random,
  isUp: (replica: number) => boolean,
): void {
  const { replicationFactor, partitionCount } = placement
  const nodes = range(before, placement.nodeCount)
  const added = nodes.length
  while (nodes.length % replicationFactor !== 0) {
    const old = random.below(before)
    if (!nodes.includes(old)) nodes.push(old)
  }
  const setCount = copysetPermutations(model) * (nodes.length / replicationFactor)
  const sets = Array.from({ length: setCount }, copysetsOf(nodes, replicationFactor, random))
  const moves = Math.floor((partitionCount * added) / placement.nodeCount)
  for (let moved = 0, tries = 0; moved < moves && tries < 4 * moves; tries++) {
    const first = random.below(partitionCount) * replicationFactor
    const replicas = range(first, first + replicationFactor)
    const hasMoved = replicas.some((replica) => placement.nodeOf[replica]! >= before)
    if (hasMoved || !replicas.every(isUp)) continue
    const set = sets[moved % setCount]!
    for (const [i, replica] of replicas.entries()) placement.move(replica, set[i]!)
    moved++
  }
}
