/** Flags that several commands share. */

import type { Flag } from '../args/command.ts'

export const commonFlags: readonly Flag[] = [
  {
    name: 'config',
    kind: 'text',
    value: 'FILE',
    default: 'orbit.toml, if it is there',
    env: 'ORBIT_CONFIG',
    completes: 'file',
    help: 'The configuration file.',
  },
  {
    name: 'json',
    kind: 'switch',
    help: 'Writes JSON for programs; errors too. docs/operating/json.md describes each document.',
  },
  { name: 'help', kind: 'switch', help: 'Shows this help (-h).' },
]

export const dataFlag: Flag = {
  name: 'data',
  kind: 'text',
  value: 'DIR',
  default: './data',
  configKey: 'persistence.mmap.data_dir',
  completes: 'folder',
  help: 'The folder of the store.',
}

export const urlFlag: Flag = {
  name: 'url',
  kind: 'text',
  value: 'URL',
  env: 'ORBIT_URL',
  help: 'A running server, redis://[USER@]HOST:PORT, or rediss:// for TLS, in place of a folder; its password goes into ORBIT_REDIS_PASSWORD.',
}

/** What every command has that reads or writes a store. */
export const targetFlags: readonly Flag[] = [dataFlag, urlFlag]

export const encodingFlags: readonly Flag[] = [
  { name: 'hex', kind: 'switch', help: 'Keys and values are hexadecimal, in arguments and in the output.' },
  { name: 'base64', kind: 'switch', help: 'Keys and values are base64, in arguments and in the output.' },
]

export const durabilityFlag: Flag = {
  name: 'durability',
  kind: 'choice',
  value: 'LEVEL',
  choices: ['always', 'interval', 'none'],
  default: 'always',
  configKey: 'persistence.mmap.sync_mode',
  help: 'When a write is acknowledged: always once it is on the disk; interval once the system has it, on the disk within 100 ms; none once the system has it.',
}

export const backendFlag: Flag = {
  name: 'backend',
  kind: 'choice',
  value: 'NAME',
  choices: ['mmap', 'memory'],
  default: 'mmap',
  configKey: 'persistence.backend',
  help: 'What keeps the data: mmap in a folder, memory in the process only.',
}

export const rangeFlags: readonly Flag[] = [
  {
    name: 'prefix',
    kind: 'text',
    value: 'TEXT',
    help: 'Only keys that begin with it; not together with the four bounds.',
  },
  { name: 'gte', kind: 'text', value: 'KEY', help: 'Only keys from this one on.' },
  { name: 'gt', kind: 'text', value: 'KEY', help: 'Only keys after this one.' },
  { name: 'lt', kind: 'text', value: 'KEY', help: 'Only keys before this one.' },
  { name: 'lte', kind: 'text', value: 'KEY', help: 'Only keys up to this one.' },
]

export const serveFlags: readonly Flag[] = [
  dataFlag,
  {
    name: 'redis-port',
    kind: 'count',
    value: 'PORT',
    default: '7379',
    configKey: 'redis.port',
    help: 'Port of the Redis protocol; 0 takes a free one.',
  },
  {
    name: 'redis-host',
    kind: 'text',
    value: 'HOST',
    default: '127.0.0.1',
    configKey: 'redis.host',
    help: 'Address to listen on; elsewhere than on this machine only with redis.requirepass or redis.acl_file.',
  },
  {
    name: 'tls-port',
    kind: 'count',
    value: 'PORT',
    configKey: 'redis.tls_port',
    help: 'Port for TLS beside the plain one.',
  },
  {
    name: 'tls-cert',
    kind: 'text',
    value: 'FILE',
    configKey: 'redis.tls_cert_file',
    completes: 'file',
    help: 'The certificate, in PEM; read again when it changes.',
  },
  {
    name: 'tls-key',
    kind: 'text',
    value: 'FILE',
    configKey: 'redis.tls_key_file',
    completes: 'file',
    help: 'The key of the certificate, in PEM.',
  },
  {
    name: 'tls-ca',
    kind: 'text',
    value: 'FILE',
    configKey: 'redis.tls_ca_cert_file',
    completes: 'file',
    help: "Who may have signed clients' certificates, in PEM.",
  },
  {
    name: 'tls-auth-clients',
    kind: 'choice',
    value: 'WHEN',
    choices: ['yes', 'optional', 'no'],
    default: 'yes',
    configKey: 'redis.tls_auth_clients',
    help: 'Whether clients must show a certificate over TLS; optional: none or a good one.',
  },
  {
    name: 'acl-file',
    kind: 'text',
    value: 'FILE',
    configKey: 'redis.acl_file',
    completes: 'file',
    help: 'The file of users, in the form of Redis.',
  },
  {
    name: 'workers',
    kind: 'count',
    value: 'N',
    default: '1',
    configKey: 'server.workers',
    help: 'Event loops, each with a part of the keys and a port of its own beside the shared one.',
  },
  {
    name: 'shards',
    kind: 'count',
    value: 'N',
    default: 'as many as workers',
    configKey: 'server.shards',
    help: 'Parts into which a new folder deals out its keys: the most workers that it can ever have.',
  },
  {
    name: 'metrics-port',
    kind: 'text',
    value: 'PORT',
    default: '9090',
    configKey: 'monitoring.metrics_endpoint',
    help: 'Port of /metrics for Prometheus, or HOST:PORT; 0 takes a free one.',
  },
  durabilityFlag,
  backendFlag,
  {
    name: 'drain-timeout',
    kind: 'duration',
    value: 'TIME',
    default: '10s',
    configKey: 'server.drain_timeout',
    help: 'How long a stopping server waits for the commands under way.',
  },
  {
    name: 'log-format',
    kind: 'choice',
    value: 'FORMAT',
    choices: ['human', 'json'],
    default: 'human',
    configKey: 'log.format',
    help: 'Log lines on standard error: for people, or one JSON document a line.',
  },
]
