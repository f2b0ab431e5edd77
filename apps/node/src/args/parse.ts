/**
 * Parses a command line against the command tables.
 *
 * `--flag value` and `--flag=value` are the same, switches take no value, `--` ends the flags, `-` alone is an operand.
 * Every flag may be given once. Values of flags that belong to a configuration key stay text: the configuration checks
 * them, together with the file and the environment (config/load.ts).
 */

import { assert, nearest, parseBytes, parseDuration } from '@orbitkv/base'
import { cliErrors } from '../errors.ts'
import { type Command, type Flag, valueLabel } from './command.ts'

export interface Operand {
  readonly text: string
  /** It stood behind `--`: then `-` means itself and not standard input. */
  readonly literal: boolean
}

export class Arguments {
  readonly command: Command
  readonly operands: readonly Operand[]
  readonly #values: ReadonlyMap<string, string | number | true>
  readonly #typed: ReadonlySet<string>

  constructor(
    command: Command,
    operands: readonly Operand[],
    values: ReadonlyMap<string, string | number | true>,
    typed: ReadonlySet<string>,
  ) {
    this.command = command
    this.operands = operands
    this.#values = values
    this.#typed = typed
  }

  /** Whether a switch is set. */
  on(name: string): boolean {
    return this.#value(name, ['switch']) === true
  }

  text(name: string): string | undefined {
    return this.#value(name, ['text', 'choice']) as string | undefined
  }

  /** A count, bytes or milliseconds. */
  number(name: string): number | undefined {
    return this.#value(name, ['count', 'bytes', 'duration']) as number | undefined
  }

  /** Whether a flag stands on the command line itself, and not only in a variable. */
  typed(name: string): boolean {
    return this.#typed.has(name)
  }

  operand(index: number): string | undefined {
    return this.operands[index]?.text
  }

  /** The flags that override configuration keys, with their raw values. */
  overrides(): { flag: Flag & { readonly configKey: string }; raw: string | number | true }[] {
    return this.command.flags.flatMap((flag) => {
      const raw = this.#values.get(flag.name)
      return flag.configKey === undefined || raw === undefined
        ? []
        : [{ flag: { ...flag, configKey: flag.configKey }, raw }]
    })
  }

  #value(name: string, kinds: readonly Flag['kind'][]): string | number | true | undefined {
    const flag = this.command.flags.find((candidate) => candidate.name === name)
    assert(
      flag !== undefined && kinds.includes(flag.kind),
      `${this.command.name} declares --${name} as ${kinds.join(' or ')}`,
    )
    return this.#values.get(name)
  }
}

/** Parses what follows the command's name. Variables of `env` stand in for flags that name one. */
export function parseArguments(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Arguments {
  const operands: Operand[] = []
  const values = new Map<string, string | number | true>()
  let literal = false
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (literal || arg === '-' || !arg.startsWith('-')) {
      operands.push({ text: arg, literal })
    } else if (arg === '--') {
      literal = true
    } else {
      const equals = arg.indexOf('=')
      const spelled = equals < 0 ? arg : arg.slice(0, equals)
      const flag = findFlag(command, spelled)
      if (values.has(flag.name)) throw cliErrors.flag_twice({ flag: `--${flag.name}` })
      if (flag.kind === 'switch') {
        if (equals >= 0) throw cliErrors.flag_takes_no_value({ flag: `--${flag.name}` })
        values.set(flag.name, true)
      } else {
        const text = equals < 0 ? args[++i] : arg.slice(equals + 1)
        if (text === undefined) {
          throw cliErrors.flag_needs_value({ flag: `--${flag.name}`, value: valueLabel(flag), command: command.name })
        }
        values.set(flag.name, parseValue(command, flag, `--${flag.name}`, text))
      }
    }
  }
  const typed = new Set(values.keys())
  for (const flag of command.flags) {
    const text = flag.env === undefined ? undefined : env[flag.env]
    if (text === undefined || text === '' || values.has(flag.name)) continue
    values.set(flag.name, parseValue(command, flag, flag.env as string, text))
  }
  if (!values.has('help')) checkOperands(command, operands)
  return new Arguments(command, operands, values, typed)
}

/** The command with this name, or an error that suggests the nearest. */
export function findCommand(commands: readonly Command[], name: string): Command {
  const found = commands.find((command) => command.name === name)
  if (found !== undefined) return found
  const near = nearest(
    name,
    commands.map((command) => command.name),
  )
  throw cliErrors.unknown_command({
    command: name,
    hint: near === undefined ? '`orbit help` lists the commands' : `did you mean \`orbit ${near}\`?`,
  })
}

function findFlag(command: Command, spelled: string): Flag {
  const found =
    command.flags.find((flag) => `--${flag.name}` === spelled) ?? (spelled === '-h' ? helpOf(command) : undefined)
  if (found !== undefined) return found
  const near = nearest(
    spelled,
    command.flags.map((flag) => `--${flag.name}`),
  )
  throw cliErrors.unknown_flag({
    command: command.name,
    flag: spelled,
    hint:
      near === undefined
        ? `see \`orbit help ${command.name}\`; write -- before an argument that begins with a dash`
        : `did you mean ${near}?`,
  })
}

function helpOf(command: Command): Flag | undefined {
  return command.flags.find((flag) => flag.name === 'help')
}

function parseValue(command: Command, flag: Flag, spelled: string, text: string): string | number {
  if (flag.configKey !== undefined) return text
  const refuse = (fault: string) =>
    cliErrors.flag_invalid({ flag: spelled, given: text === '' ? '""' : text, fault, command: command.name })
  if (flag.kind === 'text') return text
  if (flag.kind === 'choice') {
    const choices = flag.choices ?? []
    if (choices.includes(text)) return text
    const near = nearest(text, choices)
    throw refuse(`must be one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`)
  }
  const number = parseNumber(flag.kind, text)
  if (number === undefined || !Number.isSafeInteger(number)) throw refuse(expected(flag.kind))
  if (flag.min !== undefined && number < flag.min) throw refuse(`must be at least ${flag.min}`)
  if (flag.max !== undefined && number > flag.max) throw refuse(`must be at most ${flag.max}`)
  return number
}

function parseNumber(kind: Flag['kind'], text: string): number | undefined {
  if (kind === 'bytes') return parseBytes(text)
  if (kind === 'duration') return parseDuration(text)
  return /^\d+$/.test(text) ? Number(text) : undefined
}

function expected(kind: Flag['kind']): string {
  if (kind === 'bytes') return 'must be an amount of bytes such as 64KiB'
  if (kind === 'duration') return 'must be a duration such as 500ms, 30s or 1h'
  return 'must be a whole number'
}

function checkOperands(command: Command, operands: readonly Operand[]): void {
  const missing = command.operands.slice(operands.length).find((operand) => operand.required)
  if (missing !== undefined) throw cliErrors.missing_argument({ command: command.name, argument: missing.name })
  const takesAll = command.operands.at(-1)?.many === true
  const extra = takesAll ? undefined : operands[command.operands.length]
  if (extra !== undefined) throw cliErrors.extra_argument({ command: command.name, given: extra.text })
  for (const [index, { text }] of operands.entries()) {
    const choices = command.operands[index]?.choices
    if (choices === undefined || choices.includes(text)) continue
    const near = nearest(text, choices)
    throw cliErrors.flag_invalid({
      flag: command.operands[index]?.name,
      given: text,
      fault: `must be one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
      command: command.name,
    })
  }
}
