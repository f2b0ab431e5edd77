/**
 * The process `orbit`: hands the process's own streams, variables and signals to run.ts and ends with its exit code.
 * Started by bin/orbit.js. The only file of this package that touches `process`' streams and signals.
 */

import { realClock } from '@orbitkv/runtime'
import { Interrupts } from './interrupts.ts'
import { reportError, runOrbit } from './run.ts'
import { Notes, Output } from './terminal/output.ts'

const interrupts = new Interrupts()
interrupts.attach(process, () => process.exit(interrupts.exitCode))
// The pipe to a launcher alone must not keep a finished command alive.
process.channel?.unref()

const notes = new Notes(process.stderr, process.env)
for (const event of ['uncaughtException', 'unhandledRejection']) {
  // A bug of ours: nothing sensible can follow. What was acknowledged is on the disk at its level.
  process.on(event, (error) =>
    process.exit(reportError(error, { notes, env: process.env, json: process.argv.includes('--json') })),
  )
}

const code = await runOrbit(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  input: standardInput(),
  output: new Output(process.stdout, process.env),
  notes,
  clock: realClock,
  interrupts,
})
// Whatever a command left open (a half-read pipe, an unfinished read) must not hold the process.
process.exit(code)

/** Opened only by a command that reads it. */
async function* standardInput(): AsyncGenerator<Uint8Array> {
  yield* process.stdin
}
