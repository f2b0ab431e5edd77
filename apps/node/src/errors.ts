/** Errors of the command line itself; each ends with the way out. exit-codes.ts says how `orbit` exits on each. */

import { defineErrors } from '@orbitkv/base'

export const cliErrors = defineErrors('cli', {
  // The command line
  unknown_command: { retry: 'no', text: 'there is no command {command}; {hint}' },
  unknown_flag: { retry: 'no', text: '{command} has no flag {flag}; {hint}' },
  flag_needs_value: { retry: 'no', text: '{flag} needs a value ({value}); see `orbit help {command}`' },
  flag_takes_no_value: { retry: 'no', text: '{flag} takes no value; write just {flag}' },
  flag_twice: { retry: 'no', text: '{flag} is given twice; keep one' },
  flag_invalid: { retry: 'no', text: '{flag} {given}: {fault}; see `orbit help {command}`' },
  flags_conflict: { retry: 'no', text: '{first} and {second} do not go together; keep one' },
  flag_needs_flag: { retry: 'no', text: '{flag} says nothing without {other}; give both or neither' },
  missing_argument: { retry: 'no', text: '{command} needs {argument}; see `orbit help {command}`' },
  extra_argument: {
    retry: 'no',
    text: '{command} takes no further argument {given}; quote an argument that has spaces',
  },
  bad_encoding: {
    retry: 'no',
    text: '{what} is not {encoding}: {given}; write it in {encoding}, or leave out --{encoding}',
  },
  bad_url: { retry: 'no', text: '{url} is not an address that orbit can use: {fault}; write redis://HOST:PORT' },
  folder_only: {
    retry: 'no',
    text: '{command} reads the files of a folder and cannot go through a server; stop the server and use --data DIR',
  },
  input_too_large: { retry: 'no', text: 'the value on standard input has more than {bytesMax} bytes; split it' },
  no_key_column: {
    retry: 'no',
    text: '{file} has no column {column}; its columns are {columns}: name the key with --key COLUMN',
  },
  key_needed: {
    retry: 'no',
    text: '{file} has no columns key and value; name the key with --key COLUMN (columns: {columns})',
  },
  unknown_format: {
    retry: 'no',
    text: 'the format of {file} is not clear from its name; say one of {formats}',
  },
  folder_not_empty: { retry: 'no', text: '{path} is not empty; name a new folder for the benchmark' },
  flag_not_here: { retry: 'no', text: '{flag} says nothing about {what}; leave it out' },
  peer_missing: { retry: 'no', text: '{what} needs the package {name}; install it: npm install {name}' },
  peer_failed: {
    retry: 'no',
    text: 'the package {name} cannot be loaded ({reason}); install it again: npm install {name}',
  },
  resume_needs_file: { retry: 'no', text: '{flag} needs a file; standard input and output cannot be continued' },
  // The configuration
  no_config_file: {
    retry: 'no',
    text: 'the configuration file {path} cannot be read ({reason}); correct --config or ORBIT_CONFIG',
  },
  config_syntax: { retry: 'no', text: '{path}:{line}:{column} is not TOML: {problem}; correct that line' },
  config_faults: { retry: 'no', text: '{faults}; `orbit config check` shows the whole configuration' },
  no_node: { retry: 'no', text: 'Node {version} is too old; use Node 22.18 or later' },
  tls_file: { retry: 'no', text: 'cannot read {path} for TLS ({reason}); give a file in PEM that this user may read' },
  tls_clients: { retry: 'no', text: 'tls-auth-clients is {word}; it must be yes, optional or no' },
  // Stores and servers
  not_found: { retry: 'no', text: 'the key {key} has no value' },
  no_store: {
    retry: 'no',
    text: 'there is no store in {path}; name another folder with --data, or a server with --url',
  },
  no_backup_target: {
    retry: 'no',
    text: 'where backups are is not said; name it with {flag} TARGET, or set backup.target in orbit.toml',
  },
  bad_moment: {
    retry: 'no',
    text: '--at {given} is no moment; write a revision as a number, or a time with its zone as 2026-11-21T12:00:00Z',
  },
  backup_damaged: {
    retry: 'no',
    text: '{faults} faults in the backups in {target}; make a new one with `orbit backup --full`, and restore from what is sound',
  },
  restored_damaged: {
    retry: 'no',
    text: 'what was restored to {path} is damaged ({reason}); run `orbit backup verify`, and restore another moment',
  },
  folder_in_use: {
    retry: 'later',
    text: '{path} is in use by another process; talk to its server with --url redis://HOST:PORT, or stop it first',
  },
  memory_backend: {
    retry: 'no',
    text: 'the backend memory keeps nothing in a folder; name the running server with --url',
  },
  not_sharded: {
    retry: 'no',
    text: '{path} is one store, which only one worker can serve; leave out --workers, or copy it: `orbit export` and `orbit import` into a new folder that is served by several',
  },
  shards_fixed: {
    retry: 'no',
    text: '{path} has {shards} shards since it was made, and not {asked}; leave out --shards',
  },
  too_few_shards: {
    retry: 'no',
    text: '{path} has {shards} shards, so at most {shards} workers; start with --workers {shards}',
  },
  bad_shards_file: { retry: 'no', text: '{file} is no list of shards ({problem}); restore it from a backup' },
  worker_died: {
    retry: 'later',
    text: 'worker {worker} ended ({reason}); what was acknowledged is on the disk: start again',
  },
  damage_found: { retry: 'no', text: '{faults} damaged places in {path}; restore a backup' },
  server_error: { retry: 'no', text: '{url} answered: {answer}' },
  no_server: {
    retry: 'later',
    text: 'nothing answers at {url} ({reason}); start a server with `orbit serve`, or correct --url',
  },
  server_silent: { retry: 'later', text: '{url} has not answered for {seconds} s; look at the server' },
  server_left: {
    retry: 'later',
    text: '{url} closed the connection ({reason}); look at the server, then run this again',
  },
  not_redis: { retry: 'no', text: '{url} does not speak the Redis protocol ({problem}); correct --url' },
  // Files
  bad_record: {
    retry: 'no',
    text: '{file}:{line}:{column}: {problem}; correct it, or pass over such records with --on-error skip',
  },
  file_missing: { retry: 'no', text: '{file} cannot be read ({reason}); correct the path' },
  file_exists: { retry: 'no', text: '{file} exists already; continue it with --resume, or replace it with --force' },
  file_changed: {
    retry: 'no',
    text: '{file} is not the file whose import was interrupted ({what}); put the old one back, or begin again with --restart',
  },
  file_failed: { retry: 'no', text: '{file} cannot be written ({reason}); free space or correct the path' },
  not_utf8_file: { retry: 'no', text: '{file} is UTF-16; convert it to UTF-8' },
  import_options_changed: {
    retry: 'no',
    text: 'the interrupted import of {file} ran with other options ({was}); use the same, or begin again with --restart',
  },
  // Sources of an import that are no files of records
  not_that_source: {
    retry: 'no',
    text: '{source} is no {kind}: {problem}; name another, or say what it is with --format',
  },
  source_in_use: {
    retry: 'later',
    text: '{source} is open in another process, and LevelDB lets only one in; stop that process, or import a copy',
  },
  source_failed: { retry: 'no', text: '{source} cannot be read: {reason}; look at it with the tools of its own' },
  no_such_database: {
    retry: 'no',
    text: '{source} has no database {database}; name one of those that it has: {databases}',
  },
  source_address: {
    retry: 'no',
    text: '{source} is no address of a Redis: {problem}; write redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]',
  },
  source_password: {
    retry: 'no',
    text: '{source} refuses the password or the user ({answer}); give both in its address, or the password in ORBIT_SOURCE_PASSWORD',
  },
  source_answer: {
    retry: 'no',
    text: '{source} answered {command} with: {answer}; allow that command to the user, or take another one',
  },
  source_cluster: {
    retry: 'no',
    text: '{source} is a node of a Redis Cluster, which has only some of the keys; import from a server that has all of them',
  },
  source_emptied: {
    retry: 'no',
    text: '{source} has restarted and has no keys now, while {records} were copied; if that is right, begin again with --restart',
  },
  source_still_written: {
    retry: 'later',
    text: '{source} is still being written: the last comparison found {mended} keys that differed; stop its writers, then run the same command again',
  },
  target_not_empty: {
    retry: 'no',
    text: '{target} has {keys} keys already; name an empty one, or let the copy replace all of it with --replace',
  },
  bad_entry: {
    retry: 'no',
    text: '{source}, key {key}: {problem}; change it there, or pass over such keys with --on-error skip',
  },
  // Plans
  plan_faults: { retry: 'no', text: 'there is no plan: {faults}; correct the inputs, or begin with `orbit plan init`' },
  plan_syntax: { retry: 'no', text: '{file} is not {language}: {problem}; correct that place' },
  plan_exists: { retry: 'no', text: '{file} exists already; name another file, or replace it with --force' },
  plan_unfinished: { retry: 'no', text: 'the answers ended before the last question; run `orbit plan init` again' },
  // The end of a run
  interrupted: { retry: 'now', text: 'interrupted; {next}' },
  terminated: { retry: 'now', text: 'told to stop; {next}' },
  output_closed: { retry: 'no', text: 'the output was closed by its reader' },
})
