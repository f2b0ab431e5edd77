/**
 * What each exit code of `orbit` means, and which errors lead to it: the one table that the program, its help and
 * docs/operating/command-line.md are made from. A code never changes its meaning.
 */

export interface ExitCode {
  readonly code: number
  readonly name: string
  readonly means: string
  /** Error codes (`cli.not_found`) or whole areas (`disk`) that end with it. */
  readonly errors: readonly string[]
}

export const exitCodes = {
  ok: { code: 0, name: 'ok', means: 'Done.', errors: [] },
  notFound: { code: 1, name: 'not found', means: '`get`: the key has no value.', errors: ['cli.not_found'] },
  usage: {
    code: 2,
    name: 'usage',
    means: 'The command line is wrong; nothing was done.',
    errors: ['cli'],
  },
  config: {
    code: 3,
    name: 'configuration',
    means: 'The configuration is wrong; nothing was done. `orbit config check` lists every fault.',
    errors: [
      'config',
      'backup.bad_key',
      'cli.no_config_file',
      'cli.config_syntax',
      'cli.config_faults',
      'cli.no_node',
      'cli.tls_file',
      'cli.tls_clients',
      'access',
      'network.tls_unusable',
      'redis.not_loopback',
    ],
  },
  store: {
    code: 4,
    name: 'store',
    means: 'The store or the disk refused, or a server answered with an error.',
    errors: [
      'disk',
      'engine',
      'store',
      'open',
      'backup',
      'objects',
      'cli.server_error',
      'cli.no_store',
      'cli.folder_in_use',
      'cli.memory_backend',
      'cli.not_sharded',
      'cli.shards_fixed',
      'cli.too_few_shards',
      'cli.bad_shards_file',
    ],
  },
  damage: {
    code: 5,
    name: 'damage',
    means: 'Damaged data was found.',
    errors: [
      'engine.corrupt',
      'objects.corrupt',
      'backup.damaged',
      'backup.missing',
      'cli.damage_found',
      'cli.backup_damaged',
      'cli.restored_damaged',
    ],
  },
  network: {
    code: 6,
    name: 'network',
    means: 'The server cannot be reached, or the port cannot be listened on.',
    errors: [
      'network',
      'objects.unreachable',
      'objects.overloaded',
      'objects.server_failed',
      'objects.truncated',
      'redis',
      'cli.no_server',
      'cli.server_silent',
      'cli.server_left',
      'cli.not_redis',
    ],
  },
  input: {
    code: 7,
    name: 'input',
    means:
      'A file or another source that was read or written is not as it must be (`import`, `export`, `plan`), or the inputs of a plan are not.',
    errors: [
      'simulation',
      'cli.bad_record',
      'cli.bad_entry',
      'cli.not_that_source',
      'cli.source_in_use',
      'cli.source_failed',
      'cli.no_such_database',
      'cli.source_answer',
      'cli.source_password',
      'cli.source_cluster',
      'cli.source_emptied',
      'cli.source_still_written',
      'cli.target_not_empty',
      'cli.file_missing',
      'cli.file_exists',
      'cli.file_changed',
      'cli.file_failed',
      'cli.not_utf8_file',
      'cli.import_options_changed',
      'cli.plan_faults',
      'cli.plan_syntax',
      'cli.plan_exists',
      'cli.plan_unfinished',
    ],
  },
  internal: {
    code: 70,
    name: 'internal',
    means: 'A fault of OrbitKV itself; please report it.',
    errors: ['base', 'chart', 'cli.internal', 'cli.worker_died'],
  },
  interrupted: { code: 130, name: 'interrupted', means: 'Stopped by Ctrl-C (SIGINT).', errors: ['cli.interrupted'] },
  outputClosed: {
    code: 141,
    name: 'output closed',
    means: 'Whoever read our output stopped reading (`orbit scan | head`); as a shell reports SIGPIPE.',
    errors: ['cli.output_closed'],
  },
  terminated: {
    code: 143,
    name: 'terminated',
    means: 'Stopped by SIGTERM, or by the end of the terminal.',
    errors: ['cli.terminated'],
  },
} as const satisfies Record<string, ExitCode>

export type ExitName = keyof typeof exitCodes

const byError = new Map<string, number>(
  Object.values<ExitCode>(exitCodes).flatMap(({ code, errors }) => errors.map((error) => [error, code] as const)),
)

/** The exit code for an error's code: its own entry, else its area's, else internal. */
export function exitCodeOf(errorCode: string | undefined): number {
  if (errorCode === undefined) return exitCodes.internal.code
  return byError.get(errorCode) ?? byError.get(errorCode.split('.', 1)[0] as string) ?? exitCodes.internal.code
}
