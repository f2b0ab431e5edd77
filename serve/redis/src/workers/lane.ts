/**
 * A lane: a stream of commands to one shard, and of its replies back, as of a client that pipelines.
 *
 * What must hold: replies come in the order of the commands, so each belongs to the oldest sink that waits. Commands of a
 * turn go out together. A lane that fails fails all its sinks: the outcome of their commands is not known.
 */

import { assert } from '@orbitkv/base'
import { copyBytes } from '@orbitkv/bytes'
import type { Connection } from '@orbitkv/runtime'
import type { Arguments } from '../protocol/arguments.ts'
import { writeInteger } from '../protocol/numbers.ts'
import { ReplyScanner } from './reply-scanner.ts'

/** Who gets a reply. */
export interface Sink {
  /** A part of it; the bytes are valid during the call. */
  feed(bytes: Uint8Array, start: number, end: number, isLast: boolean): void
  fail(error: Error): void
}

/** For replies that nobody waits for. */
export const nobodyWaits: Sink = { feed: () => {}, fail: () => {} }

export interface LaneHost {
  /** Replies were handed out. */
  received(): void
  /** It has commands to send at the end of the turn. */
  hasCommands(lane: Lane): void
  /** It was full and is not any more. */
  drained(): void
}

const bufferBytesAtFirst = 16 * 1024
const bufferBytesKept = 256 * 1024
/** Commands that wait to be taken by the other side, before clients wait with theirs. */
export const laneBytesMax = 4 * 1024 * 1024
/** A type byte, ten digits, and the line's ends before and after. */
const headerBytes = 16

export class Lane {
  readonly #connection: Connection
  readonly #host: LaneHost
  readonly #scanner = new ReplyScanner()
  #sinks: Sink[] = []
  /** The oldest sink that waits. */
  #first = 0
  #buffer = new Uint8Array(bufferBytesAtFirst)
  #used = 0
  #isSending = false
  #hasAnnounced = false
  /** Another lane to the same shard, whose commands are not to be overtaken. */
  before: Lane | undefined
  /** Those that wait for that. */
  readonly #behind = new Set<Lane>()

  constructor(connection: Connection, host: LaneHost) {
    this.#connection = connection
    this.#host = host
    connection.onData = (bytes, start, end) => this.#received(bytes, start, end)
    connection.onDrain = () => this.#drained()
    connection.onClose = (error) => this.#closed(error ?? new Error('the lane was closed'))
  }

  /** The other side has not taken all that was given to the connection. */
  get isSending(): boolean {
    return this.#isSending
  }

  get isFull(): boolean {
    return this.#used > laneBytesMax
  }

  /** A command with these arguments: all of them, or the first and those at some places. */
  send(found: Arguments, sink: Sink, places?: readonly number[]): void {
    const { bytes } = found
    const count = places === undefined ? found.count : places.length + 1
    let needed = headerBytes
    for (let i = 0; i < count; i++) needed += headerBytes + found.length(placeOf(i, places))
    this.#begin(needed, count)
    for (let i = 0; i < count; i++) {
      const place = placeOf(i, places)
      this.#argument(bytes, found.start(place), found.end(place))
    }
    this.#end(sink)
  }

  /** A command of ours. */
  say(words: readonly string[], sink: Sink): void {
    const parts = words.map((word) => Buffer.from(word, 'latin1'))
    this.#begin(
      parts.reduce((sum, part) => sum + headerBytes + part.length, headerBytes),
      parts.length,
    )
    for (const part of parts) this.#argument(part, 0, part.length)
    this.#end(sink)
  }

  /** Sends what has gathered. */
  flush(): void {
    this.#hasAnnounced = false
    if (this.#used === 0 || this.#isSending) return
    const { before } = this
    before?.flush()
    if (before?.isSending === true) {
      before.#behind.add(this)
      return
    }
    const bytes = this.#buffer
    const used = this.#used
    this.#used = 0
    // The other side may answer at once, so the buffer is ours again only when `send` says so.
    this.#buffer = noBuffer
    const isOut = this.#connection.send(bytes, 0, used)
    this.#isSending = !isOut
    if (isOut && this.#buffer === noBuffer && bytes.length <= bufferBytesKept) this.#buffer = bytes
  }

  close(): void {
    const { before } = this
    if (before !== undefined) before.#behind.delete(this)
    this.#connection.destroy()
  }

  #begin(bytesMax: number, count: number): void {
    const needed = this.#used + bytesMax
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2, bufferBytesAtFirst))
      larger.set(this.#buffer.subarray(0, this.#used))
      this.#buffer = larger
    }
    this.#number(0x2a, count)
  }

  #argument(bytes: Uint8Array, start: number, end: number): void {
    this.#number(0x24, end - start)
    copyBytes(this.#buffer, this.#used, bytes, start, end)
    this.#used += end - start
    this.#lineEnd()
  }

  #end(sink: Sink): void {
    this.#sinks.push(sink)
    if (this.#hasAnnounced) return
    this.#hasAnnounced = true
    this.#host.hasCommands(this)
  }

  #number(type: number, value: number): void {
    this.#buffer[this.#used] = type
    this.#used = writeInteger(this.#buffer, this.#used + 1, value)
    this.#lineEnd()
  }

  #lineEnd(): void {
    this.#buffer[this.#used] = 0x0d
    this.#buffer[this.#used + 1] = 0x0a
    this.#used += 2
  }

  #received(bytes: Uint8Array, start: number, end: number): void {
    let at = start
    while (at < end) {
      const until = this.#scanner.scan(bytes, at, end)
      const { isDone } = this.#scanner
      const sink = this.#sinks[this.#first]
      assert(sink !== undefined, 'a reply is to a command')
      if (isDone) this.#next()
      sink.feed(bytes, at, until, isDone)
      at = until
    }
    this.#host.received()
  }

  #next(): void {
    this.#first++
    // Half of it is behind us: moving the rest costs less than was gained since the last time.
    if (this.#first < 1024 && this.#first < this.#sinks.length) return
    if (this.#first * 2 < this.#sinks.length) return
    this.#sinks = this.#sinks.slice(this.#first)
    this.#first = 0
  }

  #drained(): void {
    const wasFull = this.isFull
    this.#isSending = false
    this.flush()
    if (!this.#isSending) {
      const behind = [...this.#behind]
      this.#behind.clear()
      for (const lane of behind) lane.flush()
    }
    if (wasFull) this.#host.drained()
  }

  #closed(error: Error): void {
    const sinks = this.#sinks.slice(this.#first)
    this.#sinks = []
    this.#first = 0
    for (const sink of sinks) sink.fail(error)
  }
}

const noBuffer = new Uint8Array(0)

function placeOf(i: number, places: readonly number[] | undefined): number {
  return places === undefined || i === 0 ? i : (places[i - 1] as number)
}
