/**
 * A place in a client's replies for one that is made elsewhere, and the order in which a client's replies leave.
 *
 * A hole lies among the slices of its turn like a reply (protocol/output.ts), so the gate lets it go in its place. What
 * the gate lets go behind a hole that is still open waits here.
 *
 * What must hold: replies leave in the order of their commands, whichever worker makes them. `parts` begins with an open
 * hole, or is empty; the inbox is emptied before anybody else may send to a client.
 */

import { assert } from '@orbitkv/base'
import type { SliceSource } from '../protocol/output.ts'
import type { ReplyOwner } from '../protocol/reply.ts'
import type { Inbox } from './inbox.ts'
import type { Sink } from './lane.ts'

/** What holes need of a client. */
export interface HoleClient extends ReplyOwner {
  readonly isClosed: boolean
  /** Sends `chunk.bytes[start, end)`, behind what is being sent, and releases the chunk. */
  emit(chunk: SliceSource, start: number, end: number): void
  /** Something came, or nothing will: it may go on with its commands. */
  goOn(): void
}

const noBytes = new Uint8Array(0)

export class Hole implements Sink, SliceSource {
  readonly bytes = noBytes
  slices = 0
  readonly #order: ReplyOrder
  readonly #onFilled: (() => void) | undefined
  /** What came while replies before it were open. */
  readonly pieces: Uint8Array[] = []
  isFilled = false
  /** The client does not want it: CLIENT REPLY, or it is gone. */
  isDropped = false
  bytesReceived = 0

  constructor(order: ReplyOrder, onFilled?: () => void) {
    this.#order = order
    this.#onFilled = onFilled
  }

  /** Taken back before it was let go. */
  release(): void {
    this.isDropped = true
  }

  feed(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    this.bytesReceived += end - start
    if (!this.isDropped) this.#order.feed(this, bytes, start, end)
    if (!isLast) return
    this.isFilled = true
    this.#order.filled(this)
    this.#onFilled?.()
  }

  fail(error: Error): void {
    this.#order.fail(error)
  }
}

type Part = Hole | { readonly chunk: SliceSource; readonly start: number; readonly end: number }

/** What a reply that is still to come is reckoned to take, before any came. */
const replyBytesAtFirst = 16 * 1024
const replyBytesMin = 64

export class ReplyOrder {
  /** Holes that are open. */
  open = 0
  readonly #client: HoleClient
  readonly #inbox: Inbox
  readonly #parts: Part[] = []
  /** How large a reply is to be expected: the larger of the last, and three quarters of what was expected before. */
  #replyBytes = replyBytesAtFirst

  constructor(client: HoleClient, inbox: Inbox) {
    this.#client = client
    this.#inbox = inbox
  }

  /** What the open holes may bring. */
  get expectedBytes(): number {
    return this.open * this.#replyBytes
  }

  newHole(onFilled?: () => void): Hole {
    this.open++
    return new Hole(this, onFilled)
  }

  /** Takes what the gate lets go, unless it may go out at once. */
  takes(chunk: SliceSource, start: number, end: number): boolean {
    if (chunk instanceof Hole) {
      chunk.slices--
      this.#parts.push(chunk)
      this.#drain()
      this.#inbox.flush()
      return true
    }
    if (this.#parts.length === 0) return false
    this.#parts.push({ chunk, start, end })
    return true
  }

  feed(hole: Hole, bytes: Uint8Array, start: number, end: number): void {
    if (this.#client.isClosed) return
    if (this.#parts[0] === hole) this.#inbox.add(this.#client, bytes, start, end)
    else hole.pieces.push(bytes.slice(start, end))
  }

  filled(hole: Hole): void {
    this.open--
    assert(this.open >= 0, 'a hole is filled once')
    this.#replyBytes = Math.max(hole.bytesReceived, (this.#replyBytes * 3) >> 2, replyBytesMin)
    if (this.#parts[0] === hole) this.#drain()
    if (this.open === 0 || hole.isDropped) this.#inbox.wake(this.#client)
  }

  fail(error: Error): void {
    if (!this.#client.isClosed) this.#inbox.giveUp(this.#client, error)
  }

  /** The client is gone. */
  drop(): void {
    for (const part of this.#parts.splice(0)) {
      if (part instanceof Hole) part.isDropped = true
      else this.#release(part.chunk, part.end - part.start)
    }
  }

  /** Lets go what is not behind an open hole. */
  #drain(): void {
    let gone = 0
    for (const part of this.#parts) {
      if (part instanceof Hole) {
        if (!part.isDropped) for (const piece of part.pieces) this.#inbox.add(this.#client, piece, 0, piece.length)
        part.pieces.length = 0
        if (!part.isFilled) break
      } else {
        this.#inbox.add(this.#client, part.chunk.bytes, part.start, part.end)
        this.#release(part.chunk, part.end - part.start)
      }
      gone++
    }
    this.#parts.splice(0, gone)
  }

  #release(chunk: SliceSource, bytes: number): void {
    this.#client.outputBytes -= bytes
    chunk.release()
  }
}
