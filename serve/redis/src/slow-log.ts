/**
 * The newest commands that took long, with what they were asked.
 *
 * What must hold: nothing of what it shows is longer than Redis shows it, so that its memory is bounded; arguments that are
 * secrets are never kept.
 */

import { decodeText } from '@orbitkv/bytes'
import type { Call, Command } from './commands/command.ts'
import type { Arguments } from './protocol/arguments.ts'

const argumentsMax = 32
const argumentBytesMax = 128

export interface SlowCommand {
  readonly id: number
  readonly timeMs: number
  readonly microseconds: number
  readonly arguments: readonly string[]
  readonly address: string
  readonly connectionName: string
}

export class SlowLog {
  /** Newest first. */
  entries: SlowCommand[] = []
  #entriesMax = 128
  #nextId = 0

  get entriesMax(): number {
    return this.#entriesMax
  }

  set entriesMax(entriesMax: number) {
    this.#entriesMax = entriesMax
    this.#trim()
  }

  add({ secretsFrom }: Command, { arguments: found, session }: Call, microseconds: number, timeMs: number): void {
    const { host, port } = session.remote
    this.entries.unshift({
      id: this.#nextId++,
      timeMs,
      microseconds,
      arguments: shownArguments(found, secretsFrom ?? found.count),
      address: `${host}:${port}`,
      connectionName: session.connectionName,
    })
    this.#trim()
  }

  reset(): void {
    this.entries = []
  }

  #trim(): void {
    if (this.entries.length > this.#entriesMax) this.entries.length = this.#entriesMax
  }
}

function shownArguments(found: Arguments, secretsFrom: number): string[] {
  const { count } = found
  const shownCount = count > argumentsMax ? argumentsMax - 1 : count
  const shown: string[] = []
  for (let place = 0; place < shownCount; place++) {
    shown.push(place >= secretsFrom ? '(redacted)' : shownArgument(found, place))
  }
  if (count > argumentsMax) shown.push(`... (${count - argumentsMax + 1} more arguments)`)
  return shown
}

function shownArgument(found: Arguments, place: number): string {
  const start = found.start(place)
  const more = found.length(place) - argumentBytesMax
  const text = decodeText(found.bytes.subarray(start, Math.min(found.end(place), start + argumentBytesMax)))
  return more > 0 ? `${text}... (${more} more bytes)` : text
}
