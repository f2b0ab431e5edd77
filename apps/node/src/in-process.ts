/** Runs command lines in the test's own process, for tests that would spend their time on starting processes. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { realClock } from '@orbitkv/runtime'
import { Interrupts, type SignalSource } from './interrupts.ts'
import { runOrbit } from './run.ts'
import { differences, type Fields } from './schemas.ts'
import { Notes, Output, type OutputStream } from './terminal/output.ts'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly bytes: Buffer
  readonly stderr: string
}

export interface InProcessOptions {
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
  /** Called with what is written to standard error; `interrupt` does what Ctrl-C does. */
  readonly told?: (text: string, interrupt: () => void) => void
  /** Stops it before it begins. */
  readonly isInterrupted?: boolean
}

class Captured implements OutputStream {
  readonly parts: Buffer[] = []
  readonly #told: (text: string) => void

  constructor(told: (text: string) => void = () => undefined) {
    this.#told = told
  }

  write(data: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    const part = Buffer.from(data as string)
    this.parts.push(part)
    this.#told(part.toString('utf8'))
    setImmediate(done)
    return true
  }

  on(): void {}

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }
}

export interface Started {
  /** Resolves once standard error matches, with the match; fails if the command ends first. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Does what Ctrl-C does. */
  interrupt(): void
  readonly finished: Promise<Ended>
}

export function runInProcess(argv: readonly string[], options: InProcessOptions): Promise<Ended> {
  return startInProcess(argv, options).finished
}

export function startInProcess(argv: readonly string[], options: InProcessOptions): Started {
  const { folder, env = {}, told, isInterrupted = false } = options
  const interrupts = new Interrupts()
  const listeners = new Map<string, () => void>()
  const signals: SignalSource = { on: (event, listener) => listeners.set(event, listener) }
  interrupts.attach(signals, () => undefined)
  const interrupt = () => listeners.get('SIGINT')?.()
  if (isInterrupted) interrupt()
  let look = () => {}
  const stdout = new Captured()
  const stderr = new Captured((text) => {
    told?.(text, interrupt)
    look()
  })
  // The folder of a store is taken from where the process stands, which is not where the command is meant to.
  const placed = argv.map((arg, place) => (argv[place - 1] === '--data' ? join(folder, arg) : arg))
  const finished = runOrbit(placed, {
    env,
    folder,
    input: nothing(),
    output: new Output(stdout, env),
    notes: new Notes(stderr, env),
    clock: realClock,
    interrupts,
  }).then((code) => {
    const [out, err] = [stdout.bytes, stderr.bytes]
    return { code, stdout: out.toString('utf8'), bytes: out, stderr: err.toString('utf8') }
  })
  return {
    async says(pattern) {
      const match = () => pattern.exec(stderr.bytes.toString('utf8'))
      const matches = new Promise<void>((resolve) => {
        look = () => {
          if (match() !== null) resolve()
        }
      })
      look()
      await Promise.race([matches, finished])
      return match() ?? assert.fail(`ended without ${pattern}: ${stderr.bytes}`)
    },
    interrupt,
    finished,
  }
}

/** With --json, for a command that must succeed; its one document, which must fit the schema. */
export async function jsonInProcess<Document>(
  argv: readonly string[],
  fields: Fields,
  options: InProcessOptions,
): Promise<Document> {
  const { code, stdout, stderr } = await runInProcess([...argv, '--json'], options)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[^\n]+\n$/, 'one document on one line')
  const document = JSON.parse(stdout) as Document
  assert.deepEqual(differences(document, fields), [], stdout)
  return document
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
