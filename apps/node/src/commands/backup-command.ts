/** The commands `orbit backup` and `orbit restore`, as data (see catalogue.ts); what they do is in backup.ts and restore.ts. */

import type { Command, Flag } from '../args/command.ts'
import { commonFlags, dataFlag } from './flags.ts'

const targets =
  'A folder, or s3://BUCKET/PREFIX; settings of [persistence.s3] may follow, as in ?endpoint=http://127.0.0.1:9000.'

const targetFlag = (name: string): Flag => ({
  name,
  kind: 'text',
  value: 'TARGET',
  configKey: 'backup.target',
  completes: 'folder',
  help: targets,
})

const keyFileFlag: Flag = {
  name: 'key-file',
  kind: 'text',
  value: 'FILE',
  configKey: 'backup.key_file',
  completes: 'file',
  help: 'A file with the key of encrypted backups, 32 bytes as 64 hexadecimal digits or base64; ORBIT_BACKUP_KEY may hold the key itself.',
}

const storeFlag: Flag = {
  name: 'store',
  kind: 'text',
  value: 'ID',
  help: 'Which store, where the target has backups of several; `orbit backup list` shows them.',
}

export const backupCommand: Command = {
  name: 'backup',
  summary: 'back a store up, and look after its backups',
  description: [
    'Without an action, or with `now`, copies the store in a folder: everything the first time and with --full, and else what is new since the last backup. `list` shows what there is, `verify` reads every byte of it and names what is damaged or missing, `prune` removes what no moment within --keep needs.',
    'A running server has its folder to itself, and makes its backups by itself: set backup.target in orbit.toml.',
    'With a key, objects are encrypted (AES-256-GCM) before they leave. Without that key they are lost: keep it elsewhere.',
  ],
  operands: [
    {
      name: 'ACTION',
      help: 'What to do; now if it is left out.',
      required: false,
      choices: ['now', 'list', 'verify', 'prune'],
    },
  ],
  flags: [
    dataFlag,
    targetFlag('to'),
    { name: 'full', kind: 'switch', help: 'Copies everything anew, leaning on no earlier backup.' },
    {
      name: 'rate',
      kind: 'bytes',
      value: 'BYTES',
      configKey: 'backup.bytes_per_second',
      help: 'Copies at most so much a second, such as 50MiB.',
    },
    {
      name: 'keep',
      kind: 'duration',
      value: 'TIME',
      default: '30d',
      configKey: 'backup.keep',
      help: '`prune`: any moment of this time stays restorable.',
    },
    keyFileFlag,
    storeFlag,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit backup --to /mnt/backup', does: 'the folder ./data; run it again for what is new' },
    { line: 'orbit backup --data /var/lib/orbit --to s3://bucket/orbit', does: 'to S3' },
    { line: 'orbit backup list --to /mnt/backup', does: 'what there is' },
    { line: 'orbit backup verify --to /mnt/backup --json', does: 'for a weekly job' },
    { line: 'orbit backup prune --to /mnt/backup --keep 14d', does: 'two weeks are enough' },
  ],
  exits: ['store', 'damage', 'network'],
  drains: true,
}

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'make a store of a backup, as it was at any moment',
  description: [
    'Makes the store anew in a folder that is empty or not there, as it was at a revision or at a time, or as it last was. What was copied is checked on the way, and the store is opened once at the end.',
    'The new store has an id of its own, and its revisions go on a thousand million above all that the backups know, so that no client sees them go back. It begins its own backups, also at the same target.',
    'A restore that was interrupted leaves a folder that is no store: run it again.',
  ],
  operands: [],
  flags: [
    targetFlag('from'),
    dataFlag,
    {
      name: 'at',
      kind: 'text',
      value: 'TIME|REVISION',
      default: 'the newest state',
      help: 'A time as 2026-11-21T12:00:00Z, with its zone, or a revision as a number.',
    },
    keyFileFlag,
    storeFlag,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit restore --from /mnt/backup --data ./restored', does: 'the newest state' },
    {
      line: 'orbit restore --from s3://bucket/orbit --at 2026-11-21T11:59:00Z --data ./restored',
      does: 'as it was before the accident',
    },
  ],
  exits: ['store', 'damage', 'network'],
}
