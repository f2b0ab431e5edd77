/** Backup and restore of stores: what they do, their settings and errors. */

export { type BackupOptions, type BackupReport, type BackupSource, backUp } from './backup.ts'
export { Chain } from './chain.ts'
export { parseKey } from './cipher.ts'
export { type BackupConfig, backupConfig } from './config.ts'
export { backupErrors } from './errors.ts'
export { type BackupKind, isComplete, type Manifest } from './manifest.ts'
export type { Moment } from './plan.ts'
export { type PruneOptions, type PruneReport, pruneBackups } from './prune.ts'
export { pickStore, type RestoreOptions, type RestoreReport, restore } from './restore.ts'
export { BackupSchedule, type ScheduleEvent, type ScheduleOptions, type ScheduleSource } from './schedule.ts'
export { Vault, type VaultOptions } from './vault.ts'
export { type BackupFault, type BackupVerifyReport, verifyBackups } from './verify.ts'
