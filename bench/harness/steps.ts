/**
 * A child process that does one named step at a time and answers with what came out, so that two of them can take turns
 * while each keeps its own memory, heap and compiled code. Between steps a child waits and uses no processor.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { basename } from 'node:path'

interface Request {
  readonly step: string
  readonly argument: unknown
}

type Answer = { readonly result: unknown } | { readonly failure: string }

/** A step that takes longer than this, or than it was given, has hung. */
const stepDeadlineMs = 120_000

export class StepChild {
  readonly #child: ChildProcess
  readonly #name: string

  /** Starts a fresh process of a file that calls `serveSteps`. */
  constructor(file: string, args: readonly string[], nodeFlags: readonly string[] = []) {
    this.#name = [basename(file), ...args].join(' ')
    this.#child = fork(file, [...args], {
      execArgv: [...process.execArgv, ...nodeFlags],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Does a step; rejects with what went wrong in it, or when the process ended. */
  run<Result>(step: string, argument?: unknown, deadlineMs = stepDeadlineMs): Promise<Result> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, result?: Result): void => {
        clearTimeout(timer)
        child.off('message', answered)
        child.off('exit', ended)
        if (error === undefined) resolve(result as Result)
        else reject(error)
      }
      const answered = (answer: Answer): void => {
        if ('failure' in answer) settle(new Error(`${this.#name}, ${step}: ${answer.failure}`))
        else settle(undefined, answer.result as Result)
      }
      const ended = (code: number | null, signal: string | null): void => {
        settle(new Error(`${this.#name} ended during ${step} (${signal ?? code})`))
      }
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        settle(new Error(`${this.#name}: ${step} took longer than ${deadlineMs} ms`))
      }, deadlineMs)
      child.on('message', answered)
      child.on('exit', ended)
      if (!child.connected) settle(new Error(`${this.#name} is not running`))
      else child.send({ step, argument } satisfies Request)
    })
  }

  /** Ends the process; resolves when it is gone. */
  async end(): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.connected) child.disconnect()
    await gone
  }
}

/** In the child: answers steps until the parent lets go. */
export function serveSteps(steps: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on('message', (request: Request) => {
    answer(steps, request).then(
      (message) => process.send?.(message),
      (error: unknown) => {
        throw error
      },
    )
  })
}

async function answer(
  steps: Readonly<Record<string, (argument: never) => unknown>>,
  request: Request,
): Promise<Answer> {
  const step = steps[request.step]
  if (step === undefined) return { failure: `there is no step ${request.step}` }
  try {
    return { result: await step(request.argument as never) }
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
