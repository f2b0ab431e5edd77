/** Figures of money: what each part costs a month, and what that is for a year, an operation and a stored GB. */

import type { FigureSpec } from '../model/graph.ts'

export const costFigures: readonly FigureSpec[] = [
  {
    id: 'cost.discount',
    unit: '1',
    label: 'off the price of the machines',
    formula: 'cost.spot_share * cost.spot_discount + cost.reserved_share * cost.reserved_discount',
  },
  {
    id: 'cost.compute_month',
    unit: '$/month',
    label: 'machines',
    formula: 'nodes.all_regions * node.dollars_per_month * (1 - cost.discount)',
  },
  {
    id: 'cost.plain_storage_month',
    unit: '$/month',
    label: 'disk, without tiers',
    formula:
      'storage.total_bytes / 1e9 [B/GB] * cost.storage_per_gb * (1 + regions.others * regions.nodes_share) + cost.storage_flat',
  },
  {
    id: 'cost.hot_month',
    unit: '$/month',
    label: 'hot tier',
    formula: 'storage.raw_bytes / 1e9 [B/GB] * tiers.hot_share * cost.hot_per_gb',
  },
  {
    id: 'cost.warm_month',
    unit: '$/month',
    label: 'warm tier',
    formula: 'storage.raw_bytes / 1e9 [B/GB] * tiers.warm_share * cost.warm_per_gb',
  },
  {
    id: 'cost.cold_month',
    unit: '$/month',
    label: 'cold tier',
    formula: 'storage.raw_bytes / 1e9 [B/GB] * tiers.cold_share * cost.cold_per_gb',
  },
  {
    id: 'cost.tiers_month',
    unit: '$/month',
    label: 'all tiers',
    formula: 'cost.hot_month + cost.warm_month + cost.cold_month',
  },
  {
    id: 'cost.storage_month',
    unit: '$/month',
    label: 'disk and tiers',
    formula: 'cost.plain_storage_month * (1 - tiers.share) + cost.tiers_month * tiers.share',
  },
  {
    id: 'cost.network_month',
    unit: '$/month',
    label: 'network',
    formula: 'network.billed_per_month / 1e9 [B/GB] * cost.network_per_gb + cost.network_flat',
  },
  {
    id: 'cost.regions_month',
    unit: '$/month',
    label: 'traffic to other regions',
    formula: 'network.regions_per_day * 30 [day/month] / 1e9 [B/GB] * cost.regions_per_gb',
  },
  {
    id: 'cost.backup_month',
    unit: '$/month',
    label: 'backups',
    formula: 'backup.stored_bytes / 1e9 [B/GB] * cost.backup_per_gb',
  },
  {
    id: 'cost.archive_month',
    unit: '$/month',
    label: 'archive',
    formula: 'storage.archive_bytes / 1e9 [B/GB] * cost.archive_per_gb',
  },
  {
    id: 'cost.infrastructure_month',
    unit: '$/month',
    label: 'infrastructure',
    formula:
      'cost.compute_month + cost.storage_month + cost.network_month + cost.regions_month + cost.backup_month + cost.archive_month + cost.load_balancers',
  },
  { id: 'cost.people_month', unit: '$/month', label: 'people', formula: 'cost.engineers * cost.engineer_dollars' },
  {
    id: 'cost.operations_month',
    unit: '$/month',
    label: 'running it',
    formula: 'cost.monitoring + cost.support + cost.people_month',
  },
  {
    id: 'cost.month_total',
    unit: '$/month',
    label: 'a month',
    formula: 'cost.infrastructure_month + cost.operations_month',
  },
  { id: 'cost.year_total', unit: '$/year', label: 'a year', formula: 'cost.month_total * 12 [month/year]' },
  { id: 'cost.three_years_total', unit: '$', label: 'three years', formula: 'cost.year_total * 3 [year]' },
  { id: 'cost.per_operation', unit: '$/op', label: 'an operation', formula: 'cost.month_total / operations.per_month' },
  {
    id: 'cost.per_stored_gb',
    unit: '$/GB/month',
    label: 'a stored GB and month',
    formula: 'cost.month_total / (storage.total_bytes / 1e9 [B/GB])',
  },
]
