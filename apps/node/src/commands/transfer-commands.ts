/** `orbit import` and `orbit export` as data; catalogue.ts lists them. */

import type { Command, Flag } from '../args/command.ts'
import { exportFormats, importFormats } from '../transfer/format.ts'
import { commonFlags, durabilityFlag, encodingFlags, rangeFlags, targetFlags } from './flags.ts'

const importFormatFlag: Flag = {
  name: 'format',
  kind: 'choice',
  value: 'FORMAT',
  choices: importFormats,
  default: 'by the name (.csv; .ndjson and .jsonl; .mdb; redis://), or by what is in the folder',
  help: 'What the source is.',
}

const exportFormatFlag: Flag = {
  name: 'format',
  kind: 'choice',
  value: 'FORMAT',
  choices: exportFormats,
  default: 'by the name: .csv, .ndjson and .jsonl, or .parquet',
  help: 'What the file holds.',
}

export const importCommand: Command = {
  name: 'import',
  summary: 'load a file, a LevelDB or LMDB folder, or a running Redis',
  description: [
    'Reads a file and stores its records, 1,000 or 1 MiB a batch. CSV has a header line that names the columns; NDJSON has one JSON object a line. What `orbit export` wrote is taken as it is. In any other file --key names the column (or columns, or fields) that make the key, and the value is the whole record as a JSON object unless --value names a column.',
    'An import that was interrupted, by Ctrl-C or a power cut, continues where it was acknowledged when the same command runs again: its progress is kept in the store, in the same batch as the records, under a key that begins with a zero byte and "orbit", and is removed at the end. If the file has changed in between, the import is refused.',
    'If keys repeat, the last record wins and the summary says how many were replaced; add {row}, the number of the record, to the key to keep them all.',
    'A LevelDB folder (npm install classic-level) or an LMDB environment (npm install lmdb) is read in the order of its keys, and an interrupted import goes on behind the last key; keys and values are taken as the bytes that they are. LevelDB lets only one process in, so stop the one that has it, or import a copy.',
    'Of a running Redis every key of one database is copied with its type and its time of expiry, then all of it is compared once more, and what differs is mended. With --follow changes are taken over as they happen until Ctrl-C: then stop the writers of the old server first, press Ctrl-C, and switch over once the last line says that both are equal. docs/operating/moving.md walks through it.',
  ],
  operands: [
    {
      name: 'SOURCE',
      help: 'A file, or - for standard input; a folder of LevelDB or LMDB; redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS.',
      required: true,
      completes: 'file',
    },
  ],
  flags: [
    ...targetFlags,
    durabilityFlag,
    importFormatFlag,
    {
      name: 'key',
      kind: 'text',
      value: 'COLUMN[,COLUMN...]',
      help: 'Columns that make the key, joined by the separator; {row} stands for the number of the record, in ten digits.',
    },
    {
      name: 'key-template',
      kind: 'text',
      value: 'TEXT',
      help: "The key as a text with {COLUMN} and {row} in it, such as 'order:{id}:{row}'.",
    },
    { name: 'separator', kind: 'text', value: 'TEXT', default: ':', help: 'What stands between the columns of --key.' },
    {
      name: 'value',
      kind: 'text',
      value: 'COLUMN',
      help: 'The column that is the value, in place of the whole record.',
    },
    {
      name: 'delimiter',
      kind: 'text',
      value: 'CHAR',
      default: ',',
      help: 'What separates the columns of a CSV file; tab for tabs.',
    },
    {
      name: 'on-error',
      kind: 'choice',
      value: 'ACTION',
      choices: ['stop', 'skip'],
      default: 'stop',
      help: 'What a record that is wrong leads to.',
    },
    {
      name: 'rejects',
      kind: 'text',
      value: 'FILE',
      default: 'SOURCE.rejects.ndjson',
      completes: 'file',
      help: 'Where --on-error skip writes the records passed over, each with its place and fault.',
    },
    { name: 'restart', kind: 'switch', help: 'Begins at the first record, whatever an interrupted import had done.' },
    {
      name: 'database',
      kind: 'text',
      value: 'NAME',
      help: 'The named database of an LMDB environment, in place of the main one.',
    },
    {
      name: 'follow',
      kind: 'switch',
      help: 'After the copy of a Redis, takes its changes over until Ctrl-C or SIGTERM, which cuts over.',
    },
    {
      name: 'replace',
      kind: 'switch',
      help: 'Lets the copy of a Redis go into a store that is not empty: keys that the Redis does not have are deleted.',
    },
    {
      name: 'source-password',
      kind: 'text',
      value: 'PASSWORD',
      env: 'ORBIT_SOURCE_PASSWORD',
      help: 'The password of the Redis that is copied, where it is not to stand in its address; best by the variable.',
    },
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit import users.csv --key id', does: 'each row as a JSON object under its id' },
    {
      line: "orbit import orders.csv --key-template 'order:{id}:{row}'",
      does: 'ids repeat: the row number keeps them apart',
    },
    {
      line: 'orbit import prices.csv --key day,symbol --value close',
      does: 'two columns make the key, one is the value',
    },
    { line: 'zcat events.ndjson.gz | orbit import - --format ndjson --key id', does: 'from a pipe' },
    { line: 'orbit import backup.ndjson --data ./copy', does: 'what export wrote' },
    { line: 'orbit import ./leveldb --data ./data', does: 'a LevelDB folder' },
    { line: 'orbit import ./env --database users --on-error skip', does: 'a named database of an LMDB environment' },
    {
      line: 'orbit import redis://10.0.0.5:6379 --url redis://127.0.0.1:7379 --follow',
      does: 'move from Redis to a running server',
    },
  ],
  exits: ['store', 'network', 'input'],
  drains: true,
}

export const exportCommand: Command = {
  name: 'export',
  summary: 'write a CSV, NDJSON or Parquet file',
  description: [
    'Writes entries in the order of their keys: NDJSON with "key", "value" and, where it has one, "expires_at" in milliseconds since 1970; or CSV with the columns key, value, encoding and expires_at. Bytes that are no text are marked base64. `orbit import` reads either back to an equal store.',
    'Parquet (npm install hyparquet-writer) has the columns key and value as bytes, revision (from a folder only) and expires_at, in row groups of 100,000 rows or 16 MiB at most. The file gets its name once it is whole, so that it cannot be continued.',
    'What a Redis collection keeps (hash, list, set, sorted set, stream) is no plain value: CSV, NDJSON and Parquet leave such keys out.',
    'From a folder the file is of one moment. With --resume an interrupted export goes on after the last whole record of the file; those before it are of the earlier moment.',
  ],
  operands: [{ name: 'FILE', help: 'The file, or - for standard output.', required: true, completes: 'file' }],
  flags: [
    ...targetFlags,
    exportFormatFlag,
    ...rangeFlags,
    { name: 'limit', kind: 'count', value: 'N', min: 0, help: 'Entries at most.' },
    { name: 'resume', kind: 'switch', help: 'Continues a file that an interrupted export left.' },
    { name: 'force', kind: 'switch', help: 'Replaces a file that exists.' },
    ...encodingFlags,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit export backup.ndjson', does: 'everything in ./data' },
    { line: 'orbit export users.csv --prefix user:', does: 'a part, as CSV' },
    { line: 'orbit export - --format ndjson | gzip > backup.ndjson.gz', does: 'into a pipe' },
    { line: 'orbit export backup.ndjson --resume', does: 'go on after an interruption' },
    { line: 'orbit export users.parquet --prefix user:', does: 'for DuckDB, Spark, pandas and their kin' },
  ],
  exits: ['store', 'network', 'input', 'outputClosed'],
  drains: true,
}
