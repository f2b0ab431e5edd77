/** Errors of backup and restore; documented in docs/errors.md. Those of the object store and of the disk pass through. */

import { defineErrors } from '@orbitkv/base'

export const backupErrors = defineErrors('backup', {
  bad_key: { retry: 'no', text: 'the key for encryption is not 32 bytes, as 64 hexadecimal digits or as base64' },
  needs_key: { retry: 'no', text: '{object} in {where} is encrypted; give the key with which it was made' },
  wrong_key: {
    retry: 'no',
    text: '{object} in {where} cannot be decrypted: the key is another one, or the bytes are damaged',
  },
  not_encrypted: { retry: 'no', text: '{object} in {where} is not encrypted, and a key was given' },
  newer_format: {
    retry: 'no',
    text: '{object} in {where} has format {found}, this version reads up to {known}; use a newer OrbitKV',
  },
  damaged: { retry: 'no', text: '{object} in {where} is damaged: {problem}; run `orbit backup verify`' },
  missing: {
    retry: 'no',
    text: 'of {file} bytes {from} to {to} are in no backup in {where}; restore to another moment',
  },
  none: { retry: 'no', text: 'there is no backup in {where}' },
  no_such_store: { retry: 'no', text: 'there is no backup of the store {store} in {where}; it has {stores}' },
  which_store: { retry: 'no', text: '{where} has backups of several stores, {stores}; say which' },
  not_covered: {
    retry: 'no',
    text: '{asked} cannot be restored from {where}, which has {ranges}',
  },
  not_empty: { retry: 'no', text: '{path} holds {found}; restore to a new or an empty folder' },
  no_room: { retry: 'later', text: 'restoring takes {needBytes} bytes and {path} has {freeBytes} free' },
  conflict: {
    retry: 'now',
    text: 'another backup of this store to {where} ended meanwhile, as number {sequence}; nothing was changed',
  },
  stopped: { retry: 'later', text: 'the backup was stopped; what it copied will be used by the next one' },
  source_damaged: {
    retry: 'no',
    text: '{file} is damaged at byte {offset}: {problem}; it was not backed up, earlier backups stand: run `orbit verify`, then restore or repair',
  },
  source_short: { retry: 'no', text: '{file} ends at byte {offset}, before its {bytes} bytes; run `orbit verify`' },
})
