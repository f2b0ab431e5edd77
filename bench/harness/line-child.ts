/**
 * A program in another language that does one named step at a time: `NAME ARGUMENT...` on its standard input, `ok NUMBER...` or
 * `failed TEXT` on its standard output. As StepChild is for a file of ours.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'

export class LineChild {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #lines: Interface

  constructor(program: string, args: readonly string[]) {
    this.#name = program.slice(program.lastIndexOf('/') + 1)
    this.#child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Does a step; rejects with what went wrong in it, or when the program ended. */
  run(step: string, args: readonly (string | number)[], deadlineMs: number): Promise<number[]> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, numbers: number[] = []): void => {
        clearTimeout(timer)
        this.#lines.off('line', answered)
        child.off('exit', ended)
        child.off('error', settle)
        if (error === undefined) resolve(numbers)
        else reject(error)
      }
      const answered = (line: string): void => {
        const [word, ...rest] = line.trim().split(/\s+/)
        if (word === 'ok') settle(undefined, rest.map(Number))
        else settle(new Error(`${this.#name}, ${step}: ${line}`))
      }
      const ended = (code: number | null, signal: string | null): void => {
        settle(new Error(`${this.#name} ended during ${step} (${signal ?? code})`))
      }
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        settle(new Error(`${this.#name}: ${step} took longer than ${deadlineMs} ms`))
      }, deadlineMs)
      this.#lines.on('line', answered)
      child.on('exit', ended)
      child.on('error', settle)
      if (child.exitCode !== null || child.signalCode !== null) settle(new Error(`${this.#name} is not running`))
      else child.stdin?.write(`${[step, ...args].join(' ')}\n`)
    })
  }

  /** Ends the program; resolves when it is gone. */
  async end(): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.stdin?.end()
    await gone
  }
}
