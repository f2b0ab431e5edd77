/**
 * Ctrl-C, SIGTERM, and the end of the launcher, as one count.
 *
 * The first asks for a stop in good order (`signal` aborts), the second stops at once. A launcher (bin/orbit.js) tells
 * by message of the signals that reached it; Ctrl-C on a terminal reaches both processes, so for each signal the larger
 * of the two counts holds and not their sum. A launcher that has died closes its pipe: that counts as SIGTERM.
 *
 * SIGHUP is left alone, since a handler would undo `nohup`.
 */

import type { OrbitError } from '@orbitkv/base'
import { cliErrors } from './errors.ts'
import { exitCodes } from './exit-codes.ts'

export type InterruptKind = 'SIGINT' | 'SIGTERM'
const kinds: readonly InterruptKind[] = ['SIGINT', 'SIGTERM']

/** The part of `process` that is used. */
export interface SignalSource {
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

export class Interrupts {
  readonly #controller = new AbortController()
  readonly #direct: Record<InterruptKind, number> = { SIGINT: 0, SIGTERM: 0 }
  readonly #passed: Record<InterruptKind, number> = { SIGINT: 0, SIGTERM: 0 }
  #first: InterruptKind | undefined

  /** Aborts at the first interrupt. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What the first interrupt was; undefined before it. */
  get first(): InterruptKind | undefined {
    return this.#first
  }

  get exitCode(): number {
    return this.#first === 'SIGTERM' ? exitCodes.terminated.code : exitCodes.interrupted.code
  }

  /** Listens for as long as the process lives; `atOnce` is called for every interrupt after the first. */
  attach(source: SignalSource, atOnce: () => void): void {
    for (const kind of kinds) {
      source.on(kind, () => {
        this.#direct[kind]++
        this.#settle(kind, atOnce)
      })
    }
    source.on('message', (message) => {
      const kind = (message as { signal?: unknown } | null)?.signal
      if (kind !== 'SIGINT' && kind !== 'SIGTERM') return
      this.#passed[kind]++
      this.#settle(kind, atOnce)
    })
    source.on('disconnect', () => {
      if (this.#first === undefined) this.#interrupt('SIGTERM')
    })
  }

  #settled = 0

  #settle(kind: InterruptKind, atOnce: () => void): void {
    const total = kinds.reduce((sum, each) => sum + Math.max(this.#direct[each], this.#passed[each]), 0)
    if (total === this.#settled) return
    this.#settled = total
    if (this.#first === undefined) this.#interrupt(kind)
    else atOnce()
  }

  #interrupt(kind: InterruptKind): void {
    this.#first = kind
    this.#controller.abort()
  }
}

/** The error of a command that was told to stop; `next` says how things stand and what to do. */
export function stoppedError({ first }: Interrupts, next: string): OrbitError {
  return first === 'SIGTERM' ? cliErrors.terminated({ next }) : cliErrors.interrupted({ next })
}
