/**
 * Makes docs/redis-compatibility.md out of the table of commands; a test compares, so that both say the same. From the root:
 * `node tools/run.mjs serve/redis/src/documentation.ts > docs/redis-compatibility.md`
 */

import { fileURLToPath } from 'node:url'
import type { Command, CommandSpec } from './commands/command.ts'
import { allCommands } from './commands/index.ts'
import { redisConfig } from './config.ts'
import { suiteSection } from './suite.ts'
import { suiteResults } from './suite-results.ts'
import { redisVersion } from './version.ts'

const intro = `# Redis compatibility

<!-- Made by serve/redis/src/documentation.ts from the table of commands. Change it there, not here. -->

OrbitKV speaks the Redis protocol, versions 2 and 3 (\`HELLO\`), with inline commands and pipelines. Commands, replies and error
texts follow Redis ${redisVersion}; a test sends the same commands to both and compares every byte. What is not listed here answers
\`ERR unknown command\`.

## What is different everywhere

- **Durability.** With \`--durability always\`, the default, a reply goes out when everything it tells is on the disk, reads included.
  If the disk fails, the connections that waited are closed without a reply, since nobody knows whether the write survived;
  afterwards writes answer \`MISCONF\` and reads go on.
- **Sixteen databases**. Number 0 is the store's default keyspace, which the embedded API reads and writes, too; collections it
  only reads: a write over one fails there with \`store.key_of_server\`, since it would leave the elements behind.
- **Passwords** are shown nowhere, not even by CONFIG GET (\`***\`). Wrong ones in a row make an address wait. While the default user needs none, the port stays on this machine.
- **Keys are in order**, as bytes: \`KEYS\` and \`SCAN\` return them so.
- **Collections** keep their elements in order, as bytes: \`HGETALL\`, \`SMEMBERS\` and their kin return them so, also where Redis keeps the
  order of insertion for small ones. An element is a key of the store: a field or member has at most 8,175 bytes, and one command
  changes at most a million records (a sorted set takes two for each member).
- **Atomic on the disk.** What a command or a transaction changes is one batch: after a crash all of it is there, or none.
- **Sizes.** A key has at most 8 KiB and a value 1 MiB (settable to 16 MiB); more is refused with \`ERR\`, naming the limit.
- **Memory.** The store is on the disk; when that is full, writes answer \`MISCONF\`, reads and deletes go on. \`maxmemory\` bounds not the memory of the process but
  what keys and values of database 0 take (128 bytes beside each; of a collection its key counts, its elements do not): it is the store's
  [cache mode](cache.md). \`maxmemory-policy\` is \`noeviction\`, \`allkeys-\` or \`volatile-\` with \`lru\`, \`lfu\`, \`ttl\` or
  \`w-tinylfu\`; the random ones are refused. Only strings go. Both hold until the server stops; in orbit.toml they are \`store.cache_…\`.
- **A client that closes its sending half** of the connection gets no more replies, as in Redis; one that waits for the disk
  then is not sent either.
- **Times** reach to the year 287,396; a later one becomes that.
`

/** The page, whole. */
export function documentation(): string {
  const commands = [...allCommands().values()]
  return [
    intro,
    commandSection(commands),
    differenceSection(commands),
    limitSection(),
    suiteSection(suiteResults),
  ].join('\n')
}

const groups: readonly [group: CommandSpec['group'], title: string][] = [
  ['string', 'Strings'],
  ['bitmap', 'Bits'],
  ['hash', 'Hashes'],
  ['list', 'Lists'],
  ['set', 'Sets'],
  ['sorted-set', 'Sorted sets'],
  ['geo', 'Places on the earth'],
  ['stream', 'Streams'],
  ['hyperloglog', 'HyperLogLog'],
  ['generic', 'Keys'],
  ['transactions', 'Transactions'],
  ['scripting', 'Scripts'],
  ['pubsub', 'Publish and subscribe'],
  ['connection', 'Connection'],
  ['server', 'Server'],
  ['cluster', 'Cluster'],
  ['orbit', 'Of OrbitKV: what Redis has not'],
]

function commandSection(commands: readonly Command[]): string {
  const lines = ['## Commands']
  for (const [group, title] of groups) {
    lines.push('', `### ${title}`, '', '| Command | Arguments | Since | What it does |', '|---|---|---|---|')
    for (const command of commands) {
      if (command.group !== group) continue
      for (const row of [command, ...(command.byName?.values() ?? [])]) lines.push(rowOf(row))
    }
  }
  return `${lines.join('\n')}\n`
}

function rowOf({ fullName, syntax, since, summary }: Command): string {
  const shownSyntax = syntax === '' ? '' : `\`${syntax.replaceAll('|', '\\|')}\``
  return `| \`${shown(fullName)}\` | ${shownSyntax} | ${since} | ${summary} |`
}

function shown(fullName: string): string {
  return fullName.replace('|', ' ').toUpperCase()
}

function differenceSection(commands: readonly Command[]): string {
  const lines = ['## Differences of single commands', '', '| Command | Difference |', '|---|---|']
  for (const command of commands) {
    for (const { fullName, difference } of [command, ...(command.byName?.values() ?? [])]) {
      if (difference !== undefined) lines.push(`| \`${shown(fullName)}\` | ${difference} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

function limitSection(): string {
  const lines = ['## Limits', '', '| Setting | Default | Range | Why |', '|---|---|---|---|']
  for (const [name, { default: value, min, max, why }] of Object.entries(redisConfig.settings)) {
    lines.push(`| \`${name}\` | ${number(value)} | ${number(min)} to ${number(max)} | ${why} |`)
  }
  return `${lines.join('\n')}\n`
}

function number(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(documentation())
