/** INFO: sections of `name:value` lines, with the names that monitoring tools read. What does not apply is left out. */

import { formatBytes } from '@orbitkv/base'
import type { RecordView } from '@orbitkv/engine'
import type { Durations } from '@orbitkv/metrics'
import type { Owner } from '@orbitkv/store'
import { databaseCount } from '../collections/keyspaces.ts'
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
      'Only what applies: the log stands where Redis has its append-only file, and `expires` and `avg_ttl` of a database of more than 1,000 keys are estimated from 100 of them. Of quick commands one call in 64 is timed and stands for the others.',
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
  modules: () => ({}),
  commandstats,
  errorstats,
  latencystats,
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace,
}

/** Sections that are shown only when named, or with `all`. */
const detailed = new Set(['commandstats', 'latencystats'])

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
    redis_git_sha1: '00000000',
    redis_git_dirty: 0,
    redis_build_id: 0,
    redis_mode: 'standalone',
    os: `${process.platform} ${process.arch}`,
    arch_bits: 64,
    node_version: process.versions.node,
    multiplexing_api: 'libuv',
    process_id: process.pid,
    process_supervised: 'no',
    run_id: server.runId,
    tcp_port: server.address.port,
    server_time_usec: nowMs * 1000,
    uptime_in_seconds: upSeconds,
    uptime_in_days: Math.floor(upSeconds / 86_400),
    hz: 10,
    configured_hz: 10,
    executable: process.execPath,
    config_file: '',
    io_threads_active: 0,
    data_path: facts.store.path,
    backend: facts.store.backend,
    durability: facts.store.durability,
  }
}

function clients({ server, limits }: Call): Lines {
  let requestBytes = 0
  let replyBytes = 0
  let pubsubClients = 0
  for (const session of server.sessions.values()) {
    requestBytes = Math.max(requestBytes, session.requestBytes)
    replyBytes = Math.max(replyBytes, session.outputBytes)
    if (session.subscriptions !== undefined) pubsubClients++
  }
  return {
    connected_clients: server.sessions.size,
    cluster_connections: 0,
    maxclients: limits.clientsMax,
    client_recent_max_input_buffer: requestBytes,
    client_recent_max_output_buffer: replyBytes,
    blocked_clients: server.blocking.count + server.pauses.count,
    pubsub_clients: pubsubClients,
    tracking_clients: 0,
    clients_in_timeout_table: server.blocking.count,
  }
}

function memory({ server }: Call): Lines {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { store } = server.facts()
  const used = heapUsed + external
  const peak = Math.max(used, process.resourceUsage().maxRSS * 1024)
  return {
    used_memory: used,
    used_memory_human: formatBytes(used),
    used_memory_rss: rss,
    used_memory_rss_human: formatBytes(rss),
    used_memory_peak: peak,
    used_memory_peak_human: formatBytes(peak),
    used_memory_peak_perc: percentOf(used, peak),
    used_memory_overhead: Math.max(0, used - store.indexBytes),
    used_memory_startup: 0,
    used_memory_dataset: store.indexBytes,
    used_memory_dataset_perc: percentOf(store.indexBytes, used),
    allocator_allocated: used,
    allocator_active: heapTotal + external,
    allocator_resident: rss,
    used_memory_lua: 0,
    used_memory_scripts: server.scripts.bytes,
    used_memory_scripts_eval: server.scripts.bytes,
    number_of_cached_scripts: server.scripts.count,
    number_of_functions: 0,
    number_of_libraries: 0,
    mem_fragmentation_ratio: (rss / used).toFixed(2),
    mem_fragmentation_bytes: rss - used,
    mem_not_counted_for_evict: 0,
    mem_replication_backlog: 0,
    mem_total_replication_buffers: 0,
    mem_clients_slaves: 0,
    mem_clients_normal: server.bufferBytes,
    mem_cluster_links: 0,
    mem_aof_buffer: 0,
    mem_allocator: 'v8',
    maxmemory: server.memoryLimit.bytesMax,
    maxmemory_human: formatBytes(server.memoryLimit.bytesMax),
    maxmemory_policy: server.memoryLimit.policy,
    active_defrag_running: 0,
    lazyfree_pending_objects: 0,
    lazyfreed_objects: 0,
  }
}

function percentOf(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(2)}%`
}

function persistence({ server }: Call): Lines {
  const { saves } = server
  const { store } = server.facts()
  const isDurable = store.durability !== 'none'
  return {
    loading: 0,
    async_loading: 0,
    current_cow_peak: 0,
    rdb_changes_since_last_save: store.appendedPosition - store.durablePosition,
    rdb_bgsave_in_progress: saves.running > 0 ? 1 : 0,
    rdb_last_save_time: Math.floor(saves.lastMs / 1000),
    rdb_last_bgsave_status: saves.hasFailed ? 'err' : 'ok',
    rdb_last_bgsave_time_sec: -1,
    rdb_current_bgsave_time_sec: -1,
    aof_enabled: isDurable ? 1 : 0,
    aof_rewrite_in_progress: 0,
    aof_rewrite_scheduled: 0,
    aof_last_rewrite_time_sec: -1,
    aof_current_rewrite_time_sec: -1,
    aof_last_bgrewrite_status: 'ok',
    aof_last_write_status: store.writeFailure === '' ? 'ok' : 'err',
    aof_current_size: store.logBytes,
    aof_base_size: 0,
    aof_pending_bio_fsync: 0,
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
  const { stats, timings, channels } = server
  const { denied } = server.access
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
    sync_full: 0,
    sync_partial_ok: 0,
    sync_partial_err: 0,
    expired_keys: store.keysExpired,
    expired_stale_perc: '0.00',
    expired_time_cap_reached_count: 0,
    evicted_keys: store.cache?.evictions ?? 0,
    evicted_clients: 0,
    keyspace_hits: stats.keyspaceHits,
    keyspace_misses: stats.keyspaceMisses,
    pubsub_channels: channels.count,
    pubsub_patterns: channels.patternCount,
    pubsubshard_channels: channels.shardCount,
    latest_fork_usec: 0,
    total_forks: 0,
    migrate_cached_sockets: 0,
    tracking_total_keys: 0,
    tracking_total_items: 0,
    tracking_total_prefixes: 0,
    unexpected_error_replies: 0,
    total_error_replies: stats.errorReplies,
    acl_access_denied_auth: denied.auth,
    acl_access_denied_cmd: denied.command,
    acl_access_denied_key: denied.key,
    acl_access_denied_channel: denied.channel,
    rate_limited_commands: denied.rate,
    total_writes_processed: stats.writes,
    turns: stats.turns,
    turns_withheld: stats.turnsWithheld,
    event_loop_lag_usec: Math.round(timings.lag.lastMicroseconds),
    write_duration_p99_usec: Math.round(timings.writes.quantile(0.99)),
  }
}

function replication({ server }: Call): Lines {
  return {
    role: 'master',
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: server.runId,
    master_replid2: '0'.repeat(40),
    master_repl_offset: 0,
    second_repl_offset: -1,
    repl_backlog_active: 0,
    repl_backlog_size: 1_048_576,
    repl_backlog_first_byte_offset: 0,
    repl_backlog_histlen: 0,
  }
}

function cpu(): Lines {
  const { user, system } = process.cpuUsage()
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const seconds = (microseconds: number): string => (microseconds / 1e6).toFixed(6)
  return {
    used_cpu_sys: seconds(system),
    used_cpu_user: seconds(user),
    used_cpu_sys_children: seconds(0),
    used_cpu_user_children: seconds(0),
    used_cpu_sys_main_thread: seconds(systemCPUTime),
    used_cpu_user_main_thread: seconds(userCPUTime),
  }
}

function keyspace({ databases }: Call): Lines {
  const lines: Lines = {}
  for (let database = 0; database < databaseCount; database++) {
    const owner = databases.ownerOf(database)
    const keys = owner.count(redisKeyspace)
    if (keys === 0) continue
    const { expires, meanTtlMs } = expiriesOf(owner, keys)
    lines[`db${database}`] = `keys=${keys},expires=${expires},avg_ttl=${meanTtlMs}`
  }
  return lines
}

/** Of a larger database some keys stand for all, so that INFO holds nobody up. */
const keysCountedMax = 1000
const keysSampled = 100

function expiriesOf(owner: Owner, keys: number): { expires: number; meanTtlMs: number } {
  const nowMs = owner.now()
  let looked = 0
  let expires = 0
  let ttlMs = 0
  for (const record of keys <= keysCountedMax ? owner.range(redisKeyspace, {}) : randomRecords(owner)) {
    looked++
    if (record.expiresAt === 0) continue
    expires++
    ttlMs += record.expiresAt - nowMs
  }
  if (expires === 0) return { expires: 0, meanTtlMs: 0 }
  const isSample = keys > keysCountedMax
  return { expires: isSample ? Math.round((expires / looked) * keys) : expires, meanTtlMs: Math.round(ttlMs / expires) }
}

function* randomRecords(owner: Owner): Iterable<RecordView> {
  for (let i = 0; i < keysSampled; i++) {
    const record = owner.random(redisKeyspace)
    if (record === undefined) return
    yield record
  }
}

function commandstats({ server }: Call): Lines {
  const lines: Lines = {}
  for (const { fullName, calls, failures, rejections, durations } of server.commands()) {
    if (calls === 0 && rejections === 0) continue
    const usecPerCall = meanOf(durations)
    const usec = Math.round(usecPerCall * calls)
    const facts = `calls=${calls},usec=${usec},usec_per_call=${usecPerCall.toFixed(2)}`
    lines[`cmdstat_${fullName}`] = `${facts},rejected_calls=${rejections},failed_calls=${failures}`
  }
  return lines
}

function meanOf(durations: Durations | undefined): number {
  return durations === undefined ? 0 : durations.sumMicroseconds / durations.count
}

function errorstats({ server }: Call): Lines {
  return Object.fromEntries([...server.stats.errors].map(([name, count]) => [`errorstat_${name}`, `count=${count}`]))
}

function latencystats({ server }: Call): Lines {
  const lines: Lines = {}
  for (const { fullName, durations } of server.commands()) {
    if (durations === undefined) continue
    const shares = [50, 99, 99.9].map((percent) => `p${percent}=${durations.quantile(percent / 100).toFixed(3)}`)
    lines[`latency_percentiles_usec_${fullName}`] = shares.join(',')
  }
  return lines
}
