/** What CLUSTER tells of several workers: each is a node of a Redis Cluster with a run of slots and a port of its own. */

import type { Call, Command } from '../commands/command.ts'
import { slotCount } from './slots.ts'
import { slotsOfWorker, type Topology, type WorkerPlace } from './topology.ts'

/** Answers a subcommand; `self` is the worker that has the connection. */
export function answerCluster(call: Call, command: Command, topology: Topology, self: WorkerPlace): void {
  const { reply } = call
  if (command.name === 'slots') slots(call, topology)
  else if (command.name === 'shards') shards(call, topology)
  else if (command.name === 'nodes') reply.verbatim(nodes(topology, self))
  else if (command.name === 'info') reply.verbatim(info(topology, self))
  else reply.bulkText(self.id)
}

function slots({ reply }: Call, topology: Topology): void {
  reply.array(topology.workers.length)
  for (const worker of topology.workers) {
    const { first, last } = slotsOfWorker(topology, worker)
    reply.array(3)
    reply.integer(first)
    reply.integer(last)
    reply.array(4)
    reply.bulkText(worker.address.host)
    reply.integer(worker.address.port)
    reply.bulkText(worker.id)
    reply.array(0)
  }
}

function shards({ reply }: Call, topology: Topology): void {
  reply.array(topology.workers.length)
  for (const worker of topology.workers) {
    const { first, last } = slotsOfWorker(topology, worker)
    reply.map(2)
    reply.bulkText('slots')
    reply.array(2)
    reply.integer(first)
    reply.integer(last)
    reply.bulkText('nodes')
    reply.array(1)
    const facts: readonly [string, string | number][] = [
      ['id', worker.id],
      ['port', worker.address.port],
      ['ip', worker.address.host],
      ['endpoint', worker.address.host],
      ['role', 'master'],
      ['replication-offset', 0],
      ['health', 'online'],
    ]
    reply.map(facts.length)
    for (const [name, value] of facts) {
      reply.bulkText(name)
      if (typeof value === 'number') reply.integer(value)
      else reply.bulkText(value)
    }
  }
}

function nodes(topology: Topology, self: WorkerPlace): string {
  const lines = topology.workers.map((worker, i) => {
    const { first, last } = slotsOfWorker(topology, worker)
    const { host, port } = worker.address
    const flags = worker === self ? 'myself,master' : 'master'
    // No bus between them, so its port is 0.
    return `${worker.id} ${host}:${port}@0 ${flags} - 0 0 ${i + 1} connected ${first}-${last}\n`
  })
  return lines.join('')
}

function info({ workers }: Topology, self: WorkerPlace): string {
  const lines = {
    cluster_enabled: 1,
    cluster_state: 'ok',
    cluster_slots_assigned: slotCount,
    cluster_slots_ok: slotCount,
    cluster_slots_pfail: 0,
    cluster_slots_fail: 0,
    cluster_known_nodes: workers.length,
    cluster_size: workers.length,
    cluster_current_epoch: workers.length,
    cluster_my_epoch: workers.indexOf(self) + 1,
    cluster_stats_messages_sent: 0,
    cluster_stats_messages_received: 0,
    total_cluster_links_buffer_limit_exceeded: 0,
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')
}
