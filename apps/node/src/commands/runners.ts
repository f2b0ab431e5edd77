/** Where each command's work is. Loaded only when the command runs, so that `orbit help` does not load a storage engine. */

import type { RunCommand } from '../context.ts'

/** `help` has no entry: run.ts answers it from the tables. */
export const runners: Readonly<Record<string, () => Promise<RunCommand>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  get: async () => (await import('./get.ts')).get,
  put: async () => (await import('./put.ts')).put,
  del: async () => (await import('./del.ts')).del,
  scan: async () => (await import('./scan.ts')).scan,
  import: async () => (await import('./import.ts')).importSource,
  export: async () => (await import('./export.ts')).exportFile,
  stats: async () => (await import('./stats.ts')).stats,
  verify: async () => (await import('./verify.ts')).verify,
  repair: async () => (await import('./repair.ts')).repair,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  compact: async () => (await import('./compact.ts')).compact,
  bench: async () => (await import('./bench.ts')).bench,
  plan: async () => (await import('./plan.ts')).plan,
  config: async () => (await import('./config.ts')).config,
  completion: async () => (await import('./completion.ts')).completion,
}
