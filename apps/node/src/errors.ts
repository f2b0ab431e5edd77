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
    text: 'the format of {file} is not clear from its name; say --format csv or --format ndjson',
  },
  folder_not_empty: { retry: 'no', text: '{path} is not empty; name a new folder for the benchmark' },
  resume_needs_file: { retry: 'no', text: '{flag} needs a file; standard input and output cannot be continued' },
  // The configuration
  no_config_file: {
    retry: 'no',
    text: 'the configuration file {path} cannot be read ({reason}); correct --config or ORBIT_CONFIG',
  },
  config_syntax: { retry: 'no', text: '{path}:{line}:{column} is not TOML: {problem}; correct that line' },
  config_faults: { retry: 'no', text: '{faults}; `orbit config check` shows the whole configuration' },
  no_node: { retry: 'no', text: 'Node {version} is too old; use Node 22.18 or later' },
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
