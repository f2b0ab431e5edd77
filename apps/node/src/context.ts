/** What a command is given: its arguments, the configuration, its streams, and time. Made by run.ts. */

import type { Clock } from '@orbitkv/runtime'
import type { Arguments } from './args/parse.ts'
import type { Configuration } from './config/load.ts'
import type { Interrupts } from './interrupts.ts'
import type { Notes, Output } from './terminal/output.ts'
import type { ProgressSurface } from './terminal/progress.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface Context {
  readonly args: Arguments
  readonly config: Configuration
  readonly env: Env
  /** The working directory. */
  readonly folder: string
  readonly input: AsyncIterable<Uint8Array>
  readonly output: Output
  readonly notes: Notes
  /** Where progress goes: nowhere with --json. */
  readonly progress: ProgressSurface
  readonly json: boolean
  readonly clock: Clock
  readonly interrupts: Interrupts
}

/** A command's own work; resolves to the exit code. */
export type RunCommand = (context: Context) => Promise<number>
