/** Figures of failures and upgrades: how often, how long to mend, what is lost at worst, and what the backups take. */

import type { FigureSpec } from '../model/graph.ts'

export const backupFigures: readonly FigureSpec[] = [
  {
    id: 'backup.full_bytes',
    unit: 'B',
    label: 'a full backup',
    formula: 'storage.stored_bytes * (1 + storage.metadata_share) * backup.copies',
  },
  {
    id: 'backup.incremental_per_day',
    unit: 'B/day',
    label: 'incremental backups in a day',
    formula: 'storage.written_per_day * backup.incremental_share',
  },
  {
    id: 'backup.fulls_bytes',
    unit: 'B',
    label: 'full backups that are kept',
    formula: 'backup.full_bytes * backup.retention_days / backup.full_interval_days',
  },
  {
    id: 'backup.incrementals_bytes',
    unit: 'B',
    label: 'incremental backups that are kept',
    formula: 'backup.incremental_per_day * backup.retention_days',
  },
  {
    id: 'backup.stored_bytes',
    unit: 'B',
    label: 'stored for backups',
    formula: '(backup.fulls_bytes + backup.incrementals_bytes) * backup.stored_share',
  },
]

export const recoveryFigures: readonly FigureSpec[] = [
  {
    id: 'recovery.failures_per_month',
    unit: 'failure/month',
    label: 'failures of machines a month',
    formula: 'nodes.chosen * node.failures_per_month',
  },
  {
    id: 'recovery.lasting_failures_per_month',
    unit: 'failure/month',
    label: 'of these, with the data gone',
    formula: 'recovery.failures_per_month * node.lasting_share',
  },
  {
    id: 'recovery.helpers',
    unit: 'node',
    label: 'machines that take in what a lost one held',
    // A machine is in scatter width / (copies - 1) copysets, and each of them finds one machine.
    formula:
      'max(1 [node], min(nodes.chosen - 1 [node], either(ceil(placement.scatter_width / max(1, storage.replicas - 1)), nodes.chosen - 1 [node])))',
  },
  {
    id: 'recovery.rereplication_seconds',
    unit: 's',
    label: "until a lost node's data has all its copies again",
    formula: 'storage.per_node_bytes * 1 [node] / (recovery.helpers * recovery.copy_bandwidth)',
  },
  {
    id: 'recovery.rebalance_seconds',
    unit: 's',
    label: 'until a new node has its part',
    formula: 'storage.per_node_bytes / recovery.copy_bandwidth',
  },
  {
    id: 'recovery.replay_seconds',
    unit: 's',
    label: 'until a restarted node has replayed its log',
    formula: 'storage.log_per_node_bytes / recovery.replay_bandwidth',
  },
  {
    id: 'recovery.restart_seconds',
    unit: 's',
    label: 'until a failed node serves again with its data',
    formula: 'node.restart_seconds + recovery.replay_seconds',
  },
  {
    id: 'recovery.reload_seconds',
    unit: 's',
    label: 'the same, if it had to replay all its data',
    formula: 'storage.per_node_bytes / recovery.replay_bandwidth',
  },
  {
    id: 'recovery.restore_seconds',
    unit: 's',
    label: 'until all is restored from the backup',
    formula: 'backup.full_bytes / (nodes.chosen * recovery.restore_bandwidth)',
  },
  {
    id: 'recovery.rpo_seconds',
    unit: 's',
    label: 'lost at worst with the region (RPO)',
    formula: 'min(backup.incremental_interval_seconds, backup.log_archive_interval_seconds)',
  },
  {
    id: 'recovery.rto_node_seconds',
    unit: 's',
    label: 'until a lost node is stood in for (RTO)',
    formula: 'recovery.detection_seconds + recovery.failover_seconds',
  },
  {
    id: 'recovery.rto_region_seconds',
    unit: 's',
    label: 'until another region stands in (RTO)',
    formula: 'recovery.detection_seconds + regions.failover_seconds',
  },
  {
    id: 'recovery.rto_restore_seconds',
    unit: 's',
    label: 'until a backup stands in (RTO)',
    formula: 'recovery.detection_seconds + recovery.restore_seconds',
  },
]

/** More than half. */
const majority = 'ceil((storage.replicas + 1) / 2)'

export const serviceFigures: readonly FigureSpec[] = [
  {
    id: 'consistency.reads_wait_for',
    unit: '1',
    label: 'copies that a read waits for (R)',
    formula: `either(consistency.read_copies, ${majority})`,
  },
  {
    id: 'consistency.writes_wait_for',
    unit: '1',
    label: 'copies that a write waits for (W)',
    formula: `either(consistency.write_copies, ${majority})`,
  },
  {
    id: 'consistency.reads_survive',
    unit: '1',
    label: 'copies that may be away while reads go on',
    formula: 'storage.replicas - consistency.reads_wait_for',
  },
  {
    id: 'consistency.writes_survive',
    unit: '1',
    label: 'copies that may be away while writes go on',
    formula: 'storage.replicas - consistency.writes_wait_for',
  },
  {
    id: 'upgrades.total_seconds',
    unit: 's/upgrade',
    label: 'a rolling upgrade takes',
    formula: 'ceil(nodes.chosen / upgrades.nodes_at_once) * upgrades.restart_seconds',
  },
  {
    id: 'upgrades.time_share',
    unit: '1',
    label: 'of the time, upgrading',
    formula: 'upgrades.total_seconds * upgrades.per_year / (365 [day/year] * 86400 [s/day])',
  },
  {
    id: 'simulation.failures',
    unit: 'failure',
    label: 'failures of machines to be expected in the simulation, without growth',
    formula: 'recovery.failures_per_month / 30 [day/month] * simulation.days',
  },
]
