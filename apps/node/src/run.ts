/**
 * Runs one command line: picks the command, parses, reads the configuration, runs, and turns whatever goes wrong into
 * one line on standard error and an exit code. Called by main.ts; it touches no global of the process.
 */

import type { Clock } from '@orbitkv/runtime'
import type { Command } from './args/command.ts'
import { commandHelp, overviewHelp } from './args/help.ts'
import { type Arguments, findCommand, parseArguments } from './args/parse.ts'
import { commands } from './commands/catalogue.ts'
import { runners } from './commands/runners.ts'
import { envOfKey } from './config/keys.ts'
import { faultsLine, loadConfig } from './config/load.ts'
import type { Env } from './context.ts'
import { cliErrors } from './errors.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { type Interrupts, stoppedError } from './interrupts.ts'
import { type Notes, type Output, silentNotes } from './terminal/output.ts'
import { version } from './version.ts'

export interface Host {
  readonly env: Env
  readonly folder: string
  readonly input: AsyncIterable<Uint8Array>
  readonly output: Output
  readonly notes: Notes
  readonly clock: Clock
  readonly interrupts: Interrupts
}

/** Resolves to the exit code; never rejects. */
export async function runOrbit(argv: readonly string[], host: Host): Promise<number> {
  const json = argv.includes('--json')
  try {
    const code = await dispatch(argv, host, json)
    await host.output.flush()
    return code
  } catch (error) {
    return reportError(error, { notes: host.notes, env: host.env, json })
  }
}

async function dispatch(argv: readonly string[], host: Host, json: boolean): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined) {
    host.notes.write(overviewHelp(commands, version, host.notes.styles))
    return exitCodes.usage.code
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    await (json ? host.output.json({ version, node: process.versions.node }) : host.output.lines([`orbit ${version}`]))
    return exitCodes.ok.code
  }
  if (name === '--help' || name === '-h') return help(undefined, host)
  if (name.startsWith('-'))
    throw cliErrors.unknown_command({ command: name, hint: 'write the command first, then its flags' })
  const command = findCommand(commands, name)
  const args = parseArguments(command, rest, host.env)
  if (args.on('help')) return help(command, host)
  if (command.name === 'help') return help(args.operand(0), host)
  return runCommand(command, args, host, json)
}

async function help(wanted: Command | string | undefined, { output }: Host): Promise<number> {
  const command = typeof wanted === 'string' ? findCommand(commands, wanted) : wanted
  await output.text(
    command === undefined
      ? overviewHelp(commands, version, output.styles)
      : commandHelp(command, output.styles, envOfKey),
  )
  return exitCodes.ok.code
}

async function runCommand(command: Command, args: Arguments, host: Host, json: boolean): Promise<number> {
  const config = loadConfig({ env: host.env, folder: host.folder, args })
  if (config.faults.length > 0 && command.needsNoConfig !== true)
    throw cliErrors.config_faults({ faults: faultsLine(config.faults) })
  const run = await (runners[command.name] as (typeof runners)[string])()
  const { interrupts } = host
  const work = run({ ...host, args, config, json, progress: json ? silentNotes : host.notes })
  if (command.drains === true) return work
  // A command that does not stop by itself just ends: the store holds whatever it acknowledged.
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(stoppedError(interrupts, 'nothing more was done'))
    interrupts.signal.addEventListener('abort', stop, { once: true })
  })
  return Promise.race([work, stopped])
}

export interface ReportOptions {
  readonly notes: Pick<Notes, 'line' | 'styles'>
  readonly env: Env
  readonly json: boolean
}

/** One line (or one JSON document) on standard error; the exit code. ORBIT_DEBUG adds where it happened. */
export function reportError(error: unknown, { notes, env, json }: ReportOptions): number {
  const { code, retry, message } = facts(error)
  const exit = exitCodeOf(code)
  if (code === 'cli.output_closed') return exit
  if (json) notes.line(JSON.stringify({ error: { code, message, retry, exit } }))
  else notes.line(`${notes.styles.bad('orbit:')} ${message} (${code})`)
  if ((env.ORBIT_DEBUG ?? '') !== '' && error instanceof Error) notes.line(describe(error))
  return exit
}

function facts(error: unknown): { code: string; retry: string; message: string } {
  const raw = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
  // By its code and not by its class: another copy of @orbitkv/base has a class of its own.
  const { code, retry } = (error ?? {}) as { code?: unknown; retry?: unknown }
  if (typeof code === 'string' && typeof retry === 'string') return { code, retry, message: raw }
  const codeText = typeof code === 'string' && code.startsWith('base.') ? code : 'cli.internal'
  return {
    code: codeText,
    retry: 'no',
    message: `internal fault: ${raw}; run it again with ORBIT_DEBUG=1 and report what it prints`,
  }
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describe(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
