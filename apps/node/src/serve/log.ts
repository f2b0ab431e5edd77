/** Log lines of the server on standard error: for people, or one JSON document a line with --log-format json. */

import { OrbitError } from '@orbitkv/base'
import type { Log, LogLevel } from '@orbitkv/redis'
import type { Clock } from '@orbitkv/runtime'
import type { Notes } from '../terminal/output.ts'

export type LogFormat = 'human' | 'json'

export interface LoggerOptions {
  readonly notes: Pick<Notes, 'line' | 'styles'>
  readonly clock: Clock
  readonly format: LogFormat
  /** With it `debug` lines are written too, and where an error happened. */
  readonly debug: boolean
}

export type Facts = Readonly<Record<string, string | number | boolean>>

export interface Logger {
  /** As the packages below take it. */
  readonly log: Log
  /** A line with facts beside the message. */
  tell(level: LogLevel, message: string, facts?: Facts): void
}

export function makeLogger(options: LoggerOptions): Logger {
  const tell = (level: LogLevel, message: string, facts: Facts = {}): void => {
    if (level === 'debug' && !options.debug) return
    options.notes.line(
      options.format === 'json' ? jsonLine(options, level, message, facts) : humanLine(options, level, message, facts),
    )
  }
  return {
    tell,
    log: (level, message, error) => tell(level, message, error === undefined ? {} : errorFacts(error, options.debug)),
  }
}

/** A logger whose lines another thread writes: `write` gets what there is to tell. */
export function makeRemoteLogger(
  write: (level: LogLevel, message: string, facts: Facts) => void,
  debug: boolean,
): Logger {
  return {
    tell: (level, message, facts = {}) => write(level, message, facts),
    log: (level, message, error) => write(level, message, error === undefined ? {} : errorFacts(error, debug)),
  }
}

function jsonLine({ clock }: LoggerOptions, level: LogLevel, message: string, facts: Facts): string {
  return JSON.stringify({ time: new Date(clock.now()).toISOString(), level, message, ...facts })
}

function humanLine({ clock, notes }: LoggerOptions, level: LogLevel, message: string, facts: Facts): string {
  const { styles } = notes
  const time = new Date(clock.now()).toISOString().slice(0, 23).replace('T', ' ')
  const label = level === 'error' || level === 'warn' ? styles.bad(level.padEnd(5)) : level.padEnd(5)
  const rest = Object.entries(facts).map(([name, value]) => `${name}=${quoted(value)}`)
  return [styles.dim(time), label, message, ...rest].join(' ')
}

function quoted(value: string | number | boolean): string {
  return typeof value === 'string' && /[\s"=]/.test(value) ? JSON.stringify(value) : String(value)
}

function errorFacts(error: unknown, debug: boolean): Facts {
  const raw = error instanceof Error ? error.message : String(error)
  const code = error instanceof OrbitError ? { code: error.code } : {}
  const stack = debug && error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
  return { ...code, error: raw.replaceAll(/\s*\n\s*/g, ' '), ...stack }
}
