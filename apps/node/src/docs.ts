/**
 * Writes the pages of docs that are made from tables: in operating, and sizing.md.
 * `npm run docs:pages`; docs.test.ts keeps the pages in step.
 */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatBytes, formatDuration, type Setting } from '@orbitkv/base'
import { type Command, flagLabel } from './args/command.ts'
import { exitsOf, flagHelp, operandHelp, usageLine } from './args/help.ts'
import { commands } from './commands/catalogue.ts'
import { type ConfigKey, rangeText } from './config/key.ts'
import { configKeys, envOfKey, otherVariables } from './config/keys.ts'
import { exitCodes } from './exit-codes.ts'
import { plannerPage, sizingDocsPage } from './plan/page.ts'
import { type Fields, type Schema, schemas } from './schemas.ts'

const made = 'This page is made from the tables in `apps/node/src` (`apps/node/src/docs.ts`); a test keeps it in step.'

/** The pages by their path from the root. */
export function renderDocs(): Record<string, string> {
  return {
    'docs/operating/command-line.md': commandLinePage(),
    'docs/operating/config.md': configPage(),
    'docs/operating/json.md': jsonPage(),
    'docs/operating/planner.md': plannerPage(),
    'docs/sizing.md': sizingDocsPage(),
  }
}

function commandLinePage(): string {
  return page([
    '# The command line',
    made,
    '`npx orbit` from the root of a checkout, `orbit` once installed. `orbit help COMMAND` shows what stands here.',
    table(
      ['command', 'what it does'],
      commands.map(({ name, summary }) => [`[\`${name}\`](#${name})`, summary]),
    ),
    '## Folder or server',
    'Client commands work on the folder of `--data` (from the configuration, `./data` if nothing is said), which they open in their own process, or on the running server of `--url`. A folder belongs to one process at a time: while a server runs on it, use `--url`.',
    '## Keys and values',
    'Keys and values are UTF-8 text unless `--hex` or `--base64` says otherwise. Output for people escapes control characters and bytes that are no text; `get` into a pipe or a file writes the value byte for byte. Keys that begin with a zero byte and `orbit` and another zero byte belong to orbit itself (the progress of an import that was interrupted); `scan` and `export` leave them out.',
    '## Errors and exit codes',
    'An error is one line on standard error, `orbit: what; the way out (code)`, or one JSON document with `--json`. The codes in parentheses are stable and listed in [errors.md](../errors.md). `ORBIT_DEBUG=1` adds where it happened.',
    table(
      ['code', 'name', 'meaning'],
      Object.values(exitCodes).map(({ code, name, means }) => [String(code), name, means]),
    ),
    'A value of a flag that is also a configuration key (`--redis-port`, `--durability`) is checked with the configuration, so that all faults come at once, with exit code 3; any other wrong flag is exit code 2.',
    '## Shell completion',
    '`source <(orbit completion bash)` in `~/.bashrc`, `source <(orbit completion zsh)` in `~/.zshrc`, `orbit completion fish > ~/.config/fish/completions/orbit.fish`.',
    '## Signals',
    'Ctrl-C or SIGTERM once: `serve` drains and exits with 0, `import` and `export` stop after what is acknowledged, any other command ends; twice: at once. Colours and the progress bar appear on a terminal only; `NO_COLOR` turns colours off.',
    ...commands.flatMap(commandSections),
  ])
}

function commandSections(command: Command): string[] {
  return [
    `## ${command.name}`,
    `${sentence(command.summary)}`,
    `    ${usageLine(command)}`,
    ...command.description,
    ...(command.operands.length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            command.operands.map((operand) => [code(operand.name), operandHelp(operand)]),
          ),
        ]),
    table(
      ['flag', 'meaning'],
      command.flags.map((flag) => [code(flagLabel(flag)), flagHelp(flag, envOfKey)]),
    ),
    ['```sh', ...command.examples.flatMap(({ line, does }) => [`# ${does}`, line]), '```'].join('\n'),
    `Exit codes: ${exitsOf(command)
      .map(({ code: exit }) => exit)
      .join(', ')}.`,
  ]
}

function configPage(): string {
  const acting = configKeys.filter((key) => key.later === undefined)
  const later = configKeys.filter((key) => key.later !== undefined)
  return page([
    '# The configuration',
    made,
    'Defaults, then `orbit.toml` in the working directory (or the file of `--config` or `ORBIT_CONFIG`), then `ORBIT_*` variables, then flags: the later wins. Amounts take units (`64MiB`, `100ms`, `1h`). `orbit config check` lists every fault at once with its origin, and the effective values with where each comes from; `orbit config show` prints an `orbit.toml` to begin with.',
    'An unknown key, section or `ORBIT_*` variable is a fault. Variables that Kubernetes sets for services whose name begins with "orbit" (`ORBIT_RS_SERVICE_HOST`, `ORBIT_PORT_8080_TCP`) are passed over.',
    '## Keys',
    ...keyTables(acting),
    '## Keys of later versions',
    'The documents of the project define these; this version reads and checks them, does not act upon them, and says so in `orbit config check`.',
    ...keyTables(later),
    '## Other variables',
    table(
      ['variable', 'meaning'],
      Object.entries(otherVariables).map(([name, means]) => [code(name), sentence(means)]),
    ),
  ])
}

function keyTables(keys: readonly ConfigKey[]): string[] {
  const sections = [...new Set(keys.map(sectionOf))]
  return sections.flatMap((section) => [
    `### [${section}]`,
    table(
      ['key', 'default', 'range', 'variable', 'why'],
      keys
        .filter((key) => sectionOf(key) === section)
        .map((key) => [
          code(key.path.slice(section.length + 1)),
          shown(key.setting, key.setting.default),
          rangeText(key.setting, (value) => shown(key.setting, value)),
          [...key.aliases, key.env].map(code).join(' or '),
          key.setting.why,
        ]),
    ),
  ])
}

function jsonPage(): string {
  return page([
    '# JSON output',
    made,
    'With `--json` a command writes JSON documents, each on one line. Fields are only ever added: one that is there keeps its name, type and meaning.',
    '*Bytes* are a text where they are UTF-8, else an object `{"base64": "…"}`.',
    ...Object.values<Schema>(schemas).flatMap(({ name, where, fields }) => [
      `## ${name}`,
      `On ${where}.`,
      table(['field', 'type', 'meaning'], fieldRows(fields, '')),
    ]),
  ])
}

function fieldRows(fields: Fields, prefix: string): string[][] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const notes = [
      field.optional === true ? 'may be missing' : '',
      field.nullable === true ? 'may be null' : '',
    ].filter((note) => note !== '')
    const row = [code(prefix + name), [field.type, ...notes].join(', '), field.means]
    const inner = field.type === 'list' ? `${prefix}${name}[].` : `${prefix}${name}.`
    return [row, ...(field.fields === undefined ? [] : fieldRows(field.fields, inner))]
  })
}

function sectionOf(key: ConfigKey): string {
  return key.path.slice(0, key.path.lastIndexOf('.'))
}

function shown(setting: Setting<unknown>, value: unknown): string {
  if (typeof value === 'number' && setting.kind === 'bytes') return formatBytes(value)
  if (typeof value === 'number' && setting.kind === 'duration') return formatDuration(value)
  return value === '' ? '(empty)' : String(value)
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(renderDocs())) {
    writeFileSync(new URL(`../../../${path}`, import.meta.url), text)
  }
}
