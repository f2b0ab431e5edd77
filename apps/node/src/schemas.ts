/**
 * What each command writes with --json: one table, from which docs/operating/json.md is made and which the tests hold
 * every document against. Fields are only ever added; one that is there keeps its name, type and meaning.
 */

import { assert } from '@orbitkv/base'

export interface Field {
  readonly type: 'text' | 'number' | 'boolean' | 'bytes' | 'any' | 'object' | 'list'
  readonly means: string
  /** May be missing. */
  readonly optional?: boolean
  /** May be null. */
  readonly nullable?: boolean
  /** Of an object, or of each item of a list; absent: anything. */
  readonly fields?: Fields
}

export type Fields = Readonly<Record<string, Field>>

export interface Schema {
  /** The command, or what writes it. */
  readonly name: string
  readonly where: string
  readonly fields: Fields
}

const text = (means: string): Field => ({ type: 'text', means })
const number = (means: string): Field => ({ type: 'number', means })
const boolean = (means: string): Field => ({ type: 'boolean', means })
/** Text where the bytes are UTF-8, else {"base64": "…"}. */
const bytes = (means: string): Field => ({ type: 'bytes', means })
const object = (means: string, fields?: Fields): Field => ({
  type: 'object',
  means,
  ...(fields === undefined ? {} : { fields }),
})
const list = (means: string, fields: Fields): Field => ({ type: 'list', means, fields })
const optional = (field: Field): Field => ({ ...field, optional: true })
const nullable = (field: Field): Field => ({ ...field, nullable: true })

const transfer = {
  file: text('The file, as the command line names it.'),
  target: text('The folder or the address of the server.'),
  finished: boolean('False when it was interrupted.'),
  records: number('Records of the file so far, those of earlier runs included.'),
  resumed_at: number('Records that earlier runs had done.'),
  seconds: number('Time that this run took.'),
}

const backupFields = {
  store: text('Id of the store.'),
  backup: number('Its number; those of a store ascend.'),
  kind: text('full, incremental or archive.'),
  finishedAt: text('When it ended.'),
  revision: number('The newest state that it has.'),
  time: nullable(text('When that state came about; null where nothing had been written.')),
  oldestRevision: number('The oldest state that can be restored from it.'),
  bytesCopied: number('Bytes of files that it copied.'),
  bytesTotal: number('Bytes of all files of the store then.'),
}

export const schemas = {
  version: {
    name: '--version',
    where: 'standard output, one document',
    fields: { version: text('Of OrbitKV.'), node: text('Of Node.') },
  },
  serve: {
    name: 'serve',
    where: 'standard output, one document once it listens; log lines are on standard error (--log-format json)',
    fields: {
      version: text('Of OrbitKV.'),
      pid: number('Id of the server process.'),
      redis: object('Where the Redis protocol is spoken.', {
        host: text('Address.'),
        port: number('Port.'),
        url: text('What --url takes.'),
        tls_port: nullable(number('Port for TLS; null where there is none.')),
      }),
      metrics: nullable(text('Where the metrics for Prometheus are; null where there are none.')),
      data: nullable(text('The folder; null with the backend memory.')),
      backend: text('mmap or memory.'),
      durability: text('always, interval or none.'),
      shards: optional(number('Of a server with workers: into how many parts its keys are dealt out.')),
      workers: optional(list('Of a server with workers: each of them.', { port: number('Its own port.') })),
    },
  },
  log: {
    name: 'serve --log-format json',
    where: 'standard error, a document a line; facts of the event stand beside these fields',
    fields: {
      time: text('ISO 8601, UTC.'),
      level: text('debug, info, warn or error.'),
      message: text('What happened.'),
    },
  },
  get: {
    name: 'get',
    where: 'standard output, one document',
    fields: {
      key: bytes('The key.'),
      found: boolean('Whether it has a value.'),
      value: optional(bytes('The value, if it has one.')),
    },
  },
  put: {
    name: 'put',
    where: 'standard output, one document',
    fields: {
      key: bytes('The key.'),
      bytes: number('Size of the value.'),
      revision: optional(number('The revision of the write; of a folder only.')),
    },
  },
  del: {
    name: 'del',
    where: 'standard output, one document',
    fields: {
      deleted: number('Keys that were there.'),
      keys: list('Each key of the command line, in its order.', {
        key: bytes('The key.'),
        deleted: boolean('Whether it was there.'),
      }),
    },
  },
  scan: {
    name: 'scan',
    where: 'standard output, a document a line',
    fields: { key: bytes('The key.'), value: optional(bytes('The value; not with --keys-only.')) },
  },
  import: {
    name: 'import',
    where: 'standard output, one document at the end',
    fields: {
      ...transfer,
      stored: number('Records that were stored, those of earlier runs included; so are the next three.'),
      replaced: number(
        'Of these, records that took the place of an earlier value. After a resumption, at least so many.',
      ),
      rejected: number('Records passed over by --on-error skip.'),
      expired: number('Records left out because their expires_at had passed.'),
      rejects_file: nullable(text('Where the rejected records are; null if there are none.')),
      verified: optional(number('Of a Redis: keys that were compared at the end and are on both sides.')),
      mended: optional(
        number('Of a Redis: keys that differed in the last comparison and were brought over again; 0: both are equal.'),
      ),
      followed: optional(number('Of a Redis: changes that were brought over after the copy.')),
      followed_by: optional(
        nullable(text('Of a Redis: events or comparisons, by which it was followed; null without --follow.')),
      ),
    },
  },
  reject: {
    name: 'import --on-error skip',
    where: 'the file of rejects, a document a line',
    fields: {
      file: text('The imported file.'),
      line: number('From 1 on.'),
      column: number('Characters, from 1 on.'),
      problem: text('What is wrong.'),
      record: text('The record as it stands in the file.'),
    },
  },
  rejectedKey: {
    name: 'import --on-error skip, of a folder or a Redis',
    where: 'the file of rejects, a document a line',
    fields: {
      file: text('The source, as the command line names it.'),
      key: bytes('The key that was passed over.'),
      problem: text('What is wrong.'),
    },
  },
  export: {
    name: 'export',
    where: 'standard output, one document at the end; standard error where the records go to standard output',
    fields: {
      ...transfer,
      format: text('csv, ndjson or parquet.'),
      left_out: number('Keys without a plain value (collections of Redis), or deleted before they were read.'),
    },
  },
  record: {
    name: 'export --format ndjson',
    where: 'the file, a document a line; import reads it back',
    fields: {
      key: bytes('The key.'),
      value: bytes('The value.'),
      expires_at: optional(number('Milliseconds since 1970.')),
    },
  },
  stats: {
    name: 'stats',
    where: 'standard output, one document',
    fields: {
      target: text('The folder or the address of the server.'),
      stats: object(
        'Of a folder the fields of `StoreStats`; of a server the sections of INFO, each an object of texts. More may come.',
      ),
    },
  },
  verify: {
    name: 'verify',
    where: 'standard output, one document',
    fields: {
      path: text('The folder.'),
      ok: boolean('Whether everything is sound.'),
      faults: list('Damaged places.', {
        file: text('The file.'),
        offset: number('Bytes from its start.'),
        problem: text('What is wrong.'),
      }),
      batchesChecked: number('Batches read.'),
      recordsChecked: number('Records read.'),
      bytesChecked: number('Bytes read.'),
    },
  },
  repair: {
    name: 'repair',
    where: 'standard output, one document',
    fields: {
      path: text('The folder.'),
      ok: boolean('Whether it was sound, so that nothing was done.'),
      repaired: optional(text('The folder of the sound store that was made.')),
      faults: list('Damaged places.', {
        file: text('The file.'),
        offset: number('Bytes from its start.'),
        problem: text('What is wrong.'),
      }),
      lost: list('Stretches of files that could not be saved.', {
        file: text('The file.'),
        offset: number('Bytes from its start.'),
        bytes: number('How many.'),
        positions: optional(
          object('Of the log: the batches that stood there.', {
            first: number('Position of the first.'),
            last: number('Position of the last.'),
          }),
        ),
        recordsSaved: optional(number('Records of these batches that were saved all the same.')),
        records: optional(number('Of a sorted segment that is gone: its records.')),
        keyAfter: optional(bytes('Of a sorted segment: lost keys come after this one.')),
        keyBefore: optional(bytes('Of a sorted segment: lost keys come before this one.')),
      }),
      batchesKept: number('Batches of the log that are whole.'),
      recordsKept: number('Records of the log and of sorted segments.'),
    },
  },
  compact: {
    name: 'compact',
    where: 'standard output, one document',
    fields: {
      path: text('The folder.'),
      bytesBefore: number('Bytes of records before.'),
      bytesAfter: number('Bytes of records now.'),
    },
  },
  backup: {
    name: 'backup',
    where: 'standard output, one document',
    fields: { path: text('The folder.'), target: text('Where it was backed up to.'), ...backupFields },
  },
  backupList: {
    name: 'backup list',
    where: 'standard output, one document',
    fields: { target: text('Where the backups are.'), backups: list('In their order, store by store.', backupFields) },
  },
  backupVerify: {
    name: 'backup verify',
    where: 'standard output, one document; exit code 5 where there are faults',
    fields: {
      target: text('Where the backups are.'),
      store: text('Id of the store.'),
      ok: boolean('Whether nothing is damaged or missing.'),
      faults: list('What is.', {
        object: text('The object, or the backup that misses something.'),
        file: text('The file of the store that it has a part of; empty for what is no part of one.'),
        problem: text('What is wrong.'),
      }),
      backupsChecked: number('Backups.'),
      piecesChecked: number('Objects.'),
      bytesChecked: number('Bytes of objects.'),
    },
  },
  backupPrune: {
    name: 'backup prune',
    where: 'standard output, one document',
    fields: {
      target: text('Where the backups are.'),
      store: text('Id of the store.'),
      backupsRemoved: number('Backups that no kept moment needed.'),
      piecesRemoved: number('Objects that no kept backup needed.'),
      backupsKept: number('Backups that are left.'),
    },
  },
  restore: {
    name: 'restore',
    where: 'standard output, one document',
    fields: {
      path: text('The folder.'),
      target: text('Where the backups are.'),
      from: text('Id of the store that was backed up.'),
      store: text('Id of the new store.'),
      revision: number('The state that was restored.'),
      time: nullable(text('When that state came about; null where nothing had been written.')),
      revisionNext: number('The revision that the new store goes on from.'),
      keys: number('Keys in it.'),
      bytes: number('Bytes of files.'),
      files: number('Files.'),
      seconds: number('Time that it took, opening included.'),
    },
  },
  bench: {
    name: 'bench',
    where: 'standard output, one document at the end',
    fields: {
      version: text('Of OrbitKV.'),
      machine: object('Where it ran.', {
        cores: number('Processors that the system shows.'),
        processor: text('Model of the first.'),
        memory_bytes: number('Memory of the machine.'),
        platform: text('System and architecture, such as linux-x64.'),
        node: text('Version of Node.'),
      }),
      settings: object('What was measured.', {
        keys: number('Keys in the store.'),
        value_bytes: number('Size of each value.'),
        seconds: number('Time for each measurement, at most.'),
        seed: number('Seed of keys and values.'),
        backend: text('mmap or memory.'),
        path: text('Folder of the store, or the one its temporary folder was in.'),
      }),
      results: list('One for each measurement, in the order they ran.', {
        name: text('put_batch, put, put_durable, put_durable_100, get, view or range_100.'),
        does: text('What one operation is.'),
        operations: number('How many ran.'),
        seconds: number('In what time.'),
        operations_per_second: number('The rate.'),
        p50_microseconds: number('Half of the operations took at most this long; for put_batch a batch is timed.'),
        p99_microseconds: number('99 in 100 took at most this long.'),
        p999_microseconds: number('999 in 1,000 took at most this long.'),
      }),
    },
  },
  plan: {
    name: 'plan',
    where: 'standard output, one document; numbers are in the unit that stands beside them, null where there is no end',
    fields: {
      version: text('Of OrbitKV.'),
      title: text('Of the plan; empty if it has none.'),
      node_kind: text('Kind of the machines.'),
      backend: text('mmap, lsm, rocksdb or objects.'),
      binding: { type: 'any', means: 'Names of the limits that ask for the most machines, a list of texts.' },
      inputs: object('Every input by its id: value, unit, and origin (file, flag, default, kind or backend).'),
      figures: object(
        'Every figure by its id: value, unit, text for people, label, formula, with_numbers (the formula with its numbers), and inputs (ids that it reads). Ids are listed in planner.md.',
      ),
      notes: list('What to know about the plan.', {
        about: text('The figure or input.'),
        text: text('What about it.'),
      }),
      scenarios: list('The plan with inputs changed: on demand, reserved, spot, tiered, and those of the file.', {
        name: text('The scenario.'),
        figures: object('Values by the ids of figures.'),
      }),
      growth: list('The plan in the years to come.', {
        year: number('Years from the plan on; 0 is the plan itself.'),
        binding: { type: 'any', means: 'As above, in that year.' },
        figures: object('Values by the ids of figures.'),
      }),
      headroom: object('When the machines of the plan no longer do.', {
        days: nullable(number('Days from the plan on; null if never.')),
        binding: { type: 'any', means: 'The limits that are passed then.' },
      }),
      varied: optional(
        object('With --vary.', {
          input: text('Id of the input.'),
          points: list('One for each value, in order.', {
            value: number('Of the input.'),
            figures: object('Values by the ids of figures.'),
          }),
        }),
      ),
      simulation: optional(
        object('With --simulate, for a year. Estimates have value, low and high (95%), and method.', {
          seed: number('Of chance.'),
          target: number('The availability that is asked for.'),
          partition_reads: object('Availability of reads of any key, with the verdict: holds, fails or undecided.'),
          partition_writes: object('The same of writes.'),
          cluster_reads: object('Availability of all keys at once, for reads.'),
          cluster_writes: object('The same for writes.'),
          partition_loss: object('Probability that a given partition is lost.'),
          cluster_loss: object('Probability that any data is lost.'),
          partition_loss_by_formula: number('The closed formula for a given partition, to compare.'),
        }),
      ),
    },
  },
  config: {
    name: 'config check, config show',
    where: 'standard output, one document; with faults too',
    fields: {
      ok: boolean('Whether there are no faults.'),
      file: nullable(text('The file that was read; null if there is none.')),
      faults: list('What is wrong.', {
        key: text('The key, or what was written in its place.'),
        value: nullable({ type: 'any', means: 'What was given.' }),
        origin: text('File and line, variable or flag.'),
        fault: text('What is wrong and what would be right.'),
      }),
      notes: list('Keys that are set and that this version does not act upon.', {
        key: text('The key.'),
        origin: text('File and line, variable or flag.'),
        note: text('What it waits for.'),
      }),
      values: list('Every key.', {
        key: text('The key.'),
        value: { type: 'any', means: 'The effective value; bytes and milliseconds as numbers.' },
        origin: text('File and line, variable, flag, or "default".'),
        variable: text('The variable that sets it.'),
        acts: boolean('Whether this version acts upon it.'),
      }),
    },
  },
  error: {
    name: 'any command that fails',
    where: 'standard error, one document as the last line; the exit code is as without --json',
    fields: {
      error: object('What went wrong.', {
        code: text('Stable; see docs/errors.md.'),
        message: text('For people, with the way out.'),
        retry: text('Whether trying again can help: no, later (once something has changed) or now.'),
        exit: number('The exit code.'),
      }),
    },
  },
} as const satisfies Record<string, Schema>

/** Where a document differs from its schema; empty where it does not. Unknown fields are differences too, unless `open`. */
export function differences(document: unknown, fields: Fields, open = false, path = ''): string[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return [`${path === '' ? 'the document' : path} is no object`]
  const found = document as Record<string, unknown>
  const unknown = open ? [] : Object.keys(found).filter((name) => !Object.hasOwn(fields, name))
  return [
    ...unknown.map((name) => `${path}${name} is not in the schema`),
    ...Object.entries(fields).flatMap(([name, field]) => fieldDifferences(found[name], field, `${path}${name}`)),
  ]
}

function fieldDifferences(value: unknown, field: Field, path: string): string[] {
  if (value === undefined) return field.optional === true ? [] : [`${path} is missing`]
  if (value === null) return field.nullable === true ? [] : [`${path} is null`]
  switch (field.type) {
    case 'any':
      return []
    case 'text':
      return typeof value === 'string' ? [] : [`${path} is no text`]
    case 'number':
    case 'boolean':
      return typeof value === field.type ? [] : [`${path} is no ${field.type}`]
    case 'bytes':
      return typeof value === 'string' || typeof (value as { base64?: unknown }).base64 === 'string'
        ? []
        : [`${path} is neither text nor base64`]
    case 'object':
      return differences(value, field.fields ?? {}, field.fields === undefined, `${path}.`)
    case 'list': {
      assert(field.fields !== undefined, 'the items of a list are described')
      const { fields } = field
      return Array.isArray(value)
        ? value.flatMap((item, index) => differences(item, fields, false, `${path}[${index}].`))
        : [`${path} is no list`]
    }
  }
}
