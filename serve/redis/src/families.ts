/**
 * What the page `/metrics` tells of this front and of the store behind it. The names are those of the documents where they have
 * one, so that their dashboards and alerts work.
 */

import { type Family, histogramOf, type Sample } from '@orbitkv/metrics'
import type { ServerView } from './view.ts'

/** What only the starter knows: of the machine. */
export interface MachineFacts {
  /** That this process may use. */
  readonly memoryTotalBytes: number
  /** Free on the disk of the store. */
  readonly storageFreeBytes: number
}

const gauge = (name: string, help: string, value: number): Family => ({
  name,
  type: 'gauge',
  help,
  samples: [{ value }],
})

const counter = (name: string, help: string, value: number): Family => ({
  name,
  type: 'counter',
  help,
  samples: [{ value }],
})

/** What servers of one process tell alike, or where the worst of them is of interest. */
const ofAll = (family: Family): Family => ({ ...family, isOfAll: true })

export function redisFamilies(server: ServerView, machine: MachineFacts): Family[] {
  return [
    ...machineFamilies(server, machine),
    ...commandFamilies(server),
    ...storeFamilies(server),
    ...clientFamilies(server),
  ]
}

function machineFamilies(server: ServerView, { memoryTotalBytes, storageFreeBytes }: MachineFacts): Family[] {
  const { diskBytes } = server.facts().store
  const { user, system } = process.cpuUsage()
  return [
    ofAll(gauge('orbit_memory_usage_bytes', 'Memory of this process (resident).', process.memoryUsage.rss())),
    ofAll(gauge('orbit_memory_total_bytes', 'Memory that this process may use.', memoryTotalBytes)),
    gauge('orbit_storage_used_bytes', 'Bytes that the store takes on its disk.', diskBytes),
    gauge(
      'orbit_storage_total_bytes',
      'Bytes that the store takes and those that are free on its disk.',
      diskBytes + storageFreeBytes,
    ),
    ofAll(counter('orbit_cpu_seconds_total', 'Processor time of this process.', (user + system) / 1e6)),
    {
      name: 'orbit_event_loop_lag_seconds',
      type: 'histogram',
      help: 'How late the event loop was, measured ten times a second.',
      samples: histogramOf(server.timings.lag.durations),
    },
  ]
}

function commandFamilies(server: ServerView): Family[] {
  const calls: Sample[] = []
  const failures: Sample[] = []
  const durations: Sample[] = []
  for (const command of server.commands()) {
    if (command.calls === 0) continue
    const labels = { command: command.fullName }
    calls.push({ labels, value: command.calls })
    failures.push({ labels, value: command.failures + command.rejections })
    if (command.durations !== undefined) durations.push(...histogramOf(command.durations, labels))
  }
  return [
    { name: 'orbit_operations_total', type: 'counter', help: 'Commands that were run, by name.', samples: calls },
    {
      name: 'orbit_operation_failures_total',
      type: 'counter',
      help: 'Commands that were answered with an error, by name.',
      samples: failures,
    },
    {
      name: 'orbit_command_duration_seconds',
      type: 'histogram',
      help: 'How long commands ran, by name; of quick ones a sample stands for all.',
      samples: durations,
    },
    {
      name: 'orbit_write_duration_seconds',
      type: 'histogram',
      help: 'From when a command that writes was received until its reply went out, durable.',
      samples: histogramOf(server.timings.writes),
    },
    {
      name: 'orbit_errors_total',
      type: 'counter',
      help: 'Error replies, by their first word.',
      samples: [...server.stats.errors].map(([error, value]) => ({ labels: { error }, value })),
    },
  ]
}

function storeFamilies(server: ServerView): Family[] {
  const { stats } = server
  const { store } = server.facts()
  const hits = 'Keys that commands read and found.'
  return [
    gauge('orbit_keys', 'Keys in the store, those of its own included.', store.keysLive),
    gauge('orbit_index_bytes', 'Memory of the indexes.', store.indexBytes),
    ofAll(gauge('orbit_revision', 'The newest revision.', store.revision)),
    gauge(
      'orbit_durable_lag_batches',
      'Batches that are not on the disk yet.',
      store.appendedPosition - store.durablePosition,
    ),
    ofAll(
      gauge(
        'orbit_durable_lag_seconds',
        'How long the oldest reply that waits for the disk has waited.',
        server.repliesWaitMs / 1000,
      ),
    ),
    counter('orbit_syncs_total', 'Syncs of the disk.', store.syncs),
    counter('orbit_keys_expired_total', 'Keys whose time to live has ended.', store.keysExpired),
    counter('orbit_keyspace_hits_total', hits, stats.keyspaceHits),
    counter('orbit_keyspace_misses_total', hits.replace('and found', 'and did not find'), stats.keyspaceMisses),
    ofAll(
      gauge(
        'orbit_store_failed',
        '1 once a write to the disk has failed: no more are taken.',
        store.writeFailure === '' ? 0 : 1,
      ),
    ),
  ]
}

function clientFamilies({ stats, sessions, blocking, bufferBytes }: ServerView): Family[] {
  return [
    gauge('orbit_connections', 'Connections of clients.', sessions.size),
    gauge('orbit_connections_blocked', 'Clients that wait for an element.', blocking.count),
    gauge('orbit_buffer_bytes', 'Memory for requests and replies.', bufferBytes),
    counter('orbit_connections_received_total', 'Connections accepted.', stats.connectionsReceived),
    counter(
      'orbit_connections_rejected_total',
      'Connections turned away, since there were too many.',
      stats.connectionsRejected,
    ),
    counter('orbit_connections_cut_total', 'Connections cut for a limit or a failure.', stats.connectionsCut),
    counter('orbit_received_bytes_total', 'Bytes received from clients.', stats.inputBytes),
    counter('orbit_sent_bytes_total', 'Bytes sent to clients.', stats.outputBytes),
  ]
}
