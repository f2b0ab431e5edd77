/** INFO: sections of `name:value` lines, with the names that monitoring tools read. What does not apply is left out. */

import { formatBytes } from '@orbitkv/base'
import { redisVersion } from '../version.ts'
import { type Call, type CommandSpec, redisKeyspace } from './command.ts'

export const infoCommands: readonly CommandSpec[] = [
  {
    name: 'info',
    arity: -1,
    flags: ['loading', 'stale'],
    group: 'server',
    categories: ['dangerous'],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'What the server is and does, in sections.',
    syntax: '[section [section ...]]',
    difference:
      'Only what applies: the log stands where Redis has its append-only file, and `expires` of the keyspace is not counted (0). Sections: server, clients, memory, persistence, stats, replication, cpu, cluster, keyspace, and commandstats when asked for.',
    run: info,
  },
]

type Lines = Record<string, string | number>
type Section = (call: Call) => Lines

const sections: Readonly<Record<string, Section>> = {
  server,
  clients,
  memory,
  persistence,
  stats,
  replication,
  cpu,
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace,
  commandstats,
}

/** Sections that are shown only when named, or with `all`. */
const detailed = new Set(['commandstats'])

function info(call: Call): void {
  const { arguments: found, reply } = call
  const asked = new Set<string>()
  for (let place = 1; place < found.count; place++) asked.add(found.text(place).toLowerCase())
  const isAll = asked.has('all') || asked.has('everything')
  const isDefault = asked.size === 0 || asked.has('default')
  const parts: string[] = []
  for (const [name, section] of Object.entries(sections)) {
    if (!isAll && !asked.has(name) && !(isDefault && !detailed.has(name))) continue
    const lines = Object.entries(section(call)).map(([field, value]) => `${field}:${value}\r\n`)
    parts.push(`# ${titleOf(name)}\r\n${lines.join('')}`)
  }
  reply.verbatim(parts.join('\r\n'))
}

function titleOf(name: string): string {
  return name === 'cpu' ? 'CPU' : `${name[0]?.toUpperCase()}${name.slice(1)}`
}

function server({ server }: Call): Lines {
  const facts = server.facts()
  const nowMs = server.clock.now()
  const upSeconds = Math.max(0, Math.floor((nowMs - server.startedMs) / 1000))
  return {
    redis_version: redisVersion,
    orbitkv_version: facts.version,
    redis_mode: 'standalone',
    os: `${process.platform} ${process.arch}`,
    arch_bits: 64,
    node_version: process.versions.node,
    process_id: process.pid,
    run_id: server.runId,
    tcp_port: server.address.port,
    server_time_usec: nowMs * 1000,
    uptime_in_seconds: upSeconds,
    uptime_in_days: Math.floor(upSeconds / 86_400),
    data_path: facts.store.path,
    backend: facts.store.backend,
    durability: facts.store.durability,
  }
}

function clients({ server, limits }: Call): Lines {
  let requestBytes = 0
  let replyBytes = 0
  for (const session of server.sessions.values()) {
    requestBytes = Math.max(requestBytes, session.requestBytes)
    replyBytes = Math.max(replyBytes, session.outputBytes)
  }
  return {
    connected_clients: server.sessions.size,
    cluster_connections: 0,
    maxclients: limits.clientsMax,
    client_recent_max_input_buffer: requestBytes,
    client_recent_max_output_buffer: replyBytes,
    blocked_clients: server.blocking.count,
    tracking_clients: 0,
  }
}

function memory({ server }: Call): Lines {
  const { rss, heapUsed, external } = process.memoryUsage()
  const { store } = server.facts()
  const used = heapUsed + external
  return {
    used_memory: used,
    used_memory_human: formatBytes(used),
    used_memory_rss: rss,
    used_memory_rss_human: formatBytes(rss),
    used_memory_dataset: store.indexBytes,
    mem_clients_normal: server.bufferBytes,
    maxmemory: 0,
    maxmemory_human: '0B',
    maxmemory_policy: 'noeviction',
  }
}

function persistence({ server }: Call): Lines {
  const { store } = server.facts()
  const isDurable = store.durability !== 'none'
  return {
    loading: 0,
    async_loading: 0,
    rdb_bgsave_in_progress: 0,
    aof_enabled: isDurable ? 1 : 0,
    aof_rewrite_in_progress: 0,
    aof_rewrite_scheduled: 0,
    aof_last_write_status: store.details.failure === undefined ? 'ok' : 'err',
    aof_current_size: store.logBytes,
    log_position_appended: store.appendedPosition,
    log_position_published: store.publishedPosition,
    log_position_durable: store.durablePosition,
    log_revision: store.revision,
    log_segments: store.segments,
    log_syncs: store.syncs,
    disk_bytes: store.diskBytes,
  }
}

function stats({ server }: Call): Lines {
  const { stats } = server
  const { store } = server.facts()
  return {
    total_connections_received: stats.connectionsReceived,
    total_commands_processed: stats.commandsProcessed,
    instantaneous_ops_per_sec: stats.commandsPerSecond,
    total_net_input_bytes: stats.inputBytes,
    total_net_output_bytes: stats.outputBytes,
    instantaneous_input_kbps: (stats.inputBytesPerSecond / 1024).toFixed(2),
    instantaneous_output_kbps: (stats.outputBytesPerSecond / 1024).toFixed(2),
    rejected_connections: stats.connectionsRejected,
    cut_connections: stats.connectionsCut,
    expired_keys: store.keysExpired,
    evicted_keys: 0,
    keyspace_hits: stats.keyspaceHits,
    keyspace_misses: stats.keyspaceMisses,
    total_error_replies: stats.errorReplies,
    turns: stats.turns,
    turns_withheld: stats.turnsWithheld,
  }
}

function replication({ server }: Call): Lines {
  return {
    role: 'master',
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: server.runId,
    master_repl_offset: 0,
  }
}

function cpu(): Lines {
  const { user, system } = process.cpuUsage()
  return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) }
}

function keyspace({ owner }: Call): Lines {
  const keys = owner.count(redisKeyspace)
  return keys === 0 ? {} : { db0: `keys=${keys},expires=0,avg_ttl=0` }
}

function commandstats({ server }: Call): Lines {
  const lines: Lines = {}
  for (const { fullName, calls, failures } of server.commands()) {
    if (calls > 0) lines[`cmdstat_${fullName}`] = `calls=${calls},rejected_calls=0,failed_calls=${failures}`
  }
  return lines
}
