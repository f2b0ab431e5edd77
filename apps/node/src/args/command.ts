/**
 * What a command is, as data: parsing (parse.ts), help (help.ts), completion (completion.ts) and the documentation
 * (docs.ts) are all made from the one table in commands/catalogue.ts.
 */

import type { ExitName } from '../exit-codes.ts'

export type FlagKind = 'switch' | 'text' | 'count' | 'bytes' | 'duration' | 'choice'

/** What a shell offers where a value is typed. */
export type Completes = 'file' | 'folder' | 'nothing'

export interface Flag {
  /** Without the dashes. */
  readonly name: string
  readonly kind: FlagKind
  /** How the value is called in help: `DIR`. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly min?: number
  readonly max?: number
  /** Said in help; the command itself applies it. */
  readonly default?: string
  readonly help: string
  /** The configuration key that the flag overrides; then the configuration checks the value. */
  readonly configKey?: string
  /** A variable that stands in for the flag, where no configuration key does. */
  readonly env?: string
  readonly completes?: Completes
}

export interface Operand {
  /** As help writes it: `KEY`. */
  readonly name: string
  readonly help: string
  readonly required: boolean
  /** Takes all that remain. */
  readonly many?: boolean
  readonly choices?: readonly string[]
  readonly completes?: Completes
}

export interface Example {
  readonly line: string
  readonly does: string
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly operands: readonly Operand[]
  readonly flags: readonly Flag[]
  readonly examples: readonly Example[]
  /** Exit codes that this command gives a meaning of its own, besides ok, usage, configuration and interrupted. */
  readonly exits: readonly ExitName[]
  /** Stops in good order by itself when interrupted; any other command simply ends. */
  readonly drains?: boolean
  /** Does not read the configuration before it runs. */
  readonly needsNoConfig?: boolean
}

/** `--data DIR`, as help and completion write a flag. */
export function flagLabel(flag: Flag): string {
  return flag.kind === 'switch' ? `--${flag.name}` : `--${flag.name} ${valueLabel(flag)}`
}

export function valueLabel(flag: Flag): string {
  return flag.value ?? (flag.choices === undefined ? flag.kind.toUpperCase() : flag.choices.join('|'))
}
