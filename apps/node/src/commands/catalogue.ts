/**
 * The commands of `orbit`, as data. Parsing, help, completion and docs/operating/command-line.md are made from it; what
 * each command does is in the file of its name (runners.ts).
 */

import type { Command } from '../args/command.ts'
import { backupCommand, restoreCommand } from './backup-command.ts'
import {
  backendFlag,
  commonFlags,
  dataFlag,
  durabilityFlag,
  encodingFlags,
  rangeFlags,
  serveFlags,
  targetFlags,
} from './flags.ts'
import { planCommand } from './plan-command.ts'
import { exportCommand, importCommand } from './transfer-commands.ts'

const serve: Command = {
  name: 'serve',
  summary: 'start a server on a folder',
  description: [
    'Opens the store in a folder, which is made if it is not there, and serves it by the Redis protocol. Prints the address it listens on and goes on until Ctrl-C or SIGTERM.',
    'On the first signal it takes no new connections, finishes what is under way within the drain timeout, and closes the store; a second signal stops it at once. Nothing acknowledged is lost either way.',
  ],
  operands: [],
  flags: [...serveFlags, ...commonFlags],
  examples: [
    { line: 'orbit serve', does: 'serve ./data on port 7379' },
    { line: 'orbit serve --data /var/lib/orbit --redis-port 6380', does: 'another folder, another port' },
    { line: 'orbit serve --backend memory --redis-port 0', does: 'a throw-away server on a free port' },
    { line: 'orbit serve --log-format json 2>> orbit.log', does: 'log lines for a collector' },
  ],
  exits: ['store', 'damage', 'network'],
  drains: true,
}

const get: Command = {
  name: 'get',
  summary: 'print the value of a key',
  description: [
    'Prints the value of a key. On a terminal control characters and bytes that are no text are shown as escapes and a line break follows; in a pipe or a file the value is written as it is, byte for byte.',
  ],
  operands: [{ name: 'KEY', help: 'The key.', required: true }],
  flags: [
    ...targetFlags,
    ...encodingFlags,
    { name: 'raw', kind: 'switch', help: 'Writes the value byte for byte, on a terminal too.' },
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit get user:1', does: 'from the folder ./data' },
    { line: 'orbit get --url redis://127.0.0.1:7379 user:1', does: 'from a running server' },
    { line: 'orbit get photo:7 > photo.jpg', does: 'bytes into a file' },
  ],
  exits: ['notFound', 'store', 'network'],
}

const put: Command = {
  name: 'put',
  summary: 'store a value under a key',
  description: ['Stores a value. `-` takes it from standard input, byte for byte; write `-- -` to store a dash.'],
  operands: [
    { name: 'KEY', help: 'The key.', required: true },
    { name: 'VALUE', help: 'The value, or - for standard input.', required: true },
  ],
  flags: [
    ...targetFlags,
    durabilityFlag,
    {
      name: 'ttl',
      kind: 'duration',
      value: 'TIME',
      min: 1,
      help: 'Time after which the key is gone: 500ms, 30s, 1h; a number alone is milliseconds.',
    },
    ...encodingFlags,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit put user:1 \'{"name":"Ada"}\'', does: 'a text' },
    { line: 'orbit put photo:7 - < photo.jpg', does: 'a file' },
    { line: 'orbit put --ttl 30s session:9 open', does: 'gone after half a minute' },
  ],
  exits: ['store', 'network'],
}

const del: Command = {
  name: 'del',
  summary: 'delete keys',
  description: ['Deletes keys, all in one batch. A key that is not there is no error.'],
  operands: [{ name: 'KEY', help: 'The keys.', required: true, many: true }],
  flags: [...targetFlags, durabilityFlag, ...encodingFlags, ...commonFlags],
  examples: [
    { line: 'orbit del user:1 user:2', does: 'two keys' },
    { line: 'orbit del --hex 00ff', does: 'a key that is not text' },
  ],
  exits: ['store', 'network'],
}

const scan: Command = {
  name: 'scan',
  summary: 'list keys and values in order',
  description: [
    'Lists entries in the order of their keys as bytes: the key, a tab, the value, with control characters, backslashes and bytes that are no text shown as escapes. With --json each entry is one JSON document on a line.',
    'From a folder the list is of one moment. A running server is asked page by page, so that what others write meanwhile may or may not be in the list.',
  ],
  operands: [],
  flags: [
    ...targetFlags,
    ...rangeFlags,
    { name: 'limit', kind: 'count', value: 'N', min: 0, help: 'Entries at most.' },
    { name: 'reverse', kind: 'switch', help: 'Begins with the last key.' },
    { name: 'keys-only', kind: 'switch', help: 'Leaves the values out.' },
    ...encodingFlags,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit scan --prefix user: --limit 10', does: 'the first ten users' },
    { line: 'orbit scan --gte 2015-05 --lt 2015-06 --keys-only', does: 'the keys of a month' },
    { line: 'orbit scan --reverse --limit 1', does: 'the last entry' },
    { line: 'orbit scan --json | jq -r .value', does: 'into another program' },
  ],
  exits: ['store', 'network', 'outputClosed'],
}

const stats: Command = {
  name: 'stats',
  summary: 'show how large a store is and what it does',
  description: [
    'Shows keys, bytes, positions and settings of a store; of a running server what its INFO command says.',
  ],
  operands: [],
  flags: [...targetFlags, ...commonFlags],
  examples: [
    { line: 'orbit stats', does: 'the folder ./data' },
    { line: 'orbit stats --url redis://127.0.0.1:7379 --json', does: 'a server, for a program' },
  ],
  exits: ['store', 'network'],
}

const verify: Command = {
  name: 'verify',
  summary: 'check every byte of a store',
  description: [
    'Reads the whole store from the disk and checks every record. Each damaged place is named with its file and offset. Changes nothing.',
  ],
  operands: [],
  flags: [dataFlag, ...commonFlags],
  examples: [
    { line: 'orbit verify', does: 'the folder ./data' },
    { line: 'orbit verify --data /backup/orbit --json', does: 'for a nightly job' },
  ],
  exits: ['store', 'damage'],
}

const repair: Command = {
  name: 'repair',
  summary: 'make a sound store of a damaged one',
  description: [
    'Writes everything that is sound to a new folder, and lists what is lost: the file, the place, and which positions or keys it may concern. The new store is checked before the command ends. The damaged folder is left as it was, so a repair can be run again, and onto another disk; to use the new store, move it to where the old one was.',
    'A store that is sound is left alone. A key whose newest record is lost shows an older one, or none.',
  ],
  operands: [],
  flags: [
    dataFlag,
    {
      name: 'to',
      kind: 'text',
      value: 'DIR',
      completes: 'folder',
      default: 'the folder of the store with .repaired behind its name',
      help: 'A new or empty folder for the sound store.',
    },
    { name: 'dry-run', kind: 'switch', help: 'Only tells what is damaged and what would be lost.' },
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit repair --dry-run', does: 'what ails ./data' },
    { line: 'orbit repair --data ./data --to /mnt/other/data', does: 'onto another disk' },
  ],
  exits: ['store', 'damage'],
}

const compact: Command = {
  name: 'compact',
  summary: 'rewrite a store without what is dead',
  description: [
    'Rewrites the whole store in the order of its keys, without overwritten and deleted records and without history. A store compacts itself while it runs; this makes it as small, and its scans as fast, as they can be. Takes as much free space as there is live data. A crash in the middle loses nothing.',
  ],
  operands: [],
  flags: [dataFlag, ...commonFlags],
  examples: [{ line: 'orbit compact --data ./data', does: 'the folder ./data, which nobody else may have open' }],
  exits: ['store', 'damage'],
}

const bench: Command = {
  name: 'bench',
  summary: 'measure this machine',
  description: [
    'Writes and reads random keys in a store of its own and prints operations per second and latencies: single puts, puts in batches of 1,000, durable puts alone and a hundred at a time, reads, and ranges of 100. The store is a temporary folder, removed at the end, unless --data names a new folder to keep.',
    'It measures the library in one process; redis-benchmark measures a server.',
  ],
  operands: [],
  flags: [
    {
      name: 'data',
      kind: 'text',
      value: 'DIR',
      completes: 'folder',
      default: 'a temporary folder',
      help: 'A new folder for the store; put it on the disk that is to be measured.',
    },
    {
      name: 'keys',
      kind: 'count',
      value: 'N',
      default: '100000',
      min: 1000,
      max: 100_000_000,
      help: 'Keys in the store.',
    },
    {
      name: 'value-bytes',
      kind: 'bytes',
      value: 'BYTES',
      default: '100',
      min: 1,
      max: 1_048_576,
      help: 'Size of each value.',
    },
    {
      name: 'seconds',
      kind: 'count',
      value: 'N',
      default: '2',
      min: 1,
      max: 3600,
      help: 'Time for each measurement, at most.',
    },
    {
      name: 'seed',
      kind: 'count',
      value: 'N',
      default: '1',
      min: 0,
      max: 4_294_967_295,
      help: 'Seed of the random keys and values.',
    },
    backendFlag,
    ...commonFlags,
  ],
  examples: [
    { line: 'orbit bench', does: 'about a quarter of a minute' },
    { line: 'orbit bench --keys 1000000 --seconds 10 --data /nvme/bench', does: 'longer, on a certain disk' },
    { line: 'orbit bench --json > machine.json', does: 'to keep and compare' },
  ],
  exits: ['store'],
  drains: true,
}

const config: Command = {
  name: 'config',
  summary: 'check or show the configuration',
  description: [
    'The configuration is what defaults, orbit.toml, ORBIT_* variables and flags say, the later winning. `check` lists every fault with its origin, keys that this version does not act upon, and the effective values with where each comes from. `show` prints the effective values as an orbit.toml.',
  ],
  operands: [{ name: 'ACTION', help: 'What to do.', required: true, choices: ['check', 'show'] }],
  flags: [...serveFlags, ...commonFlags],
  examples: [
    { line: 'orbit config check', does: 'before a restart' },
    { line: 'orbit config check --config /etc/orbit.toml --json', does: 'a certain file, for a program' },
    { line: 'orbit config show > orbit.toml', does: 'a file to begin with' },
  ],
  exits: [],
  needsNoConfig: true,
}

const completion: Command = {
  name: 'completion',
  summary: 'print a script that completes commands and flags in a shell',
  description: ['Prints the script; the examples show how each shell takes it.'],
  operands: [{ name: 'SHELL', help: 'The shell.', required: true, choices: ['bash', 'zsh', 'fish'] }],
  flags: commonFlags.filter((flag) => flag.name !== 'json'),
  examples: [
    { line: 'source <(orbit completion bash)', does: 'bash; add the line to ~/.bashrc' },
    { line: 'source <(orbit completion zsh)', does: 'zsh; add the line to ~/.zshrc' },
    { line: 'orbit completion fish > ~/.config/fish/completions/orbit.fish', does: 'fish' },
  ],
  exits: [],
  needsNoConfig: true,
}

const help: Command = {
  name: 'help',
  summary: 'show help for a command',
  description: ['Shows the commands, or the flags and examples of one.'],
  operands: [{ name: 'COMMAND', help: 'The command.', required: false }],
  flags: commonFlags.filter((flag) => flag.name === 'help'),
  examples: [{ line: 'orbit help import', does: 'how to load a file' }],
  exits: [],
  needsNoConfig: true,
}

export const commands: readonly Command[] = [
  serve,
  get,
  put,
  del,
  scan,
  importCommand,
  exportCommand,
  stats,
  verify,
  repair,
  backupCommand,
  restoreCommand,
  compact,
  bench,
  planCommand,
  config,
  completion,
  help,
]
