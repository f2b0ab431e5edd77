/** Help texts, made from the command tables and the exit codes. */

import { exitCodes } from '../exit-codes.ts'
import type { Styles } from '../terminal/styles.ts'
import { wrap } from '../terminal/text.ts'
import { type Command, type Flag, flagLabel, type Operand } from './command.ts'

const lineCharsMax = 100

/** `orbit help`: what there is. */
export function overviewHelp(commands: readonly Command[], version: string, styles: Styles): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  return [
    `${styles.bold(`OrbitKV ${version}`)}: a durable key-value store, embedded or served.`,
    '',
    `${styles.bold('Usage')}`,
    '  orbit COMMAND [FLAGS]',
    '',
    styles.bold('Commands'),
    ...commands.map(({ name, summary }) => `  ${styles.accent(name.padEnd(width))}${summary}`),
    '',
    styles.bold('First steps'),
    '  orbit serve                       start a server on ./data and port 7379',
    '  orbit put --url redis://127.0.0.1:7379 greeting hello',
    '  orbit get --url redis://127.0.0.1:7379 greeting',
    '',
    '`orbit help COMMAND` shows flags and examples; `orbit config check` shows the configuration.',
    '',
  ].join('\n')
}

/** `orbit help COMMAND`. `envOf` names the variable behind a configuration key. */
export function commandHelp(
  command: Command,
  styles: Styles,
  envOf: (configKey: string) => string | undefined,
): string {
  const lines = [
    `${styles.bold(`orbit ${command.name}`)}: ${command.summary}`,
    '',
    styles.bold('Usage'),
    `  ${usageLine(command)}`,
    '',
  ]
  for (const paragraph of command.description) lines.push(...wrap(paragraph, lineCharsMax), '')
  if (command.operands.length > 0)
    lines.push(
      styles.bold('Arguments'),
      ...entries(
        command.operands.map((operand) => [operand.name, operandHelp(operand)]),
        styles,
      ),
      '',
    )
  lines.push(
    styles.bold('Flags'),
    ...entries(
      command.flags.map((flag) => [flagLabel(flag), flagHelp(flag, envOf)]),
      styles,
    ),
    '',
  )
  lines.push(styles.bold('Examples'))
  for (const { line, does } of command.examples) lines.push(`  ${styles.dim(`# ${does}`)}`, `  ${line}`)
  lines.push('', styles.bold('Exit codes'))
  for (const { code, means } of exitsOf(command)) lines.push(...hang(String(code), 6, means, styles))
  return `${lines.join('\n')}\n`
}

/** `orbit put [FLAGS] KEY VALUE`. */
export function usageLine(command: Command): string {
  const operands = command.operands.map(({ name, required, many }) => {
    const dots = many === true ? '...' : ''
    return required ? `${name}${dots}` : `[${name}${dots}]`
  })
  return ['orbit', command.name, ...operands, '[FLAGS]'].join(' ')
}

/** Exit codes of a command, its own and those that every command has, in order. */
export function exitsOf(command: Command): { code: number; means: string }[] {
  return [
    exitCodes.ok,
    exitCodes.usage,
    exitCodes.config,
    exitCodes.interrupted,
    ...command.exits.map((name) => exitCodes[name]),
  ]
    .sort((a, b) => a.code - b.code)
    .map(({ code, means }) => ({ code, means }))
}

/** What a flag does, with its default and where else its value may come from. */
export function flagHelp(flag: Flag, envOf: (configKey: string) => string | undefined): string {
  const notes: string[] = []
  if (flag.default !== undefined) notes.push(`default ${flag.default}`)
  const env = flag.env ?? (flag.configKey === undefined ? undefined : envOf(flag.configKey))
  if (env !== undefined) notes.push(`variable ${env}`)
  if (flag.configKey !== undefined) notes.push(`key ${flag.configKey}`)
  return notes.length === 0 ? flag.help : `${flag.help} (${notes.join(', ')})`
}

export function operandHelp(operand: Operand): string {
  return operand.choices === undefined ? operand.help : `${operand.help} (${operand.choices.join(', ')})`
}

function entries(pairs: readonly (readonly [string, string])[], styles: Styles): string[] {
  const width = Math.min(28, Math.max(...pairs.map(([label]) => label.length)) + 4)
  return pairs.flatMap(([label, help]) => hang(label, width, help, styles))
}

/** A label, and beside it (below it, if it is long) a text that keeps its own margin. */
function hang(label: string, width: number, text: string, styles: Styles): string[] {
  const lines = wrap(text, lineCharsMax - width)
  const margin = ' '.repeat(width)
  if (label.length + 4 > width) return [`  ${styles.accent(label)}`, ...lines.map((line) => margin + line)]
  return lines.map((line, index) =>
    index === 0 ? `  ${styles.accent(label)}${' '.repeat(width - 2 - label.length)}${line}` : margin + line,
  )
}
