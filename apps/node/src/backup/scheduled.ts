/** The backups of a running server: by the clock, to where the configuration says, told in the log. */

import { BackupSchedule, type ScheduleEvent } from '@orbitkv/backup'
import { realDisk } from '@orbitkv/runtime'
import type { Store } from 'orbitkv'
import type { Logger } from '../serve/log.ts'
import { openVault, type PlaceOptions, scheduleConfig } from './place.ts'

export interface ScheduledOptions extends PlaceOptions {
  readonly store: Store
  readonly logger: Logger
}

/** Starts them, or does nothing where no target is set. The caller stops what it is given. */
export async function startBackups(options: ScheduledOptions): Promise<{ stop(): Promise<void> } | undefined> {
  const { config, clock, store, logger } = options
  if (config.text('backup.target') === '') return undefined
  if (config.text('persistence.backend') === 'memory') {
    logger.tell('warn', 'a store in memory has no files: nothing is backed up')
    return undefined
  }
  const vault = await openVault(options, '--to')
  const schedule = new BackupSchedule({
    source: store,
    vault,
    disk: realDisk(),
    clock,
    config: scheduleConfig(config),
    tell: (event) => tell(logger, event),
  })
  schedule.start()
  logger.tell('info', 'backups', { to: vault.where })
  return {
    async stop() {
      await schedule.stop()
      vault.objects.close()
    },
  }
}

function tell(logger: Logger, event: ScheduleEvent): void {
  if (event.kind === 'failed') {
    logger.log('warn', 'a backup failed, and is tried again', event.error)
    return
  }
  if (event.kind === 'pruned') {
    const { backupsRemoved, piecesRemoved } = event
    logger.tell('info', 'old backups removed', { backups: backupsRemoved, objects: piecesRemoved })
    return
  }
  const { manifest, because } = event.report
  if (manifest === undefined) return
  const { kind, sequence, end, bytesCopied } = manifest
  // Every minute, and of no interest while it works.
  const level = kind === 'archive' ? 'debug' : 'info'
  const facts = { kind, backup: sequence, revision: end.revision, bytes: bytesCopied }
  logger.tell(level, 'backed up', because === '' ? facts : { ...facts, because })
}
