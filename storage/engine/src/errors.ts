/** Errors that any engine may give; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

/** What a folder has whose keys are dealt out over several stores, each in a folder in it (docs/formats/shards-v1.md). */
export const shardsFileName = 'shards.json'

export const engineErrors = defineErrors('engine', {
  key_too_large: { retry: 'no', text: 'the key has {bytes} bytes, the most is {max}' },
  value_too_large: {
    retry: 'no',
    text: 'the value has {bytes} bytes, the most is {max}; split it, or raise valueBytesMax (up to 16 MiB)',
  },
  batch_too_large: { retry: 'no', text: 'the batch has {size} {unit}, the most is {max}; split it' },
  full: { retry: 'later', text: 'no space left in {path}: reads and deletes go on; free some space on its disk' },
  store_full: {
    retry: 'later',
    text: 'the store takes {bytes} bytes of the {max} of storedBytesMax (persistence.mmap.file_size_gb): reads and deletes go on; delete and compact, or set a larger one',
  },
  index_full: {
    retry: 'later',
    text: 'the index takes {bytes} bytes of the {max} of indexBytesMax (store.index_bytes_max), so no key can be added: reads, overwrites and deletes go on; delete keys, or set a larger indexBytesMax',
  },
  log_too_large: {
    retry: 'later',
    text: 'the index tells {pieces} pieces of the log apart (a segment, or 64 MiB of it), and all are in use: compact, or set a larger segmentBytes',
  },
  read_only: { retry: 'no', text: '{path} is open for reading only: {reason}' },
  poisoned: {
    retry: 'no',
    text: 'a write to {path} failed ({reason}); what was not acknowledged may be lost: close and open again',
  },
  closed: { retry: 'no', text: 'the store in {path} is closed' },
  published: { retry: 'no', text: 'position {position} is published up to {published}: it cannot be taken back' },
  compacted: { retry: 'no', text: '{what} {asked} is no longer kept; the oldest is {oldest}' },
  not_yet: { retry: 'later', text: 'revision {asked} does not exist yet; the newest is {newest}' },
  corrupt: {
    retry: 'no',
    text: '{file} is damaged at byte {offset}: {problem}; run `orbit verify`, then restore or repair',
  },
  newer_format: {
    retry: 'no',
    text: '{path} has format {found}, this version reads up to {known}; use a newer OrbitKV',
  },
  evicting: { retry: 'now', text: 'the key moved {tries} times while its pages were fetched' },
  sharded: {
    retry: 'no',
    text: '{path} holds the shards of a server with several workers and no store of its own; serve it with `orbit serve`, or name a shard of it, such as {path}/shard-000',
  },
  not_a_store: { retry: 'no', text: '{path} holds {found} and no store; name an empty or a new folder' },
  not_supported: { retry: 'no', text: 'the engine {engine} cannot {what}' },
})
